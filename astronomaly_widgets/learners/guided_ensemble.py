"""Our own learner: what the detector finds odd, corrected by what the person says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._protocols import LearnerScores
from ..compute import evenly, largest, ranks
from . import _process
from ._asking import Ensemble, Said
from ._forest import as_float32, grow, threads
from ._inputs import as_anomaly_score, as_block, as_features, labeled
from ._kernels import standardize
from ._turns import in_turn
from ._units import center_and_spread, median_distance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_SCORE = 5.0
_N_UNITS = 1000  # objects that set the units
_ALIKE = 0.2  # spreads that differ by less need no second space
_FAR = 100.0  # spreads; of what is farther out, squares would drown all other distances
_LEAST_UNIT = 1e-5  # spreads; products of matrices do not tell shorter distances from none
_N_PSEUDO = 1000  # objects without a label that the trees are told of
_N_PROCESS = 1500  # labels of which the process learns; the trees learn of all
_N_POINTS = 500  # of the process: what labels leave of them is filled up with objects without one
_PSEUDO_LABEL = 1.0  # what most objects would be given, unseen
_PSEUDO_WEIGHT = 0.3
_N_CANDIDATES = 400  # objects that take turns
_N_TURNS = 100  # for a batch or two; the others follow as they would then
_SAME = 2e-3  # median distances; what is nearer to a label is labeled, or as good as that
_CURIOSITY = 2.0  # standard deviations that count where nothing is known of what is liked


@dataclass(frozen=True, slots=True)
class _Spaces:
    """Where distances are measured: in standardized features, and in the features as they are.

    Components that were found by PCA say by their spread how much they matter, measurements in
    various units do not: the labels tell which it is. Each array is (d,).
    """

    center: NDArray[np.float64]
    spreads: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, sample: NDArray[np.float64]) -> Self:
        center, spread = center_and_spread(sample)
        common = np.full_like(spread, np.sqrt(np.mean(spread**2)) or 1.0)
        spread[spread == 0] = 1.0
        alike = np.ptp(spread) <= _ALIKE * spread.max()
        return cls(center, (spread,) if alike else (spread, common))

    def __call__(self, X: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        centered = X - self.center
        return [
            np.clip(centered, -_FAR * spread, _FAR * spread) / spread for spread in self.spreads
        ]

    def single(self, X: NDArray[np.float64]) -> list[NDArray[np.float32]]:
        """Do the same in single precision, for many objects."""
        spaces = [np.empty(X.shape, dtype=np.float32) for _ in self.spreads]
        for Z, spread in zip(spaces, self.spreads, strict=True):
            standardize(X, self.center, spread, _FAR, Z)
        return spaces


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What was learned.

    Attributes
    ----------
    ensemble : Ensemble
        Of a process, of what the labels differ from the anomaly score, and of trees.
    unit : float
        Median distance of objects in the first space.
    worth, score : ndarray, shape (k,)
        Corners of the line that turns worth into a score of the person.
    left_out : ndarray, shape (m,)
        Worth of each labeled object as it would be without its label; NaN where that is not known.
    """

    ensemble: Ensemble
    unit: float
    worth: NDArray[np.float64]
    score: NDArray[np.float64]
    left_out: NDArray[np.float64]


