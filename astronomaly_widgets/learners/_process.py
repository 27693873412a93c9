"""A Gaussian process on a handful of labels: few candidates, averaged by their evidence.

Rasmussen & Williams 2006, Gaussian Processes for Machine Learning: algorithm 2.1 and, for what is
left out in turn, equations 5.12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Candidates, in units of the median distance and of the signal's variance. The limits keep the
# process from collapsing: neither a constant nor a spike at each label can win.
LENGTH_SCALES = (0.1, 0.2, 0.4, 0.8)
NOISE_LEVELS = (0.05, 0.2, 0.6)
_N_CHOOSE = 400  # labels that weigh the candidates
_LEAST_WEIGHT = 0.05  # a candidate that counts less is left out
_PRIOR_LABELS = 2.0  # a variance of one is worth so many labels: one label has none of its own


@dataclass(frozen=True, slots=True)
class Process:
    """A fitted process.

    Attributes
    ----------
    points : ndarray, shape (m, d)
        Where the labels are.
    scales : ndarray, shape (k,)
        Length scales that count.
    weights : ndarray, shape (m, k)
        What each label adds to the mean, by length scale.
    whitening : ndarray, shape (m, m)
        Inverse of the lower Cholesky factor of the likeliest candidate.
    scale : float
        Its length scale.
    noise : float
        Its noise level, of the signal's variance.
    variance : float
        Variance of its signal.
    left_out : ndarray, shape (m,)
        What the process says of each label when it is fitted without it.
    """

    points: NDArray[np.float64]
    scales: NDArray[np.float64]
    weights: NDArray[np.float64]
    whitening: NDArray[np.float64]
    scale: float
    noise: float
    variance: float
    left_out: NDArray[np.float64]

    def predict(
        self, X: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the signal at `X` (n, d), each (n,)."""
        distance = distances(X, self.points)
        mean = np.zeros(len(X))
        for scale, weights in zip(self.scales, self.weights.T, strict=True):
            mean += matern(distance, scale) @ weights
        known = matern(distance, self.scale) @ self.whitening.T
        explained = np.einsum("ij,ij->i", known, known)
        return mean, np.sqrt(self.variance * np.maximum(1.0 - explained, 0.0))


def fit(points: NDArray[np.float64], values: NDArray[np.float64], unit: float) -> Process:
    """Fit a process of mean zero to `values` (m,) at `points` (m, d).

    Kernel Matern 3/2; length scales are multiples of `unit`. The candidates are averaged with
    their marginal likelihoods as weights, the variance of the signal integrated out.
    """
    from scipy.linalg import cho_solve, solve_triangular

    distance = distances(points, points)
    np.fill_diagonal(distance, 0.0)  # the products leave rounding there
    # with many labels, an even share of every value weighs the candidates
    some = np.argsort(values, kind="stable")[evenly(len(values), _N_CHOOSE)]
    chances = np.array(
        [
            [_log_evidence(kernel, values[some], noise) for noise in NOISE_LEVELS]
            for kernel in (
                matern(distance[np.ix_(some, some)], length * unit) for length in LENGTH_SCALES
            )
        ]
    )
    chances = np.exp(chances - chances.max())
    chances /= chances.sum()
    best = np.unravel_index(int(np.argmax(chances)), chances.shape)
    counts = chances >= min(_LEAST_WEIGHT, chances.max())
    chances = np.where(counts, chances, 0.0) / chances[counts].sum()
    left_out = np.zeros(len(values))
    columns = []
    for i in np.flatnonzero(counts.any(axis=1)):
        kernel = matern(distance, LENGTH_SCALES[i] * unit)
        column = np.zeros(len(values))
        for j in np.flatnonzero(counts[i]):
            lower = _cholesky(kernel, NOISE_LEVELS[j])
            inverse = solve_triangular(lower, np.eye(len(values)), lower=True)
            weights = cho_solve((lower, True), values)
            column += chances[i, j] * weights
            alone = weights / np.einsum("ij,ij->j", inverse, inverse)
            left_out += chances[i, j] * (values - alone)
            if (i, j) == best:
                whitening = inverse
                variance = _variance(values, weights)
        columns.append(column)
    return Process(
        points=points,
        scales=unit * np.array(LENGTH_SCALES)[counts.any(axis=1)],
        weights=np.array(columns).T,
        whitening=whitening,
        scale=unit * LENGTH_SCALES[best[0]],
        noise=NOISE_LEVELS[best[1]],
        variance=variance,
        left_out=left_out,
    )


def distances(A: NDArray[np.float64], B: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distances, (len(A), len(B)), by one product of matrices."""
    squared = A @ B.T
    squared *= -2
    squared += np.einsum("ij,ij->i", A, A)[:, None]
    squared += np.einsum("ij,ij->i", B, B)
    np.maximum(squared, 0.0, out=squared)
    return np.sqrt(squared, out=squared)


def matern(distance: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Matern 3/2 kernel of distances."""
    reach = distance * (np.sqrt(3.0) / scale)
    kernel: NDArray[np.float64] = np.exp(-reach)
    kernel *= reach + 1
    return kernel


def evenly(n: int, most: int) -> NDArray[np.intp]:
    """At most so many of n rows, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.intp))


def _cholesky(kernel: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    from scipy.linalg import cholesky

    lower: NDArray[np.float64] = cholesky(kernel + noise * np.eye(len(kernel)), lower=True)
    return lower


def _variance(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float((values @ weights + _PRIOR_LABELS) / (len(values) + _PRIOR_LABELS))


def _log_evidence(
    kernel: NDArray[np.float64], values: NDArray[np.float64], noise: float
) -> float:
    """Logarithm of the marginal likelihood, but for a constant; the variance is integrated out."""
    from scipy.linalg import cho_solve

    lower = _cholesky(kernel, noise)
    variance = _variance(values, cho_solve((lower, True), values))
    determinant = 2 * np.log(np.diag(lower)).sum()
    return float(-0.5 * (len(values) + _PRIOR_LABELS) * np.log(variance) - 0.5 * determinant)
