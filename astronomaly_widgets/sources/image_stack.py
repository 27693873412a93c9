"""Images of one size stacked in one array, in memory or on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._optional import require
from ..exceptions import ReadError, SourceError
from ._catalogs import as_text, match_objects, unique_ids
from ._images import bands_last, checked
from ._tables import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


class ImageStack:
    """An array of images, one object per row of its first axis.

    Parameters
    ----------
    array : array or path-like
        (n, height, width), (n, height, width, bands) or (n, bands, height, width): an array, or a
        ``.npy`` file (memory-mapped), an HDF5 file (``.h5``, ``.hdf5``) or a Zarr store
        (``.zarr``), of which one image at a time is read.
    object_ids : sequence of str, optional
        Names, (n,). By default ``object-0``, ``object-1``, ...: the same for a row whatever is
        appended to the stack.
    catalog : path, DataFrame or Table, optional
        One row per object, matched by a column of object ids if there is one, else row by row.
    key : str, optional
        The data set within an HDF5 file or a Zarr group; by default the only one of three or four
        axes.
    bands : {"first", "last"}, optional
        Where the bands of a stack of four axes are; by default the shorter of both ends.

    Attributes
    ----------
    spec : dict or None
        How a project finds this source again, if it lies on disk; JSON-ready.

    Raises
    ------
    SourceError
        No such file, no or several stacks in it, or names that do not fit it.
    """

    kind = "image"

    def __init__(
        self,
        array: Any,
        *,
        object_ids: Sequence[str] | None = None,
        catalog: Any = None,
        key: str | None = None,
        bands: Literal["first", "last"] | None = None,
    ) -> None:
        if bands not in {None, "first", "last"}:
            raise ValueError(f"bands is {bands!r}; wanted 'first', 'last' or None")
        on_disk = isinstance(array, str | os.PathLike)
        self.path = Path(array).expanduser() if on_disk else None
        self._key = key
        self._stack = None if on_disk else np.asarray(array)
        shape = self.stack.shape
        if len(shape) not in {3, 4} or not all(shape):
            raise SourceError(
                f"an array of shape {shape} is not a stack of images; wanted (n, height, width), "
                "(n, height, width, bands) or (n, bands, height, width)"
            )
        if bands is None and len(shape) == 4:
            bands = "first" if shape[1] < shape[3] else "last"
        self._bands = bands
        names = [f"object-{i}" for i in range(shape[0])] if object_ids is None else object_ids
        self._ids = unique_ids(as_text(names), "object_ids")
        if len(self._ids) != shape[0]:
            raise SourceError(f"{len(self._ids)} object_ids for a stack of {shape[0]} images")
        self._rows = {i: row for row, i in enumerate(self._ids)}
        self.spec = self._describe(None if object_ids is None else self._ids.tolist())
        self._catalog = None if catalog is None else match_objects(read_table(catalog), self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else repr(str(self.path))
        return f"<ImageStack {where}: {len(self)} images of {self.stack.shape[1:]}>"

    def __getstate__(self) -> dict[str, Any]:
        # what is open does not travel; the other side opens it again
        return self.__dict__ | ({} if self.path is None else {"_stack": None})

    def _describe(self, object_ids: list[str] | None) -> dict[str, Any] | None:
        if self.path is None:
            return None
        arguments = {
            "array": str(self.path.absolute()),
            "object_ids": object_ids,
            "key": self._key,
            "bands": self._bands,
        }
        return {"room": "sources", "name": "ImageStack", "arguments": arguments}

    @property
    def stack(self) -> Any:
        """The array itself, opened at first use; whatever its file's library gives."""
        if self._stack is None and self.path is not None:
            self._stack = _open(self.path, self._key)
        return self._stack

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects, (n,) object array of str, in the order of the stack."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Size and time of the file, or a digest of each image in memory; (n,) array of str."""
        if self.path is None:
            digests = [
                hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).hexdigest()
                for image in self.stack
            ]
            return np.array(digests, dtype=object)
        status = self.path.stat()
        mark = f"{status.st_size}-{status.st_mtime_ns}"
        return np.array([f"{mark}-{row}" for row in range(len(self))], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame | None:
        """What the catalog says of each object, indexed by object id, or None."""
        return self._catalog

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one image.

        Returns
        -------
        ndarray
            (height, width) or (height, width, bands), uint8 or floating.

        Raises
        ------
        ReadError
            The image cannot be read from its file, or has no finite value.
        KeyError
            There is no such object.
        """
        row = self._rows[object_id]
        try:
            image = np.array(self.stack[row])  # a copy: what is done to it stays there
        except (OSError, ValueError, RuntimeError) as error:
            raise ReadError(f"row {row} of the stack cannot be read: {error}") from error
        return np.ascontiguousarray(checked(bands_last(image, self._bands)))


def _open(path: Path, key: str | None) -> Any:
    """Open a stack for reading."""
    suffix = path.suffix.lower()
    if not path.exists():
        raise SourceError(f"there is no file {str(path)!r}")
    if suffix == ".npy":
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(f"{str(path)!r} is not an array file: {error}") from error
    if suffix in {".h5", ".hdf5", ".hdf"}:
        return _choose(_open_hdf5(path), key, path)
    if suffix == ".zarr":
        return _choose(_open_zarr(path), key, path)
    raise SourceError(f"{path.name!r} is not a stack we know; wanted .npy, .h5, .hdf5 or .zarr")


def _open_hdf5(path: Path) -> dict[str, Any]:
    h5py = require("h5py", extra="scale")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise SourceError(f"{str(path)!r} cannot be opened as HDF5: {error}") from error
    found: dict[str, Any] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = node

    file.visititems(visit)
    return found


def _open_zarr(path: Path) -> dict[str, Any]:
    zarr = require("zarr", extra="scale")
    try:
        node = zarr.open(str(path), mode="r")
    except (OSError, ValueError, LookupError) as error:
        raise SourceError(f"{str(path)!r} cannot be opened as Zarr: {error}") from error
    return {"": node} if isinstance(node, zarr.Array) else dict(node.arrays())


def _choose(found: dict[str, Any], key: str | None, path: Path) -> Any:
    """Pick the stack among the data sets of a file."""
    found = dict(sorted(found.items()))
    if key is not None:
        if key.strip("/") in found:
            return found[key.strip("/")]
        names = ", ".join(found) or "none"
        raise SourceError(f"{str(path)!r} has no data set {key!r}; it has: {names}")
    stacks = {name: data for name, data in found.items() if data.ndim in {3, 4}}
    if len(stacks) != 1:
        names = ", ".join(f"{name} {data.shape}" for name, data in found.items()) or "none"
        raise SourceError(
            f"{str(path)!r} has {len(stacks)} data sets of three or four axes; "
            f"choose one by aw.sources.ImageStack({path.name!r}, key=...): it has {names}"
        )
    return next(iter(stacks.values()))
