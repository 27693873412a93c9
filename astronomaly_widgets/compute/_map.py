"""One function over many items, on all cores."""

from __future__ import annotations

from collections import deque
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from .._progress import passing_bar
from ._cluster import ClusterWorkers
from ._task import is_cancelled, report
from ._workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from ._cluster import ClusterFuture

    Item = TypeVar("Item")
    Result = TypeVar("Result")


def map_objects(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    n_jobs: int | None = None,
    client: Any = None,
    progress: str | None = None,
    unit: str = "objects",
    on_crash: Callable[[Item], Result] | None = None,
    at_once: int = 1024,
    meanwhile: Callable[[], object] | None = None,
) -> Iterator[Result]:
    """Apply a function to many items, on all cores, and yield the results in order.

    Reports to the running task, and stops when that is cancelled. When the iteration ends early, by
    an error, by Ctrl-C or because nobody asks for more, the workers are ended with it.

    Parameters
    ----------
    function : callable
        Takes one item. It is sent to each worker once, with all that it holds; it may be defined
        in a notebook. Large arrays in it are shared by the workers, and cannot be written to.
    items : sequence
        What to apply it to.
    n_jobs : int, optional
        Processes to work in; by default one per core. As in joblib, -2 is all cores but one. With
        1, the work is done in this process.
    client : distributed.Client, optional
        Work on the workers of this Dask cluster instead. They must be able to read what the
        function reads, and best have one thread each. A batch whose worker dies runs again.
    progress : str, optional
        Show a bar with this text, the rate and the time that is left.
    unit : str, optional
        What the bar calls the items.
    on_crash : callable, optional
        Makes the result of an item which kills its worker (out of memory, a fault in compiled
        code). Without it, such an item is an error.
    at_once : int, optional
        How many items may travel to a worker together, if they are done quickly.
    meanwhile : callable, optional
        Called once here, while other processes start; never, if there are none.

    Yields
    ------
    object
        One result per item.

    Raises
    ------
    concurrent.futures.CancelledError
        If the running task was cancelled.
    concurrent.futures.process.BrokenProcessPool, distributed.KilledWorker
        If an item kills its worker and there is no `on_crash`.
    ConnectionError
        If the client is closed, or loses all its workers.
    """
    n_jobs = min(effective_jobs(n_jobs), len(items))
    results: Iterator[Result]
    if client is not None:
        results = _by(lambda: ClusterWorkers(function, client), items, on_crash, at_once, meanwhile)
    elif n_jobs <= 1:
        results = map(function, items)
    else:
        results = _by(lambda: Workers(function, n_jobs), items, on_crash, at_once, meanwhile)
    report(0.0)
    with _bar(progress, len(items), unit) as update:
        for done, result in enumerate(results, start=1):
            yield result
            update()
            report(done / len(items))


def effective_jobs(n_jobs: int | None) -> int:
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; wanted a number of processes, or None for one per core")
    if n_jobs is not None and n_jobs > 0:
        return n_jobs
    import joblib

    cores = int(joblib.cpu_count())  # those that this process may use, also in a container
    return cores if n_jobs is None else max(1, cores + 1 + n_jobs)


@contextmanager
def _bar(text: str | None, total: int, unit: str) -> Iterator[Callable[[], Any]]:
    if text is None:
        yield lambda: None
        return
    with passing_bar(total=total, desc=text, unit=f" {unit}") as bar:
        yield bar.update


def _by(
    hire: Callable[[], Workers | ClusterWorkers],
    items: Sequence[Item],
    on_crash: Callable[[Item], Result] | None,
    at_once: int,
    meanwhile: Callable[[], object] | None,
) -> Iterator[Result]:
    size, start = 1, 0
    waiting: deque[tuple[Sequence[Item], Any]] = deque()
    with hire() as workers:
        while start < len(items) or waiting:
            while start < len(items) and len(waiting) < 2 * workers.n_jobs:
                batch = items[start : start + size]
                waiting.append((batch, workers.submit(batch)))
                start += size
            if meanwhile is not None:
                meanwhile()
                meanwhile = None
            batch, future = waiting.popleft()
            try:
                seconds, results = _wait(future)
            except workers.crash:
                suspects = [(batch, future), *waiting]
                waiting.clear()
                workers.restart()
                for batch, future in suspects:
                    if future.done() and future.exception() is None:
                        yield from future.result()[1]
                    else:
                        yield from _alone(workers, batch, on_crash)
            else:
                # large enough that sending costs nothing, small enough to be watched
                if seconds < 0.1:
                    size = min(2 * size, at_once)
                elif seconds > 0.5:
                    size = max(size // 2, 1)
                yield from results


def _alone(
    workers: Workers | ClusterWorkers,
    batch: Sequence[Item],
    on_crash: Callable[[Item], Result] | None,
) -> Iterator[Result]:
    """Run a batch while nothing else runs, to find the item that kills its worker."""
    try:
        _, results = _wait(workers.submit(batch))
    except workers.crash:
        workers.restart()
        if len(batch) > 1:
            for k in range(len(batch)):
                yield from _alone(workers, batch[k : k + 1], on_crash)
        elif on_crash is None:
            raise
        else:
            yield on_crash(batch[0])
    else:
        yield from results


def _wait(future: Future[Any] | ClusterFuture) -> Any:
    """Wait for a result, but hear of a cancelled task meanwhile."""
    while True:
        try:
            return future.result(timeout=0.5)
        except TimeoutError:
            if is_cancelled():
                raise CancelledError from None
