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


def grow(
    X: NDArray[np.float32],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_trees: int,
    *,
    random_state: int,
    pool: ThreadPoolExecutor,
) -> tuple[list[Any], NDArray[np.float64]]:
    """Grow extremely randomized trees, each on a bootstrap sample.

    The same trees as scikit-learn's ExtraTreesRegressor, which spends more time on checking its
    parameters than on growing, when there are but a few hundred rows.

    Returns
    -------
    trees : list
    left_out : ndarray, shape (len(X),)
        Mean prediction for every row by the trees that have not seen it; NaN where all have.

    References
    ----------
    Geurts, Ernst & Wehenkel 2006, Machine Learning 63, 3.
    """
    import sklearn
    from sklearn.tree import ExtraTreeRegressor

    rng = np.random.default_rng(random_state)
    seeds = rng.integers(2**31, size=n_trees)
    draws = rng.multinomial(len(X), np.full(len(X), 1 / len(X)), size=n_trees)

    def one(seed: int, times: NDArray[np.int64]) -> tuple[Any, NDArray[np.float64]]:
        with sklearn.config_context(skip_parameter_validation=True):
            seen = times > 0
            tree = ExtraTreeRegressor(max_features="sqrt", random_state=int(seed))
            tree.fit(X[seen], y[seen], sample_weight=(weights * times)[seen], check_input=False)
        said = np.full(len(X), np.nan)
        if not seen.all():
            said[~seen] = tree.predict(X[~seen], check_input=False)
        return tree, said

    grown = list(pool.map(one, seeds, draws))
    said = np.array([left_out for _, left_out in grown])
    n_said = np.isfinite(said).sum(axis=0)
    total = np.nansum(said, axis=0)
    return [tree for tree, _ in grown], np.where(n_said, total / np.maximum(n_said, 1), np.nan)


def mean_prediction(
    trees: Sequence[Any], X: NDArray[np.float32], pool: ThreadPoolExecutor | None = None
) -> NDArray[np.float64]:
    """Mean over the trees for every row of `X` (n, d), (n,).

    Each row is summed in the same order, whatever the number of threads; without a pool, on one.
    """

    def predict(piece: NDArray[np.float32]) -> NDArray[np.float64]:
        total = np.zeros(len(piece))
        for tree in trees:
            total += tree.predict(piece, check_input=False)
        return total / len(trees)

    pieces = np.array_split(X, -(-len(X) // _ROWS_PER_THREAD))
    each = map if pool is None else pool.map
    return np.concatenate(list(each(predict, pieces)))


def as_float32(features: NDArray[np.float64]) -> NDArray[np.float32]:
    """As trees want them; what float32 cannot hold becomes its largest number."""
    limit = np.finfo(np.float32).max
    return np.ascontiguousarray(np.clip(features, -limit, limit), dtype=np.float32)
