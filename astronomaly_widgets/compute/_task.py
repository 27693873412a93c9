"""Something long that is being done: watched, and cancelled."""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


def is_cancelled() -> bool:
    """Whether the running task, if there is one, was cancelled."""
    task = _current.get()
    return task is not None and task.cancel.is_set()
