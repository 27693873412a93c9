"""What is usual for a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def typical(features: ArrayLike, n_rows: int = 20_000) -> tuple[NDArray[np.float64], ...]:
    """Return the median and the spread of each feature, to say how unusual an object's are.

    Parameters
    ----------
    features : array, shape (n, d)
        Possibly memory-mapped; at most `n_rows` evenly spaced rows are looked at.
    n_rows : int
        See above.

    Returns
    -------
    median, spread : ndarray, shape (d,), float64
        The spread is 1.4826 times the median absolute deviation, a standard deviation for
        normal data; where that is 0, the standard deviation; 1 where all values are equal.
    """
    X = np.asanyarray(features)
    sample = np.asarray(X[:: max(1, -(-len(X) // n_rows))], dtype=float)
    median = np.median(sample, axis=0)
    spread = 1.4826 * np.median(np.abs(sample - median), axis=0)
    spread = np.where(spread > 0, spread, sample.std(axis=0))
    return median, np.where(spread > 0, spread, 1.0)
