"""Rankings compared by their precision at several recalls (E24 table 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._common import INTERVAL, centered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

#: The recalls of E24's table 5.
RECALLS = (0.25, 0.5, 0.75, 0.95)


def compare_rankings(
    scores: Mapping[str, ArrayLike],
    interesting: ArrayLike,
    X: ArrayLike | None = None,
    recalls: Sequence[float] = RECALLS,
    *,
    exclude: ArrayLike | None = None,
    classifier: Any = None,
    n_folds: int = 5,
    n_draws: int = 500,
    random_state: int = 0,
) -> pd.DataFrame:
    """Compare rankings by their precision at several recalls (E24 table 5).

    Parameters
    ----------
    scores : mapping from name to array, shape (n,)
        As ``{"relevance": session.relevance, "anomaly score": session.anomaly_score}``; larger =
        shown earlier, ties as they come.
    interesting : array of bool, shape (n,)
        The truth about every object.
    X : array, shape (n, d), optional
        The features, as a learner sees them. With them, a row ``"supervised"`` tells what a
        classifier makes of the same features that was told the truth about all objects but the
        fold it is asked about: what they are good for at the price of labeling everything.
    recalls : sequence of float
        Fractions of the interesting objects, above 0 and up to 1.
    exclude : array of bool, shape (n,), optional
        Objects that are not compared: those that were labeled, of which a relevance was told.
    classifier : object, optional
        With scikit-learn's ``fit`` and ``predict_proba``; by default 300 extremely randomized
        trees, in which the few weigh as much as the many.
    n_folds : int
        At most as many as there are interesting objects.
    n_draws : int
        Samples of the bootstrap over objects.
    random_state : int
        Seed of folds and bootstrap.

    Returns
    -------
    DataFrame
        One row per ranking and recall: ``ranking``, ``recall``, ``precision``, ``low`` and
        ``high``: the middle 95 % of the bootstrap.

    Raises
    ------
    ValueError
        The lengths differ, a score is NaN, or there are not both kinds of objects, two at least.
    """
    import pandas as pd

    truth = np.asarray(interesting)
    compared = np.ones(len(truth), bool) if exclude is None else ~np.asarray(exclude, bool)
    _check_truth(truth, compared)
    ranked = {name: _score(name, values, len(truth)) for name, values in scores.items()}
    if X is not None:
        rng = np.random.default_rng(random_state)
        ranked["supervised"] = _supervised(X, truth, classifier, n_folds, rng)
    wanted = np.asarray(recalls, dtype=np.float64)
    if not ((wanted > 0) & (wanted <= 1)).all():
        raise ValueError(f"recalls are {wanted.tolist()}; give fractions above 0 and up to 1")
    orders = {name: np.argsort(-values, kind="stable") for name, values in ranked.items()}
    orders = {name: order[compared[order]] for name, order in orders.items()}
    drawn = {name: np.empty((n_draws, len(wanted))) for name in orders}
    rng, share = np.random.default_rng(random_state + 1), np.full(len(truth), 1 / len(truth))
    for k in range(n_draws):  # all at once, the counts of a survey would fill the memory
        counts = rng.multinomial(len(truth), share)
        for name, order in orders.items():
            drawn[name][k] = _precision(truth[order], counts[order], wanted)
    rows = []
    for name, order in orders.items():
        precision = _precision(truth[order], np.ones(len(order), np.int64), wanted)
        low, high = np.nanpercentile(drawn[name], INTERVAL, axis=0)
        rows += [(name, *row) for row in zip(wanted, precision, low, high, strict=True)]
    return pd.DataFrame(rows, columns=["ranking", "recall", "precision", "low", "high"])


def _check_truth(truth: NDArray[Any], compared: NDArray[np.bool_]) -> None:
    if truth.ndim != 1 or truth.dtype != np.bool_:
        raise ValueError(
            f"interesting has shape {truth.shape} and dtype {truth.dtype}; wanted one bool per "
            "object"
        )
    if compared.shape != truth.shape:
        raise ValueError(f"exclude has shape {compared.shape} for {len(truth)} objects")
    left = truth[compared]
    if min(left.sum(), (~left).sum()) < 2:
        raise ValueError(
            f"{left.sum()} of {len(left)} objects are interesting; wanted two of each kind"
        )


def _score(name: str, values: ArrayLike, n: int) -> NDArray[Any]:
    score = np.asarray(values, dtype=np.float64)
    if score.shape != (n,):
        raise ValueError(f"the {name} has shape {score.shape} for {n} objects")
    n_bad = int(np.isnan(score).sum())
    if n_bad:
        raise ValueError(f"the {name} of {n_bad} of {n} objects is NaN; retrain first")
    return score


def _supervised(
    X: ArrayLike,
    truth: NDArray[np.bool_],
    classifier: Any,
    n_folds: int,
    rng: np.random.Generator,
) -> NDArray[Any]:
    """Probability of being interesting by a classifier that has not seen the object."""
    from sklearn.base import clone
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    X = np.asarray(X)
    if X.ndim != 2 or len(X) != len(truth):
        raise ValueError(f"the features have shape {X.shape} for {len(truth)} objects")
    seed = int(rng.integers(2**31))
    forest = ExtraTreesClassifier(
        300, min_samples_leaf=2, class_weight="balanced", random_state=seed
    )
    model = forest if classifier is None else clone(classifier)
    n_folds = int(min(n_folds, truth.sum(), (~truth).sum()))
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with threadpool_limits(1):
        probability: NDArray[Any] = cross_val_predict(
            model, centered(X, "given"), truth, cv=folds, method="predict_proba"
        )
    return np.asarray(probability)[:, 1]


def _precision(
    hits: NDArray[np.bool_], counts: NDArray[np.int64], recalls: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Precision at each recall if objects came so often; (n_recalls,), NaN for none."""
    found, seen = np.cumsum(counts * hits), np.cumsum(counts)
    if not found[-1]:
        return np.full(len(recalls), np.nan)
    at = np.searchsorted(found, np.ceil(recalls * found[-1] - 1e-9))
    return np.asarray(found[at] / seen[at])
