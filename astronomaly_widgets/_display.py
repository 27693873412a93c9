"""How a session, a replay or an exercise becomes a picture without knowing who draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# set by the package's own door, which may import everything
make_dashboard: Callable[[Any], Any] | None = None
make_classroom: Callable[[Any], Any] | None = None
make_replay_panel: Callable[[Any], Any] | None = None
make_comparison_panel: Callable[[Any], Any] | None = None
