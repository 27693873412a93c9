"""What a process and trees say of every object: a few thousand exactly, millions fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..compute import PackedTrees, chunks, evenly, largest, map_blocks, map_chunks
from ._forest import as_float32, mean_prediction, threads
from ._inputs import as_block, rows_per_chunk
from ._many import BLOCK, Many

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._process import Process

_MANY = 2**15  # objects; of fewer, double precision is done before the compiler is
_CHUNK = 2**14  # objects, a multiple of a block: some 70 ms of work on one core
_N_EXACT = 2**13  # objects that come first by each of three orders
_N_COMPARED = 2000  # objects that tell how far a bound is from what it bounds


class Spaces(Protocol):
    """Features (n, d) become features in each space."""

    def __call__(self, X: NDArray[np.float64]) -> list[NDArray[np.float64]]: ...
    def single(self, X: NDArray[np.float64]) -> list[NDArray[np.float32]]: ...


@dataclass(frozen=True, slots=True)
class Said:
    """Answers, one column or number per object, float32.

    Attributes
    ----------
    means : ndarray, shape (3, n)
        Of the process; see :meth:`Process.predict`.
    votes : ndarray, shape (n,)
        Mean of the trees.
    unknown : ndarray, shape (n,)
        Deviation of the process in units of that of its signal, 0..1.
    apart : ndarray, shape (2, n)
        Distance to the nearest label that is liked, and to the nearest other; infinite where there
        is none.
    numbers : ndarray, shape (7, n)
        All of them.
    """

    means: NDArray[np.float32]
    votes: NDArray[np.float32]
    unknown: NDArray[np.float32]
    apart: NDArray[np.float32]
    numbers: NDArray[np.float32]

    @classmethod
    def nothing(cls, n: int) -> Said:
        """Make room for the answers of n objects."""
        numbers = np.empty((7, n), dtype=np.float32)
        return cls(numbers[:3], numbers[3], numbers[4], numbers[5:], numbers)

    def worth(self, k: int) -> NDArray[np.float32]:
        """Return the k-th mean, of the process alone or, but for the last, of it and the trees."""
        worth: NDArray[np.float32] = self.means[k].copy()
        if k < len(self.means) - 1:
            worth += self.votes
            worth /= 2
        return worth


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A process and trees that learned the same; each tree knows the anomaly score besides.

    Attributes
    ----------
    process : Process
    trees : list
    spaces : callable
        In which the process measures distances.
    liked : ndarray of bool, shape (m,)
        Which of the process's points are.
    """

    process: Process
    trees: list[Any]
    spaces: Spaces
    liked: NDArray[np.bool_]

    def ask(
        self, X: NDArray[Any], anomaly: NDArray[np.float32], curiosity: NDArray[np.float64]
    ) -> Said:
        """Ask about all objects.

        Where there are many, it is done in single precision, and `unknown` is exact only for those
        that come first by ``worth(k) + curiosity[k] * unknown`` for each k. For the others it is
        estimated from a bound: right on average, and seldom wrong by more than 0.05.

        Parameters
        ----------
        X : ndarray, shape (n, d)
            Finite features, possibly memory-mapped.
        anomaly : ndarray, shape (n,)
        curiosity : ndarray, shape (3,)
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):  # the chunks are on all cores already
            if len(X) < _MANY:
                return self._ask_few(X, anomaly)
            said = Said.nothing(len(X))
            many = Many.of(self.process, self.liked)
            exact = many.is_exact or len(X) <= _N_EXACT
            asked = _AskMany(many, PackedTrees.of(self.trees), self.spaces, exact=exact)
            for part, answer in map_blocks(asked, (X, anomaly), _CHUNK):
                said.numbers[:, part] = answer
            if not exact:
                self._be_exact(many, X, anomaly, said, curiosity)
        return said

    def _ask_few(self, X: NDArray[Any], anomaly: NDArray[np.float32]) -> Said:
        said = Said.nothing(len(X))
        scale = np.sqrt(self.process.variance)

        def work(part: slice) -> None:
            block = as_block(X, part)
            spaces = self.spaces(block)
            means, stds = self.process.predict(spaces, anomaly[part])
            said.means[:, part] = means.T
            said.unknown[part] = stds[:, 0] / scale
            inputs = as_float32(np.column_stack([block, anomaly[part]]))
            said.votes[part] = mean_prediction(self.trees, inputs)
            distance = self.process.apart(spaces)
            for k, which in enumerate((self.liked, ~self.liked)):
                said.apart[k, part] = distance[:, which].min(axis=1, initial=np.inf)

        size = rows_per_chunk(max(X.shape[1], len(self.liked)))
        for _ in map_chunks(work, len(X), size):
            pass
        return said

    def _be_exact(
        self,
        many: Many,
        X: NDArray[Any],
        anomaly: NDArray[np.float32],
        said: Said,
        curiosity: NDArray[np.float64],
    ) -> None:
        """Replace what are bounds: by estimates, and where it matters by what is true."""
        from sklearn.isotonic import IsotonicRegression

        def exactly(rows: NDArray[np.intp]) -> NDArray[np.float32]:
            unknown = np.empty(len(rows), dtype=np.float32)

            def work(part: slice) -> None:
                here = rows[part]
                spaces = self.spaces.single(as_block(X, here))
                unknown[part] = many.predict(spaces, anomaly[here], exact=True)[1]

            for _ in map_chunks(work, len(rows), BLOCK):
                pass
            return unknown

        some = evenly(len(X), _N_COMPARED)
        line = IsotonicRegression().fit(said.unknown[some], exactly(some))
        bounds, estimates = line.X_thresholds_, line.y_thresholds_

        def estimate(part: slice) -> None:
            said.unknown[part] = np.interp(said.unknown[part], bounds, estimates)

        def foremost(k: int) -> NDArray[np.intp]:
            return largest(said.worth(k) + np.float32(curiosity[k]) * said.unknown, _N_EXACT)

        with threads() as pool:
            list(pool.map(estimate, chunks(len(X))))
            first = list(pool.map(foremost, range(3)))
        rows = np.unique(np.concatenate(first))
        said.unknown[rows] = exactly(rows)


@dataclass(frozen=True, slots=True)
class _AskMany:
    """What is asked of a chunk of objects, here or elsewhere."""

    many: Many
    trees: PackedTrees
    spaces: Spaces
    exact: bool

    def __call__(self, X: NDArray[Any], anomaly: NDArray[np.float32]) -> NDArray[np.float32]:
        """Answer for objects (n, d) by the numbers of :class:`Said`, (7, n)."""
        block = as_block(X, slice(None))
        votes = np.zeros(len(block))
        self.trees.add(as_float32(np.column_stack([block, anomaly])), votes)
        said = Said.nothing(len(block))
        said.votes[:] = votes / len(self.trees.root)
        spaces = self.spaces.single(block)
        for start in range(0, len(block), BLOCK):
            here = slice(start, start + BLOCK)
            answer = self.many.predict([Z[here] for Z in spaces], anomaly[here], exact=self.exact)
            said.means[:, here], said.unknown[here], said.apart[:, here] = answer
        return said.numbers
