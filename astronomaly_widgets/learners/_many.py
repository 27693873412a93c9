"""A process over millions of objects: in single precision, block by block, on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..compute import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ._process import Process

BLOCK = 256  # objects whose kernels with a few hundred labels stay in a core's cache
_GROUP = 64  # labels that are weighed together where all at once would take too long
_LANES = 64  # objects that are compared with a label at once
_FARTHEST = 1e30  # squared; farther away makes no difference, and overflows


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
            _compare(X[space], points, squared[space])
        apart = np.full((2, n), np.inf, dtype=np.float32)
        _nearest(squared[0], self.liked, apart)
        known = np.empty((m, n), dtype=np.float32)
        unknown = None
        for space, scale, weights in self.kernels:
            _matern(squared[space], scale, known)
            means += weights @ known
            if (space, scale) == self.best:
                unknown = self._unknown(known, exact=exact)
        if unknown is None:
            _matern(squared[self.best[0]], self.best[1], known)
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


@compiled
def _compare(X: Any, points: Any, squared: Any) -> None:
    """Squared distances of objects (n, d) to points (m, d), (m, n), without cancellation."""
    n, d = X.shape
    columns = np.zeros((d, _LANES), dtype=np.float32)
    total = np.zeros((2, _LANES), dtype=np.float32)
    far = np.float32(_FARTHEST)
    for start in range(0, n, _LANES):
        k = min(_LANES, n - start)
        for r in range(k):
            for j in range(d):
                columns[j, r] = X[start + r, j]
        for p in range(0, len(points), 2):  # two at once, for one look at the objects
            q = min(p + 1, len(points) - 1)
            total[:] = np.float32(0)
            for j in range(0, d - 1, 2):
                a, b = points[p, j], points[p, j + 1]
                c, e = points[q, j], points[q, j + 1]
                for r in range(_LANES):
                    x, y = columns[j, r], columns[j + 1, r]
                    s, t, u, v = x - a, y - b, x - c, y - e
                    total[0, r] += s * s + t * t
                    total[1, r] += u * u + v * v
            if d % 2:
                a, c = points[p, d - 1], points[q, d - 1]
                for r in range(_LANES):
                    s, u = columns[d - 1, r] - a, columns[d - 1, r] - c
                    total[0, r] += s * s
                    total[1, r] += u * u
            for r in range(k):
                squared[p, start + r] = min(total[0, r], far)
                squared[q, start + r] = min(total[1, r], far)


@compiled
def _nearest(squared: Any, liked: Any, apart: Any) -> None:
    """Least squared distances (2, n) to liked points and to others, of those to all (m, n)."""
    m, n = squared.shape
    for p in range(m):
        which = 0 if liked[p] else 1
        for r in range(n):
            apart[which, r] = min(apart[which, r], squared[p, r])


@compiled
def _matern(squared: Any, scale: Any, kernel: Any) -> None:
    """Matern 3/2 kernel of squared distances (m, n), to 2e-7."""
    m, n = squared.shape
    bits = np.empty(n, dtype=np.int32)
    power = bits.view(np.float32)
    unit = np.float32(np.sqrt(3.0) / scale)
    for p in range(m):
        for r in range(n):
            # exp(-x) = 2^k exp(f): k is written into the exponent of a float, f is small
            x = min(np.sqrt(squared[p, r]) * unit, np.float32(80))
            turns = -x * np.float32(1.4426950408889634)
            k = np.floor(turns + np.float32(0.5))
            f = (turns - k) * np.float32(0.6931471805599453)
            series = np.float32(1 / 120) + f * np.float32(1 / 720)
            series = np.float32(1 / 6) + f * (np.float32(1 / 24) + f * series)
            series = np.float32(1) + f * (np.float32(1) + f * (np.float32(0.5) + f * series))
            bits[r] = (np.int32(k) + np.int32(127)) << np.int32(23)
            kernel[p, r] = series * (np.float32(1) + x)
        for r in range(n):
            kernel[p, r] *= power[r]
