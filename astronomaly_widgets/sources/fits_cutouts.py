"""Cut-outs from FITS mosaics, made when they are asked for."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ReadError, SourceError
from ._bands import open_bands
from ._cutter import Cutter
from ._detection import detect_all
from ._images import checked
from ._mosaic import holds_image, is_fits, is_folder, is_remote, split_extension
from ._placement import coverage, nothing_inside, place, scales_of, seen_bands, with_degrees
from ._positions import are_of_mosaics, are_tiles, read_positions
from ._recipe import describe
from ._sides import sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


class FITSCutouts:
    """Cut-outs round positions on one or many FITS images, one object per position.

    Plain files are memory-mapped, of ``.fz`` files only the tiles that are needed are unpacked,
    of addresses (``https://``, ``s3://``; extra ``survey``) only the parts that are needed are
    fetched; ``.gz`` files are unpacked into memory. What lies beyond an image is NaN.

    Parameters
    ----------
    mosaics : path, sequence of paths, or mapping
        FITS files or addresses; ``"file.fits[SCI]"`` or ``"file.fits[1]"`` is one extension; a
        folder stands for the FITS images in it. All images in them are used, but errors, flags and
        weights: images of the same place are taken for bands, called by FILTER or EXTNAME or their
        files' names, others for tiles of one band; bands without any object are left out. A
        mapping of band to file, or to files, says it all.
    catalog : path, DataFrame, Table or mapping of columns, optional
        One row per object with right ascension and declination (ICRS; degrees, another unit of
        angle or sexagesimal text), galactic ones (``glon`` and ``glat``, or ``l`` and ``b``), or
        pixels ``x`` and ``y`` of the first band, counted from 0 (``X_IMAGE`` and ``Y_IMAGE``:
        from 1) and from the bottom. Without a catalog, objects are detected in the first band by
        SEP (extra ``survey``).
    size : int, str, Quantity or array, optional
        Side of the square cut-outs: pixels, an angle (``"20 arcsec"``), a column of the catalog
        (pixels, or the angle its unit says), or an array of shape (n,). By default 64 pixels; for
        detected objects 11 semi-major axes, within 32 and 256 pixels.
    bands : sequence of str, optional
        The bands to use, in this order: a screen shows the first in red and the last in blue. By
        default that of the mapping; else from red to blue if their names are those of common
        filters (u, g, r, i, z, J, H, Ks, ...), or else that of the files. If none of these names
        is known and there are as many as bands, the bands are called so, in the files' order.
    north_up : bool, optional
        Turn each cut-out so that north is up and east left, by linear interpolation. By default
        pixels are as they are in the first band that has the object.
    resize : int, optional
        Resample every cut-out to this side in pixels (E24 section 2.2).
    columns : (str, str), optional
        The two columns of the positions, if they are called otherwise.
    pixels : bool, optional
        Whether these are pixels; by default right ascension and declination are used if the
        catalog and the images have them.
    id_column : str, optional
        The column of object ids; by default one that is called like an identifier (id, objid,
        source_id, name, ...), else names made from the positions, ``J100029.62-021220.8``.
    threshold : float, optional
        Without a catalog: detection threshold in units of the noise.
    min_area : int, optional
        Without a catalog: least number of connected pixels above it.

    Attributes
    ----------
    bands : tuple of str
        Their names, the last axis of what :meth:`read` returns if there are several.
    side : ndarray, shape (n,), int64
        Side of each cut-out in pixels of the mosaic; 0 where it has none.
    max_pixels : int
        Cut-outs with more pixels than this are set aside.
    spec : dict
        How a project finds this source again; JSON-ready.

    Raises
    ------
    SourceError
        A file or the catalog cannot be used, or no position lies on any image.

    Notes
    -----
    If bands have different grids of pixels, all are brought to that of the first band which has
    the object. Interpolated is brightness per pixel of the mosaic: fluxes are not rescaled.
    """

    kind = "image"
    max_pixels = 64_000_000

    def __init__(
        self,
        mosaics: Any,
        catalog: Any = None,
        *,
        size: Any = None,
        bands: Sequence[str] | None = None,
        north_up: bool = False,
        resize: int | None = None,
        columns: tuple[str, str] | None = None,
        pixels: bool | None = None,
        id_column: str | None = None,
        threshold: float = 5.0,
        min_area: int = 9,
    ) -> None:
        if resize is not None and resize < 2:
            raise ValueError(f"resize is {resize!r}; wanted at least 2 pixels")
        self._mosaics = open_bands(mosaics, bands)
        self.north_up, self.resize = bool(north_up), resize
        has_sky = all(plane.wcs is not None for tiles in self._mosaics.values() for plane in tiles)
        if north_up and not has_sky:
            raise SourceError("north_up needs celestial coordinates (WCS), which an image lacks")
        if catalog is None:
            found = detect_all(self._mosaics, threshold=threshold, min_area=min_area)
            positions = read_positions(found, pixels=not has_sky, has_sky=has_sky)
            size = "side" if size is None else size
        else:
            positions = read_positions(
                catalog, columns=columns, pixels=pixels, id_column=id_column, has_sky=has_sky
            )
        self._ids = positions.ids
        self._rows = {name: row for row, name in enumerate(self._ids)}
        ordered = bands is not None or isinstance(mosaics, Mapping)
        self._places = place(self._mosaics, positions, ordered=ordered)
        if not ordered:
            self._mosaics, self._places = seen_bands(self._mosaics, self._places)
        self.bands = tuple(self._mosaics)
        self._reference = self._places.reference()
        if not (self._reference >= 0).any():
            raise SourceError(nothing_inside(positions, self._mosaics))
        scales = scales_of(self._mosaics, self._places)
        side = sides(size, positions.frame, scales)
        with np.errstate(invalid="ignore"):
            side[~((side >= 1.5) & (side**2 <= self.max_pixels))] = 0  # also NaN
        self.side = np.round(side).astype(np.int64)
        if not self._good.any():
            raise SourceError(
                f"size is {size!r}, by which all cut-outs would have no pixels, or more than "
                f"{self.max_pixels} (max_pixels)"
            )
        self._first, self._second = positions.first, positions.second
        self._pixels = positions.pixels
        self._catalog = with_degrees(positions, self._mosaics, self._places, has_sky)
        self._cutter = Cutter(
            self._mosaics, self._places, self.side, scales, north_up=self.north_up, resize=resize
        )
        settings = {"size": size, "bands": list(self.bands), "north_up": self.north_up}
        settings |= {"resize": resize}
        given = {"columns": columns, "pixels": pixels, "id_column": id_column}
        self.spec = describe(mosaics, catalog, positions, self.side, settings, given)

    @staticmethod
    def recognizes(file: Any, catalog: Any = None) -> bool:
        """Whether a file is called like FITS and holds an image; an address is not looked into.

        Parameters
        ----------
        file : path or address, or a list of these
            Also one extension of it, ``"file.fits[1]"``. A folder is recognized if its images are
            FITS and the catalog has positions, none of which is named after one of these files. So
            is a list, which without a catalog must have an image of more than 512 pixels across:
            small ones are cut-outs.
        catalog : path, DataFrame, Table or mapping of columns, optional
        """
        if isinstance(file, list | tuple):
            return are_tiles(file, catalog) and all(map(FITSCutouts.recognizes, file))
        if is_folder(file):
            return catalog is not None and are_of_mosaics(catalog, Path(file).expanduser())
        path, _ = split_extension(os.fspath(file))
        if not is_fits(path):
            return False
        return is_remote(path) or holds_image(path)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        inside = self.side[self._good]
        low, high = inside.min(), inside.max()
        across = f"{low}" if low == high else f"{low} to {high}"
        aside = len(self) - len(inside)
        without = f", {aside} of them cannot be cut out" if aside else ""
        return (
            f"<FITSCutouts: {len(self)} objects{without}, {across} pixels across, "
            f"in {', '.join(self.bands)}>"
        )

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects in the order of the catalog; (n,) object array of str."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Size and time of the files, position and size of the cut-out; (n,) array of str."""
        marks = [plane.mark() for tiles in self._mosaics.values() for plane in tiles]
        images = [
            [band, plane.path, plane.hdu, plane.index]
            for band, tiles in self._mosaics.items()
            for plane in tiles
        ]
        text = json.dumps([marks, images, self.north_up, self.resize])
        common = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        numbers = zip(self._first.tolist(), self._second.tolist(), self.side.tolist(), strict=True)
        return np.array([f"{common}-{a!r}-{b!r}-{side}" for a, b, side in numbers], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame:
        """The catalog's rows, indexed by object id.

        If its positions are no degrees, they are added as ``ra_deg`` and ``dec_deg``.
        """
        return self._catalog

    @property
    def coverage(self) -> pd.DataFrame:
        """Which fraction of each cut-out lies on an image; object id by band.

        0 where a band does not have the object, less than 1 at the edge of an image. What is
        missing is NaN in the cut-out.
        """
        import pandas as pd

        side = np.maximum(self.side, 1).astype(np.float64)
        fractions = coverage(self._mosaics, self._places, side)
        index = pd.Index(self._ids, dtype=object, name="object_id")
        return pd.DataFrame(fractions, index=index, columns=pd.Index(self.bands))

    @property
    def set_aside(self) -> pd.DataFrame:
        """The objects that cannot be cut out, by object id: ``stage`` ("read") and ``reason``."""
        import pandas as pd

        rows = np.flatnonzero(~self._good)
        return pd.DataFrame(
            {"stage": "read", "reason": [self._reason(int(row)) for row in rows]},
            index=pd.Index(self._ids[rows], dtype=object, name="object_id"),
            dtype=object,
        )

    @property
    def _good(self) -> NDArray[np.bool_]:
        return (self._reference >= 0) & (self.side > 0)

    def read(self, object_id: str) -> NDArray[Any]:
        """Cut out one object.

        Returns
        -------
        ndarray
            (side, side), or (side, side, bands) if there are several; floating, row 0 at the top,
            NaN beyond the images and where a band lacks the object.

        Raises
        ------
        ReadError
            Its position is off all images, there are no data there, or a file is damaged.
        KeyError
            There is no such object.
        """
        return np.ascontiguousarray(checked(self._cutter.read(self._row(object_id))))

    def wcs(self, object_id: str) -> Any:
        """Return the celestial coordinates of a cut-out.

        Returns
        -------
        astropy.wcs.WCS or None
            Of the array that :meth:`read` returns, whose row 0 is at the top; None if the mosaic
            has none. Images with distortions get a tangential plane fitted to the cut-out.

        Raises
        ------
        ReadError
            The object is off all images.
        KeyError
            There is no such object.
        """
        return self._cutter.wcs(self._row(object_id))

    def _row(self, object_id: str) -> int:
        row = self._rows[object_id]
        if self._reference[row] < 0 or self.side[row] == 0:
            raise ReadError(self._reason(row))
        return row

    def _reason(self, row: int) -> str:
        first, second = self._first[row], self._second[row]
        if not np.isfinite(first + second):
            return "it has no position in the catalog, or one that is no place on the sky"
        if self._reference[row] < 0:
            where = (
                f"x {first:.1f}, y {second:.1f}" if self._pixels else f"{first:.6f} {second:+.6f}"
            )
            return f"its position ({where}) is off the images"
        return f"its cut-out would have no pixels, or more than {self.max_pixels} (max_pixels)"
