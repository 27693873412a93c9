"""Windows of an image plane: mapped, decompressed tile by tile, fetched, or read whole once."""

from __future__ import annotations

import mmap
import threading
import warnings
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..exceptions import ReadError
from ._images import _BROKEN, _quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_RELEASE = 4096  # rows between two returns of mapped pages; each row maps up to 16 pages


class Pixels(Protocol):
    """An open image plane."""

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        """Return a window as a floating array of its own, NaN where there are no data."""
        ...


def open_pixels(path: str, hdu: int, index: int | None, shape: tuple[int, int]) -> Pixels:
    """Open an image plane the way that needs the least memory.

    Plain files are memory-mapped. Of compressed images (``.fz``) and files at an address only
    what a window needs is read; files that are packed as a whole (``.gz``, ``.bz2``) are unpacked
    into memory.

    Raises
    ------
    ReadError
        The file is gone, or damaged.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    remote = "://" in path
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            hdus = fits.open(path, memmap=not remote, use_fsspec=remote)
            image = hdus[hdu]
            if remote or isinstance(image, fits.CompImageHDU):
                return _Sections(hdus, image, index)
            with hdus:
                if _is_plain(path):
                    return _Mapped(path, image, index, shape)
                cube = np.asarray(image.data).reshape(-1, *shape)
                return _Whole(cube[index or 0])
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

    def __init__(self, hdus: Any, hdu: Any, index: int | None) -> None:
        self._section = hdu.section
        cube = tuple(hdu.shape[:-2])
        self._plane = np.unravel_index(index or 0, cube) if cube else ()
        self._lock = threading.Lock()  # one file, one place in it
        self._closing = weakref.finalize(self, hdus.close)

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        from astropy.io import fits

        try:
            with self._lock:
                window = self._section[(*self._plane, slice(bottom, top), slice(left, right))]
        except (*_BROKEN, fits.VerifyError) as error:
            raise ReadError(f"damaged or not readable: {error}") from error
        return np.asarray(window).astype(working_type(window.dtype))


class _Whole:
    """A window of an image in memory."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        self._pixels = pixels.astype(working_type(pixels.dtype))

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        return self._pixels[bottom:top, left:right].copy()


def working_type(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """Return the floating type that holds such pixels: float32 up to 16 bits and for float32."""
    wide = dtype.itemsize > (4 if dtype.kind == "f" else 2)
    return np.float64 if wide else np.float32
