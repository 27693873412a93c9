"""What the learners with trees share."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_ROWS_PER_THREAD = 4096  # below this, handing work to threads costs more than it saves


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as there are cores, for :func:`mean_prediction`."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield pool


def mean_prediction(
    trees: Sequence[Any], X: NDArray[np.float32], pool: ThreadPoolExecutor
) -> NDArray[np.float64]:
    """Mean over the trees for every row of `X` (n, d), (n,).

    Each row is summed in the same order, whatever the number of threads.
    """

    def predict(piece: NDArray[np.float32]) -> NDArray[np.float64]:
        total = np.zeros(len(piece))
        for tree in trees:
            total += tree.predict(piece, check_input=False)
        return total / len(trees)

    pieces = np.array_split(X, -(-len(X) // _ROWS_PER_THREAD))
    return np.concatenate(list(pool.map(predict, pieces)))


def as_float32(features: NDArray[np.float64]) -> NDArray[np.float32]:
    """As trees want them; what float32 cannot hold becomes its largest number."""
    limit = np.finfo(np.float32).max
    return np.ascontiguousarray(np.clip(features, -limit, limit), dtype=np.float32)
