"""What tells one detector from another, also in another run of Python."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .._digest import digest

if TYPE_CHECKING:
    from .._protocols import Detector


def identity(detector: str | Detector) -> str:
    """Return what tells a detector from others: its name, or its class, code and parameters.

    An object must not be fitted yet, unless it says what its parameters are: as scikit-learn's
    do, or as a dataclass. One that holds what nothing can be said of is unlike any other, and
    unlike itself the next time.
    """
    if isinstance(detector, str):
        return detector
    kind = type(detector)
    code = [list(_functions(each)) for each in kind.__mro__ if each is not object]
    try:
        return digest([kind, code, sorted(_parameters(detector).items())])
    except TypeError:
        return os.urandom(16).hex()


def _functions(kind: type) -> list[tuple[str, FunctionType]]:
    """Return what a class does: in a notebook, one of the same name may do something else."""
    return [(name, part) for name, part in vars(kind).items() if isinstance(part, FunctionType)]


def _parameters(detector: Any) -> dict[str, Any]:
    if hasattr(detector, "get_params"):
        return dict(detector.get_params(deep=False))
    if is_dataclass(detector):
        return {
            field.name: getattr(detector, field.name) for field in fields(detector) if field.init
        }
    return dict(getattr(detector, "__dict__", {}))
