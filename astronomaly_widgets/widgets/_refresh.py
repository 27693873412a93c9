"""Drawing again, soon and once: many changes become one picture, on a thread of its own."""

from __future__ import annotations

import atexit
from threading import Condition, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

_MANY = 100_000  # objects; a drawing of fewer is not noticed
_IDLE = 30.0  # seconds after which a thread that nobody needs ends

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
        self._changed = Condition()  # its lock guards what follows, and is never held while drawing
        self._parts: set[str] = set()
        self._due = 0.0
        self._last = -interval
        self._thread: Thread | None = None
        self._closed = False
        self._drawing = Lock()
        _alive.add(self)

    def request(self, *parts: str, at_once: bool = False) -> None:
        """Have these parts drawn soon, or `at_once` if who asks waits for it; returns at once."""
        with self._changed:
            if self._closed:
                return
            if at_once:
                self._due = monotonic()
                self._changed.notify()
            elif not self._parts:
                self._due = max(monotonic() + self._delay, self._last + self._interval)
                self._changed.notify()
            self._parts.update(parts)
            # kept for all drawings: to start one waits for it, and would do so in each label
            if self._thread is None:
                self._thread = Thread(target=self._run, name="aw-refresh", daemon=True)
                self._thread.start()

    def begin(self, *parts: str, n_objects: int) -> None:
        """Have these parts drawn for the first time: now, or of many objects when the page is up.

        What goes wrong now is raised.
        """
        if n_objects > _MANY:
            self.request(*parts)
        else:
            self._draw(set(parts))

    def flush(self) -> None:
        """Draw what was requested now, and return when it is drawn.

        Not to be called with the session's lock held: a drawing that is under way may wait for it.
        """
        with self._drawing:
            with self._changed:
                parts, self._parts = self._parts, set()
                self._last = monotonic()
            if not parts:
                return
            try:
                self._draw(parts)
            except Exception as error:  # noqa: BLE001 - nobody above on this thread; it is shown
                self._on_error(error)

    def close(self) -> None:
        """Draw no more; a drawing that is under way may still end."""
        with self._changed:
            self._closed = True
            self._parts.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._parts or self._due > monotonic()):
                    wait = self._due - monotonic() if self._parts else _IDLE
                    if not self._changed.wait(wait) and not self._parts:
                        self._thread = None
                        return
                if self._closed:
                    return
            self.flush()


@atexit.register
def _stop_drawing() -> None:
    # a thread that comes back from compiled code after Python has ended takes the process with it
    for refresher in list(_alive):
        refresher.close()
        if refresher._drawing.acquire(timeout=2.0):  # noqa: SLF001 - our own
            refresher._drawing.release()  # noqa: SLF001
