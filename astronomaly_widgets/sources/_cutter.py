"""Pixels and coordinates of cut-outs, once it is known where they lie."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from ._geometry import cut_wcs, lattice, north_up_wcs, offset, pooled, sample, to_pixels, to_sky

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ._bands import Bands
    from ._mosaic import Plane
    from ._placement import Places

_SMALL = 3600.0  # arcsec: over less of the sky, coordinates bend so little that few are enough


class Cutter:
    """Cuts objects, known by their row, out of the images of several bands.

    Parameters
    ----------
    bands : dict
        Name of each band to its images.
    places : Places
        Where the objects are.
    side : ndarray, shape (n,), int64
        Side of each cut-out in pixels of the first band that has the object.
    scales : ndarray, shape (n,), float64
        Side of these pixels in arcsec; NaN without coordinates.
    north_up, resize
        See :class:`FITSCutouts`.
    """

    def __init__(
        self,
        bands: Bands,
        places: Places,
        side: NDArray[np.int64],
        scales: NDArray[np.float64],
        *,
        north_up: bool,
        resize: int | None,
    ) -> None:
        self.images = list(bands.values())
        self.places, self.side, self.scales = places, side, scales
        self.north_up, self.resize = north_up, resize
        self._reference = places.reference()
        self._offsets: dict[tuple[int, int, int, int], tuple[int, int] | None] = {}
        self._lock = threading.RLock()  # wcslib keeps notes of its own while it computes

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    def read(self, row: int) -> NDArray[Any]:
        """Return (side, side) or (side, side, bands), row 0 at the top, NaN without data."""
        bands = range(len(self.images))
        if self.north_up or self.resize is not None:
            images = self._resampled(row, bands)
        else:
            images = [self._cut(row, band) for band in bands]
        return images[0] if len(images) == 1 else np.stack(images, axis=-1)

    def wcs(self, row: int) -> Any:
        """Return the coordinates of what :meth:`read` returns; None if the image has none."""
        plane, _, _ = self._at(row)
        if plane.wcs is None:
            return None
        side = int(self.side[row])
        n = self.resize or side
        with self._lock:
            if self.north_up:
                return north_up_wcs(*self._sky(row), self.scales[row] * side / n, n)
            left, top = self._corner(row)
            return cut_wcs(plane.wcs, left, top, side / n, n)

    def _at(self, row: int, band: int | None = None) -> tuple[Plane, float, float]:
        """Return the image of a band, by default the first that has the object, and its place."""
        band = int(self._reference[row]) if band is None else band
        plane = self.images[band][self.places.tile[row, band]]
        return plane, float(self.places.x[row, band]), float(self.places.y[row, band])

    def _sky(self, row: int) -> tuple[float, float]:
        plane, x, y = self._at(row)
        ra, dec = to_sky(plane.wcs, x, y)
        return float(ra), float(dec)

    def _corner(self, row: int) -> tuple[float, float]:
        """Return the outer edges of the upper left pixel, in pixels of the object's first band."""
        _, x, y = self._at(row)
        side = int(self.side[row])
        if self.resize is not None:
            return x - side / 2, y + side / 2
        # the pixels that astropy's Cutout2D takes; what is whole but for rounding is whole
        left, bottom = np.ceil(x - side / 2 - 1e-6), np.ceil(y - side / 2 - 1e-6)
        return left - 0.5, bottom - 0.5 + side

    def _offset(self, row: int, band: int) -> tuple[int, int] | None:
        reference = int(self._reference[row])
        here = int(self.places.tile[row, reference]), int(self.places.tile[row, band])
        key = (reference, here[0], band, here[1])
        if key not in self._offsets:
            planes = (self._at(row, each)[0] for each in (reference, band))
            with self._lock:
                self._offsets[key] = offset(*planes)
        return self._offsets[key]

    def _cut(self, row: int, band: int) -> NDArray[Any]:
        """Take pixels as they are, if the grids agree."""
        side = int(self.side[row])
        if self.places.tile[row, band] < 0:
            return np.full((side, side), np.nan, np.float32)
        shift = self._offset(row, band)
        if shift is None:
            return self._resampled(row, [band])[0]
        edge, top = self._corner(row)
        left = int(edge + 0.5) + shift[0]
        bottom = int(top + 0.5) - side + shift[1]
        plane, _, _ = self._at(row, band)
        height, width = plane.shape
        y0, y1 = max(bottom, 0), min(bottom + side, height)
        x0, x1 = max(left, 0), min(left + side, width)
        window = plane.read(y0, y1, x0, x1)
        if window.shape != (side, side):
            whole = np.full((side, side), np.nan, window.dtype)
            whole[y0 - bottom : y1 - bottom, x0 - left : x1 - left] = window
            window = whole
        return window[::-1]  # FITS counts rows from the bottom

    def _resampled(self, row: int, bands: Sequence[int]) -> list[NDArray[Any]]:
        """Interpolate bands on the grid of the cut-out."""
        side = int(self.side[row])
        n = self.resize or side
        finer = int(np.ceil(side / n))  # samples along a pixel that is larger than the mosaic's
        with self._lock:
            places = self._grids(row, bands, n * finer)
        images: list[NDArray[Any]] = []
        for band, at in zip(bands, places, strict=True):
            if at is None:
                images.append(np.full((n, n), np.nan, np.float32))
            else:
                images.append(pooled(sample(self._at(row, band)[0], *at), finer))
        return images

    def _grids(
        self, row: int, bands: Sequence[int], n: int
    ) -> list[tuple[NDArray[Any], NDArray[Any]] | None]:
        """Return where in each band's image the n x n samples of a cut-out lie; None without."""
        plane, _, _ = self._at(row)
        side = int(self.side[row])
        at, expand = lattice(n, coarse=side * self.scales[row] < _SMALL)
        sky: tuple[Any, Any] | None = None
        if self.north_up:
            grid = north_up_wcs(*self._sky(row), self.scales[row] * side / n, n)
            sky = to_sky(grid, *np.meshgrid(at, at))
            x, y = np.moveaxis(to_pixels(plane.wcs, *sky), -1, 0)
        else:
            left, top = self._corner(row)
            step = side / n
            x, y = np.meshgrid(left + (at + 0.5) * step, top - (at + 0.5) * step)
        places: list[tuple[NDArray[Any], NDArray[Any]] | None] = []
        for band in bands:
            if self.places.tile[row, band] < 0:
                places.append(None)
                continue
            shift = self._offset(row, band)
            if shift is None:
                sky = to_sky(plane.wcs, x, y) if sky is None else sky
                there = np.moveaxis(to_pixels(self._at(row, band)[0].wcs, *sky), -1, 0)
            else:
                there = np.stack([x + shift[0], y + shift[1]])
            places.append((expand(there[0]), expand(there[1])))
        return places
