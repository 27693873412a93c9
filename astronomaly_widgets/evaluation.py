"""How good a ranking is, and how well the labeling goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .remaining import Remaining, estimate_from_audit, estimate_remaining

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Interesting = Iterable[str] | Mapping[str, bool] | pd.Series[bool]

__all__ = [
    "DiscoveryCurves",
    "Remaining",
    "discovery_curves",
    "estimate_from_audit",
    "estimate_remaining",
    "precision_at_recall",
    "rank_weighted_score",
    "recall_curve",
]

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
