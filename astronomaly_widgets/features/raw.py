"""The values themselves as features: the columns of a table, or the pixels of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import preprocess
from ..exceptions import MeasurementError
from ._most import of_most
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .._protocols import Source


class RawFeatures(ShownAsCall):
    """Values as they are.

    Parameters
    ----------
    size : int, optional
        Resize images to ``size`` x ``size`` pixels first. Without it, all images must have the
        shape that most of them have.
    """

    name = "raw"
    kinds: tuple[str, ...] = ("image", "table")

    def __init__(self, size: int | None = None) -> None:
        self.size = size

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names of a table's columns, or ``pixel_<row>_<column>[_<band>]``.

        Raises
        ------
        MeasurementError
            No object can be read, so that their shape is not known.
        """
        names = getattr(source, "column_names", None)
        if source.kind == "table" and names is not None:
            return tuple(names)
        shape = of_most(source, lambda data: self._resized(data).shape)
        if source.kind == "table":
            return tuple(f"f{k}" for k in range(shape[0]))
        return tuple("pixel_" + "_".join(map(str, place)) for place in np.ndindex(shape))

    def settings(self) -> Mapping[str, Any]:
        """Return the size."""
        return {"size": self.size}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return the values of one object, (d,) float32, row by row.

        Raises
        ------
        MeasurementError
            Some are not finite.
        """
        with np.errstate(over="ignore"):  # found below, as infinite
            values: NDArray[Any] = self._resized(data).astype(np.float32).ravel()
        n_bad = values.size - int(np.isfinite(values).sum())
        if n_bad:
            raise MeasurementError(not_finite(n_bad, values.size))
        return values

    def _resized(self, data: NDArray[Any]) -> NDArray[Any]:
        if self.size is None or data.ndim == 1:
            return data
        return preprocess.resize(data, self.size)


def not_finite(n_bad: int, n: int, names: Sequence[str] = ()) -> str:
    """Say that some values of an object are missing, and the names of the first of them."""
    words = ", ".join(names) + (", ..." if len(names) < n_bad else "")
    return f"{n_bad} of {n} values are missing or infinite" + (f": {words}" if names else "")
