"""Tables of all kinds become a DataFrame, and its rows find their objects."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._bytes import decoded
from .._names import ID_NAMES
from .._text_tables import TEXT, is_machine_readable, layout, read_text
from ..exceptions import ReadError, SourceError
from ._folders import are_files
from ._images import image_stem, parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

_FILE_NAMES = ("file", "filename", "file_name", "path", "image", "image_path", "cutout")
_PARQUET = (".parquet", ".pq")
# what astropy reads, and what it calls the format
_BY_ASTROPY = {
    **dict.fromkeys((".fits", ".fits.gz", ".fit"), "fits"),
    **dict.fromkeys((".vot", ".vot.gz", ".votable", ".xml"), "votable"),
    ".ecsv": "ascii.ecsv",
    ".tbl": "ascii.ipac",
    ".mrt": "ascii.mrt",
    ".cat": "ascii.sextractor",
}
#: How tables that can be read are called.
READABLE = (*TEXT, *_PARQUET, *_BY_ASTROPY)


def read_table(table: Any, *, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table as a DataFrame.

    Parameters
    ----------
    table : path-like, DataFrame or Table, or list of paths
        Text (CSV, or separated by tabs, semicolons or blanks), machine-readable text of a journal,
        ECSV, IPAC, FITS (first table), VOTable, Parquet or what SExtractor writes (.cat), by
        suffix; an astropy Table; a DataFrame, which is returned as it is. Of a list of files with
        the same columns, or a folder of Parquet files, the rows of all.
    text : iterable of str, optional
        Further columns to read as text from a file of text, as those of ID_NAMES are, so that
        "00012" and long integers keep every digit.

    Returns
    -------
    DataFrame
        Masked values are missing values; a column of vectors becomes ``name_0``, ``name_1``, ...
        What an astropy table or a file says of units is in ``attrs["units"]``, as text by column.

    Raises
    ------
    SourceError
        If it is not a table, or cannot be read.
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "colnames") and hasattr(table, "to_pandas"):
        return _from_astropy(table)
    if hasattr(table, "to_pandas"):  # of Arrow or Polars
        frame: pd.DataFrame = table.to_pandas()
        return frame
    if are_files(table):
        return joined([read_table(file, text=text) for file in table], table)
    if not isinstance(table, str | os.PathLike):
        raise SourceError(
            f"a {type(table).__name__} is not a table; wanted a DataFrame, an astropy Table or the "
            f"path of a file ({', '.join(READABLE)})"
        )
    path = Path(table).expanduser()
    if path.is_dir() and (files := sorted(path.glob("*.parquet"))):
        return read_table(files, text=text)
    if not path.is_file():
        raise SourceError(f"there is no file {str(path)!r}")
    try:
        return _read_file(path, text)
    except (OSError, ValueError, TypeError, LookupError, ReadError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{str(path)!r} cannot be read as a table: {error}") from error


def joined(frames: Sequence[pd.DataFrame], files: Sequence[Any]) -> pd.DataFrame:
    """Put the rows of tables under one another; SourceError if their columns differ."""
    import pandas as pd

    first = frames[0].columns
    for file, frame in zip(files, frames, strict=True):
        differing = sorted(map(str, set(first) ^ set(frame.columns)))
        if differing:
            raise SourceError(
                f"{os.fspath(files[0])!r} and {os.fspath(file)!r} are no parts of one table: of "
                f"the columns {', '.join(differing[:5])}, one has some and the other has not"
            )
    by_number = isinstance(frames[0].index, pd.RangeIndex) and frames[0].index.name is None
    whole = pd.concat(frames, ignore_index=by_number)
    whole.attrs = frames[0].attrs
    return whole


def _read_file(path: Path, text: Iterable[str]) -> pd.DataFrame:
    import pandas as pd

    name = path.name.lower()
    kind = astropy_format(path)
    if kind is not None:
        return _from_astropy(read_by_astropy(path, kind))
    if name.endswith(TEXT):
        return _typed_text(path, {*text, *ID_NAMES, *_FILE_NAMES})
    if name.endswith(_PARQUET):
        return pd.read_parquet(path)
    raise SourceError(f"{path.name!r} is not a kind of table we know; wanted {', '.join(READABLE)}")


def astropy_format(path: Path) -> str | None:
    """Return what astropy calls the format of a file, if it is astropy that reads it."""
    if is_machine_readable(path):
        return "ascii.mrt"
    name = path.name.lower()
    if name.endswith(".cat") and path.is_file():  # of SExtractor: text, or FITS
        with path.open("rb") as file:
            if file.read(6) == b"SIMPLE":
                return "fits"
    return next((kind for end, kind in _BY_ASTROPY.items() if name.endswith(end)), None)


def read_by_astropy(path: Path, kind: str) -> Any:
    """Read a file as an astropy Table, without a word about units and notes that are untidy."""
    from astropy.table import Table
    from astropy.utils.exceptions import AstropyWarning

    more: dict[str, Any] = {"verify": "ignore"} if kind == "votable" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        if kind == "fits":
            more = {"hdu": _first_table(path)}
        return Table.read(path, format=kind, **more)


def _typed_text(path: Path, text: set[str]) -> pd.DataFrame:
    import pandas as pd

    how = layout(path)
    columns = read_text(path, how, nrows=0).columns
    as_text = {column: str for column in columns if column in text or column.lower() in text}
    # nullable types, because an integer column with a gap would lose digits as floating
    frame = read_text(path, how, dtype=as_text, dtype_backend="numpy_nullable")
    if as_text:  # an object may be called "NA" or "None"
        names = read_text(
            path,
            how,
            usecols=list(as_text),
            dtype=str,
            keep_default_na=False,
            na_values=[""],
        )
        frame[list(as_text)] = names[list(as_text)]
    for column in frame.columns:
        values = frame[column]
        if isinstance(values.dtype, pd.Float64Dtype):
            frame[column] = values.to_numpy(dtype=float, na_value=np.nan)
        elif isinstance(values.dtype, pd.Int64Dtype | pd.BooleanDtype) and not values.hasnans:
            frame[column] = values.to_numpy()
        elif isinstance(values.dtype, pd.StringDtype):
            frame[column] = values.astype(object)
    return frame


def _first_table(path: Path) -> int:
    from astropy.io import fits

    with fits.open(path) as hdus:
        for number, hdu in enumerate(parts(hdus)):
            is_table = isinstance(hdu, fits.BinTableHDU | fits.TableHDU)
            if is_table and hdu.name != "LDAC_IMHEAD":  # the header of an image, by SExtractor
                return number
    raise SourceError(f"the FITS file {str(path)!r} holds no table")


def _from_astropy(table: Any) -> pd.DataFrame:
    """Convert an astropy Table: vectors to a column per element, places on the sky to ICRS."""
    table = table.copy(copy_data=False)
    for name in list(table.colnames):
        column = table[name]
        if hasattr(column, "icrs"):
            table[name] = column.icrs
        if getattr(column, "ndim", 1) > 1 and hasattr(column, "dtype"):
            flat = column.reshape(len(table), -1)
            at = table.colnames.index(name)
            table.remove_column(name)
            for k in range(flat.shape[1]):
                table.add_column(flat[:, k], name=f"{name}_{k}", index=at + k)
    frame = decoded(table.to_pandas(index=False))
    units = {name: getattr(table[name], "unit", None) for name in table.colnames}
    frame.attrs["units"] = {name: str(unit) for name, unit in units.items() if unit is not None}
    return frame


def as_text(values: Any) -> list[str]:
    """Return identifiers as str: integers with every digit, bytes decoded, missing as ""."""
    import pandas as pd

    values = pd.Series(values)
    missing = values.isna().to_numpy()
    return [
        "" if gone else _as_text(value)
        for value, gone in zip(values.tolist(), missing, strict=True)
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def unique_ids(ids: list[str], what: str) -> NDArray[Any]:
    """Return the ids as an object array.

    Raises
    ------
    SourceError
        Some are missing, or are there twice; `what` names where they came from.
    """
    if "" in ids:
        raise SourceError(f"{what} has {ids.count('')} rows without an object id")
    if len(set(ids)) < len(ids):
        twice = [i for i, count in Counter(ids).most_common(3) if count > 1]
        raise SourceError(
            f"{what} has object ids that are not unique, such as {', '.join(map(repr, twice))}; "
            "name a column of unique ids"
        )
    return np.array(ids, dtype=object)


def match_files(frame: pd.DataFrame, files: Mapping[str, str]) -> pd.DataFrame:
    """Return the catalog's rows by object id, for the images of a folder.

    Parameters
    ----------
    frame : DataFrame
        The catalog, one row per image; the order does not matter.
    files : mapping
        Object id to path within the folder.

    Returns
    -------
    DataFrame
        Indexed by object id, sorted as the objects are; missing where the catalog has no row.

    Raises
    ------
    SourceError
        No column names the images, or two rows name the same one.
    """
    best = _named(frame, files)
    if best is None:
        raise SourceError(
            f"no column of the catalog ({', '.join(map(str, frame.columns))}) names the images, "
            f"which are called like {next(iter(files))!r}"
        )
    return by_object(frame, best, sorted(files))


def names_files(frame: pd.DataFrame, files: Mapping[str, str]) -> bool:
    """Whether a column of a catalog names images of a folder, and none of them twice."""
    named = [name for name in _named(frame, files) or () if name is not None]
    return 0 < len(named) == len(set(named))


def _named(frame: pd.DataFrame, files: Mapping[str, str]) -> list[str | None] | None:
    """Return each row's object by the column that names most of them; None if none names any."""
    keys = _file_keys(files)
    best: list[str | None] | None = None
    n_best = 0
    for values in _id_candidates(frame):
        found = [_find(value, keys) for value in as_text(values)]
        n_found = len(set(found) - {None})
        if n_found > n_best:
            best, n_best = found, n_found
        if n_best == len(files):
            break
    return best


