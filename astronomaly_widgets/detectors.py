"""Anomaly scores: how unlike the rest each object is, before any person was asked (LB21 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._protocols import Detector
from .compute import PackedTrees, map_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["NAMES", "Detector", "IsolationForest", "anomaly_score", "by_name", "rescale"]

_NUMBERS_PER_CHUNK = 2**20
_WORTH_COMPILING = 2**15  # objects; of fewer, scikit-learn is done before the compiler is


@dataclass
class IsolationForest:
    """scikit-learn's isolation forest, for millions of objects.

    The same trees, each of 256 objects drawn at random, and the same scores to the last bit. Where
    there are many, they are scored in one compiled loop through all trees, on all cores.

    Parameters
    ----------
    n_estimators : int
        Trees.
    random_state : int
        Seed of the draws and of the trees.

    References
    ----------
    Liu, Ting & Zhou 2008, IEEE ICDM, 413, eq. 1 and 2.
    """

    n_estimators: int = 100
    random_state: int = 0
    _forest: Any = field(default=None, init=False, repr=False, compare=False)

    def fit(self, X: ArrayLike) -> Self:
        """Grow the trees.

        Parameters
        ----------
        X : array, shape (n, d)
            Finite features, possibly memory-mapped; of float32 only what is drawn is read.
        """
        from sklearn import ensemble

        self._forest = ensemble.IsolationForest(
            n_estimators=self.n_estimators, random_state=self.random_state
        ).fit(np.asanyarray(X))
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score objects, low = anomalous.

        Parameters
        ----------
        X : array, shape (n, d)
            Finite features, possibly memory-mapped; compared as float32.

        Returns
        -------
        ndarray, shape (n,), dtype float64
            ``-2 ** (-E(h) / c)`` (eq. 2), -1..0.

        Raises
        ------
        ValueError
            Before :meth:`fit`.
        """
        if self._forest is None:
            raise ValueError("the isolation forest has no trees yet; call fit(X) first")
        X = np.asanyarray(X)
        if len(X) < _WORTH_COMPILING or self._forest.max_samples_ == 1:  # which is a case apart
            few: NDArray[np.float64] = self._forest.score_samples(X)
            return few
        trees = [tree.tree_ for tree in self._forest.estimators_]
        paths = [
            tree.compute_node_depths() + _path_length(tree.n_node_samples) - 1.0 for tree in trees
        ]
        depth = PackedTrees.of(trees, paths).total(X)
        # each step in place: of millions there should not be many copies
        depth /= -len(trees) * _path_length(np.array([self._forest.max_samples_]))
        np.power(2.0, depth, out=depth)
        return np.negative(depth, out=depth)


def _path_length(n: NDArray[Any]) -> NDArray[np.float64]:
    """Mean depth at which a search among `n` objects ends in vain (eq. 1)."""
    length = (n > 1).astype(np.float64)
    many = n > 2
    m = n[many].astype(np.float64)
    length[many] = 2.0 * (np.log(m - 1.0) + np.euler_gamma) - 2.0 * (m - 1.0) / m
    return length


def _isolation_forest(random_state: int) -> Any:
    return IsolationForest(random_state=random_state)


def _local_outlier_factor(random_state: int) -> Any:  # noqa: ARG001 - it draws no random numbers
    from sklearn.neighbors import LocalOutlierFactor

    # novelty gives it score_samples, which makes it a detector like any other
    return LocalOutlierFactor(n_neighbors=20, novelty=True, n_jobs=-1)


_MAKERS: dict[str, Callable[[int], Any]] = {
    "isolation_forest": _isolation_forest,
    "local_outlier_factor": _local_outlier_factor,
}
NAMES = tuple(_MAKERS)


