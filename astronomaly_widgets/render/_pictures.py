"""One object of a source as JPEG or PNG bytes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ._display import bands, cropped, resized
from ._drawing import encode, placeholder, profile
from ._lines import lines_of
from ._plots import plot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import Source

_log = logging.getLogger(__name__)

_LOSSLESS_UP_TO = 256  # px: a small picture is magnified on the screen, so it is sent exactly

_LOW = 0.62  # height of a large plot over its width


def thumbnail(
    source: Source | None,
    object_id: str,
    size: int = 150,
    *,
    crop: float = 1.0,
    period: float | None = None,
) -> bytes:
    """Draw one object small.

    The whole image is fitted into the square and the rest is black. A light curve is drawn with
    error bars, bright at the top, and folded if its source knows a period; a spectrum as a line. An
    object that cannot be read is drawn as a quiet grey placeholder, and the reason is logged, so
    that one bad object never spoils a page.

    Parameters
    ----------
    source : Source or None
        Where the object comes from.
    object_id : str
        Which object.
    size : int
        Side of the square, in pixels.
    crop : float
        The central fraction of each side of an image that is shown, 0 < crop <= 1.
    period : float, optional
        Fold a light curve at so many days, whatever its source says; NaN folds it not at all.

    Returns
    -------
    bytes
        A JPEG of size x size pixels.

    Raises
    ------
    ValueError
        If `size` or `crop` is out of range.
    """
    _check(size, crop)
    try:
        data = _read(source, object_id)
        if source is not None and data.dtype.names is not None:
            lines = lines_of(source, object_id, data)
            if period is not None:
                lines = replace(lines, period=period)
            return encode(plot(lines, size, size), ".jpg", drawing=True)
        if data.ndim == 1:
            return profile(data, size)
        shown = resized(cropped(data, crop), size)
    except Exception as error:  # noqa: BLE001 - a source of one's own may raise anything
        _reason(object_id, error)
        return placeholder(size)
    height, width = shown.shape[:2]
    square = np.zeros((size, size, *shown.shape[2:]), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = shown
    return encode(square, ".jpg")


def picture(
    source: Source | None, object_id: str, max_size: int = 1024, *, band: int | None = None
) -> bytes:
    """Draw one object as large as its data allow.

    Parameters
    ----------
    source : Source or None
        Where the object comes from.
    object_id : str
        Which object.
    max_size : int
        The longer side is at most this many pixels; smaller pictures keep their own size.
    band : int, optional
        Show this band of an image alone, in grey; all of them if it has not so many.

    Returns
    -------
    bytes
        PNG for curves, and for images up to 256 pixels, where every pixel counts, JPEG above. An
        object that cannot be read gives a placeholder that says why.

    Raises
    ------
    ValueError
        If `max_size` is not positive.
    """
    return picture_and_bands(source, object_id, max_size, band=band)[0]


def picture_and_bands(
    source: Source | None, object_id: str, max_size: int = 1024, *, band: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Draw one object like :func:`picture`, and name the bands that it can be shown in.

    Returns
    -------
    data : bytes
        JPEG or PNG.
    bands : tuple of str
        In the order of an image's last axis: as the source calls them if it does, R, G and B for a
        picture of 8 bits, else 1, 2, ...; none for what has a single band or is no image.
    """
    _check(max_size, 1.0)
    names: tuple[str, ...] = ()
    try:
        data = _raw(source, object_id)
        if source is not None and data.dtype.names is not None:
            height = max(1, round(max_size * _LOW))
            return encode(plot(lines_of(source, object_id, data), max_size, height), ".png"), names
        if data.ndim == 1:
            return profile(data, max_size), names
        names = _band_names(source, data)
        if band is not None and band < len(names):
            data = data[..., band]
        data = bands(data)
        shown = resized(data, min(max_size, max(data.shape[:2])))
    except Exception as error:  # noqa: BLE001 - a source of one's own may raise anything
        return placeholder(min(max_size, 512), _reason(object_id, error)), names
    suffix = ".png" if max(shown.shape[:2]) <= _LOSSLESS_UP_TO else ".jpg"
    return encode(shown, suffix), names


def mime(data: bytes) -> str:
    """Media type of what this module draws: ``"image/jpeg"`` or ``"image/png"``.

    Raises
    ------
    ValueError
        If `data` are neither.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    raise ValueError(f"neither a JPEG nor a PNG: the data begin with {data[:8]!r}")


def _check(size: int, crop: float) -> None:
    if size < 1:
        raise ValueError(f"size must be a positive number of pixels, got {size!r}")
    if not 0 < crop <= 1:
        raise ValueError(
            f"crop must be a fraction of the side, above 0 and at most 1, got {crop!r}"
        )


def _read(source: Source | None, object_id: str) -> NDArray[Any]:
    data = _raw(source, object_id)
    return data if data.ndim == 1 else bands(data)


def _raw(source: Source | None, object_id: str) -> NDArray[Any]:
    if source is None:
        raise LookupError("this session has no source to read pictures from")
    return np.asarray(source.read(object_id))


def _band_names(source: Source | None, data: NDArray[Any]) -> tuple[str, ...]:
    if data.ndim != 3 or data.shape[2] < 2:
        return ()
    n = data.shape[2]
    names = tuple(map(str, getattr(source, "bands", ())))
    if len(names) == n:
        return names
    return (
        ("R", "G", "B") if n == 3 and data.dtype == np.uint8 else tuple(map(str, range(1, n + 1)))
    )


def _reason(object_id: str, error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    reason = text or type(error).__name__
    _log.warning("no picture of %r: %s", object_id, reason)
    return reason
