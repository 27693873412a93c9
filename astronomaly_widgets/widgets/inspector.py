"""One object, large: its picture, its numbers, its neighbors, its label."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets as t

from .. import render
from ..density import typical
from . import _facts, _plots
from ._channel import Channel
from ._drafts import Draft, drafts_of
from ._position import LINKS, check
from ._refresh import Refresher
from ._static import bundle
from ._thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

_LARGEST = 1024  # pixels of the picture's longer side
_PROFILE = 512  # side of the drawing of an object without a picture
_NEIGHBOR = 72  # side of a neighbor's picture, in pixels
_N_NEIGHBORS = 12
_SETTLED = 0.2  # seconds an object stays before its neighbors are looked for


class Inspector(anywidget.AnyWidget):
    """The current object of a session: picture with zoom and pan, catalog row, features, neighbors.

    Its score, tags and comment can be given here too. :meth:`enlarge` shows it over the whole
    window, where 0-5 score and the arrow keys step through the objects.

    Parameters
    ----------
    session : Session
    on_step : callable, optional
        ``on_step(by)``: what the arrow keys and the step after a score do, with ``by`` = 1 or -1.
        By default they follow the suggested order, labeled objects included.

    Attributes
    ----------
    record : dict
        Everything shown of one object but its label, its picture or plot included, as one: a
        picture can never stand over another's name.
    label : dict
        ``object_id``, ``score`` (None without a label), ``tags``, ``comment``; what is written
        before there is a score waits for it, also if that is given in the gallery.
    neighbors : dict
        ``object_id`` and the ``objects`` nearest to it: id, score, picture.
    links : dict
        Name and template of each link to a page on the object's position; may be replaced by
        one's own, such as ``{"Archive": "https://example.org/?ra={ra}&dec={dec}"}``. In braces
        stand ``ra``, ``dec``, ``signed_dec`` (degrees), ``ra_hms``, ``dec_dms``, ``object_id`` or
        a column of the catalog.
    """

    _esm = bundle(
        "keeper.js",
        "channel.js",
        "picture_url.js",
        "own_keys.js",
        "digit_keys.js",
        "score_colors.js",
        "inspector_picture.js",
        "inspector_plot.js",
        "inspector.js",
    )
    _css = bundle("theme.css", "panel.css", "inspector.css", "inspector_plot.css", "dashboard.css")

    record = t.Dict().tag(sync=True)
    label = t.Dict().tag(sync=True)
    neighbors = t.Dict().tag(sync=True)
    links = t.Dict()

    _linked = False

    def __init__(self, session: Session, *, on_step: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self.session = session
        self.on_step = on_step
        self.links = dict(LINKS)
        self._keys = count(1)
        self._typical: tuple[Any, ...] | None = None
        self._order: tuple[int, Any] | None = None
        self._settling: str | None = None
        self._band: int | None = None  # of the images, or all of them
        self._pictures = Thumbnails(session, _NEIGHBOR, capacity=128)
        self.channel = Channel(
            self,
            session,
            {
                "label": self._on_label,
                "draft": self._on_draft,
                "unlabel": self._on_unlabel,
                "undo": self._on_undo,
                "redo": self._on_redo,
                "go": self._on_go,
                "step": self._on_step,
                "band": self._on_band,
            },
            decisions=("label", "unlabel"),
        )
        self.add_class("aw-inspector")
        self.add_class("aw-panel")
        self._refresher = Refresher(self._draw, self._keep_error, interval=0.1, delay=0.06)
        self._neighborhood = Refresher(
            self._draw_neighbors, self._keep_error, interval=_SETTLED, delay=_SETTLED
        )
        session.observe(self._on_session, names=list(_PARTS))
        self._linked = True
        self._draw({"record"})
        self._neighborhood.request("neighbors")

    def enlarge(self) -> None:
        """Show it over the whole window, once in every page where it is to be seen."""
        self.channel.push("enlarge", {})

    def close(self) -> None:
        """Let go of the session, and leave the page."""
        if self._linked:  # ipywidgets closes again what is collected
            self._linked = False
            self.session.unobserve(self._on_session, names=list(_PARTS))
            self._refresher.close()
            self._neighborhood.close()
            self._pictures.close()
            self.channel.close()
        super().close()

    @t.validate("links")
    def _check_links(self, proposal: Any) -> dict[str, str]:
        return check(proposal["value"])

    @t.observe("links")
    def _show_links(self, _change: Any) -> None:
        if self._linked:
            self._refresher.request("record")

    # from the session, on any thread

    def _on_session(self, change: Any) -> None:
        self._refresher.request(_PARTS[change["name"]])
        if change["name"] != "score_revision":
            self._neighborhood.request("neighbors")

    def _keep_error(self, error: Exception) -> None:
        if self._linked:  # a drawing that was under way when it was closed has no pictures
            self.session.last_error = error

    # from the front end

    def _on_label(self, message: dict[str, Any]) -> None:
        self.session.label(
            message["object_id"],
            message["score"],
            tuple(message.get("tags", ())),
            message.get("comment", ""),
            seconds=message.get("seconds"),
            event_id=message["event_id"],
        )
        drafts_of(self.session).pop(message["object_id"], None)

    def _on_draft(self, message: dict[str, Any]) -> None:
        """Keep what is written of an object without a score: it is stored with its score."""
        self.session.row_of(message["object_id"])
        known = self.session.label_of(message["object_id"])
        if known is not None:  # it was scored meanwhile
            self._on_label({**message, "score": known.score})
            return
        words = Draft(tuple(message["tags"]), message["comment"])
        drafts_of(self.session)[message["object_id"]] = words
        self._refresher.request("label")

    def _on_unlabel(self, message: dict[str, Any]) -> None:
        self.session.unlabel(message["object_id"], event_id=message["event_id"])
        drafts_of(self.session).pop(message["object_id"], None)

    def _on_undo(self, message: dict[str, Any]) -> None:
        self._show_touched(self.session.undo(event_id=message["event_id"]))

    def _on_redo(self, message: dict[str, Any]) -> None:
        self._show_touched(self.session.redo(event_id=message["event_id"]))

    def _show_touched(self, object_ids: tuple[str, ...]) -> None:
        # what is gone from the data may still be in the log
        if len(object_ids) == 1 and self.session.rows_of(object_ids)[0] >= 0:
            self.session.current_id = object_ids[0]

    def _on_go(self, message: dict[str, Any]) -> None:
        self.session.current_id = message["object_id"]

    def _on_step(self, message: dict[str, Any]) -> dict[str, Any]:
        by = 1 if message["by"] > 0 else -1
        if self.on_step is not None:
            self.on_step(by)
        else:
            self._step(by)
        return {"current": self.session.current_id}

    def _on_band(self, message: dict[str, Any]) -> None:
        band = message["band"]
        self._band = None if band is None else int(band)
        self._refresher.request("record")

    def _step(self, by: int) -> None:
        session = self.session
        now = session.ranking_revision, session.batch_settings
        if self._order is None or self._order[0] != now:
            self._order = now, session.ranking_rows("suggested", unlabeled_first=False)
        rows = self._order[1]
        here = np.flatnonzero(rows == session.rows_of([session.current_id or ""])[0])
        there = int(here[0]) + by if len(here) else (0 if by > 0 else len(rows) - 1)
        if 0 <= there < len(rows):
            session.current_id = session.ids_of(rows[[there]])[0]

    # drawing, on the refreshers' threads

    def _draw(self, parts: set[str]) -> None:
        record = self._record() if "record" in parts else None
        label = _facts.label(self.session, self.session.current_id)
        self.channel.run(self._show, record, label)

    def _show(self, record: dict[str, Any] | None, label: dict[str, Any]) -> None:
        with self.hold_sync():
            if record is not None:
                self.record = record
            self.label = label

    def _record(self) -> dict[str, Any]:
        session = self.session
        object_id = session.current_id
        if object_id is None:
            return {"key": next(self._keys), "object_id": None}
        if self._typical is None:
            self._typical = typical(session.features)
        plot = _plots.of(session, object_id)
        picture, bands = self._picture(object_id) if plot is None else (None, ())
        band = self._band if self._band is not None and self._band < len(bands) else None
        return {
            "key": next(self._keys),
            "object_id": object_id,
            "picture": picture,
            "mime": "" if picture is None else render.mime(picture),
            "bands": list(bands),
            "band": band,
            "plot": plot,
            **_facts.of(session, object_id, *self._typical, self.links),
        }

    def _draw_neighbors(self, _parts: set[str]) -> None:
        session = self.session
        object_id = session.current_id
        if object_id != self._settling:  # still on the way to somewhere: look again
            self._settling = object_id
            self._neighborhood.request("neighbors")
            return
        found = [] if object_id is None else session.similar_to(object_id, _N_NEIGHBORS)
        names = [str(name) for name in found]
        objects = [
            {"object_id": name, "score": session.score_of(name), "picture": picture}
            for name, picture in zip(names, self._pictures.get(names), strict=True)
        ]
        self._pictures.forget_failed()
        self.channel.run(setattr, self, "neighbors", {"object_id": object_id, "objects": objects})

    def _picture(self, object_id: str) -> tuple[bytes, tuple[str, ...]]:
        source = self.session.source
        if source is None or source.kind == "table":
            row = self.session.row_of(object_id)
            return render.profile(self.session.features[row], _PROFILE), ()
        return render.picture_and_bands(source, object_id, _LARGEST, band=self._band)


# what is drawn again when a trait of the session changes
_PARTS = {"current_id": "record", "score_revision": "record", "label_revision": "label"}
