"""Drawings of our own: profiles of numbers, placeholders, and their encoding."""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_JPEG_QUALITY = 87
_DRAWING_QUALITY = 92  # thin colored lines, which the eye takes in one by one
_BARS_UP_TO = 32  # values: few numbers are a table's columns, many are a curve

# RGB; quiet on a light and on a dark page
GROUND = (16, 19, 26)
RULE = (58, 66, 80)
_LINE = (122, 208, 235)
_BELOW = (240, 168, 104)
_GREY = (44, 47, 53)
_MARK = (92, 97, 106)
WORDS = (150, 158, 170)


def profile(values: ArrayLike, size: int = 150) -> bytes:
    """Draw a row of numbers: many as a curve, few (up to 32) as bars from a line at zero.

    Bars are compressed by an asinh that bends at the lower quartile of the row's magnitudes,
    because the columns of a table have different units: small ones stay visible beside large
    ones. A curve is drawn to linear scale.

    Parameters
    ----------
    values : array_like, shape (d,)
        The numbers; NaN and infinity leave a gap.
    size : int
        Side of the square, in pixels.

    Returns
    -------
    bytes
        A JPEG of size x size pixels.

    Raises
    ------
    ValueError
        If `values` is not one-dimensional or `size` is not positive.
    """
    if size < 1:
        raise ValueError(f"size must be a positive number of pixels, got {size!r}")
    row = np.asarray(values, dtype=np.float64)
    if row.ndim != 1:
        raise ValueError(f"a profile is drawn of (d,) values, got shape {row.shape}")
    row = np.where(np.isfinite(row), row, np.nan)
    canvas = np.full((size, size, 3), GROUND, dtype=np.uint8)
    if np.isfinite(row).any():
        draw = _bars if len(row) <= _BARS_UP_TO else _curve
        draw(canvas, row)
    return encode(canvas, ".jpg")


def _curve(canvas: NDArray[np.uint8], row: NDArray[np.float64]) -> None:
    import cv2

    size = len(canvas)
    margin = 0.08 * size
    if len(row) > 4 * size:  # each pixel column shows the extent of its values
        parts = [part for part in np.array_split(row, 2 * size) if np.isfinite(part).any()]
        row = np.array([f(part) for part in parts for f in (np.nanmin, np.nanmax)])
    low, high = np.nanmin(row), np.nanmax(row)
    middle, half = (low + high) / 2, (high - low) / 2 or 1.0
    x = margin + (size - 2 * margin) * np.arange(len(row)) / max(len(row) - 1, 1)
    y = size / 2 - (size / 2 - margin) * np.clip((row - middle) / half, -1, 1)
    if low < 0 < high:
        zero = round(size / 2 + (size / 2 - margin) * middle / half)
        cv2.line(canvas, (0, zero), (size, zero), RULE, 1)
    points = np.round(np.stack([x, y], axis=1) * 16)  # cv2 takes 1/16 pixels with shift=4
    gaps = np.flatnonzero(np.isnan(row))
    for run in np.split(points, gaps):
        whole = run[np.isfinite(run).all(axis=1)].astype(np.int32)
        if len(whole):
            thickness = 1 if size < 220 else 2
            cv2.polylines(canvas, [whole], False, _LINE, thickness, cv2.LINE_AA, shift=4)


def _bars(canvas: NDArray[np.uint8], row: NDArray[np.float64]) -> None:
    import cv2

    size = len(canvas)
    margin = 0.1 * size
    sizes = np.abs(row[np.isfinite(row) & (row != 0)])
    small = max(np.percentile(sizes, 25), sizes.max() * 1e-9) if sizes.size else 1.0
    length = np.arcsinh(row / small)
    low, high = min(np.nanmin(length), 0.0), max(np.nanmax(length), 0.0)
    scale = (size - 2 * margin) / max(high - low, 1e-12)
    zero = round(margin + high * scale) if high > low else size // 2
    cv2.line(canvas, (round(margin / 2), zero), (round(size - margin / 2), zero), RULE, 1)
    step = (size - 2 * margin) / len(row)
    for i, value in enumerate(length):
        if np.isnan(value):
            continue
        left = margin + step * (i + 0.18)
        end = round(zero - value * scale)
        corners = (round(left), min(zero, end)), (round(left + 0.64 * step), max(zero, end))
        cv2.rectangle(canvas, *corners, _LINE if value >= 0 else _BELOW, cv2.FILLED)


@lru_cache(maxsize=64)
def placeholder(size: int, reason: str = "") -> bytes:
    """Draw a struck-out circle; where there is room for words, the reason under it."""
    import cv2

    canvas = np.full((size, size, 3), _GREY, dtype=np.uint8)
    center, radius = (size // 2, int(size * (0.34 if reason else 0.5))), max(2, size // 9)
    cv2.circle(canvas, center, radius, _MARK, max(1, size // 60), cv2.LINE_AA)
    arm = round(radius * 0.7)
    ends = (center[0] - arm, center[1] + arm), (center[0] + arm, center[1] - arm)
    cv2.line(canvas, *ends, _MARK, max(1, size // 60), cv2.LINE_AA)
    if reason:
        plain = reason.encode("ascii", "replace").decode()  # cv2 draws no other letters
        for i, line in enumerate(wrap(plain, 44)[:6]):
            place = round(size * 0.05), round(size * (0.6 + 0.055 * i))
            cv2.putText(
                canvas, line, place, cv2.FONT_HERSHEY_SIMPLEX, size / 1000, WORDS, 1, cv2.LINE_AA
            )
    return encode(canvas, ".jpg")


def encode(pixels: NDArray[np.uint8], suffix: str, *, drawing: bool = False) -> bytes:
    """Encode grey or RGB pixels as the file that `suffix` (".jpg", ".png") names.

    Of a `drawing`, colors are kept for every pixel: JPEG else shares them between four.
    """
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    if drawing and suffix == ".jpg":
        options = [cv2.IMWRITE_JPEG_QUALITY, _DRAWING_QUALITY]
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(suffix, bgr, options)[1].tobytes()
