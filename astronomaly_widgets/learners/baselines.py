"""Learners that learn nothing: what any other has to beat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from .._protocols import LearnerScores
from ._inputs import as_anomaly_score, as_features, labeled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass
class AnomalyScore:
    """Go down the anomaly score, whatever the person says."""

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Check the labels, and learn nothing from them.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects, possibly memory-mapped; only labeled rows are read.
        rows : array of int, shape (m,)
            Which rows are labeled.
        y : array, shape (m,)
            Their scores, 0..5.
        anomaly_score : array, shape (n,)
            0..5.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a score is not in 0..5, or a labeled object has a
            feature that is NaN or infinite.
        """
        as_anomaly_score(anomaly_score, len(as_features(X)))
        labeled(X, rows, y)
        return self

    def score(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores:
        """Score all objects.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects; they are not read.
        anomaly_score : array, shape (n,)
            0..5, larger = more anomalous.

        Returns
        -------
        LearnerScores
            Trained score and acquisition are the anomaly score; relevance and uncertainty NaN.

        Raises
        ------
        ValueError
            If there is not one anomaly score per object.
        """
        anomaly = as_anomaly_score(anomaly_score, len(as_features(X)))
        nothing = np.full(len(anomaly), np.nan, dtype=np.float32)
        return LearnerScores(anomaly, nothing, nothing.copy(), anomaly.copy())


@dataclass
class RandomOrder:
    """Show objects in random order: what is found is what there is, without any search.

    Parameters
    ----------
    random_state : int
        Seed of the order, which depends on nothing else but the number of objects.
    """

    random_state: int = 0
    _learned: bool = field(default=False, init=False, repr=False, compare=False)

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Check the labels, and learn nothing from them; parameters as of :class:`AnomalyScore`.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a score is not in 0..5, or a labeled object has a
            feature that is NaN or infinite.
        """
        as_anomaly_score(anomaly_score, len(as_features(X)))
        _, scores = labeled(X, rows, y)
        self._learned = bool(len(scores))
        return self

    def score(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores:
        """Score all objects.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects; they are not read.
        anomaly_score : array, shape (n,)
            0..5, larger = more anomalous.

        Returns
        -------
        LearnerScores
            The acquisition is random, evenly spread over 0..5, and so is the trained score from
            the first label on, before it the anomaly score; relevance and uncertainty are NaN.

        Raises
        ------
        ValueError
            If there is not one anomaly score per object.
        """
        anomaly = as_anomaly_score(anomaly_score, len(as_features(X)))
        order = random_worth(len(anomaly), self.random_state)
        nothing = np.full(len(anomaly), np.nan, dtype=np.float32)
        trained = order.copy() if self._learned else anomaly
        return LearnerScores(trained, nothing, nothing.copy(), order)


def random_worth(n: int, random_state: int) -> NDArray[np.float32]:
    """Numbers evenly spread over 0..5, in random order, (n,)."""
    spread = np.linspace(0.0, 5.0, n, dtype=np.float32)
    return np.random.default_rng(random_state).permutation(spread)
