"""What to show next: from scores and labels to a batch of objects. Pure functions on rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .compute import evenly, largest

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
_START, _VARIED, _FRUITLESS = 0.2, 0.5, 0.7
_SHARES = {"top": 0.0, "diverse": _VARIED, "start": _START}
_N_NUMBERS = 50_000_000  # of products per step of k-means: what is more than that is sampled
_MOST_SEEN = 200  # labels that say which kinds have been seen
_POOL = 20  # candidates for kinds, per object of the batch
_FEW = 2  # batches: for fewer objects their order does not matter
_LUCKY = 0.1  # share of hits from which on nobody needs variety
_GOLDEN = (5**0.5 - 1) / 2
_N_UNITS = 1000  # objects that set the units
_FAR = 100.0  # spreads; of what is farther out, squares would drown all other distances
_LARGEST = 1e100  # whose square is still a number
_DIGITS = 4  # of spreads; what differs by less is the same to k-means


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects to show next, in order.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
    reasons : tuple of str, length k
        Why each is there: "predicted interesting", "diverse", "anomalous" or "unexplored" (drawn at
        random, or best while nothing was a hit); "" if there was little to choose from.
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
        "top": by acquisition. "start": 80 % from the top, for the anomalous may be what is wanted,
        the rest each the best of another k-means cluster of everything, for it may be anything
        else. "diverse": half from the top, half the best of such clusters of the best 20 n by
        exploration. "auto": a start until something is labeled; clusters of everything for 70 %
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
    why_top = PREDICTED if hits.any() else DRAWN if len(hits) else ANOMALOUS
    if free.sum() <= _FEW * n:
        share, why_top = 0.0, ""  # all will be seen soon, in whatever order
    n_drawn = min(round(explore * n), int(free.sum()))
    n_kinds = round(share * (n - n_drawn))
    parts = [(why_top, best(worth, free, n - n_drawn - n_kinds))]
    free[parts[-1][1]] = False
    if of_all:
        seen = np.concatenate([np.asarray(rows, dtype=np.intp), parts[0][1]])[-_MOST_SEEN:]
        kinds = _new_kinds(X, wide, free, seen, n_kinds, random_state=random_state)
    else:
        kinds = _kinds(X, best(wide, free, _POOL * n), n_kinds, random_state=random_state)
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
    if values.dtype == np.float32:  # the same in a fraction of the time
        return rows[largest(values[rows], max(n, 0))]
    if 0 < n < len(rows):
        least = np.partition(values[rows], len(rows) - n)[len(rows) - n]
        above = rows[values[rows] > least]
        ties = rows[values[rows] == least]
        rows = np.sort(np.concatenate([above, ties[: n - len(above)]]))
    return rows[np.argsort(-values[rows], kind="stable")][: max(n, 0)]


def _kinds(
    X: NDArray[Any], pool: NDArray[np.intp], n: int, *, random_state: int
) -> NDArray[np.intp]:
    """Return the first of each of `n` clusters of a sorted pool, high and low mixed.

    The top of a score is one kind of object over and over; this shows every kind once.
    """
    if n == 0:
        return pool[:0]
    kind = _clusters(_standardized(X, pool), n, random_state)
    return _mixed(pool, np.unique(kind, return_index=True)[1], n)


def _new_kinds(
    X: NDArray[Any],
    worth: NDArray[np.floating[Any]],
    free: NDArray[np.bool_],
    seen: NDArray[np.intp],
    n: int,
    *,
    random_state: int,
) -> NDArray[np.intp]:
    """Return the best of each of the `n` best clusters of everything that hold nothing seen.

    There are as many clusters as objects seen and wanted, so that there are always enough, and the
    more has been seen in vain, the finer they are.
    """
    if n == 0:
        return np.empty(0, dtype=np.intp)
    k = n + len(seen)
    pool = best(worth, free, len(worth))
    pool = pool[evenly(len(pool), max(_POOL * k, _N_NUMBERS // (k * X.shape[1])))]
    kind = _clusters(_standardized(X, np.concatenate([pool, seen])), k, random_state)
    first = np.unique(kind[: len(pool)], return_index=True)[1]
    return _mixed(pool, first[~np.isin(kind[first], kind[len(pool) :])], n)


def _mixed(pool: NDArray[np.intp], first: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """Choose `n` of a sorted pool, those at `first` before others, and mix high and low."""
    rest = np.setdiff1d(np.arange(len(pool)), first)
    chosen: NDArray[np.intp] = pool[np.concatenate([np.sort(first), rest])[:n]]
    # the golden section spreads ranks evenly, however many are looked at
    return chosen[np.argsort(np.arange(len(chosen)) * _GOLDEN % 1, kind="stable")]


def _interleaved(parts: list[tuple[str, NDArray[np.intp]]]) -> Batch:
    """Mix the parts evenly, each in its own order: whoever stops early has seen all of them."""
    place = np.concatenate([(np.arange(len(rows)) + 0.5) / max(len(rows), 1) for _, rows in parts])
    order = np.argsort(place, kind="stable")
    rows = np.concatenate([rows for _, rows in parts]).astype(np.intp)
    reasons = [reason for reason, part in parts for _ in part]
    return Batch(rows[order], tuple(reasons[i] for i in order))


def _numbers(values: ArrayLike) -> NDArray[np.floating[Any]]:
    numbers = np.asarray(values)
    if numbers.dtype != np.float32:
        numbers = numbers.astype(np.float64)
    return np.where(np.isnan(numbers), numbers.dtype.type(-np.inf), numbers)


def _clusters(Z: NDArray[np.float64], k: int, random_state: int) -> NDArray[np.intp]:
    """Cluster of each row, by k-means; as many as there are different rows, at most k."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    different, which = np.unique(Z.round(_DIGITS), axis=0, return_inverse=True)
    if len(different) <= k:
        return which.reshape(-1)
    # several threads would add up in any order, and near ties fall either way
    with threadpool_limits(1):
        fitted = KMeans(k, n_init=1, random_state=random_state).fit(Z)
    return np.asarray(fitted.labels_)


def _standardized(X: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Features of some objects, in standard deviations of a sample of all, at most 100."""
    sample = np.asarray(X[evenly(len(X), _N_UNITS)], dtype=np.float64).clip(-_LARGEST, _LARGEST)
    center, spread = sample.mean(axis=0), sample.std(axis=0)
    spread[spread == 0] = 1.0
    reach = _FAR * spread
    Z: NDArray[np.float64] = np.asarray(X[rows], dtype=np.float64) - center
    Z = Z.clip(-reach, reach)
    Z /= spread
    return Z
