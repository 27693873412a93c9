"""The workers of a Dask cluster, which hold one function and apply it to what they are sent."""

from __future__ import annotations

import math
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Self

from .._optional import require
from ._task import is_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PATIENCE = 60.0  # seconds in which a cluster that has lost all its workers may start new ones


class _ByValue:
    """A function that travels as it is sent to other processes of this machine: by cloudpickle.

    Dask would try pickle first, which sends the name of a module that workers may not have.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        import cloudpickle  # type: ignore[import-untyped]  # it has no types

        return _arrived, (cloudpickle.dumps(self.function, protocol=5),)


def _arrived(body: bytes) -> _ByValue:
    import pickle

    return _ByValue(pickle.loads(body))  # noqa: S301 - the bytes are ours, from one process to another


class ClusterWorkers:
    """Workers elsewhere, with the ways of :class:`~._workers.Workers`.

    The function goes to all of them once. A batch whose worker dies is run again by another, as
    often as Dask is told to (``distributed.scheduler.allowed-failures``); only then it is a crash,
    or when so many die that the function is lost with them, which is then sent again.

    Parameters
    ----------
    function : callable
    client : distributed.Client

    Raises
    ------
    TypeError
        If it is no client.
    ConnectionError
        If the client is closed, or has no workers.
    """

    def __init__(self, function: Callable[..., Any], client: Any) -> None:
        distributed = require("distributed", extra="scale")
        if not isinstance(client, distributed.Client):
            raise TypeError(
                f"client is a {type(client).__name__}; wanted a distributed.Client, as "
                "distributed.Client(cluster) or distributed.Client(address)"
            )
        self._client = client
        self._function = function
        self.crash: tuple[type[Exception], ...] = (distributed.KilledWorker, _WorkersLostError)
        if client.status != "running":
            raise ConnectionError(
                f"the Dask client is {client.status}; give a new one, or None to work without"
            )
        self._counted = -math.inf
        self._n_jobs: int = 0
        if not client.nthreads():
            raise ConnectionError(
                "the Dask client has no workers yet; start some and wait for them with "
                "client.wait_for_workers(1)"
            )
        self._held = self._send()

    @property
    def n_jobs(self) -> int:
        """Threads of all workers, counted anew each second: a cluster may grow meanwhile."""
        if time.monotonic() > self._counted + 1:
            self._check()
            # at least one, for which to wait where all are gone
            self._n_jobs = max(1, sum(self._client.nthreads().values()))
            self._counted = time.monotonic()
        return self._n_jobs

    def _send(self) -> Any:
        return self._client.scatter(_ByValue(self._function), broadcast=True, hash=False)

    def submit(self, batch: Sequence[Any]) -> ClusterFuture:
        self._check()
        future = self._client.submit(_run, self._held, batch, pure=False)
        return ClusterFuture(future, self._client)

    def restart(self) -> None:
        """Wait until there are workers that have the function; Dask starts them by itself.

        Raises
        ------
        ConnectionError
            If there are none for a minute.
        concurrent.futures.CancelledError
            If the running task was cancelled.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            self._check()
            if is_cancelled():
                raise CancelledError
            try:
                self._client.wait_for_workers(1, timeout=0.5)
                if self._held.status != "finished":
                    self._held = self._send()
            except TimeoutError as error:
                if time.monotonic() > deadline:
                    raise _WorkersLostError from error
            else:
                return

    def _check(self) -> None:
        if self._client.status != "running":
            raise _closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._client.status == "running":
            self._held.release()


class ClusterFuture:
    """A result on its way, dropped by the cluster when nobody waits for it any more."""

    def __init__(self, future: Any, client: Any) -> None:
        self._future = future
        self._client = client

    def done(self) -> bool:
        return bool(self._future.done())

    def exception(self) -> BaseException | None:
        """Return what went wrong; ask only when it is done."""
        if self._future.cancelled():
            return _WorkersLostError()
        error: BaseException | None = self._future.exception()
        return error

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result.

        Raises
        ------
        TimeoutError
            If it takes longer.
        ConnectionError
            If it will never come.
        """
        try:
            return self._future.result(timeout)
        except UnboundLocalError as error:
            if self._future.status == "error":
                raise
            # that of distributed itself, when its loop was too busy to begin to wait
            raise TimeoutError from error
        except CancelledError as error:  # not by us: we only ever drop it
            raise (_WorkersLostError() if self._is_open() else _closed()) from error
        except RuntimeError as error:  # the function's, or that of a loop which is closed
            if self._is_open():
                raise
            raise _closed() from error

    def _is_open(self) -> bool:
        return bool(self._client.status == "running")


class _WorkersLostError(ConnectionError):
    """All workers that could have gone on are gone."""

    def __init__(self) -> None:
        super().__init__(
            "the Dask cluster has lost its workers before all was done (out of memory, or their "
            "time is over); what was measured is kept: start new ones and run again"
        )


def _closed() -> ConnectionError:
    return ConnectionError(
        "the Dask client was closed before all was done; what was measured is kept: connect again "
        "and run again"
    )


def _run(held: _ByValue, batch: Sequence[Any]) -> tuple[float, list[Any]]:
    """Apply the function to a batch, on a worker; seconds it took, and the results."""
    from threadpoolctl import threadpool_limits

    start = time.perf_counter()
    with threadpool_limits(1, user_api="blas"):  # as in processes of our own
        results = [held.function(item) for item in batch]
    return time.perf_counter() - start, results
