"""Regressors that predict a person's score: known by name, or anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._forest import as_float32, mean_prediction

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from numpy.typing import NDArray


def _random_forest(n_labels: int, n_trees: int, random_state: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_trees, random_state=random_state, n_jobs=_n_jobs(n_labels))


def _extra_trees(n_labels: int, n_trees: int, random_state: int) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(n_trees, random_state=random_state, n_jobs=_n_jobs(n_labels))


def _n_jobs(n_labels: int) -> int:
    return -1 if n_labels > _WORTH_THREADS else 1


def _gradient_boosting(_n_labels: int, n_trees: int, random_state: int) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(n_estimators=n_trees, random_state=random_state)


def _k_neighbors(n_labels: int, _n_trees: int, _random_state: int) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(min(5, n_labels), weights="distance")


def _ridge(_n_labels: int, _n_trees: int, _random_state: int) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge())


def _support_vector(_n_labels: int, _n_trees: int, _random_state: int) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    return make_pipeline(StandardScaler(), SVR())


_WORTH_THREADS = 1000  # labels; the same trees grow on any number of threads
_MAKERS: dict[str, Callable[[int, int, int], Any]] = {
    "extra_trees": _extra_trees,
    "gradient_boosting": _gradient_boosting,
    "k_neighbors": _k_neighbors,
    "random_forest": _random_forest,
    "ridge": _ridge,
    "support_vector": _support_vector,
}
NAMES = tuple(_MAKERS)
_METHODS = ("fit", "predict", "get_params")


def make(regressor: Any, n_labels: int, n_trees: int, random_state: int) -> Any:
    """Make an unfitted regressor from a name, or from an object like it.

    Raises
    ------
    ValueError
        If there is no regressor of that name.
    TypeError
        If it is neither a name nor an object in scikit-learn's manner.
    """
    if isinstance(regressor, str):
        if regressor not in _MAKERS:
            raise ValueError(
                f"there is no regressor {regressor!r}; there are: {', '.join(NAMES)}, "
                "or give an object of scikit-learn"
            )
        return _MAKERS[regressor](n_labels, n_trees, random_state)
    has_methods = all(callable(getattr(regressor, method, None)) for method in _METHODS)
    if isinstance(regressor, type) or not has_methods:
        raise TypeError(
            f"{regressor!r} is not a regressor; give one of {', '.join(NAMES)}, "
            f"or an object of scikit-learn, with {', '.join(_METHODS)}"
        )
    from sklearn.base import clone

    model = clone(regressor)
    unseeded = {
        name: random_state
        for name, value in model.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    return model.set_params(**unseeded)


def fit(model: Any, X: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    """Fit a regressor to labeled objects, `X` (m, d) and `y` (m,)."""
    return model.fit(as_float32(X) if _is_forest(model) else X, y)


def predict(model: Any, X: NDArray[np.float64], pool: ThreadPoolExecutor) -> NDArray[np.float64]:
    """Predict for every row of `X` (n, d), (n,).

    Raises
    ------
    ValueError
        If the regressor does not predict one finite number per row.
    """
    if _is_forest(model):  # the mean of its trees, but on the caller's threads
        return mean_prediction(model.estimators_, as_float32(X), pool)
    predicted = np.asarray(model.predict(X), dtype=np.float64)
    if predicted.shape != (len(X),) or not np.isfinite(predicted).all():
        raise ValueError(
            f"{type(model).__name__} predicts shape {predicted.shape} for {len(X)} objects, or "
            "something not finite; one finite number per object is wanted"
        )
    return predicted


def trees_of(model: Any) -> list[Any] | None:
    """Return the trees whose mean a fitted regressor predicts, or None if it is no forest."""
    return list(model.estimators_) if _is_forest(model) else None


def predict_unseen(model: Any, X: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Predict for the objects that a forest was fitted to, by the trees that have not seen each.

    Returns
    -------
    ndarray, shape (m,), or None
        NaN where every tree has seen the object; None if the regressor is no forest on bootstrap
        samples.
    """
    if not _is_forest(model) or not model.bootstrap:
        return None
    inputs = as_float32(X)
    total, count = np.zeros((2, len(X)))
    for tree, drawn in zip(model.estimators_, model.estimators_samples_, strict=True):
        unseen = np.ones(len(X), dtype=bool)
        unseen[drawn] = False
        if unseen.any():
            total[unseen] += tree.predict(inputs[unseen], check_input=False)
            count += unseen
    mean: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean.clip(0.0, 5.0)


def _is_forest(model: Any) -> bool:
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    return isinstance(model, (ExtraTreesRegressor, RandomForestRegressor))
