"""A process over millions of objects: in single precision, block by block, on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._kernels import compare, matern, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ._process import Process

BLOCK = 256  # objects whose kernels with a few hundred labels stay in a core's cache
_GROUP = 32  # labels that are weighed together where all at once would take too long
_STEPS = 8  # of a triangle: its empty half is not multiplied, but for a sixteenth of it all


@dataclass(frozen=True, slots=True)
class Many:
    """A fitted process, made ready for many objects.

    The same as :class:`Process` but for rounding, several times as fast: distances and kernels are
    compiled loops, all else products of matrices small enough for a core's cache. How sure the
    process is takes the square of the number of labels. Bounded from above it is linear: each
    group of neighboring labels says how sure it would be alone, and the surest counts.

    Attributes
    ----------
    points : dict of ndarray, each (m, d)
        Where the labels are, by space; group by group, the last one filled up.
    kernels : list of tuple
        Those that count: space, length scale, and the weights of the labels, (3, m).
    trust, plain_mean : float
        See :class:`Process`.
    whitening : ndarray, shape (n_labels, m)
        See :class:`Process`.
    groups : ndarray, shape (g, k, k)
        The same for each group alone; g k = m.
    best : tuple
        Space and length scale of the kernel of the last two.
    liked : ndarray of bool, shape (m,)
    """

    points: dict[int, NDArray[np.float32]]
    kernels: list[tuple[int, float, NDArray[np.float32]]]
    trust: float
    plain_mean: float
    whitening: NDArray[np.float32]
    groups: NDArray[np.float32]
    best: tuple[int, float]
    liked: NDArray[np.bool_]

    @classmethod
    def of(cls, process: Process, liked: NDArray[np.bool_]) -> Self:
        """Make a process ready; `liked` (m,) are those of its points that are wanted near."""
        groups = list(_neighbors(process.points[process.best[0]]))
        size = max(map(len, groups))
        order = np.concatenate([np.resize(rows, size) for rows in groups])
        real = np.concatenate([np.arange(size) < len(rows) for rows in groups])
        lower = np.linalg.inv(process.whitening)
        covariance = lower @ lower.T
        alone = np.zeros((len(groups), size, size), dtype=np.float32)
        for group, rows in zip(alone, groups, strict=True):
            k = len(rows)
            group[:k, :k] = np.linalg.inv(np.linalg.cholesky(covariance[np.ix_(rows, rows)]))

        def spread(values: NDArray[np.float64]) -> NDArray[np.float32]:
            return np.ascontiguousarray(values[:, order] * real, dtype=np.float32)

        return cls(
            points={
                space: np.ascontiguousarray(process.points[space][order], dtype=np.float32)
                for space in {0, process.best[0], *(space for space, _ in process.kernels)}
            },
            kernels=[
                (space, scale, spread(weights.T))
                for (space, scale), weights in zip(process.kernels, process.weights, strict=True)
            ],
            trust=process.trust,
            plain_mean=process.plain_mean,
            whitening=spread(process.whitening),
            groups=alone,
            best=process.best,
            liked=liked[order],
        )

    @property
    def is_exact(self) -> bool:
        """Whether there is but one group, whose bound is what it bounds."""
        return len(self.groups) == 1

    def predict(
        self, X: list[NDArray[np.float32]], prior: NDArray[np.float32], *, exact: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Say of a block of objects, at `X` (n, d) in each space, what is expected.

        Returns
        -------
        means : ndarray, shape (3, n)
            As of :meth:`Process.predict`.
        unknown : ndarray, shape (n,)
            Deviation in units of that of the signal, 0..1; not `exact`, it is at most too large.
        apart : ndarray, shape (2, n)
            Distance to the nearest of the `liked` labels, and of the others, in the first space;
            infinite where there is none.
        """
        n, m = len(prior), len(self.liked)
        means = np.array([[self.trust], [1.0], [0.0]], dtype=np.float32) * prior
        means[2] += np.float32(self.plain_mean)
        squared = {}
        for space, points in self.points.items():
            squared[space] = np.empty((m, n), dtype=np.float32)
            compare(X[space], points, squared[space])
        apart = np.full((2, n), np.inf, dtype=np.float32)
        nearest(squared[0], self.liked, apart)
        known = np.empty((m, n), dtype=np.float32)
        unknown = None
        for space, scale, weights in self.kernels:
            matern(squared[space], 1.5, scale, known)
            means += weights @ known
            if (space, scale) == self.best:
                unknown = self._unknown(known, exact=exact)
        if unknown is None:
            matern(squared[self.best[0]], 1.5, self.best[1], known)
            unknown = self._unknown(known, exact=exact)
        return means, unknown, np.sqrt(apart)

    def _unknown(self, known: NDArray[np.float32], *, exact: bool) -> NDArray[np.float32]:
        """Deviation (n,) from kernels with the labels (m, n)."""
        if exact:
            said = self.whitening @ known
            share = np.einsum("ij,ij->j", said, said)
        else:
            g, size, _ = self.groups.shape
            alone = self.groups @ known.reshape(g, size, -1)
            share = np.einsum("gij,gij->gj", alone, alone).max(axis=0)
        unknown: NDArray[np.float32] = np.sqrt(np.maximum(1 - share, 0))
        return unknown


