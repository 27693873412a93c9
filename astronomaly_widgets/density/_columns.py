"""Columns of a catalog as numbers or kinds, for a map that is colored by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FENCE = 3.0  # spreads between the quartiles, beyond them: what lies farther colors nothing else
_EDGE = 0.01  # of the values at either end that may lie outside of the range


class Kinds(NamedTuple):
    """Which of a few kinds each value is of.

    Attributes
    ----------
    numbers : ndarray, shape (n,), int32
        Place in `names`; how many they are for what is of another kind; -1 for a missing value.
    names : tuple
        The kinds, as the column has them, the most frequent first.
    """

    numbers: NDArray[np.int32]
    names: tuple[Any, ...]

    def sizes(self) -> list[int]:
        """Return how many values are missing, then how many are of each kind, then of others."""
        counts: list[int] = np.bincount(self.numbers + 1, minlength=len(self.names) + 2).tolist()
        return counts


def as_numbers(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """Return a column as numbers, shape (n,), NaN where it has none; None if it holds others.

    Times are seconds since 1970. True and false are kinds rather than numbers.
    """
    if column.dtype == object:
        column = column.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(column):
        column = (column - pd.Timestamp(0, tz=column.dt.tz)) / pd.Timedelta(seconds=1)
    elif not (pd.api.types.is_numeric_dtype(column) and column.dtype.kind in "iuf"):
        return None
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def robust_range(values: ArrayLike) -> tuple[float, float] | None:
    """Return the range that a scale of colors is to span, whatever a few values are.

    It leaves out 1 % at either end, and before them what lies more than three times the spread
    between the quartiles beyond these, as the -999 of a column does.

    Parameters
    ----------
    values : array, shape (n,)
        NaN is ignored.

    Returns
    -------
    tuple of float or None
        Least and largest value to be told apart, equal if all are; None without a value.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    first, third = np.quantile(known, [0.25, 0.75])
    low = np.quantile(known, _EDGE, method="lower")
    high = np.quantile(known, 1 - _EDGE, method="higher")
    fence = _FENCE * (third - first)
    if fence > 0:
        low, high = max(low, first - fence), min(high, third + fence)
    elif low == high:  # nearly all are the same: the others are what there is to see
        low, high = known.min(), known.max()
    inside = known[(known >= low) & (known <= high)]
    return float(inside.min()), float(inside.max())


def on_scale(values: ArrayLike, low: float, high: float) -> NDArray[np.float32]:
    """Return the place of each value on a scale from 0, `low` or less, to 1, `high` or more.

    So a value far out does not color all that share a pixel with it. NaN stays NaN; where the ends
    are equal, they are at 0.
    """
    part = (np.asarray(values, dtype=float) - low) / ((high - low) or 1.0)
    return np.clip(part, 0.0, 1.0).astype(np.float32)


def most_frequent(column: pd.Series[Any], most: int) -> Kinds:
    """Tell the few most frequent values of a column apart.

    Parameters
    ----------
    column : Series, shape (n,)
        Text, categories, true and false, or whatever else; empty text is a missing value.
    most : int
        How many at most.
    """
    try:
        codes, names = pd.factorize(column)
    except TypeError:  # lists and the like
        codes, names = pd.factorize(column.map(str, na_action="ignore"))
    missing = np.array([isinstance(name, (str, bytes)) and not name.strip() for name in names])
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    counts[missing.astype(bool)] = 0
    order = np.argsort(-counts, kind="stable")[: min(most, np.count_nonzero(counts))]
    numbers = np.full(len(names) + 1, len(order), dtype=np.int32)
    numbers[order] = np.arange(len(order))
    numbers[np.flatnonzero(missing)] = -1
    numbers[-1] = -1  # where the code is -1
    return Kinds(numbers[codes], tuple(names[order]))
