"""Windows of an image plane: mapped, decompressed tile by tile, fetched, or read whole once."""

from __future__ import annotations

import mmap
import threading
import warnings
import weakref
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..exceptions import ReadError
from ._images import _BROKEN, _quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
UNPACKED = 256 * 2**20  # bytes
_RELEASE = 4096  # rows between two returns of mapped pages; each row maps up to 16 pages


class Pixels(Protocol):
    """An open image plane."""

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        """Return a window as a floating array of its own, NaN where there are no data."""
        ...


def open_pixels(path: str, hdu: int, index: int | None, shape: tuple[int, int]) -> Pixels:
    """Open an image plane the way that needs the least memory.

    Plain files are memory-mapped. Of compressed images (``.fz``) and files at an address only
    what a window needs is read, until a compressed image has cost as much as all of it would
    have: then it is unpacked as a whole. Files that are packed as a whole (``.gz``, ``.bz2``) are
    unpacked at once. Of what is unpacked, the last `UNPACKED` bytes are kept in memory.

    Raises
    ------
    ReadError
        The file is gone, or damaged.
    """
    from astropy.io import fits

    remote = "://" in path
    with _errors(path):
        hdus = _open(path)
        image = hdus[hdu]
        if remote:
            return _Sections(hdus, image, index, np.inf)
        if isinstance(image, fits.CompImageHDU):
            return _Sections(hdus, image, index, shape[0] * shape[1])
        with hdus:
            if _is_plain(path):
                return _Mapped(path, image, index, shape)
        return _Whole(path, hdu, index, shape)


def _open(path: str) -> Any:
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    remote = "://" in path
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        return fits.open(path, memmap=not remote, use_fsspec=remote)


@contextmanager
def _errors(path: str) -> Iterator[None]:
    """Turn what goes wrong in a broken file into a reason."""
    from astropy.io import fits

    try:
        yield
    except (*_BROKEN, fits.VerifyError) as error:
        raise ReadError(f"{path!r} is damaged or not readable: {error}") from error


def _is_plain(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(6) == b"SIMPLE"


class _Mapped:
    """A window of a memory-mapped file, scaled by hand as only the window should be."""

    def __init__(self, path: str, hdu: Any, index: int | None, shape: tuple[int, int]) -> None:
        header = hdu.header
        dtype = np.dtype(_DTYPES[header["BITPIX"]])
        count = shape[0] * shape[1]
        offset = hdu.fileinfo()["datLoc"] + (index or 0) * count * dtype.itemsize
        with Path(path).open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if len(self._map) < offset + count * dtype.itemsize:
            raise ReadError(f"{path!r} is truncated: it ends before its pixels do")
        self._pixels = np.frombuffer(self._map, dtype, count, offset).reshape(shape)
        self._scale, self._zero = header.get("BSCALE", 1), header.get("BZERO", 0)
        self._blank = header.get("BLANK") if dtype.kind in "iu" else None
        self._dtype = working_type(dtype)
        self._n_rows = 0

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        raw = self._pixels[bottom:top, left:right]
        window = raw.astype(self._dtype)
        if self._scale != 1 or self._zero != 0:
            window *= self._scale
            window += self._zero
        if self._blank is not None:
            window[raw == self._blank] = np.nan
        self._n_rows += top - bottom
        if self._n_rows > _RELEASE:
            self._n_rows = 0
            self._return_pages()
        return window

    def _return_pages(self) -> None:
        # the pages stay in the cache of the system, but no longer count as memory of this process
        if hasattr(self._map, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


class _Sections:
    """A window of a compressed or distant image, through astropy's sections."""

    def __init__(self, hdus: Any, hdu: Any, index: int | None, enough: float) -> None:
        self._path, self._section, self._height_width = hdus.filename(), hdu.section, hdu.shape[-2:]
        cube = tuple(hdu.shape[:-2])
        self._plane = np.unravel_index(index or 0, cube) if cube else ()
        self._tile = getattr(hdu, "tile_shape", (1, 1))[-2:]
        # rent or buy: never more than twice the cost of what would have been best
        self._spent, self._enough = 0.0, enough
        self._lock = threading.Lock()  # one file, one place in it
        self._closing = weakref.finalize(self, hdus.close)

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        with self._lock:
            whole = _unpacked.get(self)
            if whole is None and self._spent > self._enough:
                height, width = self._height_width
                whole = self._read(0, height, 0, width)
                _unpacked.put(self, whole)
                self._spent = 0
            if whole is not None:
                return whole[bottom:top, left:right].copy()
            self._spent += self._cost(bottom, top) * self._cost(left, right, -1)
            return self._read(bottom, top, left, right)

    def _cost(self, start: int, stop: int, axis: int = -2) -> int:
        """Return how many pixels are unpacked along an axis, in whole tiles."""
        tile = self._tile[axis]
        return int((-(-stop // tile) - start // tile) * tile)

    def _read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        with _errors(self._path):
            window = self._section[(*self._plane, slice(bottom, top), slice(left, right))]
        return np.asarray(window).astype(working_type(window.dtype))


class _Whole:
    """A window of a file that can only be unpacked as a whole."""

    def __init__(self, path: str, hdu: int, index: int | None, shape: tuple[int, int]) -> None:
        self._path, self._hdu, self._index, self._shape = path, hdu, index, shape
        self._lock = threading.Lock()

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        with self._lock:
            whole = _unpacked.get(self)
            if whole is None:
                with _errors(self._path), _open(self._path) as hdus:
                    cube = np.asarray(hdus[self._hdu].data).reshape(-1, *self._shape)
                    whole = cube[self._index or 0].astype(working_type(cube.dtype))
                _unpacked.put(self, whole)
        return whole[bottom:top, left:right].copy()


class _Unpacked:
    """The images last unpacked, as many as fit into `UNPACKED` bytes, and at least one."""

    def __init__(self) -> None:
        self._images: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.RLock()  # a collected owner may be let go of at any moment

    def get(self, owner: object) -> NDArray[Any] | None:
        with self._lock:
            image = self._images.get(id(owner))
            if image is not None:
                self._images.move_to_end(id(owner))
            return image

    def put(self, owner: object, image: NDArray[Any]) -> None:
        with self._lock:
            self._images[id(owner)] = image
            size = sum(each.nbytes for each in self._images.values())
            while size > UNPACKED and len(self._images) > 1:
                size -= self._images.popitem(last=False)[1].nbytes
        weakref.finalize(owner, self._forget, id(owner))

    def _forget(self, owner: int) -> None:
        with self._lock:
            self._images.pop(owner, None)


_unpacked = _Unpacked()


def working_type(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """Return the floating type that holds such pixels: float32 up to 16 bits and for float32."""
    wide = dtype.itemsize > (4 if dtype.kind == "f" else 2)
    return np.float64 if wide else np.float32
