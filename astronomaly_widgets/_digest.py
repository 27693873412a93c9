"""What tells one function or object from another: its code, and all that it holds, by content.

joblib.hash knows a function by its name, whatever its code has become, and refuses closures; what
cloudpickle writes of a set, also of one in a function's code, is another in every run of Python.
"""

from __future__ import annotations

import copyreg
import hashlib
from operator import attrgetter
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))


def _contents(cell: CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not filled yet
        return ()


_PARTS: dict[type, Callable[[Any], Iterable[Any]]] = {
    tuple: iter,
    list: iter,
    set: iter,
    frozenset: iter,
    dict: dict.items,
    FunctionType: attrgetter("__code__", "__defaults__", "__kwdefaults__", "__closure__"),
    CodeType: attrgetter("co_code", "co_consts", "co_names", "co_freevars"),
    MethodType: attrgetter("__func__", "__self__"),
    CellType: _contents,
}


def digest(value: Any) -> str:
    """Return 64 letters that change with a value, and are the same in every run of Python.

    A function is known by its code, its defaults and what it has captured; a module or a class by
    its name; anything else by what pickling would write of it.

    Raises
    ------
    TypeError
        The value holds something of which nothing can be said, as a lock or an open file.
    """
    return _digest(value, set()).hex()


def _digest(value: Any, around: set[int]) -> bytes:
    """Return a digest of a value; `around` are the ids of all values that it is part of."""
    kind = type(value)
    if kind in _ATOMS:
        return _hash(kind.__name__, repr(value).encode())
    if kind in (np.ndarray, np.memmap) and not (value.dtype.hasobject or value.dtype.names):
        return _hash("array", f"{value.dtype!r} {value.shape}".encode(), value.tobytes())
    if id(value) in around:
        return _hash("itself")
    around.add(id(value))
    try:
        parts = [_digest(part, around) for part in _parts(value)]
    finally:
        around.remove(id(value))
    if kind in (set, frozenset):  # their order depends on the run
        parts.sort()
    return _hash(kind.__name__, *parts)


def _parts(value: Any) -> Iterable[Any]:
    """Return all that makes a value what it is."""
    kind = type(value)
    if kind in _PARTS:
        return _PARTS[kind](value)
    if isinstance(value, ModuleType | type):
        return value.__name__, getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    if kind is np.ndarray and value.dtype.names:  # what lies between the fields is noise
        return repr(value.dtype), *(value[name] for name in value.dtype.names)
    if kind.__module__.startswith("torch") and hasattr(value, "detach"):
        return (value.detach().cpu().numpy(),)  # pickling would write where it lies in memory
    if callable(value) and hasattr(value, "__wrapped__"):  # compiled, or with a cache
        return (value.__wrapped__,)
    return _as_pickled(value)


def _as_pickled(value: Any) -> tuple[Any, ...]:
    """Return what pickling would write of an object, and the code that runs if it is called."""
    kind = type(value)
    reduce = copyreg.dispatch_table.get(kind)
    try:
        reduced: Any = value.__reduce_ex__(4) if reduce is None else reduce(value)
    except Exception as error:
        raise TypeError(
            f"nothing tells whether an object of type {kind.__module__}.{kind.__qualname__} has "
            f"changed ({error})"
        ) from error
    call = kind.__call__ if callable(value) else None
    code = call if isinstance(call, FunctionType) else None
    if isinstance(reduced, str):
        return getattr(value, "__module__", ""), reduced, code
    maker, arguments, *rest = reduced
    # what it holds as a list or a mapping comes as iterators
    rest = [each if index == 0 else list(each or ()) for index, each in enumerate(rest[:3])]
    return maker.__module__, maker.__qualname__, arguments, rest, code


def _hash(*parts: str | bytes) -> bytes:
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        sha.update(len(raw).to_bytes(8, "little") + raw)
    return sha.digest()
