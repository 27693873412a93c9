"""Sums over objects from which means, spreads and covariances follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..compute import blocks
from ._passes import over_spans, rows_per_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..compute import Rows


@dataclass
class Moments:
    """Sums over objects, gathered block by block without cancellation.

    Attributes
    ----------
    n : int
        Objects so far.
    mean, low, high : ndarray, shape (d,), dtype float64
    scatter : ndarray, shape (d, d) or (d,), dtype float64
        Sum of the products of the differences from the mean: of all pairs of features (the upper
        triangle counts), or of each with itself.

    References
    ----------
    Chan, Golub & LeVeque 1983, The American Statistician 37, 242, eq. 2.1.
    """

    n: int
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows, *, pairs: bool, client: Any = None) -> Self:
        """Gather the sums of all rows, span by span, so that it matters to no digit who does it."""
        gather = partial(cls._of_span, rows, rows_per_block(rows.shape[1]), pairs)
        sums: Iterator[Self] = over_spans(rows, gather, client)
        return reduce(cls.plus, sums)

    @classmethod
    def _of_span(cls, rows: Rows, size: int, pairs: bool, span: tuple[int, int]) -> Self:
        d = rows.shape[1]
        # in BLAS's own order, so that it adds in place
        scatter = np.zeros((d, d) if pairs else d, order="F")
        result = cls(0, np.zeros(d), np.full(d, np.inf), np.full(d, -np.inf), scatter)
        for part, block in blocks(rows, size, start=span[0], stop=span[1]):
            result.add(block, part)
        return result

    def plus(self, other: Self) -> Self:
        """Take in the sums of what comes next; return itself."""
        step = other.mean - self.mean
        n = self.n + other.n
        weight = self.n * other.n / n
        self.scatter += other.scatter
        if self.scatter.ndim == 1:
            self.scatter += weight * step**2
        else:
            from scipy.linalg import blas

            blas.dsyr(weight, step, a=self.scatter, overwrite_a=True)
        np.minimum(self.low, other.low, out=self.low)
        np.maximum(self.high, other.high, out=self.high)
        self.n = n
        self.mean += step * (other.n / n)
        return self

    def add(self, block: NDArray[np.float64], part: slice) -> None:
        """Take in a block (k, d), which is changed."""
        mean = block.mean(axis=0)
        bad = int(np.count_nonzero(~np.isfinite(mean)))
        if bad:
            raise ValueError(
                f"{bad} of {len(mean)} features hold NaN or infinity (in rows {part.start} to "
                f"{part.stop - 1}); leave out the objects or the columns that could not be measured"
            )
        np.minimum(self.low, block.min(axis=0), out=self.low)
        np.maximum(self.high, block.max(axis=0), out=self.high)
        block -= mean
        step = mean - self.mean
        weight = self.n * len(block) / (self.n + len(block))
        if self.scatter.ndim == 1:
            self.scatter += np.einsum("ij,ij->j", block, block) + weight * step**2
        else:
            from scipy.linalg import blas

            blas.dsyrk(1.0, block.T, beta=1.0, c=self.scatter, overwrite_c=True)
            blas.dsyr(weight, step, a=self.scatter, overwrite_a=True)
        self.n += len(block)
        self.mean += step * (len(block) / self.n)

    def center_and_spread(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation (d,); of a feature without any, its value and 1."""
        squares = self.scatter if self.scatter.ndim == 1 else self.scatter.diagonal()
        # the extremes tell what is constant: the mean of equal numbers is rounded
        varies = self.high > self.low
        spread = np.where(varies, np.sqrt(squares / self.n), 1.0)
        spread[spread == 0] = 1.0  # variance below the smallest float
        return np.where(varies, self.mean, self.low), spread
