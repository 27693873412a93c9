"""One function over blocks of rows: on threads, or on the workers of a Dask cluster."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ._map import map_objects
from ._task import chunks
from ._threads import map_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Result = TypeVar("Result")

_AT_ONCE = 2**22  # bytes that travel together; Dask is unhappy about more than 10 MB

_client: ContextVar[Any] = ContextVar("astronomaly_widgets_client", default=None)


@contextmanager
def elsewhere(client: Any) -> Iterator[None]:
    """Let :func:`map_blocks` use the workers of a Dask cluster, in this context.

    So that what calls it, a learner of anybody's, need not know of clusters.

    Parameters
    ----------
    client : distributed.Client or None
        None: on threads of this process, as ever.
    """
    token = _client.set(client)
    try:
        yield
    finally:
        _client.reset(token)


def map_blocks(
    function: Callable[..., Result],
    arrays: Sequence[NDArray[Any]],
    size: int,
    *,
    n_jobs: int | None = None,
) -> Iterator[tuple[slice, Result]]:
    """Apply a function to blocks of the rows of some arrays, and yield in order.

    On threads of this process, or :func:`elsewhere`: then the blocks are sent to the workers, so
    that these need not see any file of ours. The blocks are the same, and so is what comes out, bit
    for bit, on machines of the same kind. At most two blocks per thread or worker are under way at
    once (several, if they are small), so memory is bounded. Reports to the running task, and stops
    when that is cancelled or when nobody asks for more.

    Parameters
    ----------
    function : callable
        Takes a block of each array, which it must not change. It is sent to each worker once, with
        all that it holds; what it returns must not depend on other blocks.
    arrays : sequence of ndarray, each of shape (n, ...)
        Possibly memory-mapped.
    size : int
        Rows of a block.
    n_jobs : int, optional
        Threads; by default one per core. With 1, what is not safe on threads may be called.

    Yields
    ------
    part : slice
    result : object

    Raises
    ------
    concurrent.futures.CancelledError
        If the running task was cancelled.
    ConnectionError
        If the client is closed, or loses all its workers.
    """
    n = len(arrays[0])
    client = _client.get()
    if client is not None:
        blocks: Any = _Blocks(arrays, size)
        row = sum(array.nbytes // max(n, 1) for array in arrays)
        at_once = max(1, _AT_ONCE // max(1, row * size))
        results = map_objects(_Each(function), blocks, client=client, at_once=at_once)
        yield from zip(blocks.parts, results, strict=True)
    elif n_jobs == 1:
        for part in chunks(n, size):
            yield part, function(*(array[part] for array in arrays))
    else:
        yield from map_chunks(
            lambda part: function(*(array[part] for array in arrays)), n, size, n_jobs=n_jobs
        )


class _Each:
    """The function, for what travels as one item."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, blocks: tuple[NDArray[Any], ...]) -> Any:
        return self._function(*blocks)


class _Blocks:
    """A sequence that is cut, and read from disk, where it is asked for."""

    def __init__(self, arrays: Sequence[NDArray[Any]], size: int) -> None:
        n = len(arrays[0])
        self._arrays = arrays
        self.parts = [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, some: slice) -> list[tuple[NDArray[Any], ...]]:
        # copies: a part of a memory map would travel as such
        return [tuple(np.array(a[part]) for a in self._arrays) for part in self.parts[some]]
