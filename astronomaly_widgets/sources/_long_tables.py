"""Which column of a long table is which, and whether it is one: (object, time, brightness)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._names import ID_NAMES
from .._text_tables import TEXT, layout, read_text
from ..exceptions import SourceError
from ._column_names import plain_name, unit_of_name
from ._folders import are_files
from ._tables import astropy_format, joined, read_by_astropy, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

# what columns are called, in order of preference, by their plain names
_IDS = (*map(plain_name, ID_NAMES), "oid", "lcid", "transientid",
        "starid", "diaobjectid", "asassnid", "masterid", "ticid", "kicid", "snid", "object",
        "source", "star", "target")  # fmt: skip
_TIMES = ("mjd", "hmjd", "bmjd", "bjd", "hjd", "jd", "time", "obsmjd", "mjdobs", "midpointtai",
          "midpointmjdtai", "expmidptmjd", "obstime", "t", "date", "days", "day")  # fmt: skip
_MAGNITUDES = ("mag", "magnitude", "magpsf", "psfmag", "apmag", "vmag", "gmag")
_FLUXES = ("flux", "fluxcal", "psfflux", "forcediffimflux", "pdcsapflux", "sapflux", "counts",
           "rate", "ujy")  # fmt: skip
_BANDS = ("band", "filter", "filt", "passband", "fid", "flt", "filtername", "filtercode",
          "photfilter", "filterid")  # fmt: skip
_ERRORS = ("err", "error", "sigma", "uncertainty", "unc", "sigmapsf")
# of columns that nothing names, as in the files of OGLE
_PLACES = {"time": "col1", "mag": "col2", "err": "col3"}
_JD, _MJD = (2_400_000, 2_500_000), (40_000, 70_000)
_MOST_IDS, _N_ASKED = 20, 3
_MOST_UNIQUE = 0.7  # ids over rows: a table of objects has a row for each


class Columns(NamedTuple):
    """Which column of a long table is which; error and band may be None."""

    object_id: Any
    time: Any
    value: Any
    error: Any
    band: Any
    is_magnitude: bool


def find_columns(
    frame: pd.DataFrame,
    *,
    object_id: str | None = None,
    time: str | None = None,
    magnitude: str | None = None,
    flux: str | None = None,
    error: str | None = None,
    band: str | None = None,
) -> Columns:
    """Tell the columns of a long table by what they are called, unless they are named.

    Where nothing names any, they are time, magnitude and error in this order. Of several times it
    is the first that is known.

    Raises
    ------
    SourceError
        A named column does not exist, or there is none that is called like one that is needed, or
        two columns have one name.
    """
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise SourceError(f"the table has two columns called {twice!r}")
    if magnitude is not None and flux is not None:
        raise SourceError("magnitude and flux are both named; choose the one to use")
    plain = {plain_name(column): column for column in reversed(list(frame.columns))}
    if _is_nameless(frame):
        plain |= {name: place for name, place in _PLACES.items() if place in plain}

    def find(named: str | None, what: str, names: tuple[str, ...], *, needed: bool = True) -> Any:
        if named is not None:
            if named not in frame.columns:
                raise SourceError(f"there is no column {named!r} ({what}); {_there_are(frame)}")
            return named
        column = next((plain[name] for name in names if name in plain), None)
        if column is None and needed:
            raise SourceError(f"no column is called like a {what}; name it: {_there_are(frame)}")
        return column

    value = find(magnitude, "magnitude", _MAGNITUDES, needed=False) if flux is None else None
    is_magnitude = value is not None
    if value is None:
        value = find(flux, "magnitude or flux", _FLUXES)
    base = plain_name(value)
    short = "mag" if is_magnitude else "flux"
    errors = [*(base + e for e in _ERRORS), *(e + base for e in (*_ERRORS, "e", "d"))]
    errors += [*(short + e for e in _ERRORS), *(e + short for e in (*_ERRORS, "e"))]
    bands = (*_BANDS, "f") if base == "ujy" else _BANDS  # as the forced photometry of ATLAS
    times = [t for t in _TIMES if t in plain and frame[plain[t]].notna().any()]
    return Columns(
        find(object_id, "object id", _IDS),
        find(time, "time", (*times, *_TIMES)),
        value,
        find(error, "error", (*errors, *_ERRORS), needed=False),
        find(band, "band", bands, needed=False),
        is_magnitude,
    )


def is_long_table(frame: pd.DataFrame) -> bool:
    """Whether a table holds light curves: times and brightnesses, with ids that repeat."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    try:
        ids = frame[find_columns(frame).object_id]
    except SourceError:
        return False
    return bool(ids.nunique() < _MOST_UNIQUE * len(ids))


