"""How good a ranking is, and how well the labeling goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Interesting = Iterable[str] | Mapping[str, bool] | pd.Series[bool]

_BIN = 10  # labels whose hits are counted together
_N_STRATA = 8
_N_DRAWS = 3000
_PRIOR = (0.1, 0.9)  # hits and misses that a stratum is thought to have had before

# a fraction that is reached but for rounding is reached: .3 of 10 objects are 3, not 4
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class DiscoveryCurves:
    """Interesting objects found against objects labeled; each array is (m + 1,), first entry 0.

    Attributes
    ----------
    found : ndarray of int
        What the person found among their first k labels.
    detector : ndarray of int
        What they would have found by going down the anomaly score.
    random : ndarray of float
        What they would have found on average in random order.
    n_interesting : int
        How many interesting objects the comparison knows of.
    is_lower_bound : bool
        True without truth: `detector` and `random` then count only the interesting objects the
        person found, and would in fact have found at least as many.
    """

    found: NDArray[np.int64]
    detector: NDArray[np.int64]
    random: NDArray[np.float64]
    n_interesting: int
    is_lower_bound: bool


@dataclass(frozen=True, slots=True)
class Remaining:
    """How many interesting objects have not been labeled yet.

    Attributes
    ----------
    expected : float
        A middle value.
    low, high : float
        Interval that holds the truth with a probability of `level`.
    level : float
    """

    expected: float
    low: float
    high: float
    level: float


def recall_curve(interesting: Interesting, order: ArrayLike) -> NDArray[np.int64]:
    """Count the interesting objects among the first k of a ranking, for every k.

    Parameters
    ----------
    interesting : ids, or mapping or Series from id to bool
        Which objects are interesting.
    order : array of ids, shape (n,)
        The ranking, best first, each object once.

    Returns
    -------
    ndarray, shape (n,), dtype int64
        Entry k - 1 counts the first k. Divide by the number of interesting objects for the recall.

    Raises
    ------
    ValueError
        If an id comes twice in `order`.
    TypeError
        If `interesting` is an array of bool, which does not say of which objects.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, figures 5 and 9.
    """
    return np.cumsum(_hits(_ids(interesting), order), dtype=np.int64)


def rank_weighted_score(interesting: Interesting, order: ArrayLike, n: int) -> float:
    """Weigh the interesting objects among the first `n` by their rank (LB21 eq. 4-5).

    ``sum_i w_i I_i / S_0`` with ``w_i = n + 1 - i`` and ``S_0 = n (n + 1) / 2``: 1 if the first n
    are all interesting, 0 if none is.

    Parameters
    ----------
    interesting : ids, or mapping or Series from id to bool
        Which objects are interesting.
    order : array of ids
        The ranking, best first, each object once. If shorter than `n`, the rest counts as missed.
    n : int
        How many objects a person would look at.

    Raises
    ------
    ValueError
        If `n` is not positive or an id comes twice in `order`.
    TypeError
        If `interesting` is an array of bool.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, section 4.
    """
    if n < 1:
        raise ValueError(f"n is {n}; give how many objects a person would look at, at least 1")
    hits = _hits(_ids(interesting), order)[:n]
    weights = n - np.arange(len(hits))
    return float(weights[hits].sum() / (n * (n + 1) / 2))


def precision_at_recall(
    interesting: Interesting, order: ArrayLike, recalls: ArrayLike
) -> NDArray[np.float64]:
    """Fraction of interesting objects at the rank where a fraction of all is found.

    Parameters
    ----------
    interesting : ids, or mapping or Series from id to bool
        All interesting objects; those missing from `order` are never found.
    order : array of ids
        The ranking, best first, each object once.
    recalls : array, shape (k,)
        Wanted fractions of the interesting objects, in 0..1, 0 exclusive.

    Returns
    -------
    ndarray, shape (k,), dtype float64
        Precision at the first rank that reaches each recall; NaN where none does.

    Raises
    ------
    ValueError
        If a recall is not in 0..1 or an id comes twice in `order`.
    TypeError
        If `interesting` is an array of bool.

    References
    ----------
    Etsebeth et al. 2024, MNRAS 529, 732, table 5.
    """
    wanted = np.atleast_1d(np.asarray(recalls, dtype=np.float64))
    if not ((wanted > 0) & (wanted <= 1)).all():
        raise ValueError(f"recalls are {wanted.tolist()}; give fractions above 0 and up to 1")
    ids = _ids(interesting)
    ranks = 1 + np.flatnonzero(_hits(ids, order))
    needed = np.ceil(wanted * len(ids) - _ROUNDING).astype(np.int64)
    precision = np.full(wanted.shape, np.nan)
    reached = (needed > 0) & (needed <= len(ranks))
    precision[reached] = needed[reached] / ranks[needed[reached] - 1]
    return precision


def discovery_curves(
    labeled: Sequence[str],
    scores: ArrayLike,
    anomaly_order: ArrayLike,
    interesting_from: float = 4.0,
    truth: Interesting | None = None,
) -> DiscoveryCurves:
    """Compare what a person found with what two plainer orders would have shown them.

    Parameters
    ----------
    labeled : sequence of ids, length m
        Objects in the order in which they were labeled, each once.
    scores : array, shape (m,)
        The person's scores, 0..5.
    anomaly_order : array of ids, shape (n,)
        All objects by anomaly score, most anomalous first.
    interesting_from : float
        Without truth, objects scored this or higher are interesting.
    truth : ids, or mapping or Series from id to bool, optional
        Which objects really are interesting, for teaching and simulations.

    Raises
    ------
    ValueError
        If there is not one score per labeled object, or an id comes twice.
    TypeError
        If `truth` is an array of bool.
    """
    given = np.asarray(scores, dtype=np.float64)
    if given.shape != (len(labeled),):
        raise ValueError(f"{len(labeled)} labeled objects came with scores of {given.shape}")
    liked = {i for i, score in zip(labeled, given, strict=True) if score >= interesting_from}
    known = liked if truth is None else _ids(truth)
    every = np.asarray(anomaly_order, dtype=object)
    steps = np.arange(len(given) + 1)
    shown = np.minimum(steps, len(every))  # an object may be labeled and gone from the data
    by_detector = np.append(0, recall_curve(known, every[: len(given)]))
    return DiscoveryCurves(
        found=np.append(0, recall_curve(known, np.asarray(labeled, dtype=object))),
        detector=by_detector[shown],
        random=shown * (len(known) / max(len(every), 1)),
        n_interesting=len(known),
        is_lower_bound=truth is None,
    )


def estimate_remaining(
    hits: ArrayLike,
    worth: ArrayLike,
    worth_of_rest: ArrayLike,
    *,
    level: float = 0.9,
    random_state: int = 0,
) -> Remaining:
    """Estimate how many interesting objects are left among the unlabeled, from the labels alone.

    Two estimates that err in opposite directions, and the interval from the lower end of both to
    the upper end of the first:

    - by worth: the share of hits among labeled objects of like worth, in strata, applied to the
      unlabeled ones. Labeled objects were chosen because they looked better than their worth is
      now, so this says too much rather than too little.
    - by yield: hits come as a Poisson process whose rate has been falling exponentially since its
      peak; what is to come is the rest of its integral. Kinds not met so far do not show in it, so
      it says too little.

    On twelve beds with three seeds the 90 % interval held the truth in 90 % of 324 cases (100 to
    500 labels), least while the yield is at its height (75 to 83 % at 150 to 200 labels). It fails
    where a kind of interesting object has not been met at all, and no estimate from these labels
    could do better; :func:`estimate_from_audit` can.

    Parameters
    ----------
    hits : array of bool, shape (m,)
        Whether each labeled object is interesting, in the order of labeling.
    worth : array, shape (m,)
        What the learner makes of each without its label, in any unit; NaN where it is not known.
    worth_of_rest : array, shape (k,)
        What it makes of the unlabeled objects, in the same unit.
    level : float
        Probability of the interval, 0..1.
    random_state : int
        Seed of the draws.

    Raises
    ------
    ValueError
        If there is not one worth per label, or `level` is no probability.
    """
    found = np.asarray(hits, dtype=bool)
    known = np.asarray(worth, dtype=np.float64)
    rest = np.asarray(worth_of_rest, dtype=np.float64)
    if found.ndim != 1 or known.shape != found.shape:
        raise ValueError(f"hits has shape {found.shape} and worth {known.shape}; give one of each")
    rng = np.random.default_rng(random_state)
    tails = _tails(level)
    by_worth = np.quantile(_left_by_worth(found, known, rest, rng), tails)
    by_yield = np.quantile(_left_by_yield(found, len(rest), rng), tails)
    middle = np.sqrt((by_worth[1] + 1) * (by_yield[1] + 1)) - 1
    low = min(by_worth[0], by_yield[0])
    return Remaining(
        float(np.clip(middle, low, by_worth[2])), float(low), float(by_worth[2]), level
    )


def estimate_from_audit(hits: ArrayLike, n_rest: int, *, level: float = 0.9) -> Remaining:
    """Estimate how many interesting objects are left from a random sample of the unlabeled.

    It assumes nothing of the learner or of the objects, and is as wide as the sample is small:
    none among 50 still allows for 4 % of all.

    Parameters
    ----------
    hits : array of bool, shape (k,)
        Whether each object of the sample is interesting.
    n_rest : int
        How many unlabeled objects there are besides.
    level : float
        Probability of the interval, 0..1.
    """
    from scipy.stats import betabinom

    found = np.asarray(hits, dtype=bool)
    left = betabinom(n_rest, found.sum() + 0.5, (~found).sum() + 0.5)  # Jeffreys' prior
    low, middle, high = left.ppf(_tails(level))
    return Remaining(float(middle), float(low), float(high), level)


def _tails(level: float) -> list[float]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; give a probability between 0 and 1, such as 0.9")
    return [(1 - level) / 2, 0.5, (1 + level) / 2]


def _left_by_worth(
    hits: NDArray[np.bool_],
    worth: NDArray[np.float64],
    rest: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw how many are left from the shares of hits in strata of worth."""
    hits, worth = hits[np.isfinite(worth)], worth[np.isfinite(worth)]
    shares = np.linspace(0, 1, _N_STRATA + 1)[1:-1]
    edges = np.unique(np.quantile(worth, shares)) if len(worth) else np.zeros(0)
    n = len(edges) + 1
    labeled, left = np.searchsorted(edges, worth), np.searchsorted(edges, rest)
    n_hits = np.bincount(labeled, weights=hits, minlength=n)
    n_misses = np.bincount(labeled, minlength=n) - n_hits
    share = rng.beta(n_hits + _PRIOR[0], n_misses + _PRIOR[1], size=(_N_DRAWS, n))
    drawn: NDArray[np.int64] = rng.binomial(np.bincount(left, minlength=n), share).sum(axis=1)
    return drawn