@dataclass
class GuidedEnsemble:
    """A Gaussian process round the anomaly score, averaged with randomized trees.

    The process has the anomaly score as its prior mean: where nothing is labeled, an object is
    worth what the detector says; near labels, what the person says. It can raise what the detector
    finds ordinary, which the neighbor score cannot, and goes on exploring when all labels are 0,
    where plain regression is stuck. The trees see the features and the anomaly score, and
    pick the few features that matter where the process trusts distances in all of them. Scores
    are learned as ``5 (y / 5)^3``, which sets the few 5 apart from the many 2 and 3. Both learn of
    objects without a label, too: what is searched for is rare, so that nearly all are worth little.

    There is nothing to tune: metric, length scale, noise, and how much the anomaly score is to be
    believed are averaged by marginal likelihood. Memory is bounded whatever the number of objects,
    and time linear in it.

    Parameters
    ----------
    n_estimators : int
        Trees.
    exploration : float
        How many standard deviations of the process are added to its mean when an object is
        considered for labeling (upper confidence bound; Srinivas et al. 2010). Those of what is
        like the first of a batch shrink before the next is chosen (Desautels et al. 2014).
    interesting_from : float
        Score from which a labeled object is liked; until one is, the learner explores.
    random_state : int
        Seed of the trees.
    """

    n_estimators: int = 100
    exploration: float = 0.5
    interesting_from: float = 4.0
    random_state: int = 0
    _fitted: _Fitted | None = field(default=None, init=False, repr=False, compare=False)

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Learn from the labeled objects; without any, forget what was learned.

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
            0..5, larger = more anomalous.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a score is not in 0..5, or an object that is
            read has a feature that is NaN or infinite.
        """
        from threadpoolctl import threadpool_limits

        X = as_features(X)
        anomaly = as_anomaly_score(anomaly_score, len(X))
        _, scores = labeled(X, rows, y)
        self._fitted = None
        if not len(scores):
            return self
        index = np.asarray(rows, dtype=np.intp)
        values = MAX_SCORE * (scores / MAX_SCORE) ** 3
        others = _unlabeled(len(X), index, self.random_state)
        trees, voted = self._grow(X, anomaly, np.concatenate([index, others]), values)
        sample = as_block(X, evenly(len(X), _N_UNITS))
        spaces = _Spaces.of(sample)
        units = [max(median_distance(Z), _LEAST_UNIT) for Z in spaces(sample)]
        some = _telling(scores, _N_PROCESS)
        worthless = _lower_half(others, voted[len(values) :])[: max(_N_POINTS - len(some), 0)]
        points = np.concatenate([index[some], worthless])
        prior = anomaly[points].astype(np.float64)
        with threadpool_limits(1, user_api="blas"):  # for matrices this small, threads only wait
            process = _process.fit(
                spaces(as_block(X, points)), values[some], prior, scores[some], units
            )
        liked = scores[some] >= self.interesting_from
        left_out = np.full(len(scores), np.nan)
        left_out[some] = (process.left_out + voted[some]) / 2
        worth, score = _isotonic(left_out[some], scores[some])
        ensemble = Ensemble(process, trees, spaces, liked)
        self._fitted = _Fitted(ensemble, units[0], worth, score, left_out)
        return self

    def _grow(
        self,
        X: NDArray[Any],
        anomaly: NDArray[np.float32],
        rows: NDArray[np.intp],
        values: NDArray[np.float64],
    ) -> tuple[list[Any], NDArray[np.float64]]:
        """Grow the trees; return them and their out-of-bag predictions for the rows.

        Of these, as many as there are `values` are labeled, the first.
        """
        inputs = as_float32(np.column_stack([as_block(X, rows), anomaly[rows]]))
        weights, targets = np.full((2, len(rows)), [[_PSEUDO_WEIGHT], [_PSEUDO_LABEL]])
        weights[: len(values)], targets[: len(values)] = 1.0, values
        with threads() as pool:
            trees, left_out = grow(
                inputs,
                targets,
                weights,
                self.n_estimators,
                random_state=self.random_state,
                pool=pool,
            )
        return trees, np.nan_to_num(left_out, nan=_PSEUDO_LABEL)

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
            The trained score is the worth, stretched linearly into 0..5 where it leaves that
            range; the relevance is the score to be expected for such a worth, learned from what
            the ensemble says of each label without knowing it; the uncertainty is the standard
            deviation of the process. The acquisition is the worth plus half of it times
            `exploration`; the best take turns at these values, each chosen as if those before it
            were labeled. While nothing is liked, the acquisition is the uncertainty alone, for all
            that is known is what is not wanted. Exploration is the largest of three ranks, 0..1: by
            the same for a process that believes the anomaly score whatever the labels say; by the
            upper confidence bound of one that knows no anomaly score, for what is liked may be
            ordinary to the detector; and by how much nearer the object is to something liked than
            to anything else that is labeled, for one liked object among many convinces no process.
            Before the first label, trained score and acquisition are the anomaly score, relevance
            and uncertainty NaN.

        Raises
        ------
        ValueError
            If the shapes do not belong together or a feature is NaN or infinite.
        """
        X = as_features(X)
        n = len(X)
        anomaly = as_anomaly_score(anomaly_score, n)
        fitted = self._fitted
        if fitted is None:
            nothing = np.full(n, np.nan, dtype=np.float32)
            return LearnerScores(anomaly, nothing, nothing.copy(), anomaly.copy())
        process = fitted.ensemble.process
        bonus = self.exploration / 2 * np.sqrt(process.variance)
        curiosity = np.array([bonus, bonus, _CURIOSITY * np.sqrt(process.plain_variance)])
        said = fitted.ensemble.ask(X, anomaly, curiosity)
        worth = said.worth(0)
        uncertainty = said.unknown * np.float32(np.sqrt(process.variance))
        orders = [
            said.worth(1) + np.float32(curiosity[1]) * said.unknown,
            said.worth(2) + np.float32(curiosity[2]) * said.unknown,
        ]
        acquisition = uncertainty.copy()
        if fitted.ensemble.liked.any():
            acquisition = _taking_turns(fitted, X, worth, said, bonus)
            orders.append(_nearness(*said.apart))
        with threads() as pool:
            expected = pool.submit(np.interp, worth, fitted.worth, fitted.score)
            exploration = np.max(list(pool.map(ranks, orders)), axis=0)
            relevance = expected.result().astype(np.float32)
        low, high = min(float(worth.min()), 0.0), max(float(worth.max()), MAX_SCORE)

        def into_range(values: NDArray[Any]) -> NDArray[np.float32]:
            stretched = (values - low) * (MAX_SCORE / (high - low))
            return stretched.clip(0.0, MAX_SCORE).astype(np.float32)

        return LearnerScores(
            into_range(worth),
            relevance,
            uncertainty,
            acquisition,
            exploration,
            into_range(fitted.left_out),
        )

    def score_some(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores | None:
        """Score some of the objects as among all, but for the ranks.

        Parameters and result are as of :meth:`score`; the ranks that make up the exploration, and
        the stretch to 0..5, are those among these objects. None before the first label.
        """
        return None if self._fitted is None else self.score(X, anomaly_score)


def _taking_turns(
    fitted: _Fitted, X: NDArray[Any], worth: NDArray[np.float32], said: Said, bonus: float
) -> NDArray[np.float32]:
    """Upper confidence bounds (n,), dealt out anew among the best that are not labeled."""
    bound = worth + np.float32(bonus) * said.unknown
    is_known = said.apart.min(axis=0) < _SAME * fitted.unit
    first = largest(np.where(is_known, np.float32(-np.inf), bound), _N_CANDIDATES)
    first = first[~is_known[first]]
    process = fitted.ensemble.process
    covariance = process.covariance(fitted.ensemble.spaces(as_block(X, first)))
    order = in_turn(worth[first], covariance, bonus, process.noise, _N_TURNS)
    dealt = bound.copy()
    dealt[first[order]] = bound[first]
    return dealt


def _telling(scores: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """At most so many labels: first the highest, up to half, then an even share of the rest."""
    order = np.argsort(-scores, kind="stable")
    half = min(len(order), most // 2)
    rest = order[half:]
    if not len(rest):
        return order
    return np.concatenate([order[:half], rest[evenly(len(rest), most - half)]])


def _unlabeled(n: int, rows: NDArray[np.intp], random_state: int) -> NDArray[np.intp]:
    """Draw objects without a label, or take as many as there are."""
    rng = np.random.default_rng(random_state)
    drawn = rng.choice(n, size=min(n, _N_PSEUDO + len(rows)), replace=False)
    return drawn[~np.isin(drawn, rows)][:_N_PSEUDO]


def _lower_half(rows: NDArray[np.intp], worth: NDArray[np.float64]) -> NDArray[np.intp]:
    """Those of the rows that are worth at most the median."""
    return rows[worth <= np.median(worth)] if len(rows) else rows


def _isotonic(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the rising line that fits best."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit(x, y)
    return fitted.X_thresholds_, fitted.y_thresholds_


def _nearness(to_liked: NDArray[np.float32], to_others: NDArray[np.float32]) -> NDArray[np.float32]:
    """How many times nearer each object is to something liked than to other labels, (n,)."""
    others = np.where(np.isinf(to_others), np.float32(1), to_others)
    return (others / np.maximum(to_liked, np.float32(1e-9))).clip(max=np.float32(1e9))
