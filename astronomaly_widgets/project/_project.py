"""The project folder: everything of one search that outlives the kernel."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..exceptions import ProjectError
from ._data import Data
from ._fingerprint import fingerprint
from ._folder import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Project(Data):
    """A folder that holds one search.

    ========================  =====================================================
    ``manifest.json``         schema, versions, seed, fingerprint of the objects
    ``data/<fingerprint>/``   what was computed of these objects, and of no others:

        ``objects.parquet``   object ids and their catalog
        ``features.npy``      (n, d) float32, opened as a memory map
        ``scores.npz``        anomaly score and the learner's scores
        ``embedding.npz``     the map
        ``clusters.npz``      which objects are of a kind
    ``labels.sqlite``         the label log
    ``history.jsonl``         one line per retrain
    ``view/``                 where the person was, and what they set: each in a file
    ``measurements/``         checkpoints of feature extraction
    ========================  =====================================================

    Each file is written under a temporary name and renamed, so a reader never sees half of one.
    Other objects, or other features of them, get a folder of their own; the project goes over to
    it with the manifest, all at once. So a kernel that still works with the objects of before
    can neither read nor write what belongs to those of now, whenever it is stopped.

    Parameters
    ----------
    path : str or Path
        The folder; created if it is missing.
    must_exist : bool
        Refuse a folder that is not a project yet.

    Attributes
    ----------
    path : Path
    read_only : bool
        Whether nothing can be written here.
    temporary : bool
        Whether the folder is a makeshift for a session without a project.
    manifest : dict
        As it was when last looked at, which `alone` does.
    key : str or None
        Fingerprint of the objects and features whose data are read and written here; at first
        those that the manifest names.

    Raises
    ------
    ProjectError
        If there is no project and none can be made.
    ProjectVersionError
        If it was written with a newer schema.
    """

    def __init__(self, path: str | Path, *, must_exist: bool = False) -> None:
        super().__init__(path, must_exist=must_exist)
        if self.manifest["schema"] == 1:
            self._take_over_schema_1()

    def __repr__(self) -> str:
        return f"<Project {str(self.path)!r}>"

    @classmethod
    def make_temporary(cls) -> Project:
        """Make a project that lives in the computer's folder for temporary files."""
        project = cls(tempfile.mkdtemp(prefix="astronomaly-widgets-"))
        project.temporary = True
        return project

    # -- the person ------------------------------------------------------------------------

    def append_history(self, row: Mapping[str, Any]) -> None:
        """Append one retrain to the history."""
        path = self.path / "history.jsonl"
        cut_short = path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" if cut_short else "")  # or this one would be lost with that one
            file.write(json.dumps(dict(row), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def load_history(self) -> list[dict[str, Any]]:
        """Read the history, oldest first; a line that a crash has damaged is left out."""
        path = self.path / "history.jsonl"
        if not path.is_file():
            return []
        rows = []
        for line in path.read_bytes().splitlines():
            with suppress(ValueError):
                rows.append(json.loads(line))
        return [row for row in rows if isinstance(row, dict)]

    def save_view(self, view: Mapping[str, Any]) -> None:
        """Remember where the person was, by name; what has other names stays as it is.

        Each has a file of its own, so that several kernels need not wait for each other.
        """
        for name, value in view.items():
            with self._replacing(self.path / "view" / f"{name}.json") as temporary:
                temporary.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")

    def load_view(self) -> dict[str, Any]:
        """Read where the person was; {} if it is not known."""
        view = self._in_one_file()
        for path in (self.path / "view").glob("*.json"):
            with suppress(OSError, ValueError):  # not worth refusing a project for
                view[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return view

    def _in_one_file(self) -> dict[str, Any]:
        """Return what a project of schema 1 remembers."""
        try:
            view = json.loads((self.path / "view.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return view if isinstance(view, dict) else {}

    def _take_over_schema_1(self) -> None:
        """Bring what lay beside the manifest into a folder of its own, if it belongs together.

        In schema 1 two kernels could leave the features of one beside the objects of the other.
        """
        with self.alone():
            if self.manifest["schema"] != 1:  # another kernel was quicker
                self.follow()
                return
            try:
                objects, X = self.load_objects(), self.load_features()
                whole = fingerprint(X, objects.index.to_numpy(object)) == self.key
            except (ProjectError, OSError, ValueError):
                whole = False
            if not whole:
                self.key = None
            if self.read_only:
                return
            if not whole:
                self.update_manifest(stages={})
                return
            small = {name: self.load_arrays(name) for name in ("scores", "embedding", "clusters")}
            self.manifest["schema"] = SCHEMA  # so that the data go to their new place
            self.save_features(X)
            for name, arrays in small.items():
                if arrays:
                    self.save_arrays(name, str(arrays.pop("key")), **arrays)
            self.save_objects(objects)
            self.go_over()