def _left_by_yield(
    hits: NDArray[np.bool_], n_rest: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw how many are left from how the yield has been falling since its peak."""
    n_bins = len(hits) // _BIN
    counts = hits[: n_bins * _BIN].reshape(n_bins, _BIN).sum(axis=1)
    if n_bins > 5:
        counts = counts[min(int(np.argmax(np.convolve(counts, np.ones(5), "same"))), n_bins - 5) :]
    when = (np.arange(len(counts)) + 0.5) * _BIN
    fall, start = np.meshgrid(np.geomspace(1e-4, 0.1, 80), np.geomspace(1e-3, 1.0, 80))
    rate = start[..., None] * _BIN * np.exp(-fall[..., None] * when)
    likelihood = (counts * np.log(rate) - rate).sum(axis=-1)
    chance = np.exp(likelihood - likelihood.max()).ravel()
    to_come = start * np.exp(-fall * _BIN * len(counts)) / fall
    drawn = rng.choice(len(chance), size=_N_DRAWS, p=chance / chance.sum())
    left: NDArray[np.int64] = rng.poisson(np.minimum(to_come.ravel(), n_rest)[drawn])
    return np.minimum(left, n_rest)


def _ids(interesting: Interesting) -> frozenset[Any]:
    """Ids of the interesting objects, from ids or from a mapping or Series of bool by id."""
    if isinstance(interesting, Mapping) or hasattr(interesting, "items"):
        return frozenset(object_id for object_id, yes in interesting.items() if yes)
    if getattr(interesting, "dtype", None) == np.bool_:
        raise TypeError(
            "interesting is an array of bool, which does not say of which objects; "
            "give their ids: object_ids[mask]"
        )
    if isinstance(interesting, str):
        raise TypeError(f"interesting is the str {interesting!r}; give a set of ids")
    return frozenset(interesting)


def _hits(interesting: frozenset[Any], order: ArrayLike) -> NDArray[np.bool_]:
    """Which entries of the ranking are interesting, (n,)."""
    ranking = np.asarray(order, dtype=object).tolist()
    if len(set(ranking)) < len(ranking):
        twice = Counter(ranking).most_common(1)[0][0]
        raise ValueError(f"object {twice!r} comes twice in the ranking; each must come once")
    return np.fromiter((i in interesting for i in ranking), dtype=bool, count=len(ranking))
