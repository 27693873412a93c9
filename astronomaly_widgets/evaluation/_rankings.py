"""How good a ranking is, where it is known what is interesting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Interesting = Iterable[str] | Mapping[str, bool] | pd.Series[bool]

# a fraction that is reached but for rounding is reached: .3 of 10 objects are 3, not 4
_ROUNDING = 1e-9


@overload
def recall_curve(
    interesting: Interesting,
    order: ArrayLike,
    *,
    exclude: Iterable[str] = (),
    normalized: Literal[False] = False,
) -> NDArray[np.int64]: ...
@overload
def recall_curve(
    interesting: Interesting,
    order: ArrayLike,
    *,
    exclude: Iterable[str] = (),
    normalized: Literal[True],
) -> NDArray[np.float64]: ...
def recall_curve(
    interesting: Interesting,
    order: ArrayLike,
    *,
    exclude: Iterable[str] = (),
    normalized: bool = False,
) -> NDArray[np.int64] | NDArray[np.float64]:
    """Count the interesting objects among the first k of a ranking, for every k.

    Parameters
    ----------
    interesting : ids, or mapping or Series from id to bool
        Which objects are interesting.
    order : array of ids, shape (n,)
        The ranking, best first, each object once.
    exclude : ids
        Objects that count as if they were not there, neither in the ranking nor among the
        interesting: with the labeled ones, what is left is what the learner found by itself
        (E24, figure 6, right).
    normalized : bool
        Whether to divide by the number of interesting objects, those that are missing from
        `order` included (E24, figure 4).

    Returns
    -------
    ndarray, shape (m,), dtype int64, or float64 if normalized
        Entry k - 1 counts the first k of the m objects that are not excluded. Normalized, it is
        the recall, 0..1; NaN where nothing is interesting.

    Raises
    ------
    ValueError
        If an id comes twice in `order`.
    TypeError
        If `interesting` is an array of bool, which does not say of which objects.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, figures 5 and 9;
    Etsebeth et al. 2024, MNRAS 529, 732 (E24).

    Examples
    --------
    >>> recall_curve(["b", "d"], ["a", "b", "c", "d"])
    array([0, 1, 1, 2])
    """
    wanted, hits = _hits(interesting, order, exclude)
    found = np.cumsum(hits, dtype=np.int64)
    return _share(found, len(wanted)) if normalized else found


def recall_by_class(
    classes: Mapping[str, Any] | pd.Series[Any],
    order: ArrayLike,
    *,
    exclude: Iterable[str] = (),
    normalized: bool = True,
) -> pd.DataFrame:
    """Recall curve of every class apart: which kinds come up first, and which are missed.

    Parameters
    ----------
    classes : mapping or Series from id to class
        Objects without a class (None, NaN, or not mentioned) belong to none.
    order : array of ids, shape (n,)
        The ranking, best first, each object once.
    exclude : ids
        As in :func:`recall_curve`.
    normalized : bool
        Whether each curve is divided by the size of its class; if not, it counts.

    Returns
    -------
    DataFrame
        A column for each class, sorted by name, a row for each rank from 1 on. A class of which
        every object is excluded has no column.

    Raises
    ------
    ValueError
        If an id comes twice in `order`, or has two classes.

    References
    ----------
    Etsebeth et al. 2024, MNRAS 529, 732, figure 4.
    """
    import pandas as pd

    named = pd.Series(classes, dtype=object).dropna()
    if named.index.has_duplicates:
        twice = named.index[named.index.duplicated()][0]
        raise ValueError(f"object {twice!r} has two classes; give it one")
    left_out = ids_of(exclude, "exclude")
    named = named[[i not in left_out for i in named.index]]
    ranked = named.reindex(_ranking(order, left_out)).to_numpy()
    curves = {}
    for name in sorted(named.unique(), key=str):
        found = np.cumsum(ranked == name, dtype=np.int64)
        size = int((named == name).sum())
        curves[name] = _share(found, size) if normalized else found
    return pd.DataFrame(curves, index=pd.RangeIndex(1, len(ranked) + 1, name="rank"))


def rank_weighted_score(
    interesting: Interesting, order: ArrayLike, n: int, *, exclude: Iterable[str] = ()
) -> float:
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
    exclude : ids
        As in :func:`recall_curve`.

    Raises
    ------
    ValueError
        If `n` is not positive or an id comes twice in `order`.
    TypeError
        If `interesting` is an array of bool.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, section 4.

    Examples
    --------
    >>> round(rank_weighted_score(["b", "d"], ["b", "a", "d", "c"], 2), 3)
    0.667
    """
    if n < 1:
        raise ValueError(f"n is {n}; give how many objects a person would look at, at least 1")
    hits = _hits(interesting, order, exclude)[1][:n]
    weights = n - np.arange(len(hits))
    return float(weights[hits].sum() / (n * (n + 1) / 2))


def precision_at_recall(
    interesting: Interesting,
    order: ArrayLike,
    recalls: ArrayLike,
    *,
    exclude: Iterable[str] = (),
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
    exclude : ids
        As in :func:`recall_curve`.

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

    Examples
    --------
    >>> precision_at_recall(["b", "d"], ["b", "a", "d", "c"], [0.5, 1.0]).round(3)
    array([1.   , 0.667])
    """
    wanted = np.atleast_1d(np.asarray(recalls, dtype=np.float64))
    if not ((wanted > 0) & (wanted <= 1)).all():
        raise ValueError(f"recalls are {wanted.tolist()}; give fractions above 0 and up to 1")
    ids, hits = _hits(interesting, order, exclude)
    ranks = 1 + np.flatnonzero(hits)
    needed = np.ceil(wanted * len(ids) - _ROUNDING).astype(np.int64)
    precision = np.full(wanted.shape, np.nan)
    reached = (needed > 0) & (needed <= len(ranks))
    precision[reached] = needed[reached] / ranks[needed[reached] - 1]
    return precision


def _share(found: NDArray[np.int64], n_interesting: int) -> NDArray[np.float64]:
    share: NDArray[np.float64] = found / (n_interesting or np.nan)
    return share


def ids_of(which: Interesting, name: str = "interesting") -> frozenset[Any]:
    """Return ids, from ids or from a mapping or Series of bool by id."""
    if isinstance(which, Mapping) or hasattr(which, "items"):
        return frozenset(object_id for object_id, yes in which.items() if yes)
    if getattr(which, "dtype", None) == np.bool_:
        raise TypeError(
            f"{name} is an array of bool, which does not say of which objects; "
            "give their ids: object_ids[mask]"
        )
    if isinstance(which, str):
        raise TypeError(f"{name} is the str {which!r}; give a set of ids")
    return frozenset(which)


def _ranking(order: ArrayLike, left_out: frozenset[Any]) -> list[Any]:
    """Return the ranking without what is left out, checked."""
    ranking = np.asarray(order, dtype=object).tolist()
    if len(set(ranking)) < len(ranking):
        twice = Counter(ranking).most_common(1)[0][0]
        raise ValueError(f"object {twice!r} comes twice in the ranking; each must come once")
    return [i for i in ranking if i not in left_out] if left_out else ranking


def _hits(
    interesting: Interesting, order: ArrayLike, exclude: Iterable[str] = ()
) -> tuple[frozenset[Any], NDArray[np.bool_]]:
    """Which ids are interesting, and which entries of the ranking are, (m,)."""
    left_out = ids_of(exclude, "exclude")
    ids, ranking = ids_of(interesting) - left_out, _ranking(order, left_out)
    return ids, np.fromiter((i in ids for i in ranking), dtype=bool, count=len(ranking))
