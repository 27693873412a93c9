"""From the sky to pixels and back, and images sampled on other grids of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import SourceError
from ._images import _BROKEN
from ._mosaic import first_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ._mosaic import Plane

_SAME = 0.02  # pixels by which grids may differ and still be cut, not resampled
_EVERY = 8  # samples
_EXACT = 1e-6  # degrees: a part in a thousand of the finest pixels


def to_pixels(wcs: Any, ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert ICRS degrees to pixels counted from 0; (n, 2) x and y, NaN where there are none."""
    lon, lat = _in_frame(wcs, ra, dec, inverse=False)
    x, y = wcs.wcs_world2pix(lon, lat, 0)
    if wcs.has_distortion:
        # far off the image the inverse of a distortion does not converge
        height, width = _shape_of(wcs)
        with np.errstate(invalid="ignore"):
            near = (np.abs(x / width - 0.5) < 1) & (np.abs(y / height - 0.5) < 1)
        x[~near] = y[~near] = np.nan
        if near.any():
            x[near], y[near] = wcs.all_world2pix(lon[near], lat[near], 0, quiet=True)
    return np.stack([x, y], axis=-1)


def to_sky(wcs: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Convert pixels counted from 0 to ICRS degrees."""
    lon, lat = wcs.all_pix2world(x, y, 0)
    return _in_frame(wcs, lon, lat, inverse=True)


def _shape_of(wcs: Any) -> tuple[int, int]:
    height, width = wcs.array_shape
    return int(height), int(width)


def _in_frame(wcs: Any, lon: Any, lat: Any, *, inverse: bool) -> tuple[Any, Any]:
    """Convert between ICRS and the frame and the axes of the WCS."""
    from astropy.coordinates import ICRS, SkyCoord
    from astropy.wcs.utils import wcs_to_celestial_frame

    frame = wcs_to_celestial_frame(wcs)
    flipped = wcs.wcs.lng > wcs.wcs.lat  # the first axis is the latitude
    if inverse and flipped:
        lon, lat = lat, lon
    if not isinstance(frame, ICRS):
        start, end = (frame, ICRS()) if inverse else (ICRS(), frame)
        there = SkyCoord(lon, lat, unit="deg", frame=start).transform_to(end).spherical
        lon, lat = there.lon.deg, there.lat.deg
    return (lat, lon) if flipped and not inverse else (lon, lat)


def middle(plane: Plane) -> tuple[float, float]:
    """Return the ICRS degrees of the middle of a plane."""
    height, width = plane.shape
    ra, dec = to_sky(plane.wcs, (width - 1) / 2, (height - 1) / 2)
    return float(ra), float(dec)


def middle_of_file(path: Path) -> tuple[float, float] | None:
    """Return the ICRS degrees of the middle of a file's first image; None if they cannot be had.

    Rounded to a few micro-arcseconds: further digits are but those of the computation.
    """
    from astropy.io.fits import VerifyError

    try:
        plane = first_image(path)
        ra, dec = (np.nan, np.nan) if plane.wcs is None else middle(plane)
    except (SourceError, VerifyError, *_BROKEN):  # reading the image says what is wrong
        return None
    known = np.isfinite(ra) and abs(dec) <= 90
    return (round(ra % 360, 9) % 360, round(dec, 9)) if known else None


def footprint(plane: Plane) -> tuple[NDArray[np.float64], float]:
    """Return the middle of a plane as a unit vector, and how far from it its corners are.

    The distance is that between unit vectors, with a tenth to spare.
    """
    height, width = plane.shape
    x = np.array([0.5, 0, 0, 0, 0.5, 0.5, 1, 1, 1]) * width - 0.5
    y = np.array([0.5, 0, 0.5, 1, 0, 1, 0, 0.5, 1]) * height - 0.5
    vectors = unit_vectors(*to_sky(plane.wcs, x, y))
    farthest = float(np.linalg.norm(vectors[1:] - vectors[0], axis=1).max())
    if not np.isfinite(farthest) or farthest > 1:  # a map of half the sky, its corners beyond it
        return np.array([0.0, 0.0, 1.0]), 2.1
    return vectors[0], farthest * 1.1 + 1e-6


def unit_vectors(ra: Any, dec: Any) -> NDArray[np.float64]:
    """Return directions as vectors, (n, 3), from degrees."""
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def pixel_scale(wcs: Any) -> float:
    """Return the side of a pixel in arcsec, the mean of both axes."""
    from astropy.wcs.utils import proj_plane_pixel_scales

    return float(np.sqrt(np.prod(proj_plane_pixel_scales(wcs)))) * 3600


def offset(plane: Plane, other: Plane) -> tuple[int, int] | None:
    """Return by how many whole pixels the grid of `other` is shifted against that of `plane`.

    Returns
    -------
    (int, int) or None
        What to add to x and y in `plane` to find the same place in `other`; None if the grids
        differ in more than that, or the shift is no whole number.
    """
    if plane is other:
        return 0, 0
    if plane.wcs is None or other.wcs is None:
        return (0, 0) if plane.wcs is other.wcs and plane.shape == other.shape else None
    height, width = plane.shape
    grid = np.meshgrid(np.linspace(0, width, 5), np.linspace(0, height, 5))
    x, y = (axis.ravel() - 0.5 for axis in grid)
    shift = to_pixels(other.wcs, *to_sky(plane.wcs, x, y)) - np.stack([x, y], axis=-1)
    whole = np.round(shift[12])
    if not (np.abs(shift - whole) < _SAME).all():  # also for NaN
        return None
    return int(whole[0]), int(whole[1])


def cut_wcs(wcs: Any, left: float, top: float, step: float, size: int) -> Any:
    """Return the WCS of a square cut-out with its row 0 at the top.

    Parameters
    ----------
    wcs : WCS
        Of the whole image.
    left, top : float
        The cut-out's upper left corner, the outer edge of its pixels, in pixels of the image.
    step : float
        Side of a pixel of the cut-out in pixels of the image.
    size : int
        Pixels of the cut-out along a side.
    """
    if not wcs.has_distortion:
        turned = wcs.deepcopy()
        # x = left + step (x' + 1/2) and y = top - step (y' + 1/2), pixels counted from 0
        x0, y0 = wcs.wcs.crpix[0] - 1, wcs.wcs.crpix[1] - 1
        turned.wcs.crpix = [(x0 - left) / step + 0.5, (top - y0) / step + 0.5]
        scale = np.array([step, -step])
        if wcs.wcs.has_cd():
            turned.wcs.cd = wcs.wcs.cd * scale
        else:
            turned.wcs.pc = wcs.wcs.get_pc() * scale
        turned.array_shape = (size, size)
        turned.wcs.set()
        if _agree(wcs, turned, _samples(left, top, step, size, 3)):
            return turned
    return _fitted(wcs, left, top, step, size)


def _samples(left: float, top: float, step: float, size: int, n: int) -> tuple[Any, ...]:
    at = np.linspace(0, size - 1, n)
    x, y = (grid.ravel() for grid in np.meshgrid(at, at))
    return x, y, left + step * (x + 0.5), top - step * (y + 0.5)


def _agree(wcs: Any, turned: Any, samples: tuple[Any, ...]) -> bool:
    """Whether both say the same of the same places; plate solutions of old do not turn."""
    x, y, there_x, there_y = samples
    wanted = wcs.all_pix2world(there_x, there_y, 0)
    found = turned.all_pix2world(x, y, 0)
    return bool(np.abs(unit_vectors(*wanted) - unit_vectors(*found)).max() < np.radians(_EXACT))


def _fitted(wcs: Any, left: float, top: float, step: float, size: int) -> Any:
    """Fit a plane tangential to the sky to what has distortions of its own."""
    from astropy.coordinates import SkyCoord
    from astropy.wcs.utils import fit_wcs_from_points

    x, y, there_x, there_y = _samples(left, top, step, size, 6)
    sky = SkyCoord(*to_sky(wcs, there_x, there_y), unit="deg")
    middle = SkyCoord(*to_sky(wcs, there_x.mean(), there_y.mean()), unit="deg")
    fitted = fit_wcs_from_points((x, y), sky, proj_point=middle, projection="TAN")
    fitted.array_shape = (size, size)
    return fitted


def north_up_wcs(ra: float, dec: float, scale: float, size: int) -> Any:
    """Return a WCS tangential at a position (degrees), north up and east left, row 0 at the top.

    Parameters
    ----------
    ra, dec : float
        ICRS degrees of the middle.
    scale : float
        Side of a pixel in arcsec.
    size : int
        Pixels along a side.
    """
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(size + 1) / 2, (size + 1) / 2]
    wcs.wcs.cdelt = [-scale / 3600, -scale / 3600]
    wcs.array_shape = (size, size)
    wcs.wcs.set()
    return wcs


def lattice(
    n: int, *, coarse: bool
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Return at which of n samples coordinates are computed, and how the others follow.

    Parameters
    ----------
    n : int
    coarse : bool
        Every eighth sample is enough, with linear interpolation between them.

    Returns
    -------
    at : ndarray, shape (m,)
        Samples, the first and the last among them.
    expand : callable
        Turns a map of these, (m, m), into one of all samples, (n, n).
    """
    m = max(2, -(-n // _EVERY) + 1)
    if not coarse or m >= n:
        return np.arange(n, dtype=np.float64), lambda values: values
    at = np.linspace(0, n - 1, m)
    weights = np.stack([np.interp(np.arange(n), at, unit) for unit in np.eye(m)], axis=1)
    return at, lambda values: np.asarray(weights @ values @ weights.T)


def sample(plane: Plane, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[Any]:
    """Interpolate a plane linearly at pixels (x, y), of any shape; NaN off the image.

    What is interpolated is brightness: a smaller pixel does not hold less of it.
    """
    from scipy.ndimage import map_coordinates

    height, width = plane.shape
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return np.full(x.shape, np.nan, np.float32)
    left, right = _bounds(x[known], width)
    bottom, top = _bounds(y[known], height)
    if left >= right or bottom >= top:
        return np.full(x.shape, np.nan, np.float32)
    window = plane.read(bottom, top, left, right)
    places = [np.where(known, y - bottom, -9), np.where(known, x - left, -9)]
    return np.asarray(map_coordinates(window, places, order=1, mode="constant", cval=np.nan))


def _bounds(values: NDArray[np.float64], length: int) -> tuple[int, int]:
    low, high = np.floor(values.min()), np.ceil(values.max())
    return int(np.clip(low, 0, length)), int(np.clip(high + 1, 0, length))


def pooled(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """Average factor x factor pixels to one; NaN only where none of them has data."""
    if factor == 1:
        return image
    height, width = image.shape[0] // factor, image.shape[1] // factor
    blocks = image.reshape(height, factor, width, factor)
    valid = np.isfinite(blocks)
    total = np.where(valid, blocks, 0).sum(axis=(1, 3))
    count = valid.sum(axis=(1, 3))
    return np.where(count, total / np.maximum(count, 1), np.nan).astype(image.dtype)
