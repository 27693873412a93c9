"""Pixels to a picture: colors of few enough kinds that each pixel is one byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ._colors import KIND_COLORS, NEUTRAL, PALETTE, color_table, rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FAINTEST = 0.5  # opacity of a lone point among crowds
_OPACITIES = 13
_SHADES = 18  # with the neutral one and all opacities, not more than a byte can tell


class Picture(NamedTuple):
    """A picture of indexed colors.

    Attributes
    ----------
    pixels : ndarray, shape (height, width), uint8
        Row of `palette`; 0 is transparent.
    palette : ndarray, shape (k, 4), uint8
        Red, green, blue and opacity.
    """

    pixels: NDArray[np.uint8]
    palette: NDArray[np.uint8]

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """Red, green, blue and opacity of each pixel, shape (height, width, 4)."""
        return self.palette[self.pixels]


def paint(
    counts: NDArray[np.int64],
    means: NDArray[np.float64],
    limits: tuple[float, float],
    radius: int = 0,
    palette: Sequence[str] = PALETTE,
) -> Picture:
    """Color a picture of binned points: hue is the mean value, opacity the density.

    Parameters
    ----------
    counts, means : ndarray, shape (height, width)
        As :func:`bin_points` returns them.
    limits : tuple of float
        Values drawn in the first and in the last color.
    radius : int
        Each point is drawn as a disc of this radius in pixels.
    palette : sequence of str
        Colors ("#rrggbb") of the scale, evenly from the first value to the last.

    Returns
    -------
    Picture
        Transparent where there is no point, so that it lies on a light and on a dark page alike.
    """
    known = np.isfinite(means)
    weight = np.where(known, counts, 0).astype(np.float32)
    total = np.where(known, means, 0.0).astype(np.float32) * weight
    total, weight = _spread(total, radius), _spread(weight, radius)
    low, high = limits
    span = (high - low) if high > low else 1.0
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    shade = np.rint(np.clip((mean - low) / span, 0.0, 1.0) * (_SHADES - 1)).astype(np.uint8)
    shade[weight == 0] = _SHADES
    colors = np.concatenate([color_table(_SHADES, palette), [rgb(NEUTRAL)]])
    return _picture(shade, _spread(counts.astype(np.float32), radius), colors)


def paint_kinds(
    counts: NDArray[np.int64], radius: int = 0, palette: Sequence[str] = KIND_COLORS
) -> Picture:
    """Color a picture of points by their kind: each pixel by the one most points around are of.

    Parameters
    ----------
    counts : ndarray, shape (1 + number of kinds, height, width)
        As :func:`bin_kinds` returns them. Among several of one pixel the kind wins that has most;
        no kind wins where it stands alone.
    radius : int
        See :func:`paint`.
    palette : sequence of str
        Colors ("#rrggbb") of the kinds, in turn.
    """
    around = np.stack([_spread(plane.astype(np.float32), radius) for plane in counts])
    kinds = around[1:]
    shade = np.full(counts.shape[1:], len(palette), dtype=np.uint8)
    if len(kinds):
        most = np.argmax(kinds, axis=0)
        there = np.take_along_axis(kinds, most[None], axis=0)[0] > 0
        shade[there] = most[there] % len(palette)
    colors = np.array([rgb(color) for color in (*palette, NEUTRAL)])
    return _picture(shade, around.sum(axis=0), colors)


def disc_radius(n_seen: int, n_pixels: int) -> int:
    """Return the radius in pixels at which `n_seen` points fill a picture well."""
    room = n_pixels / max(n_seen, 1)
    return 2 if room > 20 else 1 if room > 1.5 else 0


def _picture(
    shade: NDArray[np.uint8], density: NDArray[np.float32], colors: NDArray[np.integer]
) -> Picture:
    """Return a picture of colors, more opaque where the density is higher."""
    filled = density > 0
    crowded = float(np.quantile(density[filled], 0.99)) if filled.any() else 1.0
    part = np.log1p(density) * np.float32((_OPACITIES - 1) / np.log1p(max(crowded, 1.0)))
    level = np.minimum(np.rint(part), _OPACITIES - 1).astype(np.uint8)
    opacities = np.rint(255 * np.linspace(_FAINTEST, 1.0, _OPACITIES))
    palette = np.zeros((1 + len(colors) * _OPACITIES, 4), dtype=np.uint8)
    palette[1:, :3] = np.repeat(colors, _OPACITIES, axis=0)
    palette[1:, 3] = np.tile(opacities, len(colors))
    return Picture(np.where(filled, 1 + shade * np.uint8(_OPACITIES) + level, 0), palette)


def _spread(plane: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Add up every pixel's neighborhood, a disc."""
    if radius == 0:
        return plane
    height, width = plane.shape
    padded = np.pad(plane, radius)
    out = np.zeros_like(plane)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy <= radius * radius + 1:  # + 1: a rounder disc of few pixels
                out += padded[radius + dy : radius + dy + height, radius + dx : radius + dx + width]
    return out
