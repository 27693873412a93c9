"""How far every object is from the nearest labeled one, kept from one retrain to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..compute import compiled, map_chunks
from ._inputs import as_features

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ROWS_PER_CHUNK = 2**14
_LANES = 64  # rows that are compared with a label at once
_BLOCK = 256  # rows whose products with a tile of labels stay in a core's cache
_TILE = 1024
_MANY = 256  # labels; of fewer, comparing all is as quick as choosing
_TINY = np.finfo(np.float32).tiny
_SCARCE = 1 / 16  # share of the comparisons; if more must be made one by one, make all at once


class NearestLabeled:
    """Distance of every object to the nearest labeled one, brought up to date label by label.

    New labels cost one pass over the objects and the *new* labels; a label that is taken back costs
    the objects that were nearest to it. The distances are those of a computation from scratch, bit
    for bit, whatever came before. It holds 8 bytes per object.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite features of all objects, possibly memory-mapped, which are kept, not copied. They
        are compared as float32; squares of the differences must not pass its largest number.

    Raises
    ------
    ValueError
        If it is not a matrix.
    """

    def __init__(self, X: ArrayLike) -> None:
        self._X = as_features(X)
        n = len(self._X)
        self._rows = np.empty(0, dtype=np.int32)  # that the two below know of
        self._squared = np.full(n, np.inf, dtype=np.float32)
        self._nearest = np.full(n, -1, dtype=np.int32)

    def is_of(self, X: NDArray[Any]) -> bool:
        """Whether it keeps the distances between the rows of this very array."""
        return self._X is X

    @property
    def nearest(self) -> NDArray[np.int32]:
        """Row of the nearest labeled object, (n,) int32; -1 before the first label."""
        return self._nearest.copy()

    def update(self, rows: ArrayLike) -> NDArray[np.float32]:
        """Return the distances to the nearest of the objects that are labeled now.

        Parameters
        ----------
        rows : array of int, shape (m,)
            All of them, in any order, not only the new ones.

        Returns
        -------
        ndarray, shape (n,), dtype float32
            Euclidean; exactly 0 for a labeled object, infinite if there is none.

        Raises
        ------
        IndexError
            If a row is not in the features.
        concurrent.futures.CancelledError
            If the running task was cancelled; the next call then begins from scratch.
        """
        n = len(self._X)
        given = np.unique(np.asarray(rows, dtype=np.int64))
        if len(given) and not 0 <= given[0] <= given[-1] < n:
            wrong = given[0] if given[0] < 0 else given[-1]
            raise IndexError(f"row {wrong} is labeled, but the features have {n} rows")
        wanted = given.astype(np.int32)
        # nothing is known until all is done: whatever ends this early leaves no half-truth
        known, self._rows = self._rows, np.empty(0, dtype=np.int32)
        kept = np.intersect1d(known, wanted)
        if 2 * len(kept) < len(known) or not len(known):
            self._squared.fill(np.inf)
            self._nearest.fill(-1)
            self._compare(wanted, None)
        else:
            gone = np.setdiff1d(known, wanted)
            if len(gone):
                orphans = np.flatnonzero(np.isin(self._nearest, gone))
                self._squared[orphans] = np.inf
                self._compare(kept, orphans)
            self._compare(np.setdiff1d(wanted, known), None)
        self._rows = wanted
        return np.sqrt(self._squared)

    def _compare(self, labeled: NDArray[np.int32], among: NDArray[np.intp] | None) -> None:
        """Bring all objects, or those `among` them, nearer to some labeled ones."""
        n = len(self._X) if among is None else len(among)
        if not len(labeled):
            return
        from threadpoolctl import threadpool_limits

        labels = _Labels.of(_as_float32(self._X[labeled]), labeled)

        def work(part: slice) -> None:
            here: Any = part if among is None else among[part]
            squared, nearest = self._squared[here], self._nearest[here]
            labels.approach(_as_float32(self._X[here]), squared, nearest)
            if among is not None:  # copies, not views
                self._squared[here], self._nearest[here] = squared, nearest

        with threadpool_limits(1, user_api="blas"):  # the chunks are on all cores already
            for _ in map_chunks(work, n, _ROWS_PER_CHUNK):
                pass


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labeled objects, of which the nearest are looked for.

    Products of matrices say at twice the speed which labels may be the nearest; how near they are
    is then computed as ever. A product is wrong by no more than `d` roundings of the lengths.

    Attributes
    ----------
    points : ndarray, shape (m, d)
    rows : ndarray, shape (m,)
    center : ndarray, shape (d,)
        From where lengths are measured, for the shorter they are, the more exact are products.
    doubled : ndarray, shape (m, d)
        Twice the points, from there.
    squares : ndarray, shape (m,)
        Squared lengths of the points, less what may be wrong with them and their products.
    sure : float
        What is left of a squared length if all that may be wrong with it is taken away.
    """

    points: NDArray[np.float32]
    rows: NDArray[np.int32]
    center: NDArray[np.float32]
    doubled: NDArray[np.float32]
    squares: NDArray[np.float32]
    sure: np.float32

    @classmethod
    def of(cls, points: NDArray[np.float32], rows: NDArray[np.int32]) -> Self:
        """Make labels ready: their features (m, d), and which rows of the survey they are."""
        with np.errstate(over="ignore", invalid="ignore"):
            center = points.mean(axis=0, dtype=np.float64).astype(np.float32)
            centered = points - center
            sure = np.float32(1 - (4 * points.shape[1] + 16) * np.finfo(np.float32).eps)
            squares = np.einsum("ij,ij->i", centered, centered) * sure
            return cls(points, rows, center, 2 * centered, squares, sure)

    def approach(
        self, X: NDArray[np.float32], squared: NDArray[np.float32], nearest: NDArray[np.int32]
    ) -> None:
        """Where a label is nearer to objects (n, d) than `squared` says, write that down."""
        if len(self.rows) < _MANY or self.sure <= 0:
            _approach(X, self.points, self.rows, squared, nearest)
            return
        with np.errstate(over="ignore", invalid="ignore"):  # where it overflows, all are compared
            for start in range(0, len(X), _BLOCK):
                here = slice(start, start + _BLOCK)
                self._approach_block(X[here], squared[here], nearest[here])

    def _approach_block(
        self, X: NDArray[np.float32], squared: NDArray[np.float32], nearest: NDArray[np.int32]
    ) -> None:
        centered = X - self.center
        # and of squares so small that they are rounded to 0, nothing is said
        squares = np.einsum("ij,ij->i", centered, centered) * self.sure - _TINY
        few = np.isfinite(squares.sum() + self.squares.sum())
        for start in range(0, len(self.rows), _TILE):
            tile = slice(start, start + _TILE)
            labels = (self.points[tile], self.rows[tile])
            if few:
                products = self.doubled[tile] @ centered.T
                bounds = (products, self.squares[tile], squares)
                few = _choose(X, *labels, squared, nearest, bounds) < _SCARCE * products.size
            else:
                _approach(X, *labels, squared, nearest)


