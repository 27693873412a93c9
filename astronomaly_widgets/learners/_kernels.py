"""Distances and kernels in single precision, for a block of objects that fits a core's cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LANES = 64  # objects that are compared with a label at once
_FARTHEST = 1e30  # squared; farther away makes no difference, and overflows
_SQUARE = {1.5: 0.0, 2.5: 1 / 3}  # factor of the square in front of the exponential


@compiled
def compare(X: Any, points: Any, squared: Any) -> None:
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
def nearest(squared: Any, liked: Any, apart: Any) -> None:
    """Least squared distances (2, n) to liked points and to others, of those to all (m, n)."""
    m, n = squared.shape
    for p in range(m):
        which = 0 if liked[p] else 1
        for r in range(n):
            apart[which, r] = min(apart[which, r], squared[p, r])


@compiled
def standardize(X: Any, center: Any, spread: Any, farthest: Any, out: Any) -> None:
    """Put objects (n, d) where `center` is 0 and `spread` is 1, none beyond the `farthest`."""
    n, d = X.shape
    for r in range(n):
        for j in range(d):
            z = (X[r, j] - center[j]) / spread[j]
            out[r, j] = np.float32(min(max(z, -farthest), farthest))


@compiled
def complete(products: Any, theirs: Any, mine: Any) -> None:
    """Turn products of points with objects (m, n) into squared distances.

    `theirs` (m,) and `mine` (n,) are the squared lengths. Of what is far from the origin, the last
    ten-millionth of these is lost; :func:`compare` loses nothing, in twice the time.
    """
    m, n = products.shape
    for p in range(m):
        a = theirs[p]
        for r in range(n):
            products[p, r] = max(a + mine[r] - np.float32(2) * products[p, r], np.float32(0))


@dataclass(frozen=True, slots=True)
class Kernels:
    """Matern kernels of the same distances, and what each makes of the labels.

    A length scale that is half another needs no exponential of its own, but a square.

    Attributes
    ----------
    nu : float
        1.5 or 2.5.
    scale : float
        The longest length scale.
    weights : ndarray, shape (k, q, m)
        What each label adds to each of the sums, times the kernel.
    halvings : ndarray, shape (k,)
        How often the length scale of each kernel is half the longest, in rising order.
    """

    nu: float
    scale: float
    weights: NDArray[np.float32]
    halvings: NDArray[np.intp]

    def add(
        self,
        squared: NDArray[np.float32],
        sums: NDArray[np.float32],
        known: NDArray[np.float32],
        kept: int = 0,
    ) -> None:
        """Add to the `sums` (q, n), for squared distances (m, n) of the labels to objects.

        `known` (m, n) becomes the kernel number `kept`, to 2e-6; if there is none, it stays.
        """
        unit = np.float32(np.sqrt(2 * self.nu) / self.scale)
        shape = (unit, np.float32(_SQUARE[self.nu]))
        _add_matern(squared, shape, self.halvings, self.weights, sums, known, kept)


@compiled
def _add_matern(  # noqa: C901, PLR0917 - what is compiled together is fast together
    squared: Any, shape: Any, halvings: Any, weights: Any, sums: Any, known: Any, kept: Any
) -> None:
    unit, square = shape
    m, n = squared.shape
    reach, fall, kernel = np.empty((3, n), dtype=np.float32)
    bits = np.empty(n, dtype=np.int32)
    power = bits.view(np.float32)
    one = np.float32(1)
    for p in range(m):
        for r in range(n):
            # exp(-x) = 2^k exp(f): k is written into the exponent of a float, f is small
            x = min(np.sqrt(squared[p, r]) * unit, np.float32(80))
            turns = -x * np.float32(1.4426950408889634)
            k = np.floor(turns + np.float32(0.5))
            f = (turns - k) * np.float32(0.6931471805599453)
            series = np.float32(1 / 120) + f * np.float32(1 / 720)
            series = np.float32(1 / 6) + f * (np.float32(1 / 24) + f * series)
            reach[r], fall[r] = x, one + f * (one + f * (np.float32(0.5) + f * series))
            bits[r] = (np.int32(k) + np.int32(127)) << np.int32(23)
        for r in range(n):
            fall[r] *= power[r]
        halved = 0
        for i in range(len(halvings)):
            while halved < halvings[i]:
                for r in range(n):
                    fall[r] *= fall[r]
                    reach[r] += reach[r]
                halved += 1
            for r in range(n):
                kernel[r] = fall[r] * (one + reach[r] * (one + square * reach[r]))
            if i == kept:
                for r in range(n):  # a loop, for an assignment of the row takes twice as long
                    known[p, r] = kernel[r]
            for q in range(len(sums)):
                weight = weights[i, q, p]
                for r in range(n):
                    sums[q, r] += weight * kernel[r]
