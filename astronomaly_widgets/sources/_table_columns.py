"""Which columns of a table are features, and which names its objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from .._names import ID_NAMES, id_columns
from ..exceptions import SourceError
from ._catalogs import as_text, unique_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

_POSITION = re.compile(
    r"_?(ra|de|dec)_?(j2000|icrs|deg|degrees|mean|stack|psf|\d)?|right_?ascension|declination"
    r"|(alpha|delta)(win|peak|psf)?(_j2000|_sky)?|.+\.(ra|dec|l|b)|_?glon|_?glat|gal_(lon|lat)|elon|elat"
    r"|ecl_(lon|lat)|healpix|htmid",
    re.IGNORECASE,
)
# how pandas reads the index that it wrote into a CSV
_UNNAMED = re.compile(r"Unnamed: 0(\.\d+)?")
_TRUTH = {"class", "label", "labels", "human_label", "target", "truth"}


def take_ids(frame: pd.DataFrame, id_column: str | None) -> tuple[NDArray[Any], pd.DataFrame, bool]:
    """Find the object ids; return them, the frame without them, and if they are numbers of rows."""
    import pandas as pd

    index = frame.index
    if id_column is None:
        named = index.name is not None or not pd.api.types.is_numeric_dtype(index)
        id_column = None if named else guess_id_column(frame)
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


def guess_id_column(frame: pd.DataFrame) -> Any:
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


def feature_columns(frame: pd.DataFrame) -> list[Any]:
    """Return the columns that may be features; SourceError if there are none."""
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


def check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> list[Any]:
    """Return columns that were chosen as features; SourceError if one cannot be."""
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


def as_float32(frame: pd.DataFrame) -> NDArray[Any]:
    """Return columns as (n, d) float32; what is no number is NaN."""
    values = np.empty(frame.shape, np.float32)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and set aside as such
        for k, column in enumerate(frame.columns):
            values[:, k] = _numbers(frame[column])
    return values
