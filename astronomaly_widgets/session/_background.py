"""Work on threads of its own, while labeling goes on."""

from __future__ import annotations

import atexit
import time
from concurrent.futures import CancelledError
from threading import Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..exceptions import ProjectError
from ._early import Early

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from .. import compute
    from ..project import Project

_GONE_OVER = "not kept on disk: the project has gone over to other objects since"
# sessions that have worked in the background, for as long as they live
_working: WeakSet[Background] = WeakSet()


class Background(Early):
    """What runs meanwhile, and what becomes of its results."""

    def _keep_result(self, what: str, name: str, key: str | None, **arrays: NDArray[Any]) -> None:
        """Write arrays to disk; if that is not done, say so."""
        why = self._written(self.project, lambda: self.project.add_arrays(name, str(key), **arrays))
        if why:
            self._tell(status=what + why)

    def _written(self, project: Project, write: Callable[[], bool]) -> str:
        """Return what to say if results are not on disk after `write`: they are here all the same.

        It returns whether the objects are still those of the project.
        """
        if project.read_only or project.temporary:  # what is temporary is kept by `save`
            return ""
        try:
            return "" if write() else f", {_GONE_OVER}"
        except (ProjectError, OSError) as error:  # a full disk
            self.last_error = error
            return f", but not on disk: {error}"

    def _in_background(
        self,
        future: Future[Any],
        task: compute.Task,
        work: Callable[..., None],
        *more: Any,
    ) -> None:
        """Run ``work(future, task, *more)`` on a thread of its own.

        The future stays pending until the result is in, because only a pending future can be
        cancelled; the task then learns of it.
        """
        future.add_done_callback(lambda f: task.cancel.set() if f.cancelled() else None)

        def run() -> None:
            try:
                work(future, task, *more)
            except CancelledError:
                future.cancel()
            except BaseException as error:  # noqa: BLE001 - learners are anybody's code
                self.last_error = error
                if future.running() or future.set_running_or_notify_cancel():
                    future.set_exception(error)

        # a daemon, so that a kernel may be shut down in the middle: labels are on disk
        name = getattr(work, "__name__", "background")
        thread = Thread(target=run, name=name, daemon=True)
        with self.lock:
            self._threads = [*(old for old in self._threads if old.is_alive()), thread]
            self._futures = [*(old for old in self._futures if not old.done()), future]
        _working.add(self)
        thread.start()

    def _stop_work(self, seconds: float) -> None:
        """Cancel what runs in the background, and wait for it to end, but not for long."""
        with self.lock:
            futures = self._futures
        for future in futures:  # not under the lock: it tells whoever waits
            future.cancel()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _show_progress(self, fraction: float) -> None:
        if fraction == 1 or fraction - self.progress >= 0.01:
            self._tell(progress=fraction)

    def _tell(self, **traits: Any) -> None:
        for name, value in traits.items():
            with self._announcing():
                setattr(self, name, value)


@atexit.register
def _stop_all_work() -> None:
    # a thread that comes back from compiled code after Python has ended takes the process with it
    for session in list(_working):
        session._stop_work(2.0)  # noqa: SLF001 - our own sessions
