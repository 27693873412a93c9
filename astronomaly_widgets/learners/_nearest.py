"""How far every object is from the nearest labeled one, kept from one retrain to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import compiled, map_chunks
from ._inputs import as_features

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ROWS_PER_CHUNK = 2**14
_LANES = 64  # rows that are compared with a label at once


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
        points = _as_float32(self._X[labeled])

        def work(part: slice) -> None:
            here: Any = part if among is None else among[part]
            squared, nearest = self._squared[here], self._nearest[here]
            _approach(_as_float32(self._X[here]), points, labeled, squared, nearest)
            if among is not None:  # copies, not views
                self._squared[here], self._nearest[here] = squared, nearest

        for _ in map_chunks(work, n, _ROWS_PER_CHUNK):
            pass


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
