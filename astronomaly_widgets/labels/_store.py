"""The label store: an append-only log of what was decided, in SQLite.

Nothing in the log is ever changed or removed. The current label of an object is derived from it:
the last event of that object whose step has not been undone.
"""

from __future__ import annotations

import getpass
import json
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import ProjectError, ReadOnlyProjectError
from ._file import open_log
from ._ledger import Label, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

_COLUMNS = "seq, kind, step, object_id, score, tags, comment, annotator, time, seconds, event_id"


class Entry(NamedTuple):
    """One label or unlabel to be appended; `score` is None to unlabel."""

    object_id: str
    score: float | None
    tags: tuple[str, ...] = ()
    comment: str = ""


class LabelStore:
    """The labels of one project.

    Several stores, in any number of threads and processes, may append to one log at once: each
    write first reads what the others wrote. Every method is safe on any thread.

    Parameters
    ----------
    path : Path
        The SQLite file; created if it is missing and `read_only` is false.
    annotator : str, optional
        Who labels; the name of the computer's user by default.
    read_only : bool
        Only look.

    Raises
    ------
    ProjectVersionError
        If the log was written with a newer schema.
    ProjectError
        If the file is not a label log, or cannot be opened.
    """

    def __init__(
        self, path: Path, *, annotator: str | None = None, read_only: bool = False
    ) -> None:
        self.path = path
        self.annotator = annotator or _user()
        self.read_only = read_only
        self._lock = RLock()
        self._ledger = Ledger()
        self._connection = open_log(path, read_only=read_only)
        try:
            if not read_only:
                self._file = path.stat()
            self.refresh()
        except BaseException:
            self._connection.close()
            raise

    # -- writing ---------------------------------------------------------------------------

    def append(
        self,
        entries: Iterable[Entry],
        *,
        seconds: float | None = None,
        event_id: str | None = None,
    ) -> bool:
        """Append labels as one step, so that one undo takes all of them back.

        Parameters
        ----------
        entries : iterable of Entry
            Asked for when the log is up to date and nobody else can write: what an entry is to
            keep of the label that is there, it may then look up.
        seconds : float, optional
            How long the person looked before deciding.
        event_id : str, optional
            A unique name of this step; a step whose name is already in the log is not stored
            again, so a message may be repeated until it is answered.

        Returns
        -------
        bool
            Whether something was stored; False if `event_id` was there already.

        Raises
        ------
        ReadOnlyProjectError
            If nothing can be stored here.
        """
        with self._lock, self._writing() as rows:
            if self._known(event_id):
                return False
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            step = self._ledger.last + 1
            for k, entry in enumerate(entries):
                kind = "unlabel" if entry.score is None else "label"
                tags = json.dumps(list(entry.tags), ensure_ascii=False)
                name = event_id if event_id is None or k == 0 else f"{event_id}#{k}"
                rows.append(
                    (step + k, kind, step, entry.object_id, entry.score, tags, entry.comment,
                     self.annotator, now, seconds, name)
                )  # fmt: skip
            return bool(rows)

    def undo(self, *, event_id: str | None = None) -> tuple[str, ...]:
        """Take back this annotator's last step; return the objects concerned, if any."""
        return self._turn("undo", event_id)

    def redo(self, *, event_id: str | None = None) -> tuple[str, ...]:
        """Do again what this annotator undid last; return the objects concerned, if any."""
        return self._turn("redo", event_id)

    def _turn(self, kind: str, event_id: str | None) -> tuple[str, ...]:
        with self._lock, self._writing() as rows:
            person = self._ledger.person(self.annotator)
            steps = person.done if kind == "undo" else person.undone
            if self._known(event_id) or not steps:
                return ()
            step = steps[-1]
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            rows.append(
                (self._ledger.last + 1, kind, step, None, None, None, None,
                 self.annotator, now, None, event_id)
            )  # fmt: skip
            return tuple(self._ledger.objects_of[step])

    # -- reading ---------------------------------------------------------------------------

    def refresh(self) -> int:
        """Read what other sessions have appended; return how many events were new.

        Raises
        ------
        ProjectError
            If the log cannot be read just now; what was read before stands.
        """
        with self._lock, self._reading():
            return self._read_new()

    def get(self, object_id: str) -> Label | None:
        """Return the current label of an object, or None."""
        with self._lock:
            return self._ledger.current.get(object_id)

    def current(self) -> list[Label]:
        """Return all current labels, in the order in which the objects were first labeled."""
        with self._lock:
            first = self._ledger.first_labeled
            return sorted(self._ledger.current.values(), key=lambda a: first[a.object_id])

    def labeled_since(self, revision: int) -> list[Label]:
        """Return the current labels of the objects that had not been labeled by a revision."""
        with self._lock:
            first = self._ledger.first_labeled
            return [a for a in self._ledger.current.values() if first[a.object_id] > revision]

    @property
    def can_undo(self) -> bool:
        """Whether this annotator has a step to undo."""
        with self._lock:
            return bool(self._ledger.person(self.annotator).done)

    @property
    def can_redo(self) -> bool:
        """Whether this annotator has a step to redo."""
        with self._lock:
            return bool(self._ledger.person(self.annotator).undone)

    def events(self) -> pd.DataFrame:
        """Return the whole log, one row per event: the audit trail.

        Raises
        ------
        ProjectError
            If the log cannot be read just now.
        """
        import pandas as pd

        with self._lock, self._reading():
            frame = pd.read_sql_query(
                f"SELECT {_COLUMNS} FROM events ORDER BY seq",  # noqa: S608 - a constant
                self._connection,
            )
        frame["time"] = pd.to_datetime(frame["time"], format="ISO8601", utc=True)
        return frame.set_index("seq")

    @property
    def revision(self) -> int:
        """Number of the last event read; the current labels depend on nothing else."""
        return self._ledger.last

    def move_to(self, path: Path) -> None:
        """Go on in a copy of the whole log at `path`, where nothing must be yet.

        Whoever waits meanwhile to write or read will do so there. The old file is left alone.

        Raises
        ------
        ProjectError
            If there cannot be one; the log stays where it is then.
        """
        part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
        with self._lock:
            before, left = self._connection, self.path
            try:
                with closing(sqlite3.connect(part)) as target:
                    before.backup(target)
                part.replace(path)  # whole, or not there
                self.path = path
                self._connection, self._file = open_log(path), path.stat()
            except (OSError, sqlite3.Error, ProjectError) as error:
                self.path, self._connection = left, before
                raise ProjectError(f"the labels could not be copied to {path} ({error})") from error
            finally:
                part.unlink(missing_ok=True)
            before.close()

    def close(self) -> None:
        """Close the file; everything is already on disk."""
        with self._lock:
            self._connection.close()

    # -- inside ----------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[None]:
        from pandas.errors import DatabaseError

        try:
            yield
        except (sqlite3.Error, DatabaseError) as error:
            raise ProjectError(
                f"the labels in {self.path} cannot be read ({error}); those that are on disk are "
                "safe: try again or open the project again, and check that the disk is there"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[list[tuple[Any, ...]]]:
        """Append to the log what is put into the list, all of it or nothing."""
        if self.read_only:
            raise ReadOnlyProjectError(
                f"{self.path.parent} is read-only: the label was not stored; "
                "copy the folder to where you may write and open it there"
            )
        rows: list[tuple[Any, ...]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._check_place()
            self._read_new()
            yield rows
            marks = ", ".join("?" * 11)
            self._connection.executemany(
                f"INSERT INTO events ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 - constants
                rows,
            )
            self._connection.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):  # that of a closed file, or of a disk that is gone
                self._connection.rollback()
            if isinstance(error, sqlite3.Error):
                raise ProjectError(
                    f"the label could not be stored in {self.path}: {error}"
                ) from error
            raise
        for row in rows:
            self._ledger.apply(row)

    def _check_place(self) -> None:
        """Refuse to write to a file that nobody will find again.

        SQLite does so, too, but not in the mode that lets others read meanwhile.
        """
        try:
            if os.path.samestat(self._file, self.path.stat()):
                return
        except OSError:
            pass
        raise ProjectError(
            f"the label was not stored: {self.path} is not the file any more that was opened "
            "(was the project moved, deleted or replaced?); open it again where it is now, or "
            "keep the labels of this session with its export(path)"
        )

    def _read_new(self) -> int:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM events WHERE seq > ? ORDER BY seq",  # noqa: S608 - a constant
            (self._ledger.last,),
        ).fetchall()
        for row in rows:
            self._ledger.apply(row)
        return len(rows)

    def _known(self, event_id: str | None) -> bool:
        if event_id is None:
            return False
        query = "SELECT 1 FROM events WHERE event_id = ?"
        return self._connection.execute(query, (event_id,)).fetchone() is not None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "unknown"