def match_objects(frame: pd.DataFrame, object_ids: NDArray[Any]) -> pd.DataFrame:
    """Return the catalog's rows by object id; row by row if nothing in it names the objects."""
    wanted = set(object_ids)
    for values in _id_candidates(frame):
        ids = [i if i in wanted else None for i in as_text(values)]
        if any(i is not None for i in ids):
            return by_object(frame, ids, list(object_ids))
    if len(frame) != len(object_ids):
        raise SourceError(
            f"the catalog has {len(frame)} rows for {len(object_ids)} objects, and no column of it "
            f"holds their ids, which are like {object_ids[0]!r}"
        )
    return frame.set_axis(list(object_ids), axis=0)


def by_object(frame: pd.DataFrame, ids: list[str | None], object_ids: list[str]) -> pd.DataFrame:
    """Give each row its object's id (None: drop it) and put the rows in the objects' order."""
    import pandas as pd

    keep = [i is not None for i in ids]
    known = [i for i in ids if i is not None]
    if len(set(known)) < len(known):
        twice = Counter(known).most_common(1)[0][0]
        raise SourceError(
            f"the catalog has more than one row for {twice!r}; give it one row per object"
        )
    frame = frame[keep].set_axis(known, axis=0)
    if len(frame) < len(object_ids):
        integers = frame.select_dtypes("integer").columns
        # a gap would turn 18-digit integers into rounded floating numbers
        frame = frame.astype({c: "Int64" for c in integers if frame[c].dtype != "uint64"})
    return frame.reindex(pd.Index(object_ids, dtype=object))


