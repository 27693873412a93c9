"""The head of a panel whose body is drawn by others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets as t

from ._channel import Channel
from ._static import bundle

if TYPE_CHECKING:
    from ..session import Session


class PanelHead(anywidget.AnyWidget):
    """A title, and a note in words; it also brings the style sheet of its panel.

    Attributes
    ----------
    title, note : str
    """

    _esm = bundle("keeper.js", "channel.js", "panel_head.js")
    _css = bundle("theme.css", "panel.css", "recall.css")

    title = t.Unicode().tag(sync=True)
    note = t.Unicode().tag(sync=True)

    def __init__(self, session: Session, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channel = Channel(self, session, {})

    def close(self) -> None:
        """Take no more messages, and leave the page."""
        self.channel.close()
        super().close()
