"""What a gallery pages through: the ranking that was taken, or of it only certain objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._pages import Pages
from ._taken import TakenRanking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astronomaly_widgets.session import Session


_MOST_FOUND = 1000  # objects by a part of their id


class Listing:
    """A ranking, and perhaps a filter before it.

    Parameters
    ----------
    session : Session
    settings : dict
        See :class:`TakenRanking`.

    Attributes
    ----------
    ranking : TakenRanking
    filter : dict or None
        ``kind`` ("found", "changed", "selected" or "audit"), ``text``, ``ids`` and ``n``, how many
        of these there are; None shows all.
    """

    def __init__(self, session: Session, settings: dict[str, Any]) -> None:
        self.ranking = TakenRanking(session, settings)
        self.filter: dict[str, Any] | None = None
        self._session = session
        self._filtered: Pages | None = None
        self._before: tuple[int, ...] = ()  # the page of the ranking to come back to

    @property
    def pages(self) -> Pages:
        """What is to be seen now."""
        return self.ranking.pages if self._filtered is None else self._filtered

    @property
    def filtered_rows(self) -> NDArray[np.intp] | None:
        """All that a filter shows, also beyond the page; None without one."""
        return None if self._filtered is None else self._filtered.rows

    @property
    def offers(self) -> str:
        """Which ranking there is besides the one shown; see :attr:`TakenRanking.offers`."""
        return self.ranking.offers if self._filtered is None else ""

    def find(self, text: str) -> tuple[list[str], str]:
        """Return the ids that contain a text, and what there is to say of them."""
        session = self._session
        rows = session.rows_containing(text, _MOST_FOUND + 1)
        ids = session.ids_of(rows[:_MOST_FOUND]).tolist()
        if len(rows) > len(ids):
            first = f"these are the first {len(ids):,} of the data"
            return ids, f"more ids contain “{text}”: {first}"
        if ids:
            return ids, ""
        if text in session.set_aside.index:
            return [], f"{text} was set aside: {session.set_aside['reason'][text]}"
        return [], f"no object id contains “{text}”"

    def apply(self, wanted: dict[str, Any], shown: tuple[int, ...]) -> None:
        """Page through certain objects only; without a filter so far, `shown` is come back to."""
        if self.filter is None:
            self._before = shown
        rows = self._session.rows_of(wanted["ids"])
        rows = rows[rows >= 0]
        settings = self.ranking.settings
        if wanted["kind"] != "audit":  # a random sample stays in its random order
            chosen = np.zeros(self._session.n_objects, dtype=bool)
            chosen[rows] = True
            ranking = self._session.ranking_rows(settings["order"], unlabeled_first=False)
            rows = ranking[chosen[ranking]]
        self.filter = {**wanted, "n": len(rows)}
        # whoever asks for certain objects wants to see them all, labeled or not
        self._filtered = Pages(rows, settings["per_page"], lambda _: False)

    def apply_again(self) -> None:
        """Page through the objects of the filter in the order that has been taken since."""
        if self.filter is not None:
            self._before = self.ranking.pages.start()
            self.apply(self.filter, self._before)

    def forget_filter(self) -> tuple[int, ...]:
        """Page through all objects again; return the positions that were seen before."""
        self.filter = self._filtered = None
        if self._session.selected_ids:
            self._session.selected_ids = ()  # so that the map forgets its selection, too
        return self._before or self.ranking.pages.start()

    def resize(self) -> None:
        """Have as many objects on a page as the settings say."""
        for pages in (self.ranking.pages, self.pages):
            pages.per_page = self.ranking.settings["per_page"]

    def complete(self, shown: tuple[int, ...]) -> None:
        """Let what was scored since follow first pages that were taken, of which one is shown."""
        self.ranking.complete(shown if self._filtered is None else self._before)

    def neighbor(self, to: str, shown: tuple[int, ...]) -> tuple[Pages, tuple[int, ...]]:
        """Return the page to turn to: after a retrain, the next one begins the new ranking."""
        if to == "previous":
            return self.pages, self.pages.before(shown)
        if not self.offers:
            return self.pages, self.pages.after(shown)
        pages = self.ranking.offered()
        return pages, pages.start()

    def around(self, object_id: str | None) -> tuple[int, ...]:
        """Return the positions of the page that holds an object; empty if none does."""
        (row,) = self._session.rows_of([object_id or ""])
        return self.pages.around(int(row))

    def ids_on(self, pages: Pages, positions: Sequence[int]) -> tuple[str, ...]:
        """Return the ids of the objects at some positions of pages."""
        return tuple(self._session.ids_of(pages.at(positions)))
