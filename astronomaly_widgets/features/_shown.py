"""How an extractor shows itself: as the call that makes it."""

from __future__ import annotations

from inspect import isroutine, signature
from textwrap import shorten
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 80  # letters of an argument


def as_call(extractor: Any, arguments: Mapping[str, Any] | None = None) -> str:
    """Return the class with those arguments that are not its defaults, as scikit-learn does.

    The arguments are the attributes of that name, or with an underscore before it where the name
    stands for what became of the argument; unless they are given.
    """
    kept = {name.removeprefix("_"): value for name, value in vars(extractor).items()}
    kept |= vars(extractor) | dict(arguments or {})
    said = [
        f"{name}={_brief(kept[name])}"
        for name, parameter in signature(type(extractor)).parameters.items()
        if repr(kept.get(name, parameter.default)) != repr(parameter.default)
    ]
    return f"{type(extractor).__name__}({', '.join(said)})"


class ShownAsCall:
    """An extractor whose attributes are the arguments of its class."""

    def __repr__(self) -> str:
        return as_call(self)


def _brief(value: Any) -> str:
    return value.__name__ if isroutine(value) else shorten(repr(value), _MOST, placeholder=" ...")
