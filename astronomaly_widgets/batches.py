"""What to show next: from scores and labels to a batch of objects. Pure functions on rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PREDICTED, ANOMALOUS, DIVERSE, DRAWN = (
    "predicted interesting",
    "anomalous",
    "diverse",
    "unexplored",
)
STRATEGIES = ("auto", "top", "diverse", "start")
# share of a batch that shows one of every kind instead of the top
_START, _VARIED, _FRUITLESS = 0.3, 0.5, 0.9
_SHARES = {"top": 0.0, "diverse": _VARIED, "start": _START}
_N_NUMBERS = 4_000_000  # of all objects, at most so many numbers are clustered
_POOL = 20  # candidates for kinds, per object of the batch
_FEW = 2  # batches: for fewer objects their order does not matter
_LUCKY = 0.1  # share of hits from which on nobody needs variety
_GOLDEN = (5**0.5 - 1) / 2
_N_UNITS = 1000  # objects that set the units


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects to show next, in order.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
    reasons : tuple of str, length k
        Why each is there: "predicted interesting", "diverse", "anomalous" or "unexplored"; "" if
        there was little to choose from.
    """

    rows: NDArray[np.intp]
    reasons: tuple[str, ...]


def suggest(
    X: ArrayLike,
    acquisition: ArrayLike,
    rows: ArrayLike,
    y: ArrayLike,
    n: int,
    *,
    exploration: ArrayLike | None = None,
    strategy: str = "auto",
    explore: float = 0.0,
    interesting_from: float = 4.0,
    random_state: int = 0,
) -> Batch:
    """Choose a batch of unlabeled objects.

    Parameters
    ----------
    X : array, shape (n_objects, d)
        Finite features, possibly memory-mapped.
    acquisition : array, shape (n_objects,)
        Worth of labeling, larger = more; NaN comes last. Before the first retrain it is the
        anomaly score.
    rows : array of int, shape (m,)
        Labeled objects, in the order in which they were labeled.
    y : array, shape (m,)
        Their scores, 0..5.
    n : int
        Objects wanted; fewer come back if there are fewer without a label. The first of them
        make a good smaller batch.
    exploration : array, shape (n_objects,), optional
        Worth of labeling while little is found; `acquisition` by default.
    strategy : {"auto", "top", "diverse", "start"}
        "top": by acquisition. "start": 70 % from the top, for the anomalous may be what is wanted,
        the rest each the best of another k-means cluster of everything, for it may be anything
        else. "diverse": half from the top, half the best of such clusters of the best 20 n by
        exploration. "auto": a start until something is labeled; clusters of everything for 90 %
        while nothing was a hit, because then the top is known not to be what is wanted; from the
        first hit on the top while at least a tenth of the last n labels were hits, and the more
        diverse the fewer they were.
    explore : float
        Share, 0..1, of the batch that is drawn at random from all objects without a label.
    interesting_from : float
        Score from which a label is a hit.
    random_state : int
        Seed of what is drawn and of k-means.

    Raises
    ------
    ValueError
        If the strategy is not known, or `explore` is not in 0..1.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"no strategy {strategy!r}: choose one of {', '.join(STRATEGIES)}")
    if not 0 <= explore <= 1:
        raise ValueError(f"explore is {explore!r}; give the share to be drawn, 0 to 1")
    X = np.asanyarray(X)
    worth = _numbers(acquisition)
    wide = worth if exploration is None else _numbers(exploration)
    free = np.ones(len(worth), dtype=bool)
    free[np.asarray(rows, dtype=np.intp)] = False
    hits = np.asarray(y, dtype=np.float64) >= interesting_from
    share, of_all = _variety(strategy, hits, n)
    why_top = PREDICTED if len(hits) else ANOMALOUS
    if free.sum() <= _FEW * n:
        share, why_top = 0.0, ""  # all will be seen soon, in whatever order
    n_drawn = min(round(explore * n), int(free.sum()))
    n_kinds = round(share * (n - n_drawn))
    parts = [(why_top, best(worth, free, n - n_drawn - n_kinds))]
    free[parts[-1][1]] = False
    n_pool = len(worth) if of_all else _POOL * n
    kinds = _one_of_each_kind(X, wide, free, n_kinds, n_pool=n_pool, random_state=random_state)
    parts.append((DIVERSE, kinds))
    free[kinds] = False
    left = np.flatnonzero(free)
    rng = np.random.default_rng([random_state, len(left)])
    parts.append((DRAWN, rng.choice(left, size=min(n_drawn, len(left)), replace=False)))
    return _interleaved(parts)


def _variety(strategy: str, hits: NDArray[np.bool_], n: int) -> tuple[float, bool]:
    """Which share of the batch shows kinds, and whether these are kinds of everything."""
    if strategy == "auto" and not len(hits):
        strategy = "start"
    if strategy != "auto":
        return _SHARES[strategy], strategy == "start"
    if not hits.any():
        return _FRUITLESS, True
    return _VARIED * max(0.0, 1.0 - float(hits[-n:].mean()) / _LUCKY), False


def best(worth: ArrayLike, free: ArrayLike, n: int) -> NDArray[np.intp]:
    """Rows of the `n` largest of `worth` among the `free`, best first; ties in order of rows.

    Linear in the number of objects: they are not all sorted.
    """
    values = np.asarray(worth)
    rows: NDArray[np.intp] = np.flatnonzero(free)
    if 0 < n < len(rows):
        least = np.partition(values[rows], len(rows) - n)[len(rows) - n]
        above = rows[values[rows] > least]
        ties = rows[values[rows] == least]
        rows = np.sort(np.concatenate([above, ties[: n - len(above)]]))
    return rows[np.argsort(-values[rows], kind="stable")][: max(n, 0)]


def _one_of_each_kind(
    X: NDArray[Any],
    worth: NDArray[np.float64],
    free: NDArray[np.bool_],
    n: int,
    *,
    n_pool: int,
    random_state: int,
) -> NDArray[np.intp]:
    """Return the best of each of `n` clusters of the best `n_pool`, high and low mixed.

    The top of a score is one kind of object over and over; this shows every kind once.
    """
    if n == 0:
        return np.empty(0, dtype=np.intp)
    pool = best(worth, free, n_pool)
    if len(pool) <= n:
        return pool
    pool = pool[_evenly(len(pool), max(_POOL * n, _N_NUMBERS // X.shape[1]))]
    Z = _standardized(X, pool)
    # the pool is sorted: the first of a cluster is its best
    first = np.sort(np.unique(_clusters(Z, n, random_state), return_index=True)[1])
    rest = np.setdiff1d(np.arange(len(pool)), first)  # fewer kinds than n: fill up
    chosen: NDArray[np.intp] = pool[np.concatenate([first, rest])[:n]]
    # the golden section spreads ranks evenly, however many are looked at
    return chosen[np.argsort(np.arange(len(chosen)) * _GOLDEN % 1, kind="stable")]


def _interleaved(parts: list[tuple[str, NDArray[np.intp]]]) -> Batch:
    """Mix the parts evenly, each in its own order: whoever stops early has seen all of them."""
    place = np.concatenate([(np.arange(len(rows)) + 0.5) / max(len(rows), 1) for _, rows in parts])
    order = np.argsort(place, kind="stable")
    rows = np.concatenate([rows for _, rows in parts]).astype(np.intp)
    reasons = [reason for reason, part in parts for _ in part]
    return Batch(rows[order], tuple(reasons[i] for i in order))


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(numbers), -np.inf, numbers)


def _clusters(Z: NDArray[np.float64], k: int, random_state: int) -> NDArray[np.intp]:
    """Cluster of each row, by k-means; as many as there are different rows, at most k."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    k = min(k, len(np.unique(Z, axis=0)))
    # several threads would add up in any order, and near ties fall either way
    with threadpool_limits(1):
        fitted = KMeans(k, n_init=1, random_state=random_state).fit(Z)
    return np.asarray(fitted.labels_)


def _standardized(X: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Features of some objects, in standard deviations of a sample of all."""
    sample = np.asarray(X[_evenly(len(X), _N_UNITS)], dtype=np.float64)
    spread = sample.std(axis=0)
    spread[spread == 0] = 1.0
    Z: NDArray[np.float64] = (np.asarray(X[rows], dtype=np.float64) - sample.mean(axis=0)) / spread
    return Z


def _evenly(n: int, most: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.intp))
