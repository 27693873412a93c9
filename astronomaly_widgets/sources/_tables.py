"""Tables of all kinds become a DataFrame."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._bytes import decoded
from .._names import ID_NAMES
from .._text_tables import TEXT, is_machine_readable, layout, read_text
from ..exceptions import ReadError, SourceError
from ._folders import are_files
from ._images import parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

#: What columns are called that name files.
FILE_NAMES = ("file", "filename", "file_name", "path", "image", "image_path", "cutout")
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
        return _typed_text(path, {*text, *ID_NAMES, *FILE_NAMES})
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
