"""Loops that are compiled when they are first called, and let other threads run meanwhile."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_one_at_a_time = threading.Lock()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays with numba, at its first call.

    The machine code is kept on disk for the next process, and runs without the interpreter's lock.
    Additions stay in the order in which they are written: results do not depend on the machine's
    vectors.
    """
    made: list[Callable[..., Any]] = []

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        if not made:
            with _one_at_a_time:
                if not made:
                    made.append(_compile(function))
        return made[0](*arguments)

    return call


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    import numba

    try:
        ready: Callable[..., Any] = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the home folder can be written to
        ready = numba.njit(nogil=True)(function)
    return ready
