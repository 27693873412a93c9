"""Objects found in an image, where there is no catalog of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._optional import require
from ..exceptions import SourceError
from ._geometry import to_sky
from ._placement import place
from ._positions import Positions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ._bands import Bands
    from ._mosaic import Plane

_PART_SIDE = 4096  # side of the parts of an image that are searched at once, in pixels
_MARGIN = 256  # by which they overlap, so that no object is cut at their border
_PIXEL_STACK = 4_000_000  # pixels above the threshold at once; SEP's own 300,000 are soon full
_SEMI_AXES = 11  # side of a cut-out in semi-major axes of its object
_SMALLEST, _LARGEST = 32, 256  # side of a cut-out, in pixels


def detect_all(bands: Bands, *, threshold: float, min_area: int) -> pd.DataFrame:
    """Find objects in the first of several bands, each once where its images overlap.

    Returns
    -------
    DataFrame
        As :func:`detect` says, with ``ra`` and ``dec`` (ICRS degrees) if the images have
        coordinates.

    Raises
    ------
    SourceError
        Nothing was found.
    """
    import pandas as pd

    name, tiles = next(iter(bands.items()))
    found = []
    for tile, plane in enumerate(tiles):
        table = detect(plane, threshold=threshold, min_area=min_area)
        if plane.wcs is not None:
            x, y = table["x"].to_numpy(), table["y"].to_numpy()
            ra, dec = to_sky(plane.wcs, x, y)
            table = table.assign(ra=ra, dec=dec)
            if len(tiles) > 1 and len(table):
                positions = Positions(
                    table.index.to_numpy(), table, ra, dec, pixels=False, as_written=True
                )
                table = table[place({name: tiles}, positions).tile[:, 0] == tile]
        found.append(table)
    objects = pd.concat(found, ignore_index=True)
    if not len(objects):
        raise SourceError(
            f"nothing was detected above {threshold:g} times the noise in {min_area} pixels of "
            f"{tiles[0].path!r}; lower threshold or min_area, or give a catalog"
        )
    return objects


def detect(plane: Plane, *, threshold: float, min_area: int) -> pd.DataFrame:
    """Find objects in an image with SEP (Bertin & Arnouts 1996; Barbary 2016).

    The background and its noise are subtracted and measured in meshes of 64 pixels. A large image
    is searched in parts that overlap, so that it is never in memory as a whole.

    Parameters
    ----------
    plane : Plane
        Pixels that are not finite are masked.
    threshold : float
        Detection threshold in units of the noise at the place.
    min_area : int
        Least number of connected pixels above it.

    Returns
    -------
    DataFrame
        One row per object, from bottom to top: ``x``, ``y`` (pixels counted from 0, barycenter),
        ``flux`` (above the background, in units of the pixels), ``a``, ``b`` (semi-axes, rms, in
        pixels), ``theta`` (degrees, from the x axis to the y axis), ``n_pixels``, ``flag`` (SEP's),
        and ``side`` of a cut-out that shows all of it: 11 ``a``, within 32 and 256 pixels.

    Raises
    ------
    MissingDependencyError
        SEP is not installed.
    """
    import pandas as pd

    found = [_in_part(plane, part, threshold, min_area) for part in _parts(plane.shape)]
    objects = np.concatenate(found)
    table = pd.DataFrame(
        {
            "x": objects["x"],
            "y": objects["y"],
            "flux": objects["flux"],
            "a": objects["a"],
            "b": objects["b"],
            "theta": np.degrees(objects["theta"]),
            "n_pixels": objects["npix"],
            "flag": objects["flag"],
            "side": np.clip(_SEMI_AXES * objects["a"], _SMALLEST, _LARGEST).round().astype(int),
        }
    )
    return table.sort_values(["y", "x"], ignore_index=True)


class _Part(NamedTuple):
    """What is searched of an image, and the smaller area whose objects are kept."""

    rows: slice
    columns: slice
    kept_rows: slice
    kept_columns: slice


def _parts(shape: tuple[int, int]) -> list[_Part]:
    def along(length: int) -> list[tuple[slice, slice]]:
        n = max(1, round(length / _PART_SIDE))
        edges = np.linspace(0, length, n + 1).round().astype(int).tolist()
        return [
            (slice(max(0, start - _MARGIN), min(length, end + _MARGIN)), slice(start, end))
            for start, end in pairwise(edges)
        ]

    return [
        _Part(rows, columns, kept_rows, kept_columns)
        for rows, kept_rows in along(shape[0])
        for columns, kept_columns in along(shape[1])
    ]


def _in_part(plane: Plane, part: _Part, threshold: float, min_area: int) -> NDArray[np.void]:
    sep = require("sep", extra="survey")
    rows, columns = part.rows, part.columns
    pixels = np.ascontiguousarray(plane.read(rows.start, rows.stop, columns.start, columns.stop))
    mask = ~np.isfinite(pixels)
    pixels[mask] = 0
    if mask.all():
        return np.asarray(sep.extract(np.zeros((8, 8), np.float32), 1.0))
    sep.set_extract_pixstack(_PIXEL_STACK)
    background = sep.Background(pixels, mask=mask)
    background.subfrom(pixels)
    noise = background.rms() if background.globalrms > 0 else 1.0
    objects = sep.extract(pixels, threshold, err=noise, mask=mask, minarea=min_area)
    objects["x"] += columns.start
    objects["y"] += rows.start
    keep = _within(objects["x"], part.kept_columns, plane.shape[1])
    return np.asarray(objects[keep & _within(objects["y"], part.kept_rows, plane.shape[0])])


def _within(at: NDArray[np.float64], kept: slice, length: int) -> NDArray[np.bool_]:
    """Whose barycenter lies in the part; at the edge of the image it may lie beyond it."""
    keep = np.ones(len(at), bool)
    if kept.start > 0:
        keep &= at >= kept.start - 0.5
    if kept.stop < length:
        keep &= at < kept.stop - 0.5
    return keep
