"""What both comparisons need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Percentiles of the middle 95 %.
INTERVAL = (2.5, 97.5)


def centered(X: NDArray[Any], name: str) -> NDArray[Any]:
    """Bring features to mean 0 each, and to standard deviation 1 all together."""
    X = np.asarray(X, dtype=np.float64)
    if not np.isfinite(X).all():
        raise ValueError(f"the {name} features hold NaN or infinity; leave those objects out")
    X = X - X.mean(axis=0)
    spread = np.sqrt(np.mean(X**2))
    return X / spread if spread > 0 else X
