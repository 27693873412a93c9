"""The neighbor score of Lochner & Bassett 2021: trust the person near what they have seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._protocols import LearnerScores
from ..compute import PackedTrees, chunks, evenly, map_blocks
from . import _regressors
from ._forest import as_float32, threads
from ._inputs import as_anomaly_score, as_block, as_features, labeled, rows_per_chunk
from ._nearest import NearestLabeled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EPSILON_1 = 0.1  # LB21 eq. 2
EPSILON_2 = 0.85
MAX_SCORE = 5.0
_MANY = 2**15  # objects; of fewer, double precision is done before the compiler is
_CHUNK = 2**14  # objects: some 10 ms of work on one core
_N_UNIT = 2000  # objects whose mean distance stands for that of all, while not all are known
_MAX_EXPONENT = 50.0  # tanh(exp(50)) is 1 to the last bit, and exp(50) far from overflow


@dataclass
class NeighborScore:
    """Anomaly score weighted by predicted relevance near labeled objects (LB21 eq. 1-3).

    Close to what was labeled, a regressor's prediction of the person's score counts, by default
    that of a random forest as in the paper; far from it, the anomaly score stands. It can lower
    what the detector finds anomalous, but never raises what it finds ordinary. Of millions of
    objects, distances are kept from one :meth:`score` to the next of the same features: only those
    to new labels are computed.

    Parameters
    ----------
    alpha : float
        How fast the prediction loses its say with distance (eq. 3).
    n_estimators : int
        Trees of a regressor that is known by name and has trees.
    random_state : int
        Seed of the regressor.
    regressor : str or object
        "random_forest", "extra_trees", "gradient_boosting", "k_neighbors", "ridge",
        "support_vector", or any regressor with scikit-learn's ``fit`` and ``predict``. An object
        is cloned, so it stays as it is, and where its own ``random_state`` is None ours is used.

    References
    ----------
    Lochner & Bassett 2021, Astronomy and Computing 36, 100481, section 2.
    """

    alpha: float = 1.0
    n_estimators: int = 100
    random_state: int = 0
    regressor: Any = "random_forest"
    _labeled: NDArray[np.float64] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    _rows: NDArray[np.intp] | None = field(default=None, init=False, repr=False, compare=False)
    _model: Any = field(default=None, init=False, repr=False, compare=False)
    _unseen: NDArray[np.float64] | None = field(default=None, init=False, repr=False, compare=False)
    _sample: NDArray[Any] | None = field(default=None, init=False, repr=False, compare=False)
    _nearest: NearestLabeled | None = field(default=None, init=False, repr=False, compare=False)

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Train the regressor on the labeled objects; without any, forget what was learned.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects, possibly memory-mapped; of the unlabeled at most 2,000 are
            read.
        rows : array of int, shape (m,)
            Which rows are labeled.
        y : array, shape (m,)
            Their scores, 0..5.
        anomaly_score : array, shape (n,)
            0..5; its length is checked, its values count in :meth:`score`.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a score is not in 0..5, a labeled object has a
            feature that is NaN or infinite, or no regressor has the name.
        TypeError
            If the regressor is neither a name nor an object in scikit-learn's manner.
        """
        anomaly = as_anomaly_score(anomaly_score, len(as_features(X)))
        features, scores = labeled(X, rows, y)
        self._labeled = self._rows = self._model = self._unseen = self._sample = None
        if len(scores):
            model = _regressors.make(
                self.regressor, len(scores), self.n_estimators, self.random_state
            )
            self._model = _regressors.fit(model, features, scores)
            self._labeled, self._rows = features, np.asarray(rows, dtype=np.intp)
            self._sample = np.asanyarray(X)[evenly(len(anomaly), _N_UNIT)]
            self._unseen = _regressors.predict_unseen(self._model, features)
        return self

    def score(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores:
        """Score all objects.

        Parameters
        ----------
        X : array, shape (n, d)
            Finite features of all objects, possibly memory-mapped. The scale of the distances is
            their mean over these objects, so give all of them at once. Of many, distances are
            kept: an array that has changed is to be given to a new learner.
        anomaly_score : array, shape (n,)
            0..5, larger = more anomalous.

        Returns
        -------
        LearnerScores
            The acquisition is the trained score; the uncertainty is NaN, as is the relevance
            before the first label, when the trained score is the anomaly score. What is left out
            is known of a forest on bootstrap samples, from the trees that have not seen the label.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a feature is NaN or infinite, or the regressor
            does not predict one finite number per object.
        """
        X = as_features(X)
        n = len(X)
        anomaly = as_anomaly_score(anomaly_score, n)
        nothing = np.full(n, np.nan, dtype=np.float32)
        if self._labeled is None or self._rows is None:
            return LearnerScores(anomaly, nothing, nothing.copy(), anomaly.copy())
        if len(self._rows) and self._rows.max() >= n:
            raise ValueError(
                f"{n} objects are given, but row {self._rows.max()} is labeled: give score() the "
                "objects that fit() got"
            )
        relevance: NDArray[np.float32]
        distance: NDArray[Any]
        if n < _MANY:
            relevance, distance = self._of_few(X, self._labeled)
        else:
            relevance, distance = self._of_many(X, self._rows)
        trained = combine(anomaly, relevance, distance, self.alpha)
        left_out = self._left_out(anomaly, distance.mean(dtype=np.float64))
        return LearnerScores(trained, relevance, nothing, trained.copy(), left_out=left_out)

    def score_some(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores | None:
        """Score some of the objects as among all, but for the unit of the distances.

        That is their mean over 2,000 objects instead of over all.

        Parameters
        ----------
        X : array, shape (k, d)
            Finite features.
        anomaly_score : array, shape (k,)
            0..5, larger = more anomalous.

        Returns
        -------
        LearnerScores or None
            As of :meth:`score`, but without what is left out; None before the first label.

        Raises
        ------
        ValueError
            As :meth:`score`.
        """
        if self._labeled is None or self._sample is None:
            return None
        X = as_features(X)
        anomaly = as_anomaly_score(anomaly_score, len(X))
        relevance = self._relevance_of_many(X)
        unit = float(_apart(self._sample, self._labeled).mean(dtype=np.float64))
        trained = combine(anomaly, relevance, _apart(X, self._labeled), self.alpha, unit=unit)
        nothing = np.full(len(X), np.nan, dtype=np.float32)
        return LearnerScores(trained, relevance, nothing, trained.copy())

    def _of_few(
        self, X: NDArray[Any], labeled: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Relevance and distance of all objects, (n,) each."""
        relevance, distance = np.empty(len(X), dtype=np.float32), np.empty(len(X))
        with threads() as pool:
            for part in chunks(len(X), rows_per_chunk(X.shape[1])):
                block = as_block(X, part)
                predicted = _regressors.predict(self._model, block, pool)
                relevance[part] = predicted.clip(0.0, MAX_SCORE)
                distance[part] = nearest_distance(block, labeled)
        return relevance, distance

    def _of_many(
        self, X: NDArray[Any], rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Do the same in compiled loops; distances to labels known before are kept, for this X."""
        relevance = self._relevance_of_many(X)
        if self._nearest is None or not self._nearest.is_of(X):
            self._nearest = NearestLabeled(X)
        return relevance, self._nearest.update(rows)

    def _relevance_of_many(self, X: NDArray[Any]) -> NDArray[np.float32]:
        relevance = np.empty(len(X), dtype=np.float32)
        trees = _regressors.trees_of(self._model)
        if trees is None:  # not known to be safe on several threads
            with threads() as pool:
                for part in chunks(len(X), rows_per_chunk(X.shape[1])):
                    predicted = _regressors.predict(self._model, as_block(X, part), pool)
                    relevance[part] = predicted.clip(0.0, MAX_SCORE)
        else:
            packed = PackedTrees.of(trees)

            def work(block: NDArray[Any]) -> NDArray[np.float64]:
                total = np.zeros(len(block))
                packed.add(as_float32(as_block(block, slice(None))), total)
                return total

            for part, total in map_blocks(work, (X,), _CHUNK):
                relevance[part] = (total / len(trees)).clip(0.0, MAX_SCORE)
        return relevance

    def _left_out(self, anomaly: NDArray[np.float32], unit: float) -> NDArray[np.float32] | None:
        """Trained score of each labeled object without its label, (m,); NaN where not known."""
        if self._unseen is None or self._labeled is None or len(self._labeled) == 1:
            return None
        from sklearn.neighbors import NearestNeighbors

        to_others = NearestNeighbors(n_neighbors=1).fit(self._labeled).kneighbors()[0][:, 0]
        return combine(anomaly[self._rows], self._unseen, to_others, self.alpha, unit=unit)


def combine(
    anomaly_score: ArrayLike,
    relevance: ArrayLike,
    distance: ArrayLike,
    alpha: float = 1.0,
    *,
    unit: float | None = None,
) -> NDArray[np.float32]:
    """Trained score from anomaly score, predicted relevance and distance (LB21 eq. 1-3).

    Parameters
    ----------
    anomaly_score : array, shape (n,)
        0..5, larger = more anomalous.
    relevance : array, shape (n,)
        Predicted score of the person, 0..5.
    distance : array, shape (n,)
        To the nearest labeled object, in feature space.
    alpha : float
        How fast the relevance loses its say with distance.
    unit : float, optional
        Unit of the distances, by default their mean, which is that of eq. 3 if they are those of
        all objects.

    Returns
    -------
    ndarray, shape (n,), dtype float32
        ``S * tanh(delta - 1 + arctanh(U~))``: at distance 0 it is ``S * U~``, far away ``S``.
        Where the unit is 0, delta is 1.
    """
    far = np.asarray(distance, dtype=np.float64)
    if unit is None:
        unit = float(far.mean()) if far.size else 0.0
    weight = EPSILON_1 + EPSILON_2 * np.asarray(relevance, dtype=np.float64) / MAX_SCORE
    exponent = np.minimum(alpha * (far / unit), _MAX_EXPONENT) if unit > 0 else np.zeros_like(far)
    trained: NDArray[np.float64] = np.asarray(anomaly_score, dtype=np.float64) * np.tanh(
        np.expm1(exponent) + np.arctanh(weight)
    )
    return trained.astype(np.float32)


def nearest_distance(X: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distance (n,) of every row of `X` (n, d) to the nearest of `points` (m, d).

    Exactly 0 for a row that is one of the points.
    """
    from sklearn.metrics import pairwise_distances_argmin_min

    # the products that find the nearest point cancel badly close to it, so its distance is
    # computed again from the difference
    nearest, _ = pairwise_distances_argmin_min(X, points)
    difference = X - points[nearest]
    distance: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return distance


def _apart(X: NDArray[Any], points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return :func:`nearest_distance` in single precision, compiled."""
    together = np.concatenate([as_float32(points), as_float32(as_block(X, slice(None)))])
    return NearestLabeled(together).update(np.arange(len(points)))[len(points) :]
