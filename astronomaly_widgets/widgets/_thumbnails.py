"""Small pictures, drawn on a few threads and remembered."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

from astronomaly_widgets import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from astronomaly_widgets.session import Session

_THREADS = 3


class Thumbnails:
    """Draws objects of a session as JPEG.

    Parameters
    ----------
    session : Session
        Objects with a picture are drawn from its source, others as a profile of their features.
    size : int
        Side of a picture, in pixels.
    capacity : int
        How many pictures are remembered, about 5 kB each.

    Attributes
    ----------
    zoom : float
        At 1 the whole object is drawn, at 2 the middle half of each side.
    """

    def __init__(self, session: Session, size: int, capacity: int = 1000) -> None:
        self._session = session
        self._size = size
        self._capacity = capacity
        self.zoom = 1.0
        self._futures: OrderedDict[tuple[str, float], Future[bytes]] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="aw-thumbnails")

    def get(self, object_ids: Iterable[str]) -> list[bytes]:
        """Draw objects, or remember how they look; waits until all are there."""
        return [future.result() for future in self._request(object_ids)]

    def prepare(self, object_ids: Iterable[str], then: Callable[[], None]) -> None:
        """Draw objects ahead of time; `then` is called when all are there, on any thread.

        It is not called if they were forgotten in between.
        """
        futures = self._request(object_ids)
        left = set(range(len(futures)))
        lock = Lock()

        def one_less(k: int) -> None:
            with lock:
                left.discard(k)
                last = not left
            if last and not any(future.cancelled() for future in futures):
                then()

        for k, future in enumerate(futures):
            future.add_done_callback(lambda _, k=k: one_less(k))

    def forget_waiting(self) -> None:
        """Drop what was asked for and not begun, because something else is wanted now."""
        with self._lock:
            for name, future in list(self._futures.items()):
                if future.cancel():
                    del self._futures[name]

    def forget_failed(self) -> None:
        """Forget what could not be drawn: it is tried again when it is next asked for."""
        nothing = render.placeholder(self._size)
        with self._lock:
            for name, future in list(self._futures.items()):
                if future.done() and (future.exception() or future.result() == nothing):
                    del self._futures[name]

    def close(self) -> None:
        """Draw no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _request(self, object_ids: Iterable[str]) -> list[Future[bytes]]:
        with self._lock:
            futures = []
            for object_id in object_ids:
                name = object_id, self.zoom
                if name not in self._futures:
                    self._futures[name] = self._pool.submit(self._draw, *name)
                future = self._futures[name]
                self._futures.move_to_end(name)
                futures.append(future)
            while len(self._futures) > self._capacity:
                self._futures.popitem(last=False)
            return futures

    def _draw(self, object_id: str, zoom: float) -> bytes:
        source = self._session.source
        if source is not None and source.kind != "table":
            return render.thumbnail(source, object_id, self._size, crop=1 / zoom)
        row = self._session.row_of(object_id)
        return render.profile(self._session.features[row], self._size)
