"""A table of features that someone has measured already."""

from __future__ import annotations

import os
import re
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._names import ID_NAMES, id_columns
from .._text_tables import may_be_table
from ..exceptions import SourceError
from ._catalogs import READABLE, as_text, read_table, unique_ids
from ._folders import absolute, are_files
from ._images import image_stem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

_POSITION = re.compile(
    r"_?(ra|de|dec)_?(j2000|icrs|deg|degrees|mean|stack|psf|\d)?|right_?ascension|declination"
    r"|(alpha|delta)(win|peak|psf)?(_j2000|_sky)?|.+\.(ra|dec|l|b)|glon|glat|elon|elat"
    r"|ecl_(lon|lat)|healpix|htmid",
    re.IGNORECASE,
)
# how pandas reads the index that it wrote into a CSV
_UNNAMED = re.compile(r"Unnamed: 0(\.\d+)?")
_TRUTH = {"class", "label", "labels", "human_label", "target", "truth"}


class FeatureTable:
    """A table with one row per object and features as its columns.

    Parameters
    ----------
    table : path, DataFrame, Table, array, or list of paths
        A file (CSV or text separated by tabs, semicolons or blanks, ECSV, FITS, VOTable, Parquet,
        ``.npy``), several with the same columns (a list, or the folder of a Parquet data set), a
        DataFrame, an astropy Table (masked values become NaN), or an array of shape (n, d).
    id_column : str, optional
        The column of object ids. By default the index of a DataFrame if it has a name or holds
        text, else the first unique column that is called like an identifier (object_id, objid, id,
        source_id, name, ...) or holds integers of more than 32 bits, else the index that pandas
        wrote into a CSV, else objects are called ``object-0``, ``object-1``, ... by the number of
        their row (in a selection of rows: by that of the whole).
    columns : sequence of str, optional
        The features. By default all numeric columns but booleans, positions on the sky, further
        identifiers, and columns called like a truth (class, label, target). A column of text counts
        as numeric if most of it are numbers, and not all of these whole; the rest is missing.

    Attributes
    ----------
    values : ndarray, shape (n, d), float32
        The features. Missing values are NaN; nothing is dropped or filled here.
    column_names : tuple of str
        Their names, (d,).
    spec : dict or None
        How a project finds this source again, if it came from a file; JSON-ready.

    Raises
    ------
    SourceError
        Not a table, no features in it, or object ids that are missing or not unique.
    """

    kind = "table"

    def __init__(
        self,
        table: Any,
        *,
        id_column: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.spec = _describe(table, id_column, columns)
        frame = _as_frame(table, id_column)
        self._ids, frame, self._by_row = _take_ids(frame, id_column)
        chosen = _feature_columns(frame) if columns is None else _check_columns(frame, columns)
        self.values = _as_float32(frame[chosen])
        self.column_names = tuple(map(str, chosen))
        rest = frame.drop(columns=chosen)
        self._catalog = rest.set_axis(list(self._ids), axis=0) if len(rest.columns) else None

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        by_row = " called by their rows (no column of unique ids)" if self._by_row else ""
        return f"<FeatureTable: {len(self)} objects{by_row}, {len(self.column_names)} features>"

    @staticmethod
    def recognizes(file: Any) -> bool:
        """Whether a file is called like a table that can be read, and is no prose.

        Parameters
        ----------
        file : path, or list of paths
            A list of files, or a folder of Parquet files, must have a column of object ids.
        """
        if are_files(file) or Path(file).is_dir():
            return _are_parts(file)
        path = Path(file)
        known = path.name.lower().endswith((*READABLE, ".npy"))
        return known and (not path.is_file() or may_be_table(path))

    def without(self, column: str) -> FeatureTable:
        """Return the same table with a column in the catalog instead of among the features.

        Parameters
        ----------
        column : str
            Such as the truth. What is no feature changes nothing.

        Raises
        ------
        SourceError
            It is the only feature.
        """
        if column not in self.column_names:
            return self
        if len(self.column_names) == 1:
            raise SourceError(f"{column!r} is the only feature of the table")
        import pandas as pd

        other = copy(self)
        k = self.column_names.index(column)
        other.column_names = self.column_names[:k] + self.column_names[k + 1 :]
        other.values = np.delete(self.values, k, axis=1)
        known = pd.DataFrame(index=list(self._ids)) if self._catalog is None else self._catalog
        other._catalog = known.assign(**{column: self.values[:, k]})  # noqa: SLF001 - its own kind
        if self.spec is not None:
            arguments = {**self.spec["arguments"], "columns": list(other.column_names)}
            other.spec = {**self.spec, "arguments": arguments}
        return other

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects in the order of the rows; (n,) object array of str."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """A sum over each row that any changed value changes; (n,) object array of str."""
        bits = self.values.view(np.uint32).astype(np.uint64)
        # an odd factor has an inverse modulo 2**64: no single change can go unseen
        factors = np.random.default_rng(0).integers(0, 2**63, bits.shape[1], np.uint64) * 2 + 1
        return np.array([f"{total:016x}" for total in (bits @ factors).tolist()], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame | None:
        """The columns that are not features, indexed by object id, or None."""
        return self._catalog

    def read(self, object_id: str) -> NDArray[Any]:
        """Return the features of one object, (d,) float32; KeyError if there is no such object."""
        return np.array(self.values[self._rows[object_id]])

    @property
    def _rows(self) -> dict[str, int]:
        rows = self.__dict__.get("_row_of")
        if rows is None:
            rows = self.__dict__["_row_of"] = {i: row for row, i in enumerate(self._ids)}
        return rows


def _are_parts(place: Any) -> bool:
    """Whether files, or those of a folder, are parts of one table with a column of object ids."""
    if are_files(place):
        first = Path(place[0]).expanduser()
    else:
        names = sorted(name for name in os.listdir(place) if not name.startswith("."))  # noqa: PTH208 - names of many files
        parts = [name for name in names if name.endswith(".parquet")]
        if not parts or any(image_stem(name) is not None for name in names):
            return False
        first = Path(place, parts[0])
    try:
        frame = read_table(first) if FeatureTable.recognizes(first) else None
    except SourceError:
        return False
    if frame is None or (frame.index.name is None and not id_columns(frame.columns)):
        return False
    return not are_files(place) or all(map(FeatureTable.recognizes, place))


def _describe(
    table: Any, id_column: str | None, columns: Sequence[str] | None
) -> dict[str, Any] | None:
    if not isinstance(table, str | os.PathLike) and not are_files(table):
        return None
    arguments = {
        "table": absolute(table),
        "id_column": id_column,
        "columns": None if columns is None else list(columns),
    }
    return {"room": "sources", "name": "FeatureTable", "arguments": arguments}


def _as_frame(table: Any, id_column: str | None) -> pd.DataFrame:
    import pandas as pd

    if isinstance(table, str | os.PathLike) and os.fspath(table).lower().endswith(".npy"):
        try:
            table = np.load(table, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(f"{os.fspath(table)!r} cannot be read: {error}") from error
    if isinstance(table, list | tuple) and not are_files(table):
        table = np.asarray(table)
    if not isinstance(table, np.ndarray):
        frame = read_table(table, text=() if id_column is None else (id_column,))
    elif table.dtype.names is not None:
        from astropy.table import Table

        frame = read_table(Table(table))
    elif table.ndim == 2:
        frame = pd.DataFrame(table, columns=[f"f{k}" for k in range(table.shape[1])])
    else:
        raise SourceError(
            f"an array of shape {table.shape} is not a table; wanted (objects, features)"
        )
    if not len(frame):
        raise SourceError("the table has no rows")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise SourceError(f"the table has two columns called {twice!r}")
    return frame


def _take_ids(
    frame: pd.DataFrame, id_column: str | None
) -> tuple[NDArray[Any], pd.DataFrame, bool]:
    """Find the object ids; return them, the frame without them, and if they are numbers of rows."""
    import pandas as pd

    index = frame.index
    if id_column is None:
        named = index.name is not None or not pd.api.types.is_numeric_dtype(index)
        id_column = None if named else _guess_id_column(frame)
        if not named and id_column is None:
            frame = _with_index(frame)
            index = frame.index
    elif id_column == index.name:
        id_column = None
    elif id_column not in frame.columns:
        raise SourceError(
            f"there is no column {id_column!r}; there are {', '.join(map(str, frame.columns))}"
        )
    if id_column is not None:
        ids = unique_ids(as_text(frame[id_column]), f"column {id_column!r}")
        return ids, frame.drop(columns=id_column), False
    if isinstance(index, pd.MultiIndex):
        return unique_ids(["/".join(as_text(key)) for key in index], "the index"), frame, False
    names = as_text(index)
    by_row = index.name is None and pd.api.types.is_integer_dtype(index)
    if by_row:  # a selection of rows has kept the numbers
        names = [f"object-{row}" for row in names]
    return unique_ids(names, "the index"), frame, by_row


def _guess_id_column(frame: pd.DataFrame) -> Any:
    """Return the first column that is called like an identifier and is unique, or None."""
    import pandas as pd

    for column in id_columns(frame.columns):
        if pd.api.types.is_float_dtype(frame[column]):
            continue
        ids = as_text(frame[column])
        if len(set(ids)) == len(ids) and "" not in ids:
            return column
    return next((c for c, v in frame.items() if _are_long(v) and v.notna().all()), None)


def _are_long(column: pd.Series[Any]) -> bool:
    """Whether these are different integers of more than 32 bits, as surveys number objects."""
    from pandas.api.types import is_integer_dtype

    return is_integer_dtype(column) and column.max() >= 2**32 and column.dropna().is_unique


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make the first column the index again if pandas has written it as such."""
    for name, column in frame.iloc[:, :1].items():
        if _UNNAMED.fullmatch(str(name)) and column.is_unique and column.notna().all():
            return frame.set_index(name).rename_axis(index=None)
    return frame


def _feature_columns(frame: pd.DataFrame) -> list[Any]:
    there = {str(column).lower() for column in frame.columns}
    # galactic coordinates, as Gaia calls them; beside a, b is an axis or a color
    galactic = {"l", "b"} if {"l", "b"} <= there and "a" not in there else set()
    columns = [
        column
        for column in frame.columns
        if not _POSITION.fullmatch(str(column))
        and not _UNNAMED.fullmatch(str(column))
        and str(column).lower() not in {*_TRUTH, *ID_NAMES, *galactic}
        and not _are_long(frame[column])
        and (_is_real(frame[column]) or _is_mixed(frame[column]))
    ]
    if not columns:
        raise SourceError(
            "the table has no numeric columns to use as features; its columns are "
            f"{', '.join(map(str, frame.columns)) or 'none'}"
        )
    return columns


def _check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> list[Any]:
    if isinstance(columns, str):
        raise TypeError(f"columns is the text {columns!r}; wanted a list of column names")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise SourceError(
            f"there are no columns {', '.join(map(repr, missing))}; "
            f"there are {', '.join(map(str, frame.columns))}"
        )
    wrong = [
        column
        for column in columns
        if not _is_real(frame[column], booleans=True) and not _is_mixed(frame[column])
    ]
    if wrong:
        raise SourceError(f"columns {', '.join(map(repr, wrong))} are not real numbers")
    if not len(columns):
        raise SourceError("columns is empty; name at least one feature")
    return list(columns)


def _is_real(column: pd.Series[Any], *, booleans: bool = False) -> bool:
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    real = is_numeric_dtype(column) and not is_complex_dtype(column)
    return real and (booleans or not is_bool_dtype(column))


def _is_mixed(column: pd.Series[Any]) -> bool:
    """Whether this is text of which most are numbers, but not names made of digits."""
    from pandas.api.types import is_object_dtype, is_string_dtype

    if not is_object_dtype(column) and not is_string_dtype(column):
        return False
    numbers = _numbers(column)
    numbers = numbers[np.isfinite(numbers)]
    return bool(len(numbers) > column.notna().sum() / 2 and (numbers % 1 > 0).any())


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    import pandas as pd

    if not _is_real(column, booleans=True):
        column = pd.to_numeric(column, errors="coerce")
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _as_float32(frame: pd.DataFrame) -> NDArray[Any]:
    values = np.empty(frame.shape, np.float32)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and set aside as such
        for k, column in enumerate(frame.columns):
            values[:, k] = _numbers(frame[column])
    return values
