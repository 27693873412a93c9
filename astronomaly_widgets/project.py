"""The project folder: everything of one search that outlives the kernel."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .exceptions import ProjectError, ProjectVersionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

SCHEMA = 1
_RECORDED = ("astronomaly-widgets", "numpy", "pandas", "scikit-learn", "scipy", "umap-learn")


class Project:
    """A folder that holds one search.

    ========================  =====================================================
    ``manifest.json``         schema, versions, seed, fingerprint of each stage
    ``objects.parquet``       object ids and their catalog
    ``features.npy``          (n, d) float32, opened as a memory map
    ``scores.npz``            anomaly score and the learner's scores
    ``embedding.npz``         the map
    ``labels.sqlite``         the label log
    ``history.jsonl``         one line per retrain
    ``view.json``             where the person was
    ``measurements/``         checkpoints of feature extraction
    ========================  =====================================================

    Each file is written under a temporary name and renamed, so a reader never sees half of one.

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

    Raises
    ------
    ProjectError
        If there is no project and none can be made.
    ProjectVersionError
        If it was written with a newer schema.
    """

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
        self.manifest = self._read_manifest()

    @classmethod
    def make_temporary(cls) -> Project:
        """Make a project that lives in the computer's folder for temporary files."""
        project = cls(tempfile.mkdtemp(prefix="astronomaly-widgets-"))
        project.temporary = True
        return project

    # -- manifest --------------------------------------------------------------------------

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

    def update_manifest(self, **changes: Any) -> None:
        """Merge `changes` into the manifest and write it."""
        self.manifest.update(changes)
        self.manifest["versions"] = {name: _version(name) for name in _RECORDED}
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False)
        with self._replacing("manifest.json") as temporary:
            temporary.write_text(text, encoding="utf-8")

    def is_current(self, stage: str, fingerprint: str) -> bool:
        """Whether `stage` was computed from inputs with this fingerprint."""
        return bool(self.manifest["stages"].get(stage) == fingerprint)

    def mark(self, stage: str, fingerprint: str) -> None:
        """Record that `stage` has been computed from inputs with this fingerprint."""
        self.update_manifest(stages={**self.manifest["stages"], stage: fingerprint})

    # -- arrays and tables -----------------------------------------------------------------

    def save_features(self, X: NDArray[Any]) -> None:
        """Write the feature matrix."""
        with self._replacing("features.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.asarray(X), allow_pickle=False)

    def load_features(self) -> NDArray[Any]:
        """Open the feature matrix as a memory map."""
        features: NDArray[Any] = np.load(
            self._existing("features.npy"), mmap_mode="r", allow_pickle=False
        )
        return features

    def save_arrays(self, name: str, **arrays: NDArray[Any]) -> None:
        """Write small arrays, such as the scores, as ``name.npz``."""
        with self._replacing(f"{name}.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def load_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Read ``name.npz``, or {} if there is none."""
        path = self.path / f"{name}.npz"
        if not path.is_file():
            return {}
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)

    def save_objects(self, objects: pd.DataFrame) -> None:
        """Write the objects' ids (the index) and catalog."""
        table = objects.copy(deep=False)
        for column, values in table.items():
            if values.dtype.kind == "O":
                # Parquet wants one type in a column; text keeps whatever a mixed one holds
                table[column] = values.where(values.isna(), values.astype(str))
        table.columns = [str(name) for name in table.columns]
        table.index.name = "object_id"
        with self._replacing("objects.parquet") as temporary:
            table.to_parquet(temporary, index=True)

    def load_objects(self) -> pd.DataFrame:
        """Read what :meth:`save_objects` wrote."""
        import pandas as pd

        return pd.read_parquet(self._existing("objects.parquet"))

    # -- the person ------------------------------------------------------------------------

    def append_history(self, row: Mapping[str, Any]) -> None:
        """Append one retrain to the history."""
        with (self.path / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(row), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def load_history(self) -> list[dict[str, Any]]:
        """Read the history, oldest first; a line cut short by a crash is left out."""
        path = self.path / "history.jsonl"
        if not path.is_file():
            return []
        rows = []
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        return rows

    def save_view(self, view: Mapping[str, Any]) -> None:
        """Remember where the person was."""
        with self._replacing("view.json") as temporary:
            temporary.write_text(json.dumps(dict(view), ensure_ascii=False), encoding="utf-8")

    def load_view(self) -> dict[str, Any]:
        """Read where the person was; {} if it is not known."""
        path = self.path / "view.json"
        try:
            view = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        except ValueError:  # not worth refusing a project for
            view = {}
        return view if isinstance(view, dict) else {}

    # -- inside ----------------------------------------------------------------------------

    def _existing(self, name: str) -> Path:
        path = self.path / name
        if not path.is_file():
            raise ProjectError(
                f"{self.path} has no {name}: it was never finished; run aw.explore(source, "
                f"project={str(self.path)!r}) to go on (the labels in it are safe)"
            )
        return path

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        temporary = self.path / f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
        try:
            yield temporary
            temporary.replace(self.path / name)
        except OSError as error:
            raise ProjectError(
                f"{name} could not be written to {self.path} ({error.strerror or error}); "
                "what was stored before is unchanged: make room or check the permissions"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)


def fingerprint(*parts: Any) -> str:
    """Return a short digest of arrays, iterators of bytes, strings and JSON-ready values."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype != object:
            digest.update(f"{part.dtype}{part.shape}".encode())
            for start in range(0, len(part), 65_536):  # a memory map is never read whole
                digest.update(np.ascontiguousarray(part[start : start + 65_536]).data)
        elif isinstance(part, np.ndarray):
            digest.update("\0".join(map(str, part)).encode(errors="surrogatepass"))
        elif isinstance(part, Iterator):
            for piece in part:
                digest.update(piece)
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        digest.update(b"\1")
    return digest.hexdigest()


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
