"""The ranking that a gallery shows, and the newer one that it may offer."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from ._pages import Pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astronomaly_widgets.session import Session

# orders that a retrain changes; a new ranking is offered only for these
_LEARNED_ORDERS = ("suggested", "trained_score", "relevance", "uncertainty")


class _Ranking(NamedTuple):
    """What the session answered, its revision, how it was chosen, and the scores' revision then."""

    revision: int
    chosen_by: tuple[Any, ...]
    scored: int
    pages: Pages


class TakenRanking:
    """What was taken from the session, and does not move when the session learns more.

    Parameters
    ----------
    session : Session
    settings : dict
        ``order``, ``hide_labeled``, ``per_page`` and others; whoever changes them sets them anew.

    Attributes
    ----------
    pages : Pages
        Of the ranking that was taken.
    """

    def __init__(self, session: Session, settings: dict[str, Any]) -> None:
        self._session = session
        self.settings = settings
        self._offered: _Ranking | None = None
        self.take()

    @property
    def offers(self) -> str:
        """Which other ranking the session has: "early", "new", "earlier", or "" for none.

        Of an early one only the first pages are known. An earlier one is back if the retrain whose
        first pages were taken was cancelled, or failed.
        """
        order, taken = self.settings["order"], self._taken
        newest, chosen_by, scored = self._now()
        is_same = order != "suggested" or chosen_by == taken.chosen_by
        if order not in _LEARNED_ORDERS or (newest == taken.revision and is_same):
            return ""
        if newest < taken.revision:
            return "earlier"
        return "new" if newest == scored else "early"

    def take(self) -> None:
        """Take the session's ranking of now."""
        self._hold(self._newest())

    def take_offered(self) -> None:
        """Take the ranking that is :meth:`offered`."""
        self._hold(self._newest_once())

    def offered(self) -> Pages:
        """Return the session's ranking of now, asking it once per revision."""
        return self._newest_once().pages

    def forget(self) -> None:
        """Ask the session again at the next :meth:`offered`."""
        self._offered = None

    def complete(self, shown: Sequence[int]) -> None:
        """Once all is scored, let the whole ranking follow first pages that were taken before.

        The page that shows the positions `shown` and the one after it stay as they are.
        """
        if not self._is_whole and self._taken.revision == self._session.score_revision:
            self._is_whole = True
            kept = (self.pages.after(shown) or shown or (-1,))[-1] + 1
            self.pages.go_on(kept, self._newest().pages.rows)

    def _now(self) -> tuple[int, tuple[Any, ...], int]:
        """Return what tells the session's ranking of now from others; see :class:`_Ranking`."""
        session, suggested = self._session, self.settings["order"] == "suggested"
        scored = session.score_revision
        revision = session.ranking_revision if suggested else scored
        return revision, session.batch_settings, scored

    def _hold(self, ranking: _Ranking) -> None:
        self._taken, self.pages = ranking, ranking.pages
        self._is_whole = ranking.revision == ranking.scored

    def _newest(self) -> _Ranking:
        now = self._now()  # first: what has become newer meanwhile is only asked for again
        hide = self.settings["hide_labeled"]
        rows = self._session.ranking_rows(self.settings["order"], unlabeled_first=hide)
        if hide:  # the labeled ones are at the end
            rows = rows[: bisect_left(rows, True, key=self._is_labeled)]
        return _Ranking(*now, Pages(rows, self.settings["per_page"], self._is_hidden))

    def _newest_once(self) -> _Ranking:
        if self._offered is None or self._offered[:3] != self._now():
            self._offered = self._newest()
        return self._offered

    def _is_labeled(self, row: int) -> bool:
        return self._session.score_of(self._session.ids_of([row])[0]) is not None

    def _is_hidden(self, row: int) -> bool:
        return self.settings["hide_labeled"] and self._is_labeled(row)
