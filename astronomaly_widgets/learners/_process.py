"""A Gaussian process on a handful of labels: few candidates, averaged by their evidence.

Rasmussen & Williams 2006, Gaussian Processes for Machine Learning: algorithm 2.1 and, for what is
left out in turn, equations 5.12. What is searched for is rare, so that objects without a label
are worth nothing, nearly all of them: some of these are learned, too, with a small weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import evenly

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Candidates, in units of the median distance and of the signal's variance. The limits keep the
# process from collapsing: neither a constant nor a spike at each label can win.
LENGTH_SCALES = (0.1, 0.2, 0.4, 0.8)
NOISE_LEVELS = (0.05, 0.2, 0.6)
TRUSTS = (0.25, 0.5, 1.0)  # how much of the prior is believed; never nothing, never the reverse
_N_CHOOSE = 400  # labels that weigh the candidates
_LEAST_CHANCE = 0.05  # of the best candidate's; one that counts less is left out
_DOUBT = 10.0  # times the noise of a label: that an object without one is worth nothing
_PRIOR_LABELS = 2.0  # a variance of one is worth so many labels: one label has none of its own


@dataclass(frozen=True, slots=True)
class Process:
    """A fitted process.

    Attributes
    ----------
    points : list of ndarray, each (m + p, d)
        Where the labels are, in each space, and the objects without one.
    kernels : list of tuple
        Those that count: which space, and the length scale in it.
    weights : ndarray, shape (k, m + p, 3)
        What each of them adds to the three means of :meth:`predict`, by kernel.
    trust : float
        How much of the prior is believed, on average over the candidates.
    whitening : ndarray, shape (m, m)
        Inverse of the lower Cholesky factor of the likeliest candidate.
    best : tuple
        Its kernel.
    noise : float
        Its noise, in units of the variance of the signal.
    plain_mean : float
        Of the plain values.
    variance, plain_variance : float
        Of the signal, and of that of the plain values.
    left_out : ndarray, shape (m,)
        What the process says of each label when it is fitted without it.
    """

    points: list[NDArray[np.float64]]
    kernels: list[tuple[int, float]]
    weights: NDArray[np.float64]
    trust: float
    whitening: NDArray[np.float64]
    best: tuple[int, float]
    noise: float
    plain_mean: float
    variance: float
    plain_variance: float
    left_out: NDArray[np.float64]

    @property
    def n_labels(self) -> int:
        """How many of the points are labeled: the first ones."""
        return len(self.whitening)

    def apart(self, X: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Distances (n, m) of objects to the labels, in the first space."""
        return distances(X[0], self.points[0][: self.n_labels])

    def predict(
        self, X: list[NDArray[np.float64]], prior: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Three means (n, 3) and two deviations (n, 2) at `X`, (n, d) in each space.

        The first mean believes as much of the `prior` (n,) as the labels bear out, the second all
        of it; the third is that of the plain values, without it. The deviations are those of the
        first and of the third. Of the objects without a label only the first mean knows.
        """
        distance = {
            space: distances(X[space], self.points[space])
            for space in {space for space, _ in [*self.kernels, self.best]}
        }
        means = prior[:, None] * np.array([self.trust, 1.0, 0.0])
        means[:, 2] += self.plain_mean
        for (space, scale), weights in zip(self.kernels, self.weights, strict=True):
            means += matern(distance[space], scale) @ weights
        space, scale = self.best
        known = matern(distance[space][:, : self.n_labels], scale) @ self.whitening.T
        unknown = np.maximum(1.0 - np.einsum("ij,ij->i", known, known), 0.0)
        return means, np.sqrt(unknown[:, None] * [self.variance, self.plain_variance])

    def covariance(self, X: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Covariance (n, n) of objects (n, d) in each space, in units of the signal's variance."""
        space, scale = self.best
        apart = distances(X[space], X[space])
        np.fill_diagonal(apart, 0.0)  # the products leave rounding there
        labeled = self.points[space][: self.n_labels]
        known = matern(distances(X[space], labeled), scale) @ self.whitening.T
        return matern(apart, scale) - known @ known.T


def fit(
    points: list[NDArray[np.float64]],
    values: NDArray[np.float64],
    prior: NDArray[np.float64],
    plain: NDArray[np.float64],
    units: list[float],
) -> Process:
    """Fit a process to `values` (m,) round a multiple of the prior, and one to `plain` (m,).

    Kernel Matern 3/2 of the distance in one of the spaces, in each of which `points` are (m + p, d)
    and length scales multiples of its unit; `prior` is (m + p,), for those without a label, too.
    The candidates are averaged with their marginal likelihoods, given the labels, as weights, the
    variance of the signal integrated out.
    """
    from scipy.linalg import cho_solve

    m = len(values)
    apart = [distances(these, these) for these in points]
    for distance in apart:
        np.fill_diagonal(distance, 0.0)  # the products leave rounding there
    kernels = [
        (space, unit * length) for space, unit in enumerate(units) for length in LENGTH_SCALES
    ]
    expected = prior[:, None] * np.array(TRUSTS)
    residuals = np.column_stack([values[:, None] - expected[:m], plain - plain.mean()])
    # with many labels, an even share of every value weighs the candidates
    some = np.argsort(values, kind="stable")[evenly(len(values), _N_CHOOSE)]
    evidence = np.array(
        [
            [_log_evidence(kernel, residuals[some], noise) for noise in NOISE_LEVELS]
            for kernel in (
                matern(apart[space][np.ix_(some, some)], scale) for space, scale in kernels
            )
        ]
    )
    # weight of each candidate (kernel, noise, residual) in each of the three means
    chances = np.zeros((*evidence.shape, 3))
    full = TRUSTS.index(1.0)
    for k, part in enumerate((slice(0, -1), slice(full, full + 1), slice(-1, None))):
        chances[:, :, part, k] = _chances(evidence[:, :, part])
    i_best, j_best, q_best = np.unravel_index(int(np.argmax(chances[..., 0])), chances.shape[:-1])
    used = np.flatnonzero(chances.any(axis=(1, 2, 3)))
    columns = np.zeros((len(used), len(prior), 3))
    left_out = np.zeros(m)
    for k, i in enumerate(used):
        space, scale = kernels[i]
        kernel = matern(apart[space], scale)
        for j in np.flatnonzero(chances[i].any(axis=(1, 2))):
            lower = _cholesky(kernel[:m, :m], NOISE_LEVELS[j])
            solved = cho_solve((lower, True), residuals)
            columns[k, :m, 1:] += solved @ chances[i, j][:, 1:]
            weights = chances[i, j, :-1, 0]
            if not weights.any():
                continue
            if (i, j) == (i_best, j_best):
                whitening = np.tril(np.linalg.inv(lower))
                variances = _variance(residuals, solved)
            if len(prior) > m:
                noise = np.full(len(prior), NOISE_LEVELS[j])
                noise[m:] *= _DOUBT
                lower = _cholesky(kernel, noise)
                every = np.concatenate([residuals[:, :-1], -expected[m:]])
                solved = cho_solve((lower, True), every)
            columns[k, :, 0] += solved[:, : len(weights)] @ weights
            inverse = np.tril(np.linalg.inv(lower))[:, :m]
            told = (solved[:m, : len(weights)] @ weights) / np.einsum("ij,ij->j", inverse, inverse)
            left_out += values * weights.sum() - told
    return Process(
        points=points,
        kernels=[kernels[i] for i in used],
        weights=columns,
        trust=float(chances[..., :-1, 0].sum(axis=(0, 1)) @ np.array(TRUSTS)),
        whitening=whitening,
        best=kernels[i_best],
        noise=NOISE_LEVELS[j_best],
        plain_mean=float(plain.mean()),
        variance=float(variances[q_best]),
        plain_variance=float(variances[-1]),
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


def _cholesky(
    kernel: NDArray[np.float64], noise: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    # NumPy's lets other threads run meanwhile, SciPy's does not
    lower: NDArray[Any] = np.linalg.cholesky(kernel + noise * np.eye(len(kernel)))
    return lower


def _variance(residuals: NDArray[np.float64], solved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Most likely variance of the signal for each column of the residuals."""
    squared = np.einsum("ij,ij->j", residuals, solved)
    variance: NDArray[np.float64] = (squared + _PRIOR_LABELS) / (len(residuals) + _PRIOR_LABELS)
    return variance


def _log_evidence(
    kernel: NDArray[np.float64], residuals: NDArray[np.float64], noise: float
) -> NDArray[np.float64]:
    """Logarithm of the marginal likelihood of each column, but for a constant."""
    from scipy.linalg import cho_solve

    lower = _cholesky(kernel, noise)
    variance = _variance(residuals, cho_solve((lower, True), residuals))
    determinant = 2 * np.log(np.diag(lower)).sum()
    evidence: NDArray[np.float64] = -0.5 * (
        (len(residuals) + _PRIOR_LABELS) * np.log(variance) + determinant
    )
    return evidence


def _chances(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the candidates, summing to 1; those that hardly count are left out."""
    chances = np.exp(evidence - evidence.max())
    chances[chances < _LEAST_CHANCE] = 0.0
    weights: NDArray[np.float64] = chances / chances.sum()
    return weights
