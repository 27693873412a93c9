"""Many decision trees over millions of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ._compiled import compiled
from ._spread import map_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROWS_PER_CHUNK = 2**14  # some 10 ms of work on one core
_LOCKSTEP = 256  # rows that go down a tree together: enough to hide each other's waiting
_APART = 16  # numbers between two columns: a power of two would have them share a cache's lines
_TOP = 4  # levels with so few nodes that each is compared with all rows, which needs no looking up
_STEPS = 4  # levels between two looks at which rows have arrived


@dataclass(frozen=True, slots=True)
class PackedTrees:
    """Binary trees in flat arrays, whose leaf values are summed for every row.

    The same sums as by scikit-learn's trees one after another, bit for bit, several times faster:
    a block of rows goes down each tree in lockstep, without branches, and rows that have arrived
    fall out. A node's children lie side by side; a leaf is its own left child.

    Attributes
    ----------
    feature, left : ndarray, shape (nodes,), dtype uint32
        What is compared in a node, and where its left child is.
    threshold : ndarray, shape (nodes,), dtype float32
        Not above it, a row goes left.
    value : ndarray, shape (nodes,), dtype float64
        What a leaf adds.
    root, depth : ndarray, shape (trees,), dtype uint32
        Where each tree begins, and its longest path.
    """

    feature: NDArray[np.uint32]
    left: NDArray[np.uint32]
    threshold: NDArray[np.float32]
    value: NDArray[np.float64]
    root: NDArray[np.uint32]
    depth: NDArray[np.uint32]

    @classmethod
    def of(cls, trees: Sequence[Any], values: Sequence[NDArray[Any]] | None = None) -> Self:
        """Pack trees of scikit-learn.

        Parameters
        ----------
        trees : sequence
            Fitted trees, or their ``tree_``.
        values : sequence of ndarray, shape (nodes,), optional
            What each node adds, tree by tree; by default a regression tree's prediction.
        """
        bare = [getattr(tree, "tree_", tree) for tree in trees]
        if values is None:
            values = [tree.value[:, 0, 0] for tree in bare]
        ends = np.cumsum([tree.node_count for tree in bare])
        root = ends - [tree.node_count for tree in bare]
        parts = [_pack(*each) for each in zip(bare, values, root, strict=True)]
        feature, left, threshold, value = map(np.concatenate, zip(*parts, strict=True))
        depth = np.array([tree.max_depth for tree in bare], dtype=np.uint32)
        return cls(feature, left, threshold, value, root.astype(np.uint32), depth)

    def total(self, X: NDArray[Any], *, n_jobs: int | None = None) -> NDArray[np.float64]:
        """Sum over the trees for every row.

        Parameters
        ----------
        X : ndarray, shape (n, d)
            Finite features, possibly memory-mapped; they are compared as float32.
        n_jobs : int, optional
            Threads, unless it is done :func:`elsewhere`; by default one per core. The result does
            not depend on it.

        Returns
        -------
        ndarray, shape (n,), dtype float64
        """
        out = np.empty(len(X))
        for part, sums in map_blocks(self._sums, (X,), _ROWS_PER_CHUNK, n_jobs=n_jobs):
            out[part] = sums
        return out

    def _sums(self, X: NDArray[Any]) -> NDArray[np.float64]:
        out = np.zeros(len(X))
        # a copy: machine code for arrays that can be written to is not that for maps
        self.add(np.array(X, dtype=np.float32, order="C"), out)
        return out

    def add(self, X: NDArray[np.float32], out: NDArray[np.float64]) -> None:
        """Add the sums for the rows of `X` (n, d), C-contiguous, to `out` (n,); on one thread."""
        nodes = (self.feature, self.left, self.threshold, self.value)
        _descend(X, nodes, self.root, self.depth, out)


def _pack(
    tree: Any, values: NDArray[Any], start: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Put the nodes of one tree level by level, the first at `start`."""
    left, right = tree.children_left, tree.children_right
    levels = [np.zeros(1, dtype=np.intp)]
    while len(levels[-1]):
        inner = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.column_stack([left[inner], right[inner]]).ravel())
    order = np.concatenate(levels)
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    leaf = left[order] < 0
    threshold = tree.threshold[order]
    # a float32 is not above the threshold if it is not above the next float32 below that
    below = threshold.astype(np.float32)
    below = np.where(below > threshold, np.nextafter(below, np.float32(-np.inf)), below)
    return (
        np.where(leaf, 0, tree.feature[order]).astype(np.uint32),
        (start + np.where(leaf, place[order], place[left[order]])).astype(np.uint32),
        np.where(leaf, np.float32(np.inf), below).astype(np.float32),
        np.asarray(values, dtype=np.float64)[order],
    )


@compiled
def _descend(  # noqa: C901, PLR0912 - what is compiled together is fast together
    X: Any, nodes: Any, root: Any, depth: Any, out: Any
) -> None:
    feature, left, threshold, value = nodes
    n, d = X.shape
    column = np.uint32(_LOCKSTEP + _APART)
    columns = np.zeros((d, column), dtype=np.float32)
    flat = columns.reshape(d * column)
    node = np.empty(_LOCKSTEP, dtype=np.uint32)
    after = np.empty(_LOCKSTEP, dtype=np.uint32)
    place = np.empty(_LOCKSTEP, dtype=np.uint32)  # in the block, of those that are under way
    last = np.empty(_LOCKSTEP, dtype=np.uint32)
    level = np.empty(2**_TOP, dtype=np.uint32)  # all nodes of one
    for start in range(0, n, _LOCKSTEP):
        m = min(_LOCKSTEP, n - start)
        for r in range(m):
            for j in range(d):
                columns[j, r] = X[start + r, j]
        for tree in range(len(root)):
            levels: Any = np.int64(depth[tree])
            node[:] = root[tree]
            level[0] = root[tree]
            for width in range(min(levels, _TOP)):  # one node after the other, for all rows
                for q in range(2**width):
                    k = level[q]
                    to, j, most = left[k], feature[k], threshold[k]
                    for r in range(_LOCKSTEP):
                        right = np.uint32(columns[j, r] > most)
                        after[r] = to + right if node[r] == k else after[r]
                for q in range(2**width - 1, -1, -1):
                    k = level[q]
                    level[2 * q] = left[k]
                    level[2 * q + 1] = left[k] + np.uint32(left[k] != k)
                node[:] = after
            levels -= _TOP
            for r in range(_LOCKSTEP):
                place[r] = r
            under_way = np.int64(_LOCKSTEP)
            while levels > 0 and under_way > 0:  # one row after the other, for all nodes
                for _ in range(min(levels, _STEPS)):
                    for r in range(under_way):
                        k = node[r]
                        right = np.uint32(flat[feature[k] * column + place[r]] > threshold[k])
                        node[r] = left[k] + right
                levels -= _STEPS
                if levels <= 0:
                    break
                moving = np.int64(0)  # those that have not arrived close ranks, without branches
                for r in range(under_way):
                    k, p = node[r], place[r]
                    last[p] = k
                    node[moving], place[moving] = k, p
                    moving += np.int64(left[k] != k)
                under_way = moving
            for r in range(under_way):
                last[place[r]] = node[r]
            for r in range(m):
                out[start + r] += value[last[r]]
