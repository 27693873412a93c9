"""A folder with a manifest, which several kernels may read and write at once."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from ..exceptions import ProjectError, ProjectVersionError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 2
_PATIENCE = 600.0  # seconds to wait for another kernel that writes many features
_RECORDED = ("astronomaly-widgets", "numpy", "pandas", "scikit-learn", "scipy", "umap-learn")


class Folder:
    """What :class:`Project` rests on: whole files or none, and one who writes at a time."""

    def __init__(self, path: str | Path, *, must_exist: bool = False) -> None:
        self.path = Path(path).expanduser().absolute()
        self.temporary = False
        if self.path.exists() and not self.path.is_dir():
            raise ProjectError(f"{self.path} is a file; a project is a folder: give another name")
        if must_exist and not (self.path / "manifest.json").is_file():
            raise ProjectError(
                f"{self.path} is not a project (it has no manifest.json); "
                "make one with aw.explore(source, project=...)"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProjectError(
                f"the project folder {self.path} cannot be made ({error.strerror}); "
                "choose a folder where you may write"
            ) from error
        self.read_only = not _writable(self.path)
        self._thread, self._depth = RLock(), 0
        self.manifest = self._read_manifest()

    def _read_manifest(self) -> dict[str, Any]:
        path = self.path / "manifest.json"
        if not path.is_file():
            if self.read_only:
                raise ProjectError(
                    f"{self.path} is not a project and cannot be written; "
                    "choose a folder where you may write"
                )
            return {
                "schema": SCHEMA,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "stages": {},
            }
        try:
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            schema = int(manifest["schema"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ProjectError(
                f"{path} cannot be understood ({error}); the labels beside it are safe: move "
                "the manifest away and open the folder with aw.explore(source, project=...)"
            ) from error
        if schema > SCHEMA:
            raise ProjectVersionError(
                f"{self.path} was written with schema {schema}, this version knows up to "
                f"{SCHEMA}; upgrade astronomaly-widgets to open it (nothing was changed)"
            )
        manifest.setdefault("stages", {})
        return manifest

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Look at the manifest, and let no other kernel change it or the data meanwhile.

        A kernel that dies lets go. Who can only read does not keep others from writing.

        Raises
        ------
        ProjectError
            If another kernel does not let go.
        """
        with self._thread:
            if self.read_only or self._depth:
                if not self._depth:
                    self.manifest = self._read_manifest()
                yield
                return
            self._check_place()
            try:
                connection = sqlite3.connect(self.path / ".lock", timeout=_PATIENCE)
            except sqlite3.Error as error:
                raise self._not_alone(error) from error
            with closing(connection):  # which ends the transaction
                try:
                    connection.execute("BEGIN EXCLUSIVE")
                except sqlite3.Error as error:
                    raise self._not_alone(error) from error
                self.manifest = self._read_manifest()
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1

    def _check_place(self) -> None:
        if not self.path.is_dir():  # a folder made anew in its place would be no project
            raise ProjectError(
                f"the project folder {self.path} is gone (was it moved or deleted?), so nothing "
                "can be written there; open the project again where it is now"
            )

    def _not_alone(self, error: sqlite3.Error) -> ProjectError:
        return ProjectError(
            f"{self.path} cannot be locked for writing ({error}); close what else writes there, "
            "check that the disk is there and has room, or choose a folder on another file system: "
            "some network folders know no locks"
        )

    def update_manifest(self, **changes: Any) -> None:
        """Merge `changes` into the manifest as it is on disk, and write it."""
        with self.alone():
            self.manifest |= changes
            self.manifest["schema"] = SCHEMA
            self.manifest["versions"] = {name: _version(name) for name in _RECORDED}
            text = json.dumps(self.manifest, indent=1, ensure_ascii=False)
            with self._replacing(self.path / "manifest.json") as temporary:
                temporary.write_text(text, encoding="utf-8")

    @contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        self._check_place()
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)
        except OSError as error:
            raise ProjectError(
                f"{path.name} could not be written to {self.path} ({error.strerror or error}); "
                "what was stored before is unchanged: make room or check the permissions"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
