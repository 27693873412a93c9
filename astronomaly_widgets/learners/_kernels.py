"""Distances and kernels in single precision, for a block of objects that fits a core's cache."""

from __future__ import annotations

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


def matern(
    squared: NDArray[np.float32], nu: float, scale: float, kernel: NDArray[np.float32]
) -> None:
    """Matern kernel of squared distances (m, n) for `nu` 1.5 or 2.5, into `kernel`, to 3e-7."""
    _matern(squared, np.sqrt(2 * nu) / scale, _SQUARE[nu], kernel)


@compiled
def _matern(squared: Any, unit: Any, square: Any, kernel: Any) -> None:
    m, n = squared.shape
    bits = np.empty(n, dtype=np.int32)
    power = bits.view(np.float32)
    unit, square = np.float32(unit), np.float32(square)
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
            kernel[p, r] = series * (np.float32(1) + x * (np.float32(1) + square * x))
        for r in range(n):
            kernel[p, r] *= power[r]
