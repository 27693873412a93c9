"""The SQLite file that a label log lies in: made, opened, and refused if it is something else."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ..exceptions import ProjectError, ProjectVersionError

SCHEMA = 1
_CREATE = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('label', 'unlabel', 'undo', 'redo')),
    step INTEGER NOT NULL,
    object_id TEXT,
    score REAL,
    tags TEXT,
    comment TEXT,
    annotator TEXT NOT NULL,
    time TEXT NOT NULL,
    seconds REAL,
    event_id TEXT UNIQUE
)
"""


class _Connection(sqlite3.Connection):
    """One that is closed with the last who held it: a session need not be closed."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was never open
            self.close()


def open_log(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a label log, or make one; one that cannot be made, because it is read-only, is empty.

    What it raises is what :class:`LabelStore` raises.
    """
    try:
        connection = _opened(path, read_only=read_only)
    except sqlite3.Error as error:
        raise ProjectError(
            f"{path} cannot be opened as a label log ({error}); move it away if it is "
            "not one, check that the disk is there and has room, or choose a folder on another "
            "file system: some network folders know no locks"
        ) from error
    try:
        _check_schema(connection, path, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if not read_only:
        connection = _connect(_uri(path, "rwc"))
        # WAL lets readers and a writer work side by side; a file system that cannot
        # do it keeps its rollback journal, which is as safe
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_CREATE)
        return connection
    if not path.exists():
        connection = _connect(":memory:")
        connection.execute(_CREATE)
        return connection
    connection = _connect(_uri(path, "ro"))
    try:
        connection.execute("SELECT 1 FROM events LIMIT 1")
    except sqlite3.OperationalError:
        # a WAL database in a folder without write permission cannot make its index
        connection.close()
        connection = _copied(path)
    return connection


def _copied(path: Path) -> sqlite3.Connection:
    """Return a log as it is now, with what a kernel that died has left beside the file."""
    copy = _connect(":memory:")
    with TemporaryDirectory(prefix="astronomaly-") as folder:
        for name in (path.name, f"{path.name}-wal"):
            if path.with_name(name).is_file():
                shutil.copyfile(path.with_name(name), Path(folder, name))
        with closing(_connect(_uri(Path(folder, path.name), "rw"))) as connection:
            connection.backup(copy)
    return copy


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=30,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )


def _check_schema(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and not read_only:
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
    except sqlite3.Error as error:
        raise ProjectError(f"{path} is not a label log ({error})") from error
    if version > SCHEMA:
        raise ProjectVersionError(
            f"{path} has schema {version}, this version knows up to {SCHEMA}; "
            "upgrade astronomaly-widgets to open it"
        )
