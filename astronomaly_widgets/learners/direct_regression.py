"""Direct regression: a Gaussian process predicts the person's score from the features alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._protocols import LearnerScores
from ..compute import chunks, evenly, map_blocks
from ._forest import as_float32
from ._inputs import as_anomaly_score, as_block, as_features, labeled, rows_per_chunk
from ._many import BLOCK, ManyRegressed
from ._units import median_distance
from .baselines import random_worth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

# Candidates tried, in units of the median distance and of the variance of the labels. The limits
# keep the process from collapsing: neither a constant nor a spike at each label can win.
LENGTH_SCALES = (0.1, 0.2, 0.4, 0.8)
NOISE_LEVELS = (0.05, 0.2, 0.6)
_MANY = 2**15  # objects; of fewer, double precision is done before the compiler is
_CHUNK = 2**13  # objects, a multiple of a block: some 50 ms of work on one core
_N_UNITS = 1000  # objects that set the units
_N_CHOOSE = 500  # labels that choose among the candidates
_MIN_LABELS = 2
COLD_STARTS = ("anomaly_score", "principal_components", "random")
_N_COMPONENTS = 10  # whose ends a cold start shows


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A process and the standardization of its inputs, each (d,).

    What it says of each label when it is fitted without it is in `left_out`, (m,).
    """

    process: Any
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    left_out: NDArray[np.float32]

    def predict(self, X: NDArray[Any]) -> Iterator[tuple[slice, tuple[NDArray[Any], NDArray[Any]]]]:
        """Yield mean and standard deviation (k,) for all objects (n, d), part by part.

        Of many objects, in single precision.
        """
        n, d = X.shape
        if n < _MANY:
            for part in chunks(n, rows_per_chunk(max(d, len(self.left_out)))):
                yield part, self.process.predict(self.standardize(X[part]), return_std=True)
            return
        from threadpoolctl import threadpool_limits

        many = ManyRegressed.of(self.process)

        def work(features: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            block = as_float32(self.standardize(features))
            mean, std = np.empty((2, len(block)), dtype=np.float32)
            for start in range(0, len(block), BLOCK):
                here = slice(start, start + BLOCK)
                mean[here], std[here] = many.predict(block[here])
            return mean, std

        with threadpool_limits(1, user_api="blas"):  # the chunks are on all cores already
            yield from map_blocks(work, (X,), _CHUNK)

    def standardize(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return (as_block(X, slice(None)) - self.center) / self.spread


@dataclass
class DirectRegression:
    """Gaussian process on the labeled objects, explored by expected improvement.

    Kernel Matern 5/2 plus white noise, on standardized features and scores (scikit-learn's
    ``normalize_y``). Length scale and noise are those of the highest marginal likelihood among a
    few candidates around the median distance between objects, which is steadier with a handful of
    labels than a free fit. Memory is bounded whatever the number of objects; time grows as n m^2
    with m labels.

    Parameters
    ----------
    xi : float
        How much better than the best label so far an object must promise to be; larger explores
        more. Lochner & Rudnick (2025) take 0.5 to 3; ``benchmarks/published.py`` finds little
        between 0 and 1, and less and less above.
    cold_start : str
        What is worth labeling until two different scores are known: "anomaly_score" (Etsebeth et
        al. 2024), "principal_components", by turns the objects at either end of the ten leading
        components (Lochner & Rudnick 2025), or "random" (Walmsley et al. 2022).
    random_state : int
        Seed of the random start.

    References
    ----------
    Walmsley et al. 2022, MNRAS 513, 1581; Etsebeth et al. 2024, MNRAS 529, 732, section 3.2;
    Lochner & Rudnick 2025, AJ, doi 10.3847/1538-3881/ada14c.
    """

    xi: float = 0.5
    cold_start: str = "anomaly_score"
    random_state: int = 0
    _fitted: _Fitted | None = field(default=None, init=False, repr=False, compare=False)
    _best: float = field(default=np.nan, init=False, repr=False, compare=False)

    def fit(self, X: ArrayLike, rows: ArrayLike, y: ArrayLike, anomaly_score: ArrayLike) -> Self:
        """Fit the process to the labeled objects.

        Parameters
        ----------
        X : array, shape (n, d)
            Features of all objects, possibly memory-mapped; of the unlabeled at most
            1,000 are read, evenly spaced, to set the units.
        rows : array of int, shape (m,)
            Which rows are labeled.
        y : array, shape (m,)
            Their scores, 0..5.
        anomaly_score : array, shape (n,)
            0..5; only its length is used.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a score is not in 0..5, an object that is read
            has a feature that is NaN or infinite, or no cold start has the name.
        """
        X = as_features(X)
        as_anomaly_score(anomaly_score, len(X))
        _check(self.cold_start)
        features, scores = labeled(X, rows, y)
        self._fitted = None
        self._best = float(scores.max()) if len(scores) else np.nan
        if len(scores) >= _MIN_LABELS and scores.min() < scores.max():
            from threadpoolctl import threadpool_limits

            with threadpool_limits(
                1, user_api="blas"
            ):  # among a few hundred rows threads only wait
                self._fitted = _fit(features, scores, as_block(X, evenly(len(X), _N_UNITS)))
        return self

    def score(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores:
        """Score all objects.

        Until two different scores are known there is nothing to regress: the trained score is the
        anomaly score, the acquisition that of the cold start, the relevance the one score known
        (NaN before the first label), and the uncertainty is NaN.

        Parameters
        ----------
        X : array, shape (n, d)
            Finite features of all objects, possibly memory-mapped.
        anomaly_score : array, shape (n,)
            0..5, larger = more anomalous.

        Returns
        -------
        LearnerScores
            Relevance and trained score are the predicted mean, in 0..5; the uncertainty is the
            standard deviation of a new label of the object, the label's own noise included; the
            acquisition is the logarithm of the expected improvement.

        Raises
        ------
        ValueError
            If the shapes do not belong together, a feature is NaN or infinite, or no cold start
            has the name.
        """
        X = as_features(X)
        n = len(X)
        anomaly = as_anomaly_score(anomaly_score, n)
        fitted = self._fitted
        if fitted is None:
            relevance = np.full(n, self._best, dtype=np.float32)
            uncertainty = np.full(n, np.nan, dtype=np.float32)
            return LearnerScores(anomaly, relevance, uncertainty, self._start(X, anomaly))
        relevance, uncertainty, acquisition = np.empty((3, n), dtype=np.float32)
        for part, (mean, std) in fitted.predict(X):
            relevance[part] = np.clip(mean, 0.0, 5.0)
            uncertainty[part] = std
            acquisition[part] = log_expected_improvement(mean, std, self._best, self.xi)
        return LearnerScores(
            relevance.copy(), relevance, uncertainty, acquisition, left_out=fitted.left_out.copy()
        )

    def score_some(self, X: ArrayLike, anomaly_score: ArrayLike) -> LearnerScores | None:
        """Score some of the objects as among all; parameters as of :meth:`score`.

        Returns
        -------
        LearnerScores or None
            None until there is something to regress: a start needs all objects.
        """
        return None if self._fitted is None else self.score(X, anomaly_score)

    def _start(self, X: NDArray[Any], anomaly: NDArray[np.float32]) -> NDArray[np.float32]:
        """Worth of labeling while nothing can be regressed, (n,)."""
        _check(self.cold_start)
        if self.cold_start == "random":
            return random_worth(len(X), self.random_state)
        if self.cold_start == "principal_components" and len(X):
            return _extremes(X, anomaly)
        return anomaly.copy()


def log_expected_improvement(
    mean: ArrayLike, std: ArrayLike, best: float, xi: float = 0.5
) -> NDArray[np.float64]:
    """Logarithm of the expected improvement over `best` by more than `xi`.

    ``EI = (mu - best - xi) Phi(z) + sigma phi(z)`` with ``z = (mu - best - xi) / sigma``
    (Walmsley et al. 2022; Lochner & Rudnick 2025). The improvement itself underflows to 0 for
    all objects alike when a few labels are far above the rest; its logarithm keeps their order.

    Parameters
    ----------
    mean, std : array, shape (n,)
        Prediction for each object, in units of the score; `std` > 0.
    best : float
        Highest score given so far.
    xi : float
        Trade-off, in units of the score.
    """
    from scipy.special import erfcx, ndtr

    sigma = np.asarray(std, dtype=np.float64)
    z = (np.asarray(mean, dtype=np.float64) - best - xi) / sigma
    log_density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    # Phi(z) / phi(z) is bounded below z = 0, Phi(z) and phi(z) apart are 0 there
    low, high = np.minimum(z, 0.0), np.maximum(z, 0.0)
    ratio = np.sqrt(np.pi / 2) * erfcx(-low / np.sqrt(2))
    # 1 + z Phi / phi is about 1 / z^2; where that is lost in rounding, the density orders alone
    log_low = log_density + np.log(np.maximum(1 + low * ratio, np.finfo(np.float64).eps))
    log_high = np.log(high * ndtr(high) + np.exp(np.where(z > 0, log_density, 0.0)))
    improvement: NDArray[np.float64] = np.log(sigma) + np.where(z > 0, log_high, log_low)
    return improvement


def _check(cold_start: str) -> None:
    if cold_start not in COLD_STARTS:
        raise ValueError(
            f"there is no cold start {cold_start!r}; there are: {', '.join(COLD_STARTS)}"
        )


def _extremes(X: NDArray[Any], anomaly: NDArray[np.float32]) -> NDArray[np.float32]:
    """Worth by how near an object is to an end of a leading principal component, (n,).

    First come the outermost objects of the first component, at its two ends, then those of the
    second, and so on, then the next outermost. Where all objects are alike: the anomaly score.
    """
    from sklearn.decomposition import PCA

    n, d = X.shape
    sample = as_block(X, evenly(n, _N_UNITS))
    spread = sample.std(axis=0)
    if not spread.any():
        return anomaly.copy()
    spread[spread == 0] = 1.0
    center = sample.mean(axis=0)
    n_components = min(_N_COMPONENTS, len(sample) - 1, d)
    pca = PCA(n_components, random_state=0).fit((sample - center) / spread)
    along = np.empty((n_components, n), dtype=np.float32)
    for part in chunks(n, rows_per_chunk(d)):
        along[:, part] = pca.transform((as_block(X, part) - center) / spread).T
    turn = np.full(n, n_components * n)
    for k, positions in enumerate(along):
        place = np.empty(n, dtype=np.intp)
        place[np.argsort(positions, kind="stable")] = np.arange(n)
        np.minimum(turn, np.minimum(place, n - 1 - place) * n_components + k, out=turn)
    return -turn.astype(np.float32)


def _fit(X: NDArray[np.float64], y: NDArray[np.float64], sample: NDArray[np.float64]) -> _Fitted:
    """Fit with the candidate length scale and noise of the highest marginal likelihood.

    `sample` are objects of the whole survey, which set the units: the labeled ones alone are the
    most unusual.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    spread = sample.std(axis=0)
    spread[spread == 0] = 1.0
    center = sample.mean(axis=0)
    unit = median_distance((sample - center) / spread)
    X = (X - center) / spread

    def process(length_scale: float, noise_level: float) -> Any:
        kernel = Matern(length_scale * unit, nu=2.5) + WhiteKernel(noise_level)
        return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)

    candidates = list(product(LENGTH_SCALES, NOISE_LEVELS))
    # with many labels, an even share of every score chooses among the candidates
    chosen = np.argsort(y, kind="stable")[evenly(len(y), _N_CHOOSE)]
    judge = process(*candidates[0]).fit(X[chosen], y[chosen])
    likelihoods = [
        judge.log_marginal_likelihood(np.log([length_scale * unit, noise_level]))
        for length_scale, noise_level in candidates
    ]
    best = candidates[int(np.argmax(likelihoods))]
    fitted = process(*best).fit(X, y)
    return _Fitted(fitted, center, spread, _left_out(fitted, y))


def _left_out(process: Any, y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Predict each label without it, (m,), 0..5; everything else stays as it is.

    Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, equation 5.12.
    """
    half = np.linalg.inv(process.L_)  # which, other than SciPy's, lets other threads run
    precision = np.einsum("ij,ij->j", half, half)
    said: NDArray[np.float64] = y - y.std() * process.alpha_ / precision
    return said.clip(0.0, 5.0).astype(np.float32)
