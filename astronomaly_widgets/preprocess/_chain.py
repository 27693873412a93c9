"""Several steps in a row, which can be written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from ._brightness import grey, normalize, remove_negative, stretch, to_uint8
from ._color import lupton_rgb, select_bands
from ._noise import sigma_clip
from ._shape import center_crop, resize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_STEPS: dict[str, Callable[..., NDArray[Any]]] = {
    step.__name__: step
    for step in (
        center_crop,
        grey,
        lupton_rgb,
        normalize,
        remove_negative,
        resize,
        select_bands,
        sigma_clip,
        stretch,
        to_uint8,
    )
}


class Chain:
    """Functions of this module, one after another, by name (LB21 section 3.1).

    One chain is for what is measured, another for what is shown: give the first to
    :class:`~astronomaly_widgets.features.PreparedFeatures`.

    Parameters
    ----------
    *steps : str, or (str, dict)
        The name of a function that makes an image of an image, alone or with its arguments.

    Raises
    ------
    ValueError
        There is no such step, or its arguments cannot be written as JSON.
    TypeError
        The step does not take such arguments.

    Examples
    --------
    What a network sees in E24 section 3.1, and what a person sees:

    >>> measured = Chain("sigma_clip", "grey", ("resize", {"size": 224}))
    >>> shown = Chain(("select_bands", {"bands": [2, 1, 0]}), "lupton_rgb")
    >>> shown
    Chain(('select_bands', {'bands': [2, 1, 0]}), 'lupton_rgb')
    """

    def __init__(self, *steps: str | tuple[str, Mapping[str, Any]]) -> None:
        self.steps = tuple(_checked(step) for step in steps)

    @classmethod
    def of(cls, steps: Chain | str | Sequence[Any]) -> Chain:
        """Return the chain of several steps, or of one; a chain as it is."""
        if isinstance(steps, Chain):
            return steps
        several: Sequence[Any] = [steps] if _is_step(steps) else steps
        return cls(*several)

    def __call__(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return what the steps make of an image, (height, width[, bands]); it is left alone."""
        result = image.copy()
        for name, arguments in self.steps:
            result = _STEPS[name](result, **arguments)
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chain) and self.settings() == other.settings()

    def __hash__(self) -> int:
        return hash(json.dumps(self.settings(), sort_keys=True))

    def __repr__(self) -> str:
        steps = (repr((name, given)) if given else repr(name) for name, given in self.steps)
        return f"Chain({', '.join(steps)})"

    def settings(self) -> list[list[Any]]:
        """Return the steps as JSON has them; ``Chain(*settings)`` is the same chain."""
        return [list(step) for step in self.steps]


def _is_step(given: Any) -> bool:
    """Whether this is one step, and not several: a name, or a name and its arguments."""
    is_pair = isinstance(given, tuple | list) and len(given) == 2
    return isinstance(given, str) or (is_pair and isinstance(given[1], Mapping))


def _checked(step: Any) -> tuple[str, dict[str, Any]]:
    if not _is_step(step):
        raise ValueError(
            f"{step!r} is no step; wanted a name, or a name and its arguments as "
            "('resize', {'size': 64})"
        )
    name, arguments = (step, {}) if isinstance(step, str) else step
    if name not in _STEPS:
        raise ValueError(f"there is no step {name!r}; wanted one of {', '.join(_STEPS)}")
    try:
        arguments = json.loads(json.dumps(dict(arguments)))
    except TypeError as error:
        raise ValueError(
            f"the arguments of {name!r} are {arguments!r}; wanted numbers, words and lists of them"
        ) from error
    try:
        signature(_STEPS[name]).bind(None, **arguments)
    except TypeError as error:
        raise TypeError(f"{name!r} is a step that takes other arguments: {error}") from error
    return name, arguments
