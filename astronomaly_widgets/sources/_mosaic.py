"""One image plane of a FITS file, of which windows are read on demand."""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._optional import require
from ..exceptions import ReadError, SourceError
from ._images import _quiet, parts
from ._pixels import open_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SUFFIXES = tuple(
    suffix + packing
    for suffix in (".fits", ".fit", ".fts")
    for packing in ("", ".gz", ".fz", ".bz2")
)
_BAND_KEYWORDS = ("FILTER", "BAND", "FILTNAM1", "FILTERS")
#: Images that belong to another image: its errors, flags and weights.
AUXILIARY = re.compile(
    r"(err|error|rms|var|var_(poisson|rnoise|flat)|variance|ivar|invvar|wht|wgt|weight|weights"
    r"|weightmap|dq|mask|msk|flag|flags|ctx|con|nexp|exp|expmap|exposure|samp|time|bkg|background"
    r"|psf)([_ -]?\d+)?",
    re.IGNORECASE,
)
_MOST_PLANES = 32
_EXTENSION = re.compile(r"(?P<path>.+)\[(?P<hdu>[^\[\]]+)\]")


@dataclass(eq=False)
class Plane:
    """A two-dimensional image in a FITS file, on disk or at an address.

    Pixels are counted as in numpy: (0, 0) is the center of the first pixel, which FITS calls
    (1, 1); y grows upwards on a screen.

    Attributes
    ----------
    path : str
        File or address.
    hdu : int
        Which extension.
    index : int or None
        Which plane of a cube, all leading axes taken as one.
    shape : (int, int)
        Height and width in pixels.
    extension, filter : str
        EXTNAME, and the value of FILTER or BAND; "" where there is none.
    """

    path: str
    hdu: int
    index: int | None
    shape: tuple[int, int]
    extension: str = ""
    filter: str = ""
    _pixels: Any = field(default=None, repr=False)
    _wcs: Any = field(default=None, repr=False)
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # what is open does not travel; the other side opens it again
        return self.__dict__ | {"_pixels": None, "_wcs": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    @property
    def wcs(self) -> Any:
        """Its celestial coordinates, an astropy WCS of two axes; None if it has none."""
        with self._lock:
            if self._wcs is None:
                with opened(self.path) as hdus:
                    self._wcs = (_celestial(hdus, self),)
            return self._wcs[0]

    def read(self, bottom: int, top: int, left: int, right: int) -> NDArray[Any]:
        """Read rows `bottom` to `top` and columns `left` to `right`, which must lie inside.

        Returns
        -------
        ndarray
            (top - bottom, right - left) floating, native, row 0 at the bottom; scaled by BSCALE
            and BZERO, NaN where it is BLANK. A copy.

        Raises
        ------
        ReadError
            The file is gone, or damaged.
        """
        if self._pixels is None:
            with self._lock:
                if self._pixels is None:
                    self._pixels = open_pixels(self.path, self.hdu, self.index, self.shape)
        pixels: NDArray[Any] = self._pixels.read(bottom, top, left, right)
        return pixels

    def whole(self) -> NDArray[Any]:
        """Read all of it, as :meth:`read` does."""
        return self.read(0, self.shape[0], 0, self.shape[1])

    def mark(self) -> str:
        """Return text that changes when the file does."""
        if is_remote(self.path):
            system, name = require("fsspec", extra="survey").core.url_to_fs(self.path)
            return f"{self.path}-{system.ukey(name)}"
        try:
            status = Path(self.path).stat()
        except OSError:
            return "missing"
        return f"{status.st_size}-{status.st_mtime_ns}"


def is_remote(path: str) -> bool:
    """Whether a path is an address that fsspec opens."""
    return "://" in path


def split_extension(name: str) -> tuple[str, str | None]:
    """Split ``file.fits[SCI]`` into file and extension, as CFITSIO writes them."""
    found = _EXTENSION.fullmatch(name)
    if found is None or (not is_remote(name) and Path(name).exists()):
        return name, None
    return found["path"], found["hdu"]


def scan(name: str | os.PathLike[str]) -> list[Plane]:
    """Return the image planes of a FITS file; of one extension if `name` ends in ``[EXT]``.

    Extensions that are errors, flags or weights of others are left out, unless there is nothing
    else or they are named.

    Raises
    ------
    SourceError
        The file is missing, no FITS file, or holds no such image.
    """
    path, wanted = split_extension(os.fspath(name))
    if not is_remote(path):
        path = str(Path(path).expanduser().absolute())
        if not Path(path).exists():
            raise SourceError(f"there is no file {path!r}")
    with opened(path) as hdus:
        planes = [
            plane
            for number, hdu in enumerate(hdus)
            if wanted is None or wanted in {str(number), hdu.name}
            for plane in _planes(path, number, hdu)
        ]
        if not planes:
            names = [hdu.name or type(hdu).__name__ for hdu in hdus]
            found = ", ".join(f"[{k}] {name}" for k, name in enumerate(names))
            what = "holds no image" if wanted is None else f"has no image {wanted!r}"
            raise SourceError(f"the FITS file {path!r} {what}; it holds: {found}")
        main = [plane for plane in planes if not AUXILIARY.fullmatch(plane.extension)] or planes
        for plane in main:  # while the file is open
            plane._wcs = (_celestial(hdus, plane),)  # noqa: SLF001 - its own kind
    return main


def first_image(path: Path) -> Plane:
    """Return the first image of a FITS file, of a cube its first plane; SourceError if none."""
    with opened(str(path)) as hdus:
        for number, hdu in enumerate(hdus):
            if _is_image(hdu):
                height, width = map(int, hdu.shape[-2:])
                plane = Plane(str(path), number, None, (height, width))
                plane._wcs = (_celestial(hdus, plane),)  # noqa: SLF001 - its own kind
                return plane
    raise SourceError(f"the FITS file {str(path)!r} holds no image")


def is_folder(name: str | os.PathLike[str]) -> bool:
    """Whether this is a folder on disk."""
    path = os.fspath(name)
    return not is_remote(path) and Path(path).expanduser().is_dir()


def mosaics_in(folder: str | os.PathLike[str]) -> list[str]:
    """Return the FITS files of a folder that hold an image, by name.

    Raises
    ------
    SourceError
        There are none.
    """
    inside = Path(folder).expanduser()
    files = sorted(str(path) for path in inside.iterdir() if is_fits(path.name))
    found = [file for file in files if holds_image(file)]
    if not found:
        raise SourceError(
            f"none of the {len(files)} FITS files in {str(inside)!r} holds an image; wanted at "
            "least one mosaic"
        )
    return found


def is_fits(name: str) -> bool:
    """Whether a file is called like FITS, and not hidden."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def holds_image(path: str) -> bool:
    """Whether a file can be opened as FITS and has an image of two axes or more."""
    try:
        with opened(path) as hdus:
            return any(_is_image(hdu) for hdu in hdus)
    except SourceError:
        return False


def _is_image(hdu: Any) -> bool:
    return bool(hdu.is_image and len(hdu.shape) >= 2 and min(hdu.shape[-2:]) >= 2)


def _planes(path: str, number: int, hdu: Any) -> Iterator[Plane]:
    if not _is_image(hdu):
        return
    *cube, height, width = map(int, hdu.shape)
    n = int(np.prod(cube, dtype=int))
    if n > _MOST_PLANES:
        raise SourceError(
            f"{path!r}[{number}] is a cube of {n} planes, more than could be bands; if each is an "
            "object, give them to ImageStack(astropy.io.fits.getdata(...)), else average them first"
        )
    keyword = next((k for k in _BAND_KEYWORDS if str(hdu.header.get(k, "")).strip()), None)
    band = "" if keyword is None else str(hdu.header[keyword]).strip()
    for index in range(n):
        at = index if n > 1 else None
        name = str(hdu.header.get("EXTNAME", "")).strip()
        yield Plane(path, number, at, (height, width), name, band)


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a FITS file without a word about what is only untidy, and with our own errors."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    remote = is_remote(path)
    if remote:
        require("fsspec", extra="survey")
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            hdus = fits.open(path, memmap=not remote, use_fsspec=remote)
            with ExitStack() as if_damaged:
                if_damaged.callback(hdus.close)
                deque(parts(hdus), maxlen=0)  # all headers are read now
                if_damaged.pop_all()
        except (OSError, ValueError, TypeError, ReadError, fits.VerifyError) as error:
            raise SourceError(f"{path!r} cannot be opened as FITS: {error}") from error
        with hdus:
            yield hdus


def _celestial(hdus: Any, plane: Plane) -> Any:
    from astropy.wcs import WCS, WcsError

    try:
        wcs = WCS(hdus[plane.hdu].header, fobj=hdus)
    except (WcsError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"the coordinates (WCS) of {plane.path!r}[{plane.hdu}] cannot be used: {error}"
        ) from error
    if not wcs.has_celestial:
        return None
    return wcs.celestial if wcs.naxis > 2 else wcs