@dataclass(frozen=True, slots=True)
class ManyRegressed:
    """scikit-learn's regressor with a Matern 5/2 kernel and noise, made ready for many objects.

    Attributes
    ----------
    points : ndarray, shape (m, d)
    scale, noise : float
        Of the kernel.
    weights : ndarray, shape (m,)
        What each label adds to the mean.
    whitening : tuple of ndarray
        Inverse of the lower Cholesky factor, in bands of rows, without what is 0 in all of them.
    center, spread : float
        Mean and deviation of the labels.
    """

    points: NDArray[np.float32]
    scale: float
    noise: float
    weights: NDArray[np.float32]
    whitening: tuple[NDArray[np.float32], ...]
    center: float
    spread: float

    @classmethod
    def of(cls, process: Any) -> Self:
        """Make a fitted ``GaussianProcessRegressor`` ready."""
        m = len(process.X_train_)
        inverse = np.linalg.inv(process.L_).astype(np.float32)
        ends = np.linspace(0, m, min(m, _STEPS) + 1).astype(int)
        return cls(
            points=np.ascontiguousarray(process.X_train_, dtype=np.float32),
            scale=float(process.kernel_.k1.length_scale),
            noise=float(process.kernel_.k2.noise_level),
            weights=process.alpha_.astype(np.float32),
            whitening=tuple(
                np.ascontiguousarray(inverse[start:end, :end]) for start, end in pairwise(ends)
            ),
            center=float(process._y_train_mean),  # noqa: SLF001 - there is no other way to it
            spread=float(process._y_train_std),  # noqa: SLF001
        )

    def predict(self, X: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (n,) of a new label of each of a block of objects (n, d)."""
        squared, known = np.empty((2, len(self.points), len(X)), dtype=np.float32)
        compare(X, self.points, squared)
        matern(squared, 2.5, self.scale, known)
        share = np.zeros(len(X), dtype=np.float32)
        for band in self.whitening:
            said = band @ known[: band.shape[1]]
            share += np.einsum("ij,ij->j", said, said)
        mean = self.weights @ known * np.float32(self.spread) + np.float32(self.center)
        std = np.sqrt(1 + np.float32(self.noise) - np.minimum(share, 1)) * np.float32(self.spread)
        return mean, std


def _neighbors(points: NDArray[np.float64]) -> Iterator[NDArray[np.intp]]:
    """Cut points into groups of like size and of what is near, by halves along what varies most."""
    waiting = [np.arange(len(points))]
    while waiting:
        rows = waiting.pop()
        if len(rows) <= _GROUP:
            yield rows
            continue
        here = points[rows]
        along = here[:, int(np.argmax(here.var(axis=0)))]
        rows = rows[np.argsort(along, kind="stable")]
        waiting += [rows[len(rows) // 2 :], rows[: len(rows) // 2]]
