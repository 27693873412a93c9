"""A table of features that someone has measured already."""

from __future__ import annotations

import os
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._names import id_columns
from .._text_tables import may_be_table
from ..exceptions import SourceError
from ._folders import absolute, are_files
from ._images import image_stem
from ._table_columns import as_float32, check_columns, feature_columns, take_ids
from ._tables import READABLE, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


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
        self._ids, frame, self._by_row = take_ids(frame, id_column)
        chosen = feature_columns(frame) if columns is None else check_columns(frame, columns)
        self.values = as_float32(frame[chosen])
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