def _id_candidates(frame: pd.DataFrame) -> list[Any]:
    """Columns that may hold names, the likeliest first."""
    import pandas as pd

    likely = (*_FILE_NAMES, *ID_NAMES)
    texts = [c for c in frame.columns if not pd.api.types.is_float_dtype(frame[c])]
    order = {name: rank for rank, name in enumerate(likely)}
    texts.sort(key=lambda c: order.get(str(c).lower(), len(likely)))
    columns = [frame[c] for c in texts]
    return columns if isinstance(frame.index, pd.RangeIndex) else [frame.index, *columns]


def _file_keys(files: Mapping[str, str]) -> dict[str, str]:
    """Map all that a catalog may call an image to its object id; what is ambiguous is left out."""
    keys: dict[str, str] = {}
    ambiguous: set[str] = set()
    for object_id, relative in files.items():
        name = relative.rpartition("/")[2]
        for key in {relative, image_stem(relative) or relative, name, image_stem(name) or name}:
            if keys.setdefault(key, object_id) != object_id:
                ambiguous.add(key)
    keys = {key: object_id for key, object_id in keys.items() if key not in ambiguous}
    return keys | {object_id: object_id for object_id in files}


def _find(value: str, keys: Mapping[str, str]) -> str | None:
    name = value.replace("\\", "/").rpartition("/")[2]
    for key in (value, image_stem(value), name, image_stem(name)):
        if key is not None and key in keys:
            return keys[key]
    return None
