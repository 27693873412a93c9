"""Processes that hold one function, with all its data, and apply it to what they are sent."""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Workers:
    """Processes that all hold one function.

    The function is pickled once; its large arrays go to a file that every worker maps, so that a
    survey in memory is not copied for each core.
    """

    crash: type[Exception] = BrokenProcessPool

    def __init__(self, function: Callable[..., Any], n_jobs: int) -> None:
        import cloudpickle  # type: ignore[import-untyped]  # it has no types

        self.n_jobs = n_jobs
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
            self.n_jobs,
            initializer=_begin,
            initargs=(os.getpid(), *self._cargo),
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


def _begin(parent: int, body: bytes, path: str, spans: tuple[tuple[int, int], ...]) -> None:
    """Start a worker; nothing here may fail, since the reason would be lost."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _cargo.update(body=body, path=path, spans=spans)


def _end_with(parent: int) -> None:
    """End this worker soon after its parent, which may have been killed without a word to us."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


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
