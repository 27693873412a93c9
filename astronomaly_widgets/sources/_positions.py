"""Where the objects of a catalog are, and what they are called."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._sky import (
    SKY_COLUMNS,
    degrees,
    find_columns,
    from_galactic,
    galactic_columns,
    position_names,
)
from ..exceptions import SourceError
from ._catalogs import as_text, names_files, unique_ids
from ._images import image_stem
from ._mosaic import first_image, is_fits, is_remote, split_extension
from ._spectrum_files import is_line
from ._table_columns import guess_id_column
from ._tables import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

_LARGEST_CUTOUT = 512  # pixels across, where nothing else tells cut-outs from mosaics
_N_ASKED = 5
#: Pairs of columns that hold pixels, and the number that FITS gives the first pixel there.
_PIXEL_COLUMNS = {
    ("x", "y"): 0,
    ("xcentroid", "ycentroid"): 0,
    ("x_centroid", "y_centroid"): 0,
    ("x_pixel", "y_pixel"): 0,
    ("xpix", "ypix"): 0,
    ("x_image", "y_image"): 1,  # SExtractor counts from 1
    ("xwin_image", "ywin_image"): 1,
}


@dataclass
class Positions:
    """The objects of a catalog.

    Attributes
    ----------
    ids : ndarray, shape (n,), object dtype of str
    frame : DataFrame
        The catalog's rows as they are, indexed by id.
    first, second : ndarray, shape (n,), float64
        Right ascension and declination in ICRS degrees, or x and y in pixels counted from 0;
        NaN where there is none.
    pixels : bool
        Which of the two.
    as_written : bool
        Whether the catalog's own columns are these numbers.
    """

    ids: NDArray[Any]
    frame: pd.DataFrame
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    pixels: bool
    as_written: bool


def read_positions(
    catalog: Any,
    *,
    columns: tuple[str, str] | None = None,
    pixels: bool | None = None,
    id_column: str | None = None,
    has_sky: bool,
) -> Positions:
    """Read a catalog of positions.

    Raises
    ------
    SourceError
        No table, no positions in it, units that are no angles, or ids that are not unique.
    """
    import pandas as pd

    text = () if id_column is None else (id_column,)
    frame = _as_frame(catalog, text)
    if not len(frame):
        raise SourceError("the catalog has no rows")
    (one, two), pixels = _choose(frame, columns, pixels, has_sky)
    first, second = frame[one], frame[two]
    if pixels:
        start = _PIXEL_COLUMNS.get((str(one).lower(), str(two).lower()), 0)
        values = numbers(first) - start, numbers(second) - start
        as_written = start == 0
    else:
        units = frame.attrs.get("units", {})
        galactic = galactic_columns((one, two)) is not None
        ra = _angles(first, units.get(one), hours=not galactic)
        dec = _angles(second, units.get(two), hours=False)
        values = from_galactic(ra, dec) if galactic else _in_range(ra, dec)
        as_written = not galactic and all(
            pd.api.types.is_numeric_dtype(column) and units.get(column.name) in {None, "deg"}
            for column in (first, second)
        )
        as_written &= np.array_equal(ra, values[0], equal_nan=True)  # none beyond 0..360
    ids = _ids(frame, id_column, values, pixels=pixels)
    frame = frame.set_axis(list(ids), axis=0)
    return Positions(ids, frame, values[0], values[1], pixels, as_written)


def _choose(
    frame: pd.DataFrame, columns: tuple[str, str] | None, pixels: bool | None, has_sky: bool
) -> tuple[tuple[Any, Any], bool]:
    """Find the two columns of the positions, and whether they are pixels."""
    there = ", ".join(map(str, frame.columns))
    if columns is not None:
        if isinstance(columns, str) or len(columns) != 2:
            raise SourceError(f"columns is {columns!r}; wanted the names of two columns")
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise SourceError(
                f"the catalog has no column {', '.join(map(repr, missing))}; it has {there}"
            )
        if pixels is None:
            pixels = not has_sky or tuple(str(c).lower() for c in columns) in _PIXEL_COLUMNS
        return (columns[0], columns[1]), pixels
    sky = find_columns(frame.columns) or galactic_columns(frame.columns)
    pixel = find_columns(frame.columns, _PIXEL_COLUMNS)
    wanted = "ra and dec" if has_sky and not pixels else "x and y"
    if pixels is None:
        pixels = sky is None or (not has_sky and pixel is not None)
    found = pixel if pixels else sky
    if found is None:
        raise SourceError(
            f"the catalog has no columns of positions (such as {wanted}); it has {there}; "
            "name the two by aw.sources.FITSCutouts(..., columns=(..., ...))"
        )
    return found, pixels


def are_of_mosaics(catalog: Any, folder: Path) -> bool:
    """Whether a catalog tells places on the FITS images of a folder, rather than naming its files.

    There are then more objects than files, and a file that is named holds several. Other images in
    the folder are of objects.
    """
    names = [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]  # noqa: PTH208 - names of many files
    images = {name: name for name in names if image_stem(name) is not None}
    if not images or not all(is_fits(name) for name in images):
        return False
    frame = _as_frame(catalog)
    pairs = (*SKY_COLUMNS, *_PIXEL_COLUMNS)
    found = find_columns(frame.columns, pairs) or galactic_columns(frame.columns)
    has_positions = len(frame) > len(images) and found is not None
    return has_positions and not names_files(frame, images)


def are_tiles(files: Sequence[str | os.PathLike[str]], catalog: Any = None) -> bool:
    """Whether FITS images in a list are mosaics, and not one object each, of which some are read.

    They are if the catalog does not name them, or if there is none and one is large, and no rows of
    a spectrum.
    """
    paths = [split_extension(os.fspath(file)) for file in files]
    if not all(is_fits(path) for path, _ in paths):
        return False
    if any(is_remote(path) or extension is not None for path, extension in paths):
        return True
    if catalog is not None:
        names = {path: path for path, _ in paths}
        return not names_files(_as_frame(catalog), names)
    sides = [side for path, _ in paths[:: -(-len(paths) // _N_ASKED)] for side in _sides(path)]
    return max(sides, default=0) > _LARGEST_CUTOUT


def _sides(path: str) -> tuple[int, ...]:
    try:
        shape = first_image(Path(path).expanduser()).shape
    except SourceError:
        return ()
    return () if is_line(shape) else shape


def _as_frame(catalog: Any, text: Iterable[str] = ()) -> pd.DataFrame:
    import pandas as pd

    return (
        pd.DataFrame(dict(catalog))
        if isinstance(catalog, Mapping)
        else read_table(catalog, text=text)
    )


def numbers(column: pd.Series) -> NDArray[np.float64]:
    """Return a column as numbers; SourceError if it holds anything else."""
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce")
    wrong = values.isna() & column.notna()
    if wrong.any():
        raise SourceError(f"column {column.name!r} holds {column[wrong].iloc[0]!r}, not a number")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _angles(column: pd.Series, unit: str | None, *, hours: bool) -> NDArray[np.float64]:
    try:
        return degrees(column, hours=hours, unit=unit)
    except ValueError as error:
        raise SourceError(
            f"column {column.name!r} cannot be used as a position: {error}"
        ) from error


def _in_range(
    ra: NDArray[np.float64], dec: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring right ascension to 0..360; what is no position at all becomes NaN."""
    good = (ra >= -360) & (ra <= 720) & (dec >= -90) & (dec <= 90)  # NaN is not
    return np.where(good, np.where(good, ra, 0) % 360, np.nan), np.where(good, dec, np.nan)


