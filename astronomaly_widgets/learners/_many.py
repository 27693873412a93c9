"""A process over millions of objects: in single precision, block by block, on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._kernels import Kernels, compare, complete, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ._process import Process

BLOCK = 512  # objects whose kernels with a few hundred labels stay in the caches
_GROUP = 16  # labels that are weighed together where all at once would take too long
_STEPS = 8  # of a triangle: its empty half is not multiplied, but for a sixteenth of it all


@dataclass(frozen=True, slots=True)
class _Space:
    """One of the spaces where distances are measured, and the kernels of these.

    Attributes
    ----------
    number : int
    points : ndarray, shape (m + p, d)
        Where the labels are, group by group, the last one filled up; then objects without a label.
    squares : ndarray, shape (m + p,)
        Their squared lengths.
    kernels : Kernels
        Those that count; each has three sums, the means.
    best : int
        Which of them says how sure the process is; -1 if none of these does.
    """

    number: int
    points: NDArray[np.float32]
    squares: NDArray[np.float32]
    kernels: Kernels
    best: int

    @classmethod
    def of(cls, process: Process, number: int, order: NDArray[np.intp], real: Any) -> Self:
        """Make a space ready, with the points in an `order`, some of which are not `real`."""
        kernels = process.kernels
        own = [k for k, (space, _) in enumerate(kernels) if space == number]
        own.sort(key=lambda k: kernels[k][1], reverse=True)
        scales = np.array([kernels[k][1] for k in own])
        longest = float(scales[0]) if own else 1.0
        best = [k for k, which in enumerate(own) if kernels[which] == process.best]
        points = np.ascontiguousarray(process.points[number][order], dtype=np.float32)
        weights = process.weights[own].transpose(0, 2, 1)[..., order] * real
        return cls(
            number=number,
            points=points,
            squares=np.einsum("ij,ij->i", points, points),
            kernels=Kernels(
                1.5,
                longest,
                np.ascontiguousarray(weights, dtype=np.float32),
                np.rint(np.log2(longest / scales)).astype(np.intp),
            ),
            best=best[0] if best else -1,
        )

    def squared(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distances (m + p, n) to objects (n, d)."""
        products: NDArray[np.float32] = self.points @ X.T
        complete(products, self.squares, np.einsum("ij,ij->i", X, X))
        return products


@dataclass(frozen=True, slots=True)
class Many:
    """A fitted process, made ready for many objects.

    The same as :class:`Process` but for rounding, several times as fast: kernels are compiled
    loops, all else products of matrices small enough for the caches. How sure the process is
    takes the square of the number of labels. Bounded from above it is linear: each group of
    neighboring labels says how sure it would be alone, and the surest counts.

    Attributes
    ----------
    spaces : tuple of _Space
        The first, and those of the kernels that count.
    trust, plain_mean : float
        See :class:`Process`.
    whitening : ndarray, shape (n_labels, m)
        See :class:`Process`; the labels are in the order of the spaces.
    groups : ndarray, shape (g, k, k)
        The same for each group alone; g k = m.
    liked : ndarray of bool, shape (m,)
    """

    spaces: tuple[_Space, ...]
    trust: float
    plain_mean: float
    whitening: NDArray[np.float32]
    groups: NDArray[np.float32]
    liked: NDArray[np.bool_]

    @classmethod
    def of(cls, process: Process, liked: NDArray[np.bool_]) -> Self:
        """Make a process ready; `liked` (m,) are those of its points that are wanted near."""
        n_labels = process.n_labels
        groups = list(_neighbors(process.points[process.best[0]][:n_labels]))
        size = max(map(len, groups))
        order = np.concatenate([np.resize(rows, size) for rows in groups])
        real = np.concatenate([np.arange(size) < len(rows) for rows in groups])
        lower = np.linalg.inv(process.whitening)
        covariance = lower @ lower.T
        alone = np.zeros((len(groups), size, size), dtype=np.float32)
        for group, rows in zip(alone, groups, strict=True):
            k = len(rows)
            group[:k, :k] = np.linalg.inv(np.linalg.cholesky(covariance[np.ix_(rows, rows)]))
        numbers = sorted({0, *(space for space, _ in process.kernels)})
        others = np.arange(n_labels, len(process.points[0]))
        every, all_real = np.r_[order, others], np.r_[real, np.ones(len(others), dtype=bool)]
        return cls(
            spaces=tuple(_Space.of(process, number, every, all_real) for number in numbers),
            trust=process.trust,
            plain_mean=process.plain_mean,
            whitening=np.ascontiguousarray(process.whitening[:, order] * real, dtype=np.float32),
            groups=alone,
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
        n = len(prior)
        means = np.array([[self.trust], [1.0], [0.0]], dtype=np.float32) * prior
        means[2] += np.float32(self.plain_mean)
        apart = np.full((2, n), np.inf, dtype=np.float32)
        n_labels = len(self.liked)
        known = np.empty((len(self.spaces[0].points), n), dtype=np.float32)
        for space in self.spaces:
            squared = space.squared(X[space.number])
            if space.number == 0:
                nearest(squared[:n_labels], self.liked, apart)
            space.kernels.add(squared, means, known, space.best)
        return means, self._unknown(known[:n_labels], exact=exact), np.sqrt(apart)

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
    kernels : Kernels
        One, with one sum, the mean.
    noise : float
    whitening : tuple of ndarray
        Inverse of the lower Cholesky factor, in bands of rows, without what is 0 in all of them.
    center, spread : float
        Mean and deviation of the labels.
    """

    points: NDArray[np.float32]
    kernels: Kernels
    noise: float
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
            kernels=Kernels(
                2.5,
                float(process.kernel_.k1.length_scale),
                process.alpha_.astype(np.float32)[None, None],
                np.zeros(1, dtype=np.intp),
            ),
            noise=float(process.kernel_.k2.noise_level),
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
        total, share = np.zeros((2, len(X)), dtype=np.float32)
        self.kernels.add(squared, total[None], known)
        for band in self.whitening:
            said = band @ known[: band.shape[1]]
            share += np.einsum("ij,ij->j", said, said)
        mean = total * np.float32(self.spread) + np.float32(self.center)
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
