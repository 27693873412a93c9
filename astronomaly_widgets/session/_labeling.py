"""Labels in a session: the only door through which they enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..labels import Entry
from ._inputs import checked_score
from ._keeping import Keeping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from ..labels import Label

_COLUMNS = ["score", "tags", "comment", "annotator", "time"]


class Labeling(Keeping):
    """Everything that concerns labels; each change is on disk before its method returns."""

    def label(
        self,
        object_id: str,
        score: float,
        tags: Iterable[str] = (),
        comment: str = "",
        *,
        seconds: float | None = None,
        event_id: str | None = None,
    ) -> None:
        """Label one object; it replaces the object's earlier label.

        Parameters
        ----------
        object_id : str
        score : float
            0 (uninteresting) .. 5 (exactly what I am looking for).
        tags : iterable of str
            Words to find it by; one str is one tag.
        comment : str
        seconds : float, optional
            How long the person looked.
        event_id : str, optional
            A unique name of this decision; the same name is stored once, however often it comes.

        Raises
        ------
        KeyError
            If there is no such object.
        ValueError
            If the score is not a number in 0..5.
        ReadOnlyProjectError, ProjectError
            If it could not be stored. In every case nothing is stored.
        """
        self.row_of(object_id)
        words = (tags,) if isinstance(tags, str) else tags
        plain = tuple(_storable(tag) for tag in words)
        entry = Entry(str(object_id), checked_score(score), plain, _storable(comment))
        self._append([entry], seconds, event_id)

    def label_many(
        self,
        object_ids: Iterable[str],
        score: float,
        *,
        words: Mapping[str, tuple[tuple[str, ...], str]] | None = None,
        seconds: float | None = None,
        event_id: str | None = None,
    ) -> None:
        """Give several objects one score, as one step to undo; tags and comments they have stay.

        Parameters
        ----------
        object_ids : iterable of str
            One str is one object.
        score : float
        words : mapping, optional
            Tags and comment by object id, for those that have no label yet.
        seconds, event_id
            As :meth:`label`.

        Raises
        ------
        KeyError, ValueError, ReadOnlyProjectError, ProjectError
            As :meth:`label`; nothing is stored then.
        """
        value = checked_score(score)
        new = {} if words is None else words
        several = [object_ids] if isinstance(object_ids, str) else list(object_ids)
        for object_id in several:
            self.row_of(object_id)

        def entries() -> Iterator[Entry]:
            for object_id in several:
                old = self._store.get(object_id)
                tags, comment = new.get(object_id, ((), ""))
                if old is not None:
                    tags, comment = old.tags, old.comment
                plain = tuple(_storable(tag) for tag in tags)
                yield Entry(str(object_id), value, plain, _storable(comment))

        self._append(entries(), seconds, event_id)

    def unlabel(self, object_id: str, *, event_id: str | None = None) -> None:
        """Take an object's label away; nothing happens if it has none.

        Raises
        ------
        KeyError
            If there is no such object.
        """
        self.row_of(object_id)

        def entries() -> Iterator[Entry]:
            if self._store.get(object_id) is not None:
                yield Entry(str(object_id), None)

        self._append(entries(), None, event_id)

    def undo(self, *, event_id: str | None = None) -> tuple[str, ...]:
        """Take back the annotator's last step, without limit; return the ids concerned."""
        touched = self._store.undo(event_id=event_id)
        self._announce_labels()
        return touched

    def redo(self, *, event_id: str | None = None) -> tuple[str, ...]:
        """Do again what was undone last; return the ids concerned."""
        touched = self._store.redo(event_id=event_id)
        self._announce_labels()
        return touched

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return self._store.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to redo."""
        return self._store.can_redo

    def refresh_labels(self) -> int:
        """Read the labels that other sessions of this project gave; return how many events.

        Raises
        ------
        ProjectError
            If they cannot be read just now.
        """
        new = self._store.refresh()
        if new:
            self._announce_labels()
        return new

    # -- looking ---------------------------------------------------------------------------

    def label_of(self, object_id: str) -> Label | None:
        """Return the current label of an object, or None."""
        return self._store.get(object_id)

    def score_of(self, object_id: str) -> float | None:
        """Return the current score of an object, or None."""
        label = self._store.get(object_id)
        return None if label is None else label.score

    @property
    def labels(self) -> pd.DataFrame:
        """Current labels by object id: score, tags, comment, annotator, time (UTC)."""
        return self._table_of(known=True)

    @property
    def absent_labels(self) -> pd.DataFrame:
        """Labels in the project of objects that are not in this session; as :attr:`labels`."""
        return self._table_of(known=False)

    @property
    def events(self) -> pd.DataFrame:
        """The label log, whole: one row per event, oldest first; nothing is ever removed.

        Columns: kind ("label", "unlabel", "undo", "redo"), step (events of one click have
        the same, and an undo that of what it undoes), object_id, score, tags,
        comment, annotator, time (UTC), seconds (how long the person looked), event_id.
        """
        return self._store.events()

    def label_sequence(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return ids and current scores, (m,) each, in the order of first being labeled."""
        ids, _, scores = self._labeled()
        return ids.copy(), scores.copy()  # not what is learned from

    @property
    def n_labeled(self) -> int:
        """Number of labeled objects."""
        return len(self._labeled()[0])

    @property
    def n_found(self) -> int:
        """Number of objects with a score of at least `interesting_from`."""
        return int((self._labeled()[2] >= self.interesting_from).sum())

    # -- inside ----------------------------------------------------------------------------

    def _labeled(self) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.float64]]:
        """Return ids, rows and scores, (m,) each, of the labeled objects in this session."""
        with self.lock:
            revision = self._store.revision
            if self._labeled_cache is None or self._labeled_cache[0] != revision:
                labels = self._store.current()
                ids = np.array([a.object_id for a in labels], dtype=object)
                rows = self._ids.rows_of(ids)
                scores = np.array([a.score for a in labels], dtype=np.float64)
                here = rows >= 0
                self._labeled_cache = (revision, (ids[here], rows[here], scores[here]))
            return self._labeled_cache[1]

    def _table_of(self, *, known: bool) -> pd.DataFrame:
        labels = self._store.current()
        here = self._ids.rows_of([a.object_id for a in labels]) >= 0
        return _frame([a for a, is_here in zip(labels, here, strict=True) if is_here == known])

    def _append(
        self, entries: Iterable[Entry], seconds: float | None, event_id: str | None
    ) -> None:
        self._store.append(entries, seconds=seconds, event_id=event_id)
        self._announce_labels()

    def _announce_labels(self) -> None:
        # never under the lock: an observer may hold a lock of its own and wait for ours
        with self._announcing():
            self.label_revision = next(self._revisions)


def _storable(text: Any) -> str:
    """Return a text with "?" for what is no letter: a browser may cut an emoji in half."""
    return "" if text is None else str(text).encode("utf-8", "replace").decode("utf-8")


def _frame(labels: list[Label]) -> pd.DataFrame:
    frame = pd.DataFrame(
        [a[1:] for a in labels],
        columns=_COLUMNS,
        index=pd.Index([a.object_id for a in labels], dtype=object, name="object_id"),
    )
    frame["score"] = frame["score"].astype(np.float64)
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame
