"""Drawing again, soon and once: many changes become one picture, on a thread of its own."""

from __future__ import annotations

import atexit
from threading import Lock, Timer
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable


_alive: WeakSet[Refresher] = WeakSet()


class Refresher:
    """Calls `draw` with all that has changed since the last time, at most once per `interval`.

    A session's traits change on any thread, many at a time, and while a person is labeling:
    whoever changes something only leaves a note here. Of several requests for the same part the
    last one wins, because `draw` reads the state when it runs.

    Parameters
    ----------
    draw : callable
        ``draw(parts)`` with the set of names that were requested; never called twice at a time.
    on_error : callable
        ``on_error(exception)``: what `draw` raised.
    interval : float
        Least seconds between two drawings.
    delay : float
        Seconds from a request to its drawing. A score changes the labels and, a moment later, the
        current object: with a short delay that is one drawing.
    """

    def __init__(
        self,
        draw: Callable[[set[str]], None],
        on_error: Callable[[Exception], None],
        interval: float = 0.1,
        delay: float = 0.0,
    ) -> None:
        self._draw = draw
        self._on_error = on_error
        self._interval = interval
        self._delay = delay
        self._lock = Lock()  # guards what follows; never held while drawing
        self._parts: set[str] = set()
        self._timer: Timer | None = None
        self._last = -interval
        self._closed = False
        self._drawing = Lock()
        _alive.add(self)

    def request(self, *parts: str) -> None:
        """Have these parts drawn soon; returns at once."""
        with self._lock:
            if self._closed:
                return
            self._parts.update(parts)
            if self._timer is None:
                delay = max(self._delay, self._last + self._interval - monotonic())
                self._timer = Timer(delay, self._run)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Draw what was requested now, and return when it is drawn.

        Not to be called with the session's lock held: a drawing that is under way may wait for it.
        """
        self._run()

    def close(self) -> None:
        """Draw no more; a drawing that is under way may still end."""
        with self._lock:
            self._closed = True
            self._parts.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _run(self) -> None:
        with self._drawing:
            with self._lock:
                parts, self._parts = self._parts, set()
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
                self._last = monotonic()
            if not parts:
                return
            try:
                self._draw(parts)
            except Exception as error:  # noqa: BLE001 - nobody above on this thread; it is shown
                self._on_error(error)


@atexit.register
def _stop_drawing() -> None:
    # a thread that comes back from compiled code after Python has ended takes the process with it
    for refresher in list(_alive):
        refresher.close()
        if refresher._drawing.acquire(timeout=2.0):  # noqa: SLF001 - our own
            refresher._drawing.release()  # noqa: SLF001
