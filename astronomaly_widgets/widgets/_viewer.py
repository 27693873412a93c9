"""What a gallery shows: which ranking was taken, which page of it, and what is sent ahead."""

from __future__ import annotations

from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from ._composer import Composer
from ._listing import Listing
from ._refresh import Refresher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from astronomaly_widgets.session import Session

    from ._pages import Pages

_VIEWS_REMEMBERED = 32
_PREVIOUS_AFTER = 0.3  # seconds on a page, before those who leaf forward are sent the last one

# the viewer that is moving session.current_id, for the observers that are called thereby
_mover: ContextVar[Viewer | None] = ContextVar("astronomaly_widgets_mover", default=None)


class Viewer:
    """Decides, on one thread of its own, what a gallery shows.

    Public methods may be called on any thread and return at once. Those that begin with an
    underscore run on the worker, one after the other, so that they need no lock.

    Parameters
    ----------
    session : Session
    publish : callable
        ``publish(page)`` is called with each new page; see :meth:`Composer.compose`. Its
        ``turned`` says which request of each view was answered last.
    push : callable
        ``push(kind, fields, buffers)`` sends a message to the views.
    is_watched : callable
        ``is_watched()``: whether there is a view; without one nothing is sent ahead.
    settings : dict
        ``order``, ``hide_labeled``, ``per_page``, ``zoom``.
    thumbnail_size : int

    Attributes
    ----------
    listing : Listing
        What there is to page through.
    page : dict
        The page that is shown.
    """

    def __init__(
        self,
        session: Session,
        *,
        publish: Callable[[dict[str, Any]], None],
        push: Callable[..., None],
        is_watched: Callable[[], bool],
        settings: dict[str, Any],
        thumbnail_size: int,
    ) -> None:
        self.session = session
        self._publish = publish
        self._push = push
        self._is_watched = is_watched
        self._composer = Composer(session, thumbnail_size)
        self._pictures = self._composer.pictures
        self._pictures.zoom = settings["zoom"]
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="aw-gallery")
        self._previous = Refresher(
            lambda _: self.later(self._send_ahead, "previous"), self._keep, delay=_PREVIOUS_AFTER
        )
        self._turned: dict[str, int] = {}  # view -> its last request that was answered
        self._turns_waiting: set[tuple[str, int]] = set()
        self._sent_ahead: dict[str, str] = {}  # direction -> key of the page
        self.listing = Listing(session, settings)
        current = session.current_id
        self._place = current  # the object of the ranking to come back to from a filter
        self._shown = self.listing.around(current) or self.listing.pages.start()
        self.page = self._compose(self.listing.pages, self._shown)

    # -- asked for, on any thread ----------------------------------------------------------

    def later(self, function: Callable[..., Any], *args: Any) -> None:
        """Do something on the worker; what goes wrong there is kept and shown."""
        try:
            self._worker.submit(function, *args).add_done_callback(self._report)
        except RuntimeError:
            return  # the gallery was closed while the person's last message was under way

    def turn(self, to: str, view: str, request: int) -> None:
        """Turn to the "next" or "previous" page; the page that answers carries `request`."""
        self._turns_waiting.add((view, request))
        self.later(self._turn, to, view, request)

    def change(self, **settings: Any) -> None:
        """Change the order, what is hidden, the size of the page, or the zoom."""
        ranking = self.listing.ranking
        ranking.settings = {**self.settings, **settings}
        ranking.forget()
        if "zoom" in settings:
            self.later(self._magnify)
        elif "per_page" in settings:
            self.later(self._resize)
        else:
            keep = self.session.current_id if "hide_labeled" in settings else None
            self.later(self._take, keep)

    def take(self) -> None:
        """Show the newest ranking from its beginning."""
        self.later(self._take, None)

    def find(self, text: str) -> None:
        """Show the object with this id, or all objects whose id contains it."""
        self.later(self._find, text)

    def select(self, object_ids: Sequence[str]) -> None:
        """Show only these; none means all again."""
        self.later(self._select, list(object_ids))

    def clear(self) -> None:
        """Show all objects again."""
        self.later(self._clear)

    def move_to(self, object_id: str | None) -> None:
        """Make an object of ours current, without following it ourselves; None changes nothing."""
        if object_id is None:
            return
        self._keep_place(object_id)
        token = _mover.set(self)
        try:
            self.session.current_id = object_id
        finally:
            _mover.reset(token)

    def follow(self, object_id: str) -> None:
        """Mark the object that became current; call it while the session says so.

        If it was not another gallery that moved there, turn to its page: two galleries of one
        session would else turn each other's pages.
        """
        mover = _mover.get()
        if mover is not self:
            self.later(self._follow, object_id, mover is None)

    def reveal(self, object_ids: Sequence[str]) -> None:
        """Go to what an undo or redo has changed; what is on no page is shown by itself."""
        self.later(self._reveal, list(object_ids))

    def send_ahead(self) -> None:
        """Send the neighboring pages to the views, so that turning to them is instant."""
        self.later(self._send_ahead, "next", "previous")

    def refresh_labels(self) -> list[tuple[str, float | None]]:
        """Return the objects of the page whose score has changed, and keep the page up to date."""
        changed = []
        for record in self.page["records"]:
            score = self.session.score_of(record["object_id"])
            if score != record["score"]:
                record["score"] = score
                changed.append((record["object_id"], score))
        return changed

    @property
    def settings(self) -> dict[str, Any]:
        """The order, what is hidden, the size of a page, the zoom."""
        return self.listing.ranking.settings

    @property
    def offers(self) -> str:
        """Which ranking there is besides the one shown; see :attr:`TakenRanking.offers`."""
        return self.listing.offers

    def complete(self) -> None:
        """Let what was scored since follow first pages that were taken; on the worker."""
        self.listing.complete(self._shown)

    def close(self) -> None:
        """Show nothing more."""
        self._previous.close()
        self._pictures.close()
        self._worker.shutdown(wait=False, cancel_futures=True)

    # -- the worker: rankings and filters --------------------------------------------------

    def _keep(self, error: BaseException) -> None:
        self.session.last_error = error

    def _report(self, done: Future[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None and not isinstance(error, CancelledError):
            self.session.last_error = error
            # whoever waits for a page gets the one there is
            self.page = {**self.page, "turned": dict(self._turned)}
            self._publish(self.page)

    def _ids(self) -> tuple[str, ...]:
        return tuple(record["object_id"] for record in self.page["records"])

    def _keep_place(self, object_id: str) -> None:
        if self.listing.filter is None and object_id in self._ids():
            self._place = object_id

    def _take(self, keep: str | None) -> None:
        """Take the newest ranking, at the page that holds the object to keep, or the first."""
        listing = self.listing
        listing.ranking.take()
        if listing.filter is not None:
            listing.apply_again()
            self._show(listing.pages.start())
        else:
            shown = listing.around(keep) or listing.pages.start()
            ids = listing.ids_on(listing.pages, shown)
            open_ones = (name for name in ids if self.session.score_of(name) is None)
            self._show(shown, keep if keep in ids else next(open_ones, None))

    def _resize(self) -> None:
        listing = self.listing
        listing.resize()
        ids, current = self._ids(), self.session.current_id
        anchor = current if current in ids else next(iter(ids), "")
        self._show(listing.around(anchor) or listing.pages.start())

    def _magnify(self) -> None:
        self._pictures.zoom = self.settings["zoom"]
        self._show(self._shown)

    def _find(self, text: str) -> None:
        if self.session.rows_of([text])[0] >= 0:
            self.move_to(text)
            self._follow(text, True)
            self._remember()
            return
        ids, note = self.listing.find(text)
        if note:
            self._push("note", {"text": note})
        if ids:
            self._apply_filter({"kind": "found", "text": text, "ids": ids})

    def _select(self, object_ids: list[str]) -> None:
        if object_ids:
            drawn = tuple(object_ids) == self.session.audit_ids
            kind = "audit" if drawn else "selected"
            self._apply_filter({"kind": kind, "text": "", "ids": object_ids})
        elif (self.listing.filter or {}).get("kind") in ("selected", "audit"):
            self._clear()

    def _clear(self) -> None:
        if self.listing.filter is not None:
            shown = self.listing.forget_filter()
            ids = self.listing.ids_on(self.listing.pages, shown)
            self._show(shown, self._place if self._place in ids else None)

    def _apply_filter(self, wanted: dict[str, Any], before: Sequence[int] | None = None) -> None:
        self.listing.apply(wanted, self._shown if before is None else tuple(before))
        self._show(self.listing.pages.start())

    # -- the worker: pages -----------------------------------------------------------------

    def _turn(self, to: str, view: str, request: int) -> None:
        self._turned[view] = request
        if len(self._turned) > _VIEWS_REMEMBERED:  # every reload of the browser is a new view
            del self._turned[next(iter(self._turned))]
        self._turns_waiting.discard((view, request))
        if to == "next" and self.offers:
            self.listing.ranking.take_offered()
            there = self.listing.pages.start()
        else:
            there = self.listing.neighbor(to, self._shown)[1] or self._shown
        if self._turns_waiting:  # this page would be turned at once
            self._shown = there
        else:
            self._show(there)

    def _follow(self, object_id: str, turning: bool) -> None:
        if object_id in self._ids():
            self._keep_place(object_id)
            self._push("current", {"object_id": object_id})
            return
        if not turning:
            return
        shown, before = self.listing.around(object_id), self._shown
        if not shown and self.listing.filter is not None:
            before = self.listing.forget_filter()
            shown = self.listing.around(object_id)
        if shown:
            self._show(shown, object_id)
        else:  # in no page, because it was labeled before this ranking was taken
            self._apply_filter({"kind": "found", "text": object_id, "ids": [object_id]}, before)

    def _reveal(self, object_ids: list[str]) -> None:
        first = object_ids[0]
        (row,) = self.session.rows_of([first])
        if row < 0:
            self._push("note", {"text": f"{first} was changed; it is gone from the data"})
        elif first in self._ids() or self.listing.ranking.pages.around(row):
            self.move_to(first)
            self._follow(first, True)
        else:
            self._apply_filter({"kind": "changed", "text": "", "ids": object_ids})

    def _show(self, positions: Sequence[int], current: str | None = None) -> None:
        self._pictures.forget_waiting()
        self._sent_ahead = {}
        try:
            self.page = self._compose(self.listing.pages, positions, current)
        finally:
            self._pictures.forget_failed()
        self._shown = tuple(positions)  # only now: what could not be composed was not shown
        self._publish(self.page)
        self.move_to(self.page["current"])
        self._remember()
        self._send_ahead("next")
        self._previous.request("previous")

    def _remember(self) -> None:
        if not self.session.read_only:
            current = self.session.current_id
            self.session.save_view_state(current_id=current, gallery=self.settings)

    def _compose(
        self, pages: Pages, positions: Sequence[int], current: str | None = None
    ) -> dict[str, Any]:
        page = self._composer.compose(pages, positions, self.settings["order"], current)
        return {**page, "turned": dict(self._turned)}

    def _key(self, pages: Pages, positions: Sequence[int]) -> str:
        return self._composer.key(self.listing.ids_on(pages, positions), self.settings["order"])

    # -- the worker: what is sent ahead ----------------------------------------------------

    def _send_ahead(self, *directions: str) -> None:
        for direction in directions if self._is_watched() else ():
            pages, positions = self.listing.neighbor(direction, self._shown)
            key = self._key(pages, positions)
            if positions and self._sent_ahead.get(direction) != key:
                self._sent_ahead[direction] = key
                then = partial(self.later, self._post, direction, key)
                self._pictures.prepare(self.listing.ids_on(pages, positions), then)
                if direction == "next":  # and one more is drawn, for those who leaf fast
                    after = self.listing.ids_on(pages, pages.after(positions))
                    self._pictures.prepare(after, lambda: None)

    def _post(self, direction: str, key: str) -> None:
        pages, positions = self.listing.neighbor(direction, self._shown)
        if self._key(pages, positions) == key:
            page = self._compose(pages, positions)
            pictures = page.pop("thumbnails")
            of = self.page["key"]
            self._push("ahead", {"direction": direction, "of": of, "page": page}, pictures)
