"""On which image each object lies, where there, and how large its cut-out is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._sky import find_columns
from ..exceptions import SourceError
from ._geometry import footprint, middle, offset, pixel_scale, to_pixels, to_sky, unit_vectors

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ._bands import Bands
    from ._mosaic import Plane
    from ._positions import Positions


class Places(NamedTuple):
    """Where n objects are in each of the bands.

    Attributes
    ----------
    tile : ndarray, shape (n, bands), int32
        Which image of the band; -1 where the object is on none.
    x, y : ndarray, shape (n, bands), float64
        Pixels there, counted from 0; NaN where it is on none.
    """

    tile: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def reference(self) -> NDArray[np.int64]:
        """Return the first band that each object is in, (n,); -1 for none."""
        known = self.tile >= 0
        return np.where(known.any(axis=1), known.argmax(axis=1), -1)


def seen_bands(bands: Bands, places: Places) -> tuple[Bands, Places]:
    """Leave out the bands in which there is no object, unless all are."""
    seen = np.atleast_1d((places.tile >= 0).any(axis=0))
    if seen.all() or not seen.any():
        return bands, places
    kept = {name: tiles for (name, tiles), one in zip(bands.items(), seen, strict=True) if one}
    return kept, Places(places.tile[:, seen], places.x[:, seen], places.y[:, seen])


def place(bands: Bands, positions: Positions, *, ordered: bool = True) -> Places:
    """Find every object on the images of every band.

    Of several images of a band, the one counts in which the object is farthest from the edge.

    Parameters
    ----------
    bands : dict
    positions : Positions
    ordered : bool
        Whether a person has said which band is the first, whose pixels are meant.

    Raises
    ------
    SourceError
        Positions on the sky and images without coordinates, or the other way round pixels and
        more than one image to which they may refer.
    """
    from scipy.spatial import cKDTree

    n = len(positions.ids)
    shape = n, len(bands)
    places = Places(np.full(shape, -1, np.int32), np.full(shape, np.nan), np.full(shape, np.nan))
    if positions.pixels:
        _place_pixels(bands, positions, places, ordered=ordered)
        return places
    known = np.flatnonzero(np.isfinite(positions.first))
    ra, dec = positions.first[known], positions.second[known]
    tree = cKDTree(unit_vectors(ra, dec))
    for band, tiles in enumerate(bands.values()):
        claim = _Claim(places, band)
        for tile, plane in enumerate(tiles):
            near = np.asarray(tree.query_ball_point(*footprint(_with_wcs(plane))), np.int64)
            x, y = to_pixels(plane.wcs, ra[near], dec[near]).T
            claim.take(known[near], tile, plane, x, y)
    return places


def _place_pixels(bands: Bands, positions: Positions, places: Places, *, ordered: bool) -> None:
    first, *others = bands.values()
    if len(first) > 1 or any(len(tiles) > 1 for tiles in others):
        raise SourceError(
            "positions in pixels do not say on which of several images; give right ascension and "
            "declination, or one mosaic"
        )
    x, y = positions.first, positions.second
    rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    x, y = x[rows], y[rows]
    plane = first[0]
    _Claim(places, 0).take(rows, 0, plane, x, y)
    for band, (other,) in enumerate(others, 1):
        shift = offset(plane, other)
        if shift is not None:
            there = x + shift[0], y + shift[1]
        elif not ordered:
            raise SourceError(
                "positions are in pixels, and the bands have different ones; give right ascension "
                "and declination, or name the band that is meant first: bands=[...]"
            )
        else:
            sky = to_sky(_with_wcs(plane).wcs, x, y)
            there = tuple(to_pixels(_with_wcs(other).wcs, *sky).T)
        _Claim(places, band).take(rows, 0, other, *there)


class _Claim:
    """The objects of one band, each claimed by the image in which it is farthest from the edge."""

    def __init__(self, places: Places, band: int) -> None:
        self.tile, self.x, self.y = (column[:, band] for column in places)
        self._margin = np.full(len(self.tile), -1e-9)

    def take(self, rows: NDArray[Any], tile: int, plane: Plane, x: Any, y: Any) -> None:
        height, width = plane.shape
        margin = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) + 0.5
        better = margin > self._margin[rows]  # NaN is not
        rows = rows[better]
        self._margin[rows], self.tile[rows] = margin[better], tile
        self.x[rows], self.y[rows] = x[better], y[better]


def _with_wcs(plane: Plane) -> Plane:
    if plane.wcs is None:
        raise SourceError(
            f"the image {plane.path!r}[{plane.hdu}] has no celestial coordinates (WCS); give "
            "positions in pixels, as columns x and y counted from 0"
        )
    return plane


def scales_of(bands: Bands, places: Places) -> NDArray[np.float64]:
    """Return the side of a pixel in arcsec where each object is, in its first band; (n,)."""
    scales = np.full(len(places.tile), np.nan)
    reference = places.reference()
    for band, tiles in enumerate(bands.values()):
        for tile, plane in enumerate(tiles):
            here = (reference == band) & (places.tile[:, band] == tile)
            if here.any() and plane.wcs is not None:
                scales[here] = pixel_scale(plane.wcs)
    return scales


def coverage(bands: Bands, places: Places, side: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fraction of each cut-out that lies on the image, in each band; (n, bands).

    Parameters
    ----------
    side : ndarray, shape (n,)
        In pixels of the band that is the object's first.
    """
    fractions = np.zeros(places.tile.shape)
    scales = scales_of(bands, places)
    for band, tiles in enumerate(bands.values()):
        for tile, plane in enumerate(tiles):
            rows = np.flatnonzero(places.tile[:, band] == tile)
            own = np.nan if plane.wcs is None else pixel_scale(plane.wcs)
            wide = side[rows] * np.nan_to_num(scales[rows] / own, nan=1.0)
            area = np.ones(len(rows))
            for at, length in ((places.x, plane.shape[1]), (places.y, plane.shape[0])):
                low, high = at[rows, band] - wide / 2, at[rows, band] + wide / 2
                overlap = np.minimum(high, length - 0.5) - np.maximum(low, -0.5)
                area *= np.clip(overlap / wide, 0, 1)
            fractions[rows, band] = area
    return fractions