def anomaly_score(
    X: ArrayLike, detector: str | Detector = "isolation_forest", random_state: int = 0
) -> NDArray[Any]:
    """Score every object by how anomalous it is, 0..5, larger = more anomalous.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite features, possibly memory-mapped.
    detector : str or object
        One of ``NAMES``, or anything with ``fit(X)`` and ``score_samples(X)`` in
        scikit-learn's manner (low = anomalous). A detector that keeps the scores of the data it
        was fitted on (``negative_outlier_factor_``) is asked for those, as LB21 does: there an
        object is not its own neighbor.
    random_state : int
        Seed of a detector given by name.

    Returns
    -------
    ndarray, shape (n,), dtype float32
        See :func:`rescale`.

    Raises
    ------
    ValueError
        If `X` is not a matrix with at least one object, the name is unknown, or the detector
        returns something other than n finite numbers.
    TypeError
        If `detector` is neither a name nor has the two methods.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, section 3.3.
    """
    X = np.asanyarray(X)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(
            f"the features have shape {X.shape}; give a matrix (n_objects, n_features) "
            "with at least one of each"
        )
    n, d = X.shape
    model = by_name(detector, random_state)
    if detector == "local_outlier_factor":
        model.n_neighbors = min(model.n_neighbors, n - 1)  # type: ignore[attr-defined]
    if n == 1:
        return np.zeros(1, dtype=np.float32)
    model.fit(X)
    raw = getattr(model, "negative_outlier_factor_", None)
    if isinstance(model, IsolationForest):
        raw = model.score_samples(X)  # cuts it into chunks on its own
    elif raw is None:
        # one block after another: a detector may not be safe on threads
        parts = map_blocks(model.score_samples, (X,), _rows(d), n_jobs=1)
        raw = np.concatenate([np.atleast_1d(scores) for _, scores in parts])
    if np.shape(raw) != (n,):
        raise ValueError(
            f"{type(model).__name__} returned scores of shape {np.shape(raw)} for {n} objects; "
            "score_samples must return one number per object"
        )
    return rescale(raw)


def by_name(detector: str | Detector, random_state: int = 0) -> Detector:
    """Make a detector from its name; a detector comes back as it is.

    Parameters
    ----------
    detector : str or object
        One of ``NAMES``, or anything with ``fit`` and ``score_samples``. By name, the forest
        has 100 trees, and the local outlier factor 20 neighbors (fewer if there are fewer).
    random_state : int
        Seed of the forest.

    Raises
    ------
    ValueError
        If there is no detector of that name.
    TypeError
        If `detector` is neither a name nor has the two methods.
    """
    check(detector)
    if not isinstance(detector, str):
        return detector
    model: Detector = _MAKERS[detector](random_state)
    return model


def check(detector: Any) -> None:
    """Refuse what is not a detector, without importing what a detector needs.

    Raises
    ------
    ValueError, TypeError
        As :func:`by_name`.
    """
    if isinstance(detector, str):
        if detector not in _MAKERS:
            raise ValueError(f"there is no detector {detector!r}; there are: {', '.join(NAMES)}")
    elif not isinstance(detector, Detector):
        raise TypeError(
            f"a {type(detector).__name__} is not a detector; give one of {', '.join(NAMES)}, "
            "or an object with fit(X) and score_samples(X) (low = anomalous)"
        )


def load(detector: str | Detector) -> None:
    """Import what a detector with a name needs, which takes a second or two."""
    if isinstance(detector, str):
        from sklearn import ensemble, neighbors  # noqa: F401 - for the one that comes next


def rescale(score_samples: ArrayLike) -> NDArray[Any]:
    """Turn scikit-learn's scores (low = anomalous) into anomaly scores, linearly (LB21 2.1).

    Parameters
    ----------
    score_samples : array, shape (n,)
        Finite; low = anomalous.

    Returns
    -------
    ndarray, shape (n,), dtype float32
        0 for the most ordinary object, 5 for the most anomalous one; all 0 if all are equal.

    Raises
    ------
    ValueError
        If a score is NaN or infinite.
    """
    raw = np.asarray(score_samples, dtype=np.float64)
    bad = int(np.count_nonzero(~np.isfinite(raw)))
    if bad:
        raise ValueError(
            f"{bad} of {len(raw)} anomaly scores are NaN or infinite; the detector does not suit "
            "these features: scale them, or choose another detector"
        )
    if len(raw) == 0:
        return np.zeros(0, dtype=np.float32)
    top = raw.max()
    reach = top - raw.min()
    if reach == 0:
        return np.zeros(raw.shape, dtype=np.float32)
    scores: NDArray[np.float32] = (5.0 * ((top - raw) / reach)).astype(np.float32)
    return scores


def _rows(d: int) -> int:
    return max(1, _NUMBERS_PER_CHUNK // d)
