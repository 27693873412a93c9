"""The gallery: where objects are looked at and scored."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets as t

from ._channel import Channel, in_words
from ._drafts import drafts_of
from ._gallery_settings import (
    PER_PAGE,
    ZOOMS,
    checked_order,
    checked_per_page,
    checked_zoom,
    initial_settings,
)
from ._static import bundle
from ._viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from astronomaly_widgets.session import Session

_MOST_AT_ONCE = 10_000  # labels in one step: each is a row in the log
_PACES = (0, 10, 20, 50)  # labels after which a retrain starts by itself; 0 = when asked


class Gallery(anywidget.AnyWidget):
    """Thumbnails of the most promising objects, scored 0-5 by mouse or key.

    A page is one record per object (id, picture, scores), so that a picture can never be labeled
    under another's id, and it never reorders while it is looked at: a new ranking is offered, and
    taken on demand or when the next page is turned to. Clicks and keys are drawn by the browser at
    once, stored by the kernel, and confirmed; what could not be stored is marked and counted. If
    the page or the kernel goes before, the browser keeps it, and it is stored when the project is
    next shown there.

    Keys, while the gallery has the focus: 0-5 score the current object and go to the next; arrows,
    home and end move; space or enter open the inspector; u or ctrl-z undo, shift-u or ctrl-y redo;
    delete takes a label away; shift-0 scores what is unlabeled on the page 0; page-up and page-down
    turn the page; r retrains; t takes the new ranking; + and - magnify; / finds an id; escape shows
    all objects again; ? lists the keys. After the last object of a page the gallery waits: enter,
    space, right or page-down go on, and digits do nothing, so that no object is scored before it
    was seen.

    Parameters
    ----------
    session : Session
        What is shown and labeled. Several galleries of one session stay in step.
    per_page : int, optional
        Objects on a page, 1..100. By default as in the last session of the project, else 24.
    order : str, optional
        One of ``session.orders``. By default as in the last session of the project, else
        "suggested".
    thumbnail_size : int
        Side of a thumbnail, in pixels.

    Attributes
    ----------
    page : dict
        What is shown, as the browser gets it: one trait, so one atomic message.
    state : dict
        What the toolbar and the status line say.

    Raises
    ------
    ValueError
        If `per_page` or `order` is not possible.
    """

    _esm = bundle(
        "keeper.js",
        "channel.js",
        "picture_url.js",
        "own_keys.js",
        "digit_keys.js",
        "score_colors.js",
        "gallery_head.js",
        "gallery_grid.js",
        "gallery.js",
    )
    _css = bundle("theme.css", "gallery.css")

    page = t.Dict().tag(sync=True)
    state = t.Dict().tag(sync=True)

    _undo_setup: tuple[Callable[[], Any], ...] = ()

    def __init__(
        self,
        session: Session,
        *,
        per_page: int | None = None,
        order: str | None = None,
        thumbnail_size: int = 150,
    ) -> None:
        settings = initial_settings(session, per_page, order)
        self.session = session
        self._inspectors: list[Callable[[str], Any]] = []
        self._refresh_waits = Event()
        self._viewer = Viewer(
            session,
            publish=self._publish,
            push=self._push,
            is_watched=self._is_watched,
            settings=settings,
            thumbnail_size=thumbnail_size,
        )
        super().__init__(page=self._viewer.page, state=self._state())
        self._channel = Channel(
            self,
            session,
            self._handlers(),
            hello=self._on_hello,
            decisions=("score", "rest", "unlabel"),
        )
        self._undo_setup = self._observe()
        self._viewer.move_to(self.page["current"])

    def on_inspect(self, callback: Callable[[str], Any]) -> None:
        """Call ``callback(object_id)`` when the person wants to see an object large.

        It is called on the thread that handles the person's messages: return within 20 ms.
        """
        self._inspectors.append(callback)

    def close(self) -> None:
        """Let go of the session and of the threads."""
        for undo in self._undo_setup:
            undo()
        self._undo_setup = ()
        super().close()

    # -- what the person did ---------------------------------------------------------------

    def _handlers(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]]:
        session = self.session
        return {
            "score": self._on_score,
            "rest": self._on_rest,
            "all": self._on_all,
            "unlabel": self._on_unlabel,
            "undo": lambda m: self._on_history(session.undo(event_id=m["event_id"])),
            "redo": lambda m: self._on_history(session.redo(event_id=m["event_id"])),
            "current": self._on_moved,
            "inspect": self._on_inspect,
            "turn": lambda m: self._viewer.turn(m["to"], m["client"], m["turn"]),
            "take": lambda _: self._viewer.take(),
            "order": lambda m: self._viewer.change(order=checked_order(session, m["order"])),
            "hide": lambda m: self._viewer.change(hide_labeled=bool(m["hide"])),
            "per_page": lambda m: self._viewer.change(per_page=checked_per_page(m["per_page"])),
            "zoom": lambda m: self._viewer.change(zoom=checked_zoom(m["zoom"])),
            "find": lambda m: self._viewer.find(str(m["text"])),
            "clear": lambda _: self._viewer.clear(),
            "retrain": self._on_retrain,
            "cancel": lambda _: self._viewer.later(session.cancel_retrain),
            "pace": lambda m: self._viewer.later(
                setattr, session, "retrain_every", int(m["every"])
            ),
            "audit": lambda _: self._viewer.later(self._draw_audit),
            "dismiss": lambda _: self._viewer.later(setattr, session, "last_error", None),
        }

    def _on_hello(self) -> dict[str, Any]:
        self._viewer.send_ahead()
        # a browser that was away has the page of then
        labels = self._labels_of([record["object_id"] for record in self.page["records"]])
        return {"current": self.session.current_id, **labels}

    def _on_score(self, message: dict[str, Any]) -> dict[str, Any]:
        object_id = message["object_id"]
        seconds, event_id = message.get("seconds"), message["event_id"]
        self._label_many([object_id], message["score"], seconds=seconds, event_id=event_id)
        if message.get("next") is not None:
            self._viewer.later(self._viewer.move_to, message["next"])
        return self._labels_of([object_id])

    def _on_retrain(self, _message: dict[str, Any]) -> None:
        session = self.session
        # labels that were taken away are something to learn, too
        if not (session.n_labeled or len(session.history)):
            text = "there is nothing to learn from yet: score some objects first"
            self._viewer.later(self._push, "note", {"text": text})  # no error that would stay
        else:
            self._viewer.later(session.retrain)

    def _on_rest(self, message: dict[str, Any]) -> dict[str, Any]:
        ids = list(message["object_ids"])
        seconds, event_id = message.get("seconds"), message["event_id"]
        self._label_many(ids, message["score"], seconds=seconds, event_id=event_id)
        return self._labels_of(ids)

    def _on_all(self, message: dict[str, Any]) -> dict[str, Any]:
        rows = self._viewer.listing.filtered_rows
        if rows is None:
            raise ValueError("no filter is set: score the page, or choose objects on the map first")
        if len(rows) > _MOST_AT_ONCE:
            raise ValueError(
                f"{len(rows):,} objects are shown; at most {_MOST_AT_ONCE:,} are scored at once"
            )
        ids = self.session.ids_of(rows)
        self._label_many(ids, message["score"], event_id=message["event_id"])
        self.session.notice = f"{len(ids):,} scored {message['score']:g}; undo takes it back"
        return self._labels_of([record["object_id"] for record in self.page["records"]])

    def _label_many(self, object_ids: Iterable[str], score: float, **fields: Any) -> None:
        self.session.label_many(object_ids, score, words=drafts_of(self.session), **fields)

    def _on_unlabel(self, message: dict[str, Any]) -> dict[str, Any]:
        self.session.unlabel(message["object_id"], event_id=message["event_id"])
        drafts_of(self.session).pop(message["object_id"], None)
        return self._labels_of([message["object_id"]])

    def _on_history(self, touched: Sequence[str]) -> dict[str, Any]:
        if touched:
            self._viewer.reveal(touched)
        return {**self._labels_of(touched), "touched": len(touched)}

    def _on_moved(self, message: dict[str, Any]) -> None:
        self.session.row_of(message["object_id"])
        self._viewer.later(self._viewer.move_to, message["object_id"])

    def _on_inspect(self, message: dict[str, Any]) -> None:
        self.session.row_of(message["object_id"])
        self._viewer.move_to(message["object_id"])
        for callback in self._inspectors:
            callback(message["object_id"])

    def _labels_of(self, object_ids: Iterable[str]) -> dict[str, Any]:
        """Return what a view needs to paint labels; pairs, because an id may be ``__proto__``."""
        return {"labels": [(name, self.session.score_of(name)) for name in object_ids]}

    # -- what happened in the session (on any thread) --------------------------------------

    def _observe(self) -> tuple[Callable[[], Any], ...]:
        session, viewer = self.session, self._viewer
        observers = {
            self._refresh_soon: [
                *("label_revision", "score_revision", "early_revision", "batch_settings"),
                *("last_error", "progress", "retraining", "retrain_every", "status", "title"),
            ],
            self._on_current: ["current_id"],
            self._on_selection: ["selected_ids"],
            self._on_notice: ["notice"],
        }
        for observer, names in observers.items():
            session.observe(observer, names)

        def unobserve() -> None:
            for observer, names in observers.items():
                session.unobserve(observer, names)

        return unobserve, self._channel.close, viewer.close

    def _refresh_soon(self, _change: Any) -> None:
        if not self._refresh_waits.is_set():  # many changes, one refresh
            self._refresh_waits.set()
            self._viewer.later(self._refresh)

    def _on_current(self, change: Any) -> None:
        if change["new"] is not None:
            self._viewer.follow(change["new"])

    def _on_selection(self, change: Any) -> None:
        self._viewer.select(change["new"])

    def _on_notice(self, change: Any) -> None:
        if change["new"]:
            self._viewer.later(self._push, "note", {"text": change["new"]})

    # -- what the views are told (on the worker) -------------------------------------------

    def _publish(self, page: dict[str, Any]) -> None:
        self._channel.run(setattr, self, "page", page)
        self._refresh()

    def _push(self, kind: str, fields: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self._channel.push(kind, fields, buffers)

    def _draw_audit(self) -> None:
        if not len(self.session.draw_audit()):
            self._push("note", {"text": "every object has a score: there is none to draw"})

    def _is_watched(self) -> bool:
        return bool(self._channel.clients)

    def _refresh(self) -> None:
        self._refresh_waits.clear()
        self._viewer.complete()
        changed = self._viewer.refresh_labels()
        if changed:
            self._channel.push("labels", {"labels": changed})
        self._channel.run(setattr, self, "state", self._state())
        self._viewer.send_ahead()

    def _state(self) -> dict[str, Any]:
        session, viewer = self.session, self._viewer
        error = session.last_error
        shown = viewer.listing.filter
        return {
            **viewer.settings,
            "title": session.title,
            "n_objects": session.n_objects,
            "n_set_aside": len(session.set_aside),
            "n_labeled": session.n_labeled,
            "n_found": session.n_found,
            "can_undo": session.can_undo,
            "can_redo": session.can_redo,
            "retraining": session.retraining,
            "progress": round(session.progress, 2),
            "status": session.status,
            "error": "" if error is None else in_words(error),
            "offers": viewer.offers,
            "orders": list(session.orders),
            "page_sizes": sorted({*PER_PAGE, viewer.settings["per_page"]}),
            "zooms": ZOOMS if getattr(session.source, "kind", "") == "image" else (),
            "paces": sorted({*_PACES, session.retrain_every}),
            "retrain_every": session.retrain_every,
            "filter": shown and {"kind": shown["kind"], "text": shown["text"], "n": shown["n"]},
            "most_at_once": _MOST_AT_ONCE,
            "is_temporary": session.is_temporary,
            "read_only": session.read_only,
        }
