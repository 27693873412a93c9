"""A page as the browser gets it: id, picture and scores of each object in one message."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ._facts import in_full
from ._thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astronomaly_widgets.session import Session

    from ._pages import Pages

_MOST_LETTERS = 11


class Composer:
    """Makes pages of objects of a session.

    Parameters
    ----------
    session : Session
    thumbnail_size : int
        Side of a picture, in pixels.

    Attributes
    ----------
    pictures : Thumbnails
    """

    def __init__(self, session: Session, thumbnail_size: int) -> None:
        self._session = session
        self.pictures = Thumbnails(session, thumbnail_size)

    def compose(
        self, pages: Pages, positions: Sequence[int], order: str, current: str | None = None
    ) -> dict[str, Any]:
        """Make a page.

        Parameters
        ----------
        pages : Pages
        positions : sequence of int
            What the page shows of them.
        order : str
            The order that `pages` are in.
        current : str, optional
            The object to begin at; by default the session's current one if it is on the page,
            else the first that has no label.

        Returns
        -------
        dict
            ``records`` and ``thumbnails`` (JPEG, bytes) belong together one by one; ``key`` names
            what is seen, so that equal keys need not be drawn again; ``reason`` says why most of
            them are suggested, which is then not said with each. A record has the ``value`` of
            the catalog's column, in words, if the order is one.
        """
        ids = tuple(self._session.ids_of(pages.at(positions)))
        here = self._session.current_id
        if current is None and here in ids:
            current = here
        unlabeled = (name for name in ids if self._session.score_of(name) is None)
        records = [self._record(object_id) for object_id in ids]
        if order in self._session.column_orders:
            values = self._session.catalog[order].iloc[pages.at(positions)]
            for record, value in zip(records, values, strict=True):
                record["value"] = _short(value)
        reason = _say_once(records)
        return {
            "key": self.key(ids, order),
            "number": pages.number(positions),
            "n_pages": pages.count(positions),
            "has_next": bool(pages.after(positions)),
            "has_previous": bool(pages.before(positions)),
            "order": order,
            "current": current or next(unlabeled, next(iter(ids), None)),
            "reason": reason,
            "records": records,
            "thumbnails": self.pictures.get(ids),
            "mime": "image/jpeg",
        }

    def key(self, ids: Sequence[str], order: str) -> str:
        """Name what a page of these objects shows."""
        revisions = f"{self._session.score_revision} {self._session.early_revision}"
        text = "\0".join([order, f"{self.pictures.zoom} {revisions}", *ids])
        return f"{zlib.crc32(text.encode(errors='replace')):08x}"

    def _record(self, object_id: str) -> dict[str, Any]:
        session = self._session
        return {
            "object_id": object_id,
            "score": session.score_of(object_id),
            "reason": session.reason_of(object_id),
            **{name: _finite(value) for name, value in session.scores_of(object_id).items()},
        }


def _say_once(records: list[dict[str, Any]]) -> str:
    """Take the reason of most unlabeled records from them; return it, with how many have it."""
    unlabeled = [record for record in records if record["score"] is None]
    counts = Counter(record["reason"] for record in unlabeled)
    reason, n = max(counts.items(), key=lambda item: item[1], default=("", 0))
    if not reason or n < 2 or 2 * n <= len(unlabeled):
        return ""
    for record in records:
        if record["reason"] == reason:
            record["reason"] = ""
    return reason if n == len(unlabeled) else f"{n} of {len(unlabeled)} {reason}"


def _short(value: Any) -> str:
    """Write a value of the catalog so that it has room below a picture."""
    is_number = isinstance(value, (float, np.floating)) and math.isfinite(value)
    text = f"{value:.4g}" if is_number else in_full(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _finite(value: float) -> float | None:
    """Return a number that JSON can carry: NaN becomes None."""
    return round(float(value), 6) if math.isfinite(value) else None