def _ids(
    frame: pd.DataFrame,
    id_column: str | None,
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    pixels: bool,
) -> NDArray[Any]:
    """Take the ids from the catalog, or make them from the positions."""
    import pandas as pd

    index = frame.index
    if id_column is not None and id_column != index.name:
        if id_column not in frame.columns:
            raise SourceError(
                f"there is no column {id_column!r}; there are {', '.join(map(str, frame.columns))}"
            )
        return unique_ids(as_text(frame[id_column]), f"column {id_column!r}")
    if id_column is not None or index.name or not pd.api.types.is_numeric_dtype(index):
        return unique_ids(as_text(index), "the index")
    guessed = guess_id_column(frame)
    if guessed is not None:
        return unique_ids(as_text(frame[guessed]), f"column {guessed!r}")
    names = pixel_names(*places) if pixels else position_names(*places)
    return np.array(_told_apart(names), dtype=object)


def pixel_names(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[str]:
    """Name objects by their pixels, to a tenth of one; "" where there is no position."""
    return [
        f"x{a:07.1f}y{b:07.1f}" if np.isfinite(a + b) else ""
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]


def _told_apart(names: list[str]) -> list[str]:
    """Add a number to the second and further objects of one name."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        known = name or "no-position"
        seen[known] += 1
        unique.append(known if seen[known] == 1 else f"{known}-{seen[known]}")
    return unique
