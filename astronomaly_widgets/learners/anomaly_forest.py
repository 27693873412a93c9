"""Isolation forests that listen: coniferest's AADForest and PineForest as learners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._optional import require
from .._protocols import LearnerScores
from ..compute import chunks, evenly
from ._inputs import as_anomaly_score, as_block, as_features, labeled, rows_per_chunk

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_SCORE = 5.0
EXTRA = "forests"
_N_SUBSAMPLES = 256  # objects that a tree is grown from
_N_GROW = 2**15  # objects that all trees are grown from, in 128 MB at most
_N_NUMBERS = 2**24
_MIN_OBJECTS = 2


@dataclass
class _AnomalyForest(ABC):
    """What the two forests share.

    Parameters
    ----------
    n_estimators : int
        Trees.
    interesting_from : float
        Score from which a labeled object is an anomaly; below it is a regular object. The forests
        know nothing in between.
    random_state : int
        Seed of the trees.
    """

    n_estimators: int = 100
    interesting_from: float = 4.0
    random_state: int = 0
    _forest: Any = field(default=None, init=False, repr=False, compare=False)

    @abstractmethod
    def _new_forest(self, n_subsamples: int) -> Any:
        """Make an unfitted forest."""

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Grow the forest and teach it; without labels, forget what was learned.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects, possibly memory-mapped. The trees are grown from at most
            32,768 of them, evenly spaced.
        rows : array of int, shape (m,)
            Which rows are labeled.
        y : array, shape (m,)
            Their scores, 0..5.
        anomaly_score : array, shape (n,)
            0..5; only its length is used: these forests are their own detector.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a score is not in 0..5, or an object that is
            read has a feature that is NaN or infinite.
        MissingDependencyError
            If coniferest is not installed.
        """
        X = as_features(X)
        n, d = X.shape
        as_anomaly_score(anomaly_score, n)
        features, scores = labeled(X, rows, y)
        self._forest = None
        if len(scores) and n >= _MIN_OBJECTS:
            label = require("coniferest.label", extra=EXTRA).Label
            liked = scores >= self.interesting_from
            most = min(_N_GROW, max(_N_NUMBERS // d, 4 * _N_SUBSAMPLES))
            known = np.where(liked, label.ANOMALY, label.REGULAR)
            forest = self._new_forest(min(_N_SUBSAMPLES, n))
            with np.errstate(invalid="ignore"):  # weights that no label can move have norm 0
                self._forest = forest.fit_known(as_block(X, evenly(n, most)), features, known)
        return self

    def score(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores:
        """Score all objects.

        Parameters
        ----------
        X : array, shape (n, d)
            Finite features of all objects, possibly memory-mapped.
        anomaly_score : array, shape (n,)
            0..5, larger = more anomalous.

        Returns
        -------
        LearnerScores
            Trained score and acquisition are what the forest says, stretched linearly to 0..5
            over these objects; before the first label, and where the forest cannot tell any two
            objects apart, they are the anomaly score. Relevance and uncertainty are NaN: the
            forest orders objects, but predicts no score.

        Raises
        ------
        ValueError
            If the shapes do not belong together or a feature is NaN or infinite.
        """
        X = as_features(X)
        n, d = X.shape
        anomaly = as_anomaly_score(anomaly_score, n)
        trained = anomaly
        if self._forest is not None:
            said = np.empty(n)
            for part in chunks(n, rows_per_chunk(d)):
                # in scikit-learn's manner: low is anomalous
                said[part] = -self._forest.score_samples(as_block(X, part))
            trained = _stretched(said, anomaly)
        nothing = np.full(n, np.nan, dtype=np.float32)
        return LearnerScores(trained, nothing, nothing.copy(), trained.copy())

    def score_some(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores | None:
        """Score some of the objects, in the order that they have among all.

        Parameters and result are as of :meth:`score`, but stretched over these objects alone; None
        before the first label.
        """
        return None if self._forest is None else self.score(X, anomaly_score)


@dataclass
class AADForest(_AnomalyForest):
    """Active anomaly discovery: an isolation forest whose leaves are weighed anew by the labels.

    coniferest's ``AADForest`` with its own settings: the leaves' weights are those that put the
    labeled anomalies above, and the regular objects below, a threshold that is found along with
    them. As long as all labels are of one kind, that has no unique answer, and the forest stays
    the plain isolation forest.

    Parameters
    ----------
    n_estimators : int
        Trees.
    interesting_from : float
        Score from which a labeled object is an anomaly; below it is a regular object.
    random_state : int
        Seed of the trees.

    References
    ----------
    Das et al. 2017, arXiv:1708.09441; Kornilov et al. 2024, arXiv:2410.17142 (coniferest).
    """

    def _new_forest(self, n_subsamples: int) -> Any:
        return require("coniferest.aadforest", extra=EXTRA).AADForest(
            n_trees=self.n_estimators,
            n_subsamples=n_subsamples,
            prior_influence=_influence_of_the_prior,
            n_jobs=1,  # the solver's sums would depend on the number of threads
            random_seed=self.random_state,
        )


@dataclass
class PineForest(_AnomalyForest):
    """An isolation forest of those trees, out of many, that agree best with the labels.

    coniferest's ``PineForest``.

    Parameters
    ----------
    n_estimators : int
        Trees that are kept.
    interesting_from : float
        Score from which a labeled object is an anomaly; below it is a regular object.
    random_state : int
        Seed of the trees.
    n_spare_trees : int
        Trees that are grown besides, and felled again.

    References
    ----------
    Kornilov et al. 2024, arXiv:2410.17142 (coniferest).
    """

    n_spare_trees: int = 400

    def _new_forest(self, n_subsamples: int) -> Any:
        return require("coniferest.pineforest", extra=EXTRA).PineForest(
            n_trees=self.n_estimators,
            n_subsamples=n_subsamples,
            n_spare_trees=self.n_spare_trees,
            n_jobs=1,
            random_seed=self.random_state,
        )


def _influence_of_the_prior(n_anomalies: int, n_regular: int) -> float:
    """Say how strongly the leaves are held at their first weights.

    Not at all, as is coniferest's default; but labels of one kind are satisfied by any weights,
    also by those that turn the order round.
    """
    return 0.0 if n_anomalies and n_regular else 1.0


def _stretched(said: NDArray[np.float64], anomaly: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stretch what the forest says to 0..5; return the anomaly score if it says nothing."""
    low, high = said.min(), said.max()
    if not high > low:  # also where both are NaN
        return anomaly
    stretched: NDArray[np.float32] = ((said - low) * (MAX_SCORE / (high - low))).astype(np.float32)
    return stretched.clip(0.0, MAX_SCORE)
