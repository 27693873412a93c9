"""Images in tar files, as WebDataset and others keep millions of them."""

from __future__ import annotations

import gzip
import json
import os
import re
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..exceptions import ReadError, SourceError
from ._catalogs import match_files
from ._folders import is_pattern, matching
from ._images import IMAGE_SUFFIXES, bands_last, checked, decode_open, image_stem
from ._tables import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

_SUFFIX = ".tar"
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


class TarShards:
    """The images in a tar file, or in many: one object per image.

    A million files weigh on a disk, a thousand tar files do not. Only what stands before each
    file in the tar is read at first, and then one image at a time, from where it lies: nothing is
    unpacked. PNG, JPEG, TIFF, FITS and arrays (``.npy``).

    Parameters
    ----------
    path : path-like or sequence of these
        A ``.tar`` file; a folder of them; a pattern, as ``"shards/*.tar"`` or
        ``"shards/survey-{000..127}.tar"``; or files. They must not be packed (``.tar.gz``).
    catalog : path, DataFrame or Table, optional
        A table with one row per image, matched as by :class:`ImageFolder`. By default what the
        ``.json`` files beside the images say, as far as it is numbers and text.
    ids : {"stem", "name"}, optional
        What an object is called: the image's file name without its suffix, or the name of the tar
        file and the path in it, as ``survey-012/a/17.png``.

    Attributes
    ----------
    ignored : int
        Files that are there but neither images nor known to say something of one.
    max_pixels : int
        Images with more pixels than this are refused before they are decoded.
    spec : dict
        How a project finds this source again; JSON-ready.

    Raises
    ------
    SourceError
        There is no such file, one is packed or damaged, there are no images, two have one name, or
        the catalog fits no image.

    References
    ----------
    The WebDataset format, https://github.com/webdataset/webdataset.
    """

    kind = "image"
    max_pixels = 64_000_000

    def __init__(
        self,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        catalog: Any = None,
        ids: Literal["stem", "name"] = "stem",
    ) -> None:
        if ids not in {"stem", "name"}:
            raise ValueError(f"ids is {ids!r}; wanted 'stem' or 'name'")
        single = isinstance(path, str | os.PathLike)
        paths: Any = [path] if single else path
        given = [str(Path(each).expanduser().absolute()) for each in paths]
        self._shards = [shard for each in given for shard in _expand(each)]
        images = _Index()
        for number, shard in enumerate(self._shards):
            _look_into(shard, number, ids, images)
        self.ignored = images.others.total()
        if not images.names:
            raise SourceError(_nothing_found(self._shards, images.others))
        self._ids = np.array(list(images.names), dtype=object)
        self._rows = {object_id: row for row, object_id in enumerate(self._ids)}
        self._places = np.array(images.places, np.int64)
        self._notes = np.array([images.note_of(stem) for stem in images.stems], np.int64)
        self.spec = {
            "room": "sources",
            "name": "TarShards",
            "arguments": {"path": given[0] if single else given, "ids": ids},
        }
        self._catalog: pd.DataFrame | None = None
        if catalog is not None:
            # what image_stem does not know as an image goes by its name without suffix
            files = {i: name.removesuffix(".npy") for i, name in images.names.items()}
            self._catalog = match_files(read_table(catalog), files).reindex(self._ids)

    @classmethod
    def recognizes(cls, source: Any) -> bool:
        """Whether this names tar files: one, a pattern, several, or a folder with nothing else."""
        if isinstance(source, list | tuple):
            return bool(source) and all(map(_is_shard, source))
        if not isinstance(source, str | os.PathLike):
            return False
        path = Path(source).expanduser()
        if _is_shard(path):
            return True
        if not path.is_dir():
            return False
        names = [name for name in os.listdir(path) if not name.startswith(".")]  # noqa: PTH208 - of millions of files, quicker
        shards = [name for name in names if _is_shard(name)]
        return bool(shards) and not any(image_stem(name) for name in names)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        ignored = f", {self.ignored} other files ignored" if self.ignored else ""
        where = repr(Path(self._shards[0]).name)
        if len(self._shards) > 1:
            where = f"{where} and {len(self._shards) - 1} more"
        return f"<TarShards {where}: {len(self)} images{ignored}>"

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects, (n,) object array of str, in the order of the files."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Size and time of each object's tar file, and where in it it lies; (n,) array of str."""
        marks = []
        for shard in self._shards:
            try:
                status = Path(shard).stat()
            except OSError:
                marks.append("missing")
            else:
                marks.append(f"{status.st_size}-{status.st_mtime_ns}")
        places = self._places.tolist()
        return np.array([f"{marks[shard]}-{start}" for shard, start, _ in places], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame | None:
        """What is known of each object, indexed by object id, or None."""
        if self._catalog is None and (self._notes[:, 0] >= 0).any():
            self._catalog = self._read_notes()
        return self._catalog

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one image.

        Returns
        -------
        ndarray
            (height, width) or (height, width, bands), row 0 at the top; uint8, or floating. NaN
            where a FITS file has no data. Transparency is dropped.

        Raises
        ------
        ReadError
            It is no image, damaged, too large, without any data, or its tar file is gone.
        KeyError
            There is no such object.
        """
        data = self._bytes(self._places[self._rows[object_id]])
        if data.startswith(b"\x93NUMPY"):
            return _array(data, self.max_pixels)
        # unpacked as it is read, so that what is too large is refused before
        packed = data.startswith(b"\x1f\x8b")
        file: Any = gzip.GzipFile(fileobj=BytesIO(data)) if packed else BytesIO(data)
        return decode_open(file, self.max_pixels)

    def _bytes(self, place: NDArray[np.int64]) -> bytes:
        shard, start, size = place.tolist()
        path = Path(self._shards[shard])
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(start)
                data = file.read(size)
        except OSError as error:
            raise ReadError(f"the tar file {path.name!r} cannot be read: {error}") from error
        if len(data) < size:
            raise ReadError(f"the tar file {path.name!r} ends before this image does")
        return data

    def _read_notes(self) -> pd.DataFrame:
        import pandas as pd

        notes = [self._note(place) for place in self._notes]
        keys = dict.fromkeys(key for note in notes for key in note)
        columns = {key: _column([note.get(key) for note in notes]) for key in keys}
        return pd.DataFrame(columns, index=pd.Index(self._ids, dtype=object))

    def _note(self, place: NDArray[np.int64]) -> dict[str, Any]:
        """Return what is a number or text in a JSON object; nothing of what cannot be read."""
        try:
            said = json.loads(self._bytes(place)) if place[0] >= 0 else None
        except (ReadError, ValueError):
            return {}
        if not isinstance(said, dict):
            return {}
        return {key: value for key, value in said.items() if isinstance(value, str | int | float)}


@dataclass
class _Index:
    """What lies where: (shard, first byte, length in bytes)."""

    names: dict[str, str] = field(default_factory=dict)  # object id to path
    stems: list[str] = field(default_factory=list)  # shard and path without suffix, per object
    places: list[tuple[int, int, int]] = field(default_factory=list)
    notes: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # by stem
    others: Counter[str] = field(default_factory=Counter)

    def note_of(self, stem: str) -> tuple[int, int, int]:
        """Where the JSON beside an image is; a sample of WebDataset is called up to the dot."""
        folder, slash, base = stem.rpartition("/")
        short = self.notes.get(f"{folder}{slash}{base.partition('.')[0]}", (-1, 0, 0))
        return self.notes.get(stem, short)


def _is_shard(name: Any) -> bool:
    return isinstance(name, str | os.PathLike) and str(name).lower().endswith(_SUFFIX)


def _expand(path: str) -> list[str]:
    """Return the tar files of a file, folder or pattern, in the order of their names."""
    numbers = _RANGE.search(path)
    if numbers and not Path(path).exists():
        first, last = numbers.groups()
        return [
            file
            for k in range(int(first), int(last) + 1)
            for file in _expand(path.replace(numbers[0], f"{k:0{len(first)}d}", 1))
        ]
    if Path(path).is_dir():
        found = sorted(str(each) for each in Path(path).iterdir() if _is_shard(each.name))
    elif is_pattern(path):
        found = matching(path)
    else:
        return [path]
    if not found:
        raise SourceError(f"there are no {_SUFFIX} files at {path!r}")
    return found


def _look_into(shard: str, number: int, ids: str, index: _Index) -> None:
    """Add what lies in a tar file."""
    folder = Path(shard).name.removesuffix(_SUFFIX)
    try:
        with tarfile.open(shard, "r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # they would all be kept
                if member.isreg() and not member.sparse:
                    name = member.name.encode("utf-8", "surrogateescape")
                    clean = name.decode("utf-8", "backslashreplace").removeprefix("./")
                    place = (number, member.offset_data, member.size)
                    _note(clean, folder, ids, place, index)
    except FileNotFoundError:
        raise SourceError(f"there is no file {shard!r}") from None
    except (OSError, tarfile.TarError) as error:
        raise SourceError(
            f"{shard!r} cannot be read as a tar file: {error}; if it is packed, unpack it, for "
            "nothing can be found in the middle of it; if it is cut off, copy it again"
        ) from error


def _note(name: str, folder: str, ids: str, place: tuple[int, int, int], index: _Index) -> None:
    base = name.rpartition("/")[2]
    if base.startswith("."):
        return
    stem = _stem(base)
    if stem is None:
        if base.lower().endswith(".json"):
            index.notes[f"{folder}/{name[:-5]}"] = place
        else:
            index.others[Path(base).suffix.lower() or "no suffix"] += 1
        return
    object_id = stem if ids == "stem" else f"{folder}/{name}"
    if object_id in index.names:
        raise SourceError(
            f"{index.names[object_id]!r} and {name!r} would both be called {object_id!r}; use "
            "aw.sources.TarShards(..., ids='name') to call objects by tar file and path in it"
        )
    index.names[object_id] = name
    index.stems.append(f"{folder}/{name[: len(name) - len(base)]}{stem}")
    index.places.append(place)


def _stem(base: str) -> str | None:
    return base[:-4] if base.lower().endswith(".npy") else image_stem(base)


def _array(data: bytes, max_pixels: int) -> NDArray[Any]:
    try:
        array = np.load(BytesIO(data), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ReadError(f"damaged or not readable: {error}") from error
    if array.ndim < 2 or array.size > 8 * max_pixels:
        raise ReadError(f"an array of shape {array.shape} is not an image that can be shown")
    return np.ascontiguousarray(checked(bands_last(array)))


def _column(values: list[Any]) -> Any:
    """Return what JSON objects say under one key as a column; None is missing."""
    import pandas as pd

    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return pd.array(values, dtype="boolean")
    if kinds == {int} and all(abs(value or 0) < 2**63 for value in values):
        # with gaps, floating numbers would lose digits
        return pd.array(values, dtype="Int64" if None in values else "int64")
    if kinds <= {int, float}:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array([None if value is None else str(value) for value in values], dtype=object)


def _nothing_found(shards: list[str], others: Counter[str]) -> str:
    found = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(5))
    wanted = ", ".join([*sorted(IMAGE_SUFFIXES), ".npy"])
    return f"no images in {shards[0]!r} (found: {found or 'nothing'}; wanted: {wanted})"
