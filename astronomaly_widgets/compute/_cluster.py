"""The workers of a Dask cluster, which hold one function and apply it to what they are sent."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Self

from .._optional import require

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ClusterWorkers:
    """Workers elsewhere, with the ways of :class:`~._workers.Workers`.

    The function goes to all of them once. A batch whose worker dies is run again by another, as
    often as Dask is told to (``distributed.scheduler.allowed-failures``); only then it is a crash.

    Parameters
    ----------
    function : callable
    client : distributed.Client

    Raises
    ------
    ConnectionError
        If the client is closed, or has no workers.
    """

    def __init__(self, function: Callable[..., Any], client: Any) -> None:
        self._client = client
        self.crash: type[Exception] = require("distributed", extra="scale").KilledWorker
        if client.status != "running":
            raise ConnectionError(f"the Dask client is {client.status}; connect a new one")
        self.n_jobs = sum(client.nthreads().values())
        if not self.n_jobs:
            raise ConnectionError(
                "the Dask client has no workers yet; start some and wait for them with "
                "client.wait_for_workers(1)"
            )
        self._held = client.scatter(function, broadcast=True, hash=False)

    def submit(self, batch: Sequence[Any]) -> ClusterFuture:
        if self._client.status != "running":
            raise _lost()
        return ClusterFuture(self._client.submit(_run, self._held, batch, pure=False))

    def restart(self) -> None:
        """Do nothing: Dask starts its workers again by itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._client.status == "running":
            self._held.release()


class ClusterFuture:
    """A result on its way, dropped by the cluster when nobody waits for it any more."""

    def __init__(self, future: Any) -> None:
        self._future = future

    def done(self) -> bool:
        return bool(self._future.done())

    def exception(self) -> BaseException | None:
        """Return what went wrong; ask only when it is done."""
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
        except CancelledError as error:  # not by us: we only ever drop it
            raise _lost() from error


def _lost() -> ConnectionError:
    return ConnectionError(
        "the Dask client was closed, or its workers were lost, before all was done; what was "
        "done is kept: connect again and run again"
    )


def _run(function: Callable[..., Any], batch: Sequence[Any]) -> tuple[float, list[Any]]:
    """Apply the function to a batch, on a worker; seconds it took, and the results."""
    start = time.perf_counter()
    results = [function(item) for item in batch]
    return time.perf_counter() - start, results
