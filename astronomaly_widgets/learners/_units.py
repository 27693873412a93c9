"""Units of feature space, taken from a sample of the survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """At most so many of n rows, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.intp))


def median_distance(X: NDArray[np.float64]) -> float:
    """Median distance between different objects of a sample; 1 if all are alike."""
    from scipy.spatial.distance import pdist

    distances = pdist(X)
    distances = distances[distances > 0]
    return float(np.median(distances)) if len(distances) else 1.0