def _as_float32(block: NDArray[Any]) -> NDArray[np.float32]:
    # a copy: machine code for arrays that can be written to is not that for maps
    return np.array(block, dtype=np.float32, order="C")


@compiled
def _approach(  # noqa: C901 - what is compiled together is fast together
    X: Any, points: Any, rows: Any, squared: Any, nearest: Any
) -> None:
    """Where one of the points is nearer than `squared` says, write down its distance and row."""
    n, d = X.shape
    columns = np.zeros((d, _LANES), dtype=np.float32)
    total = np.empty(_LANES, dtype=np.float32)
    best = np.empty(_LANES, dtype=np.float32)
    winner = np.empty(_LANES, dtype=np.int32)
    for start in range(0, n, _LANES):
        m = min(_LANES, n - start)
        for r in range(m):
            best[r] = squared[start + r]
            winner[r] = nearest[start + r]
            for j in range(d):
                columns[j, r] = X[start + r, j]
        for p in range(len(points)):
            total[:] = np.float32(0)
            j = 0
            while j + 4 <= d:  # four at a time, so that the sums seldom leave the registers
                a, b, c, e = points[p, j], points[p, j + 1], points[p, j + 2], points[p, j + 3]
                for r in range(_LANES):
                    s = columns[j, r] - a
                    t = columns[j + 1, r] - b
                    u = columns[j + 2, r] - c
                    v = columns[j + 3, r] - e
                    total[r] += (s * s + t * t) + (u * u + v * v)
                j += 4
            while j < d:
                a = points[p, j]
                for r in range(_LANES):
                    s = columns[j, r] - a
                    total[r] += s * s
                j += 1
            for r in range(_LANES):
                if total[r] < best[r]:
                    best[r] = total[r]
                    winner[r] = rows[p]
        for r in range(m):
            squared[start + r] = best[r]
            nearest[start + r] = winner[r]


@compiled
def _choose(  # noqa: C901, PLR0917 - what is compiled together is fast together
    X: Any, points: Any, rows: Any, squared: Any, nearest: Any, bounds: Any
) -> int:
    """Do the same, for those points that may be nearer; return how many were compared.

    The bounds are the products of points and objects (m, n), and the squared lengths of both.
    """
    products, theirs, mine = bounds
    m, n = products.shape
    d = X.shape[1]
    least = np.empty(n, dtype=np.float32)
    compared = 0
    for start in range(0, m, _LANES):
        end = min(start + _LANES, m)
        least[:] = np.float32(np.inf)
        for p in range(start, end):
            for r in range(n):
                least[r] = min(least[r], theirs[p] - products[p, r])
        for r in range(n):
            if least[r] + mine[r] >= squared[r]:
                continue
            for p in range(start, end):
                if theirs[p] - products[p, r] + mine[r] >= squared[r]:
                    continue
                compared += 1
                total = np.float32(0)
                j = 0
                while j + 4 <= d:  # in the order of the other loop, for the same sum
                    s = X[r, j] - points[p, j]
                    t = X[r, j + 1] - points[p, j + 1]
                    u = X[r, j + 2] - points[p, j + 2]
                    v = X[r, j + 3] - points[p, j + 3]
                    total += (s * s + t * t) + (u * u + v * v)
                    j += 4
                while j < d:
                    s = X[r, j] - points[p, j]
                    total += s * s
                    j += 1
                if total < squared[r]:
                    squared[r] = total
                    nearest[r] = rows[p]
    return compared
