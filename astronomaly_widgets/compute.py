"""Work in chunks that can be watched, cancelled and spread over cores."""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import tempfile
import time
from collections import deque
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Item = TypeVar("Item")
    Result = TypeVar("Result")


@dataclass
class Task:
    """Something long that is being done, seen from outside.

    Attributes
    ----------
    on_progress : callable or None
        Called with the fraction done, 0..1, on the working thread.
    cancel : Event
        Set it, and the work stops at its next chunk with ``CancelledError``.
    """

    on_progress: Callable[[float], None] | None = None
    cancel: Event = field(default_factory=Event)

    def report(self, fraction: float) -> None:
        """Say how far the work is, and stop here if it was cancelled.

        Raises
        ------
        concurrent.futures.CancelledError
            If the task was cancelled.
        """
        if self.cancel.is_set():
            raise CancelledError
        if self.on_progress is not None:
            self.on_progress(fraction)


_current: ContextVar[Task | None] = ContextVar("astronomaly_widgets_task", default=None)


@contextmanager
def running(task: Task) -> Iterator[Task]:
    """Make `task` the one that :func:`report` and :func:`chunks` speak to, in this context."""
    token = _current.set(task)
    try:
        yield task
    finally:
        _current.reset(token)


def report(fraction: float) -> None:
    """Report to the running task, if there is one; see :meth:`Task.report`."""
    task = _current.get()
    if task is not None:
        task.report(fraction)


def chunks(n: int, size: int = 100_000) -> Iterator[slice]:
    """Cut ``range(n)`` into slices of at most `size`, reporting before each one.

    Learners and detectors loop over this, so that a retrain of millions shows progress and can
    be cancelled; results must not depend on `size`.
    """
    for start in range(0, n, size):
        report(start / n)
        yield slice(start, min(start + size, n))
    report(1.0)