def with_degrees(positions: Positions, bands: Bands, places: Places, has_sky: bool) -> pd.DataFrame:
    """Add positions in degrees to a catalog that has none which a screen could show."""
    frame = positions.frame
    if positions.pixels:
        if not has_sky or find_columns(frame.columns) is not None:
            return frame
        ra, dec = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
        for band, tiles in enumerate(bands.values()):
            rows = np.flatnonzero(np.isnan(ra) & (places.tile[:, band] >= 0))
            ra[rows], dec[rows] = to_sky(tiles[0].wcs, places.x[rows, band], places.y[rows, band])
    elif positions.as_written:
        return frame
    else:
        ra, dec = positions.first, positions.second
    return frame.assign(ra_deg=ra, dec_deg=dec)


def nothing_inside(positions: Positions, bands: Bands) -> str:
    """Say that no position is on any image, and where both are."""
    known = np.flatnonzero(np.isfinite(positions.first + positions.second))
    if not known.size:
        return f"none of the {len(positions.ids)} rows of the catalog has a position"
    first = positions.first[known[0]], positions.second[known[0]]
    plane = next(iter(bands.values()))[0]
    height, width = plane.shape
    if positions.pixels:
        where, there = f"x {first[0]:g}, y {first[1]:g}", f"has {width} x {height} pixels"
    else:
        ra, dec = middle(plane)
        where, there = f"{first[0]:.5f} {first[1]:+.5f}", f"is round {ra:.5f} {dec:+.5f}"
    return (
        f"none of the {known.size} positions is on any image; the first is at {where}, and "
        f"{plane.path!r} {there}"
    )
