"""Extractors that measure many objects at once: read and prepared by threads, measured together."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeGuard

from .._protocols import FeatureExtractor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray


class BatchExtractor(FeatureExtractor, Protocol):
    """An extractor that is quicker with many objects at once, as a neural network is.

    Attributes
    ----------
    batch_size : int
        How many objects to give it at once; 0 if after all it measures one by one.
    """

    batch_size: int

    def prepare(self, data: NDArray[Any]) -> Any:
        """Make one object ready; called by several threads at once.

        Raises
        ------
        MeasurementError
            The object cannot be measured; the message is the reason it is set aside.
        """
        ...

    def extract_batch(self, prepared: Sequence[Any]) -> NDArray[Any]:
        """Measure at most `batch_size` prepared objects; (m, d). Called by one thread."""
        ...


def works_in_batches(extractor: FeatureExtractor) -> TypeGuard[BatchExtractor]:
    """Whether an extractor is one that wants batches."""
    return hasattr(extractor, "extract_batch") and getattr(extractor, "batch_size", 0) > 0


class Ahead:
    """Threads that prepare items in order, no further ahead than is needed to keep them busy.

    Parameters
    ----------
    function : callable
        Takes an item; must not raise.
    items : sequence
    n_threads : int
    n_ahead : int
        How many results may wait to be taken, which bounds the memory.
    """

    def __init__(
        self, function: Callable[[Any], Any], items: Sequence[Any], n_threads: int, n_ahead: int
    ) -> None:
        self._function = function
        self._items = iter(items)
        self._n_ahead = n_ahead
        self._waiting: deque[Future[Any]] = deque()
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="astronomaly-read")

    def take(self, n: int) -> list[Any]:
        """Return the next `n` results, fewer at the end."""
        taken: list[Any] = []
        while len(taken) < n:
            self._fill()
            if not self._waiting:
                break
            taken.append(self._waiting.popleft().result())
        self._fill()
        return taken

    def _fill(self) -> None:
        while len(self._waiting) < self._n_ahead:
            try:
                item = next(self._items)
            except StopIteration:
                return
            self._waiting.append(self._pool.submit(self._function, item))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
