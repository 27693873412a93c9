"""One image file, or one array, becomes an image; what it is decides, not its suffix."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

_FITS_SUFFIXES = (".fits", ".fit", ".fts")
#: Longest first, so that ``.fits.gz`` is removed whole.
IMAGE_SUFFIXES = (
    *(suffix + packing for suffix in _FITS_SUFFIXES for packing in (".gz", ".fz")),
    ".jpeg",
    ".tiff",
    *_FITS_SUFFIXES,
    ".jpg",
    ".png",
    ".tif",
)

_MOST_LAST = 16  # bands in the last axis, where FITS wants them in the first

# what the decoders raise on broken files; anything else is a bug and should be seen
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)

# warnings.catch_warnings changes global state, and thumbnails are read on threads
_quiet = threading.Lock()


def image_stem(name: str) -> str | None:
    """Return the file name without its image suffix, of any case; None if it has none."""
    lower = name.lower()
    for suffix in IMAGE_SUFFIXES:
        if lower.endswith(suffix):
            return name[: -len(suffix)]
    return None


def decode(path: Path, max_pixels: int) -> NDArray[Any]:
    """Read an image file.

    Returns
    -------
    ndarray
        (height, width) or (height, width, bands), uint8 or floating, row 0 at the top.

    Raises
    ------
    ReadError
        There is no image to be had from this file; the message is the reason.
    """
    try:
        with path.open("rb") as file:
            return decode_open(file, max_pixels)
    except IsADirectoryError:
        raise ReadError("a folder, not an image file") from None
    except FileNotFoundError:
        raise ReadError("the file is missing, or a link to nowhere") from None
    except OSError as error:
        raise _damaged(error) from error


def decode_open(file: BinaryIO, max_pixels: int) -> NDArray[Any]:
    """Read an image from an open file, or from bytes as one; see :func:`decode`."""
    try:
        head = file.read(9)
        file.seek(0)
        if head.startswith(b"\xff\xd8\xff"):
            image = _jpeg(file, max_pixels)
        elif head.startswith(b"\x89PNG"):
            image = _png(file, max_pixels)
        elif head.startswith((b"II*\0", b"MM\0*")):
            image = _tiff(file, max_pixels)
        elif head.startswith((b"SIMPLE  =", b"\x1f\x8b")):
            image = _fits(file, max_pixels)
        elif not head:
            raise ReadError("the file is empty")
        else:
            raise ReadError(f"not a PNG, JPEG, TIFF or FITS image (it begins with {head!r})")
    except MemoryError:
        raise ReadError("the image does not fit in memory") from None
    except _BROKEN as error:
        raise _damaged(error) from error
    return np.ascontiguousarray(checked(image))


def _damaged(error: Exception) -> ReadError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ReadError(f"damaged or not readable: {reason}")


def checked(image: NDArray[Any]) -> NDArray[Any]:
    """Return the image as uint8 or floating of native byte order.

    Raises
    ------
    ReadError
        Fewer than 2 x 2 pixels, not numbers, or no finite value at all.
    """
    height, width = image.shape[:2]
    if min(height, width) < 2:
        raise ReadError(f"only {height} x {width} pixels: too small to be an image")
    kind, size = image.dtype.kind, image.dtype.itemsize
    if kind == "b":
        return image.astype(np.uint8) * np.uint8(255)
    if kind in "iu" and image.dtype != np.uint8:
        return image.astype(np.float32 if size <= 2 else np.float64)
    if kind == "f":
        image = image.astype(np.float32 if size <= 4 else np.float64, copy=False)
        if not np.isfinite(image).any():
            raise ReadError("no pixel has a finite value")
    elif kind != "u":
        raise ReadError(f"pixels are {image.dtype}, not numbers")
    return image


def bands_last(image: NDArray[Any], bands: str | None = None) -> NDArray[Any]:
    """Bring (bands, height, width) to (height, width, bands), and drop axes of length 1.

    Parameters
    ----------
    image : ndarray
        Two axes, or three with the bands first or last; further axes of length 1 in front (of
        Stokes or frequency in radio images) are dropped.
    bands : {"first", "last"}, optional
        Where the bands are; by default the shorter of the two ends.

    Raises
    ------
    ReadError
        More than three axes are left.
    """
    image = image.squeeze(tuple(k for k, n in enumerate(image.shape[:-2]) if n == 1))
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim == 2:
        return image
    if image.ndim != 3:
        raise ReadError(f"an array of shape {image.shape} is not an image of two or three axes")
    if bands is None:
        bands = "first" if image.shape[0] <= image.shape[2] else "last"
    return np.moveaxis(image, 0, 2) if bands == "first" else image


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ReadError(
            f"{width} x {height} pixels are more than the limit of {max_pixels} (max_pixels); "
            "cut the objects out of it first"
        )


def _check_planes(shape: tuple[int, ...]) -> None:
    *planes, height, width = shape
    n = int(np.prod(planes))
    if n > max(height, width) and width > _MOST_LAST:
        raise ReadError(
            f"a cube of {n} planes of {width} x {height} pixels, more than could be bands; average "
            "some of them first"
        )


def _jpeg(file: BinaryIO, max_pixels: int) -> NDArray[Any]:
    from PIL import JpegImagePlugin

    # the plug-in itself, not Image.open: that warns of large pictures before we can refuse them
    header = JpegImagePlugin.JpegImageFile(file)
    _check_size(*header.size, max_pixels)
    if header.mode not in {"L", "RGB"}:
        return np.asarray(header.convert("RGB"))
    file.seek(0)
    data = file.read()
    # markers cannot occur inside the coded pixels, so the last scan of a whole file is ended
    if data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise ReadError("the file is truncated: its end is missing")
    return _opencv(data)


def _png(file: BinaryIO, max_pixels: int) -> NDArray[Any]:
    from PIL import PngImagePlugin

    header = PngImagePlugin.PngImageFile(file)
    _check_size(*header.size, max_pixels)
    file.seek(24)
    bit_depth, color_type = file.read(2)
    if bit_depth == 16 and color_type in {2, 4, 6}:  # pillow would cut these to 8 bits
        file.seek(0)
        image = _opencv(file.read())
        return image[:, :, 0] if color_type == 4 else image
    return _pillow(header)


def _tiff(file: BinaryIO, max_pixels: int) -> NDArray[Any]:
    from PIL import TiffImagePlugin

    with _quiet, warnings.catch_warnings():
        # of tags that are damaged; where they matter, it raises
        warnings.simplefilter("ignore", UserWarning)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        _check_size(tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH], max_pixels)
        file.seek(0)
        if max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8:
            return _opencv(file.read())
        return _pillow(TiffImagePlugin.TiffImageFile(file))


def _pillow(header: Any) -> NDArray[Any]:
    """Decode what a plug-in has opened; transparency is dropped, a palette is looked up."""
    if header.mode in {"1", "L", "LA"}:
        return np.array(header.convert("L"))
    if header.mode.startswith(("I", "F")):
        return np.array(header)
    return np.array(header.convert("RGB"))


def _opencv(data: bytes) -> NDArray[Any]:
    """Decode bytes by OpenCV, to the same pixels as pillow in a third of the time."""
    import cv2

    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ReadError(f"damaged or not readable: {error.err}") from error
    if image is None:
        raise ReadError("the file is truncated or damaged")
    if image.ndim == 3 and image.dtype == np.uint8:
        return np.asarray(cv2.cvtColor(image[:, :, :3], cv2.COLOR_BGR2RGB))
    return np.asarray(image if image.ndim == 2 else image[:, :, 2::-1])


def _fits(file: BinaryIO, max_pixels: int) -> NDArray[Any]:
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    with _quiet, warnings.catch_warnings():
        # what is only untidy is no reason to refuse an image; what is missing raises
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            with fits.open(file, memmap=False) as hdus:
                for hdu in parts(hdus):
                    if hdu.is_image and len(hdu.shape) >= 2:
                        *_, height, width = hdu.shape
                        _check_size(width, height, max_pixels)
                        _check_size(int(np.prod(hdu.shape)), 1, 8 * max_pixels)
                        _check_planes(hdu.shape)
                        # FITS counts rows from the bottom
                        return np.flip(bands_last(_pixels(hdu)), axis=0)
        except fits.VerifyError as error:
            raise ReadError(f"damaged or not readable: {error}") from error
    raise ReadError("the FITS file holds no image")


def parts(hdus: Any) -> Iterator[Any]:
    """Yield the parts of an open FITS file, up to the first whose header is none.

    Raises
    ------
    ReadError
        There would be another after that one. Only packed files have one, for astropy, which does
        not know where it begins, finds the same place again and again.
    """
    damaged = False
    for hdu in hdus:
        if damaged:
            raise ReadError("damaged or not readable: the header of one of its parts is none")
        damaged = not hasattr(hdu, "fileinfo")  # astropy's own name for such a part is private
        yield hdu


def _pixels(hdu: Any) -> NDArray[Any]:
    try:
        return np.asarray(hdu.data)
    except Exception as error:  # the class that the decompressor raises cannot be imported
        raise ReadError(f"damaged or not readable: {error}") from error
