"""Passes over a feature matrix, block by block, here or on a cluster."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import blocks, map_objects, npy_writer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ..compute import Rows

    PathLike = str | os.PathLike[str]

_NUMBERS_PER_CHUNK = 2**20  # 8 MB of float64, whatever the number of features
_BLOCKS_PER_SPAN = 64  # whose sums are gathered by one worker; added up, they cost little


def rows_per_block(d: int) -> int:
    """How many objects with d features make a block; the same whoever reads it."""
    return max(1, _NUMBERS_PER_CHUNK // d)


def transformed(
    rows: Rows,
    width: int,
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    path: PathLike | None,
    client: Any = None,
) -> NDArray[Any]:
    """Apply a function to all blocks, and hold the results (n, width) or write them to a file."""
    n, d = rows.shape
    results: Iterator[NDArray[Any]]
    if client is None or not rows.travels:
        results = (function(block) for _, block in blocks(rows, rows_per_block(d)))
    else:
        results = over_spans(rows, partial(_results, rows, rows_per_block(d), function), client)
    if path is None:
        held = np.empty((n, width), dtype=np.float32)
        start = 0
        for values in results:
            held[start : start + len(values)] = values
            start += len(values)
        return held
    with npy_writer(path, (n, width), np.float32) as write:
        for values in results:
            write(values)
    written: NDArray[Any] = np.load(path, mmap_mode="r")
    return written


def _results(
    rows: Rows, size: int, function: Callable[..., NDArray[np.float64]], span: tuple[int, int]
) -> NDArray[np.float32]:
    """Apply a function to the blocks of a span."""
    some = blocks(rows, size, start=span[0], stop=span[1])
    return np.concatenate([function(block).astype(np.float32) for _, block in some])


def over_spans(rows: Rows, function: Callable[[tuple[int, int]], Any], client: Any) -> Any:
    """Apply a function to spans of many blocks, here or by those who can read them; in order."""
    n, d = rows.shape
    size = _BLOCKS_PER_SPAN * rows_per_block(d)
    spans = [(start, min(start + size, n)) for start in range(0, n, size)]
    if client is None or not rows.travels:
        return map(function, spans)
    return map_objects(function, spans, client=client, at_once=1)
