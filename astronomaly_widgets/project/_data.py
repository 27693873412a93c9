"""What was computed of one set of objects: their table, features, scores, map and clusters."""

from __future__ import annotations

import shutil
import zipfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ProjectError
from ._folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

_OF_SCHEMA_1 = ("objects.parquet", "features.npy", "scores.npz", "embedding.npz", "clusters.npz")


class Data(Folder):
    """The part of a project that belongs to certain objects and features, and to no others."""

    def __init__(self, path: str | Path, *, must_exist: bool = False) -> None:
        super().__init__(path, must_exist=must_exist)
        self.key: str | None = None
        self.follow()

    def follow(self) -> None:
        """Turn to the objects that the manifest, as last looked at, names."""
        self.key = self.manifest["stages"].get("features")

    @property
    def data(self) -> Path:
        """Folder of what was computed of the objects of :attr:`key`."""
        if self.manifest["schema"] == 1 and self.is_current():  # it lay beside the manifest
            return self.path
        return self.path / "data" / (self.key or "none")

    def is_current(self) -> bool:
        """Whether the manifest, as last looked at, names the objects of :attr:`key`."""
        return self.key is not None and self.manifest["stages"].get("features") == self.key

    def has_objects(self) -> bool:
        """Whether the objects of :attr:`key` and their features are on disk, and whole."""
        try:
            self.load_features()
        except ProjectError:
            return False
        return (self.data / "objects.parquet").is_file()

    def go_over(self, **changes: Any) -> None:
        """Make the project one of the objects of :attr:`key`, and forget those of before.

        From here on, whoever opens it finds these, whose data must be on disk.
        """
        with self.alone():
            self.update_manifest(stages={"features": self.key}, **changes)
            # a file that somebody has open may stay, on some systems, until the next time
            for folder in (self.path / "data").iterdir():
                if folder != self.data:
                    shutil.rmtree(folder, ignore_errors=True)
            rests = self.data.glob(".*.tmp")  # of kernels that died: who writes here is alone
            for rest in (*rests, *(self.path / name for name in _OF_SCHEMA_1)):
                with suppress(OSError):
                    rest.unlink()

    def save_features(self, X: NDArray[Any]) -> None:
        """Write the feature matrix."""
        with self._replacing(self.data / "features.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.asarray(X), allow_pickle=False)

    def load_features(self) -> NDArray[Any]:
        """Open the feature matrix as a memory map."""
        with self._reading("features.npy") as path:
            features: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return features

    def save_arrays(self, name: str, key: str, **arrays: NDArray[Any]) -> None:
        """Write small arrays, such as the scores, as ``name.npz``.

        Parameters
        ----------
        name : str
        key : str
            Fingerprint of what else they were made of; they come back with it, as "key".
        **arrays
        """
        path = self.data / f"{name}.npz"
        with self._replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, key=np.array(key), **arrays)  # type: ignore[arg-type]

    def add_arrays(self, name: str, key: str, **arrays: NDArray[Any]) -> bool:
        """As :meth:`save_arrays`, unless the project has gone over to other objects.

        Returns
        -------
        bool
            Whether they were written.
        """
        with self.alone():
            if self.is_current():
                self.save_arrays(name, key, **arrays)
                return True
            return False

    def load_arrays(self, name: str, key: str | None = None) -> dict[str, NDArray[Any]]:
        """Read ``name.npz``, or {} if there is none, or none made of what `key` says."""
        try:
            # NumPy itself leaves a damaged file open
            with (
                (self.data / f"{name}.npz").open("rb") as file,
                np.load(file, allow_pickle=False) as stored,
            ):
                arrays = dict(stored)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return {}  # missing or damaged: it can be made again
        if "key" not in arrays:  # schema 1 had them in the manifest
            arrays["key"] = np.array(self.manifest["stages"].get(name, ""))
        return arrays if key in (None, str(arrays["key"])) else {}

    def save_objects(self, objects: pd.DataFrame) -> None:
        """Write the objects' ids (the index) and catalog."""
        table = objects.copy(deep=False)
        for column, values in table.items():
            if not _suits_parquet(values):
                words = values.astype(object)
                table[column] = words.where(words.isna(), words.astype(str))
        table.columns = [str(name) for name in table.columns]
        table.index.name = "object_id"
        with self._replacing(self.data / "objects.parquet") as temporary:
            table.to_parquet(temporary, index=True)

    def load_objects(self) -> pd.DataFrame:
        """Read what :meth:`save_objects` wrote."""
        import pandas as pd

        with self._reading("objects.parquet") as path:
            return pd.read_parquet(path)

    @contextmanager
    def _reading(self, name: str) -> Iterator[Path]:
        try:
            yield self.data / name
        except FileNotFoundError as error:
            raise self._wanting(f"has no {name}: it was never finished") from error
        except (OSError, EOFError, ValueError, NotImplementedError) as error:
            raise self._wanting(f"has a {name} that cannot be read ({error})") from error

    def _wanting(self, what: str) -> ProjectError:
        return ProjectError(
            f"{self.path} {what}; run aw.explore(source, project={str(self.path)!r}) to make it "
            "again (the labels in it are safe)"
        )


def _suits_parquet(values: pd.Series[Any]) -> bool:
    """Whether Parquet knows the type of a column; text keeps whatever another holds."""
    import pyarrow as pa

    if values.dtype == object:  # perhaps of several types
        return False
    try:
        kind = pa.array(values).type
    except (pa.ArrowException, ValueError, TypeError):
        return False
    # as pandas.cut makes of intervals
    return not (pa.types.is_dictionary(kind) and isinstance(kind.value_type, pa.BaseExtensionType))