def map_objects(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    n_jobs: int | None = None,
    progress: str | None = None,
    unit: str = "objects",
    on_crash: Callable[[Item], Result] | None = None,
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
    progress : str, optional
        Show a bar with this text, the rate and the time that is left.
    unit : str, optional
        What the bar calls the items.
    on_crash : callable, optional
        Makes the result of an item which kills its worker (out of memory, a fault in compiled
        code). Without it, such an item is an error.

    Yields
    ------
    object
        One result per item.

    Raises
    ------
    concurrent.futures.CancelledError
        If the running task was cancelled.
    concurrent.futures.process.BrokenProcessPool
        If an item kills its worker and there is no `on_crash`.
    """
    n_jobs = min(_effective_jobs(n_jobs), len(items))
    results = (
        map(function, items) if n_jobs <= 1 else _in_processes(function, items, n_jobs, on_crash)
    )
    report(0.0)
    with _bar(progress, len(items), unit) as update:
        for done, result in enumerate(results, start=1):
            yield result
            update()
            report(done / len(items))


def _effective_jobs(n_jobs: int | None) -> int:
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
    from tqdm.auto import tqdm

    with tqdm(total=total, desc=text, unit=f" {unit}", smoothing=0.1, dynamic_ncols=True) as bar:
        yield bar.update


def _in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    n_jobs: int,
    on_crash: Callable[[Item], Result] | None,
) -> Iterator[Result]:
    size, start = 1, 0
    waiting: deque[tuple[Sequence[Item], Future[Any]]] = deque()
    with _Workers(function, n_jobs) as workers:
        while start < len(items) or waiting:
            while start < len(items) and len(waiting) < 2 * n_jobs:
                batch = items[start : start + size]
                waiting.append((batch, workers.submit(batch)))
                start += size
            batch, future = waiting.popleft()
            try:
                seconds, results = _wait(future)
            except BrokenProcessPool:
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
                    size = min(2 * size, 1024)
                elif seconds > 0.5:
                    size = max(size // 2, 1)
                yield from results


def _alone(
    workers: _Workers, batch: Sequence[Item], on_crash: Callable[[Item], Result] | None
) -> Iterator[Result]:
    """Run a batch while nothing else runs, to find the item that kills its worker."""
    try:
        _, results = _wait(workers.submit(batch))
    except BrokenProcessPool:
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


def _wait(future: Future[Any]) -> Any:
    """Wait for a result, but hear of a cancelled task meanwhile."""
    while True:
        try:
            return future.result(timeout=0.5)
        except TimeoutError:
            task = _current.get()
            if task is not None and task.cancel.is_set():
                raise CancelledError from None


class _Workers:
    """Processes that all hold one function.

    The function is pickled once; its large arrays go to a file that every worker maps, so that a
    survey in memory is not copied for each core.
    """

    def __init__(self, function: Callable[..., Any], n_jobs: int) -> None:
        import cloudpickle  # type: ignore[import-untyped]  # it has no types

        self._n_jobs = n_jobs
        buffers: list[pickle.PickleBuffer] = []
        body = cloudpickle.dumps(function, protocol=5, buffer_callback=buffers.append)
        # a file of this run alone, gone with it: it carries memory, it stores nothing
        self._folder = tempfile.TemporaryDirectory(prefix="astronomaly-")
        path = Path(self._folder.name, "arrays")
        spans = []
        with path.open("wb") as file:
            for buffer in buffers:
                file.seek(-file.tell() % 64, os.SEEK_CUR)  # aligned, as numpy likes it
                with buffer.raw() as view:
                    spans.append((file.tell(), view.nbytes))
                    file.write(view)
                buffer.release()
        self._cargo = (body, str(path), tuple(spans))
        self._sent: deque[Future[Any]] = deque(maxlen=4 * n_jobs)
        self._executor: Executor = self._start()

    def _start(self) -> Executor:
        from multiprocessing import resource_tracker

        from joblib.externals import loky

        # otherwise the first worker starts it, and that lets interrupts through again
        resource_tracker.ensure_running()
        pools = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "BLIS_NUM", "VECLIB_MAXIMUM")
        limits = {f"{pool}_THREADS": "1" for pool in pools}
        executor: Executor = loky.ProcessPoolExecutor(
            self._n_jobs,
            timeout=60,  # idle workers end by themselves, also when this process was killed
            initializer=_begin,
            initargs=self._cargo,
            env=limits | {"OPENCV_FOR_THREADS_NUM": "1"},
        )
        return executor

    def submit(self, batch: Sequence[Any]) -> Future[Any]:
        with _interrupt_held():  # workers that start here inherit it
            try:
                future = self._executor.submit(_run, batch)
            except BrokenProcessPool as error:  # a worker has died since we last looked
                future = Future()
                future.set_exception(error)
            self._sent.append(future)
        return future

    def restart(self) -> None:
        self._executor.shutdown(wait=True)
        self._executor = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # loky trips over a job that it has not yet taken when it is told to kill the workers
        deadline = time.monotonic() + 1
        while any(not (f.running() or f.done()) for f in self._sent):
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)
        self._executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]  # loky's own
        self._folder.cleanup()


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Let Ctrl-C wait; and processes that are started meanwhile never hear of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# what a worker process holds
_cargo: dict[str, Any] = {}


def _begin(body: bytes, path: str, spans: tuple[tuple[int, int], ...]) -> None:
    """Start a worker; nothing here may fail, since the reason would be lost."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    _cargo.update(body=body, path=path, spans=spans)


def _run(batch: Sequence[Any]) -> tuple[float, list[Any]]:
    """Apply the worker's function to a batch; seconds it took, and the results."""
    if "function" not in _cargo:
        _cargo["function"] = _unpack(**_cargo)
    start = time.perf_counter()
    results = [_cargo["function"](item) for item in batch]
    return time.perf_counter() - start, results


def _unpack(body: bytes, path: str, spans: tuple[tuple[int, int], ...]) -> Any:
    buffers: list[memoryview] = []
    if spans and Path(path).stat().st_size:
        with Path(path).open("rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        buffers = [view[start : start + size] for start, size in spans]
    else:
        buffers = [memoryview(b"")] * len(spans)
    return pickle.loads(body, buffers=buffers)  # noqa: S301 - from our own parent process