def is_long_file(path: Path) -> bool:
    """Likewise of a file, of which no more is read than has to be."""
    import pandas as pd

    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        from pyarrow import parquet

        schema = parquet.read_schema(path)
        columns = schema.names
        if any("list" in str(schema.field(c).type) for c in columns if plain_name(c) in _TIMES):
            return is_long_table(open_table(path)[0])
    elif name.endswith(TEXT) and astropy_format(path) is None:
        how = layout(path)
        columns = list(read_text(path, how, nrows=0).columns)
    else:
        return is_long_table(open_table(path)[0])
    try:
        wanted = find_columns(pd.DataFrame(columns=columns)).object_id
    except SourceError:
        return False
    ids = (
        read_text(path, how, usecols=[wanted])
        if name.endswith(TEXT)
        else pd.read_parquet(path, columns=[wanted])
    )
    return bool(ids[wanted].nunique() < _MOST_UNIQUE * len(ids))


def are_parts(files: Iterable[Path]) -> bool:
    """Whether files are parts of one long table: each has more ids than a single object may.

    Some surveys give an object an id in each band, or field.
    """
    asked = list(files)
    n_ids = []
    for file in asked[:: -(-len(asked) // _N_ASKED) or 1]:
        try:
            frame, _ = open_table(file)
            n_ids.append(frame[find_columns(frame).object_id].nunique())
        except SourceError:
            n_ids.append(0)
    return min(n_ids, default=0) > _MOST_IDS


def is_one_curve(table: Any) -> bool:
    """Whether a table has times and brightnesses, as that of one object has.

    Where nothing names its columns, the first must be Julian days: it may be wavelengths.
    """
    try:
        frame, _ = open_table(table)
        columns = find_columns(frame.assign(object_id="one"), object_id="object_id")
    except SourceError:
        return False
    return not _is_nameless(frame) or are_days(frame[columns.time])


def are_days(times: Any) -> bool:
    """Whether all numbers are (modified) Julian days of the last hundred years or the next."""
    import pandas as pd

    known = pd.to_numeric(pd.Series(times), errors="coerce").dropna()
    return any(bool(known.between(*days).all()) for days in (_JD, _MJD)) and len(known) > 0


def _is_nameless(frame: pd.DataFrame) -> bool:
    return _PLACES["time"] in frame.columns and _PLACES["mag"] in frame.columns


def open_table(table: Any, text: tuple[str, ...] = ()) -> tuple[pd.DataFrame, dict[Any, str]]:
    """Read a table as a DataFrame, times as MJD, and the units of those columns that have one."""
    if are_files(table):
        opened = [open_table(file, text) for file in table]
        return joined([frame for frame, _ in opened], table), opened[0][1]
    if isinstance(table, str | os.PathLike):
        table = _with_units(table)
    if not hasattr(table, "colnames"):
        frame = _unnested(read_table(table, text=text))
        named = [name for name in frame.index.names if name is not None]
        units = {name: unit for name in frame.columns if (unit := unit_of_name(name))}
        return (frame.reset_index(level=named) if named else frame), units
    from astropy.table import Table
    from astropy.time import Time

    table = Table(table, copy=False)
    for name in table.colnames:
        if isinstance(table[name], Time):
            table[name] = table[name].mjd
    units = {n: str(table[n].unit) for n in table.colnames if getattr(table[n], "unit", None)}
    return read_table(table), units


def _unnested(frame: pd.DataFrame) -> pd.DataFrame:
    """Give each element of lists a row of its own: ZTF's Parquet files have a row per object."""
    nested = [c for c in frame.columns if len(frame) and _is_list(frame[c].iloc[0])]
    time = next((c for c in nested if plain_name(c) in _TIMES), None)
    if time is None:
        return frame
    n = frame[time].map(len)
    return frame.explode([c for c in nested if frame[c].map(len).equals(n)], ignore_index=True)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | np.ndarray)


def _with_units(path: Any) -> Any:
    """Open those files that tell units as an astropy Table; leave the others to `read_table`."""
    file = Path(path).expanduser()
    kind = astropy_format(file)
    if kind is None or not file.is_file():
        return path
    try:
        return read_by_astropy(file, kind)
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise SourceError(f"{os.fspath(path)!r} cannot be read as a table: {error}") from error


def _there_are(frame: pd.DataFrame) -> str:
    return f"there are {', '.join(map(str, frame.columns)) or 'none'}"
