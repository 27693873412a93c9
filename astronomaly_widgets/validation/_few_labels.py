"""Feature sets compared by what few labels teach with them (ML24)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import chunks
from ._common import INTERVAL, centered
from ._comparison import FeatureComparison

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

_NEIGHBORS = 5


def compare_features(
    features: Mapping[str, Any],
    classes: ArrayLike | Mapping[str, Any] | pd.Series[Any],
    n_labels: Sequence[int] = (10, 30, 100, 300),
    *,
    classifiers: Sequence[str] = ("neighbors", "logistic"),
    balanced: bool = True,
    n_draws: int = 30,
    random_state: int = 0,
) -> FeatureComparison:
    """Compare feature sets by how well few labels tell classes apart (ML24).

    Objects are drawn and labeled, a plain classifier learns from them, and is asked about all
    others. Every feature set sees the same draws, so that differences are due to the features.

    Parameters
    ----------
    features : mapping from name to array or DataFrame, shape (n, d)
        As a learner would see them: numbers in various units scaled one by one
        (``reduction.scale``), those of a network rotated and cut off (``reduction.pca``), whose
        small components would be but noise if they were scaled. DataFrames are indexed by object
        id if the classes are; objects that one of them lacks are then left out of all.
    classes : array, shape (n,), or mapping or Series by object id
        The class of each object; NaN or None where it is not known.
    n_labels : sequence of int
        How many objects are labeled: at least one of each class, the others at random. If
        `balanced`, one of each class is left to test on.
    classifiers : sequence of str
        ``"neighbors"``: vote of the five nearest labeled objects, the nearer the heavier.
        ``"logistic"``: logistic regression whose prior on the log-odds has the same width for any
        number of features.
    balanced : bool
        The mean of the accuracies of the classes, so that rare ones count (for the logistic
        regression, too); else the fraction of all objects that is right.
    n_draws : int
        How often objects are drawn.
    random_state : int
        The same number gives the same draws.

    Returns
    -------
    FeatureComparison
        Drawn at the end of a cell; its `table` has the numbers.

    Raises
    ------
    ValueError
        Fewer than two classes, fewer labels than classes or too few objects left to test on, a
        class of one object if `balanced`, features that are not finite or do not belong to the
        same objects, or an unknown classifier.
    """
    import pandas as pd

    sets, codes = _aligned(features, classes)
    _check_draws(codes, n_labels, classifiers, n_draws, balanced=balanced)
    share = np.bincount(codes) / len(codes)
    chance = 1 / len(share) if balanced else float(share.max())
    standard = {name: centered(X, name) for name, X in sets.items()}
    rows = []
    for m in n_labels:
        # the seed depends on m alone: more numbers of labels do not change the draws of one
        rng = np.random.default_rng([random_state, m])
        draws = [_draw(codes, m, rng, keep_one=balanced) for _ in range(n_draws)]
        for classifier in classifiers:
            first: NDArray[Any] | None = None
            for name, X in standard.items():
                right = _accuracies(X, codes, draws, classifier, balanced)
                first = right if first is None else first
                rows.append(
                    (name, classifier, m, *_summary(right), chance, *_summary(right - first))
                )
    columns = ["features", "classifier", "n_labels", "accuracy", "low", "high", "chance"]
    table = pd.DataFrame(rows, columns=[*columns, "gain", "gain_low", "gain_high"])
    return FeatureComparison(table, len(codes), len(share), balanced, n_draws)


def _draw(codes: NDArray[Any], m: int, rng: np.random.Generator, *, keep_one: bool) -> NDArray[Any]:
    """Draw rows to label, (m,): one of each class, then any but, if so asked, one of each."""
    shuffled = rng.permutation(len(codes))
    _, first = np.unique(codes[shuffled], return_index=True)
    spoken_for = first
    if keep_one:
        _, from_end = np.unique(codes[shuffled[::-1]], return_index=True)
        spoken_for = np.append(first, len(codes) - 1 - from_end)
    rest = np.delete(shuffled, spoken_for)
    return np.concatenate([shuffled[first], rest[: m - len(first)]])


def _accuracies(
    X: NDArray[Any],
    codes: NDArray[Any],
    draws: list[NDArray[Any]],
    classifier: str,
    balanced: bool,
) -> NDArray[Any]:
    from threadpoolctl import threadpool_limits

    accuracy = np.empty(len(draws))
    # several threads would add up in any order, and near ties fall either way
    with threadpool_limits(1), warnings.catch_warnings():
        # few labels of many classes are no regression
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        for part in chunks(len(draws), 1):
            rows = draws[part.start]
            others = np.delete(np.arange(len(codes)), rows)
            model = _CLASSIFIERS[classifier](X[rows], balanced).fit(X[rows], codes[rows])
            true = codes[others]
            right = model.predict(X[others]) == true
            if balanced:  # every class is there
                accuracy[part] = (np.bincount(true, right) / np.bincount(true)).mean()
            else:
                accuracy[part] = right.mean()
    return accuracy


def _neighbors(X: NDArray[Any], balanced: bool) -> Any:  # noqa: ARG001 - called as the other is
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(min(_NEIGHBORS, len(X)), weights="distance")


def _logistic(X: NDArray[Any], balanced: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    # the prior variance of each weight is C, that of the log-odds of an object C d
    return LogisticRegression(
        C=10 / X.shape[1], class_weight="balanced" if balanced else None, max_iter=2000
    )


_CLASSIFIERS: dict[str, Callable[[NDArray[Any], bool], Any]] = {
    "neighbors": _neighbors,
    "logistic": _logistic,
}


def _summary(values: NDArray[Any]) -> tuple[float, float, float]:
    low, high = np.percentile(values, INTERVAL)
    return float(values.mean()), float(low), float(high)


def _check_draws(
    codes: NDArray[Any],
    n_labels: Sequence[int],
    classifiers: Sequence[str],
    n_draws: int,
    *,
    balanced: bool,
) -> None:
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise ValueError(f"{len(codes)} objects are of {len(sizes)} classes; wanted at least two")
    if balanced and sizes.min() < 2:
        raise ValueError(
            f"{(sizes == 1).sum()} of {len(sizes)} classes have a single object; wanted two of "
            "each, one to learn from and one to test on: give their objects the class None, or "
            "say balanced=False"
        )
    most = len(codes) - (len(sizes) if balanced else 1)
    for m in n_labels:
        if not len(sizes) <= m <= most:
            raise ValueError(
                f"{m} labels for {len(codes)} objects of {len(sizes)} classes; wanted one per "
                f"class at least, and some objects left to test on: {len(sizes)} to {most}"
            )
    for name in classifiers:
        if name not in _CLASSIFIERS:
            raise ValueError(
                f"there is no classifier {name!r}; there are: {', '.join(_CLASSIFIERS)}"
            )
    if n_draws < 2:
        raise ValueError(f"n_draws is {n_draws}; wanted at least 2")


def _aligned(
    features: Mapping[str, Any], classes: Any
) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Features of the same objects in the same order, and the number of each object's class."""
    import pandas as pd

    if not features:
        raise ValueError("there are no features to compare; give at least one set by name")
    if isinstance(classes, (Mapping, pd.Series)):
        known = pd.Series(classes, dtype=object).dropna()
        frames = {name: _by_id(name, each) for name, each in features.items()}
        for frame in frames.values():
            known = known[known.index.isin(frame.index)]
        sets = {name: frame.loc[known.index].to_numpy() for name, frame in frames.items()}
        return sets, pd.factorize(known.to_numpy(), sort=True)[0]
    given = pd.Series(np.asarray(classes), dtype=object)
    sets = {name: np.asarray(each) for name, each in features.items()}
    for name, X in sets.items():
        if X.ndim != 2 or len(X) != len(given):
            raise ValueError(
                f"the {name} features have shape {X.shape} for {len(given)} classes; wanted one "
                "row per class, or both by object id"
            )
    rows = np.flatnonzero(given.notna())
    codes = pd.factorize(given.to_numpy()[rows], sort=True)[0]
    return {name: X[rows] for name, X in sets.items()}, codes


def _by_id(name: str, features: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(features, pd.DataFrame):
        return features
    raise ValueError(
        f"the classes go by object id, but the {name} features are a {type(features).__name__}; "
        "give a DataFrame indexed by object id"
    )
