"""Units of feature space, taken from a sample of the survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TAIL = 0.01  # at least one object, at most a quarter of them
_REACH = 10.0  # ranges between the tails: what lies farther out says nothing of the rest
_LARGEST = 1e100  # whose square is still a number


def median_distance(X: NDArray[np.float64]) -> float:
    """Median distance between different objects of a sample; 1 if all are alike."""
    from scipy.spatial.distance import pdist

    distances = pdist(X)
    distances = distances[distances > 0]
    return float(np.median(distances)) if len(distances) else 1.0


def center_and_spread(
    sample: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of every column of a sample (n, d), (d,) each.

    A value that is far beyond all others is taken for one at the edge of the reach.
    """
    sample = sample.clip(-_LARGEST, _LARGEST)
    tail = np.clip(1 / max(len(sample) - 1, 1), _TAIL, 0.25)
    low, high = np.quantile(sample, [tail, 1 - tail], axis=0)
    reach = np.where(high > low, _REACH * (high - low), np.inf)
    sample = sample.clip(low - reach, high + reach)
    return sample.mean(axis=0), sample.std(axis=0)
