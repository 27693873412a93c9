"""One function over the chunks of an array, on threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from ._map import effective_jobs
from ._task import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    Result = TypeVar("Result")


def map_chunks(
    function: Callable[[slice], Result], n: int, size: int, *, n_jobs: int | None = None
) -> Iterator[tuple[slice, Result]]:
    """Apply a function to the slices of ``range(n)``, on threads, and yield in order.

    For code that lets other threads run: NumPy, BLAS, compiled loops. At most two chunks per
    thread are under way at once, so memory is bounded. Reports to the running task, and stops when
    that is cancelled or when nobody asks for more.

    Parameters
    ----------
    function : callable
        Takes a slice. What it returns must not depend on the others.
    n : int
        Length of what is cut.
    size : int
        Length of a slice.
    n_jobs : int, optional
        Threads; by default one per core.

    Yields
    ------
    part : slice
    result : object

    Raises
    ------
    concurrent.futures.CancelledError
        If the running task was cancelled.
    """
    pool = ThreadPoolExecutor(effective_jobs(n_jobs))
    try:
        waiting: deque[tuple[slice, Future[Result]]] = deque()
        most = 2 * effective_jobs(n_jobs)
        for start in range(0, n, size):
            part = slice(start, min(start + size, n))
            waiting.append((part, pool.submit(function, part)))
            if len(waiting) == most:
                yield _next(waiting, n)
        while waiting:
            yield _next(waiting, n)
        report(1.0)
    finally:
        pool.shutdown(cancel_futures=True)


def _next(waiting: deque[tuple[slice, Future[Result]]], n: int) -> tuple[slice, Result]:
    part, future = waiting.popleft()
    report(part.start / n)
    return part, future.result()
