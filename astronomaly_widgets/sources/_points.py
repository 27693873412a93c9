"""Long tables of measurements become the sorted points of each object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..exceptions import SourceError
from ._catalogs import as_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ._long_tables import Columns

# from blue to red; colors in pictures follow
_SPECTRAL_ORDER = ("FUV", "NUV", "u", "U", "B", "b", "g", "G", "V", "v", "r", "R", "i", "I", "z",
                   "Z", "y", "Y", "J", "H", "K")  # fmt: skip
_NO_NUMBER = {"", "nan", "none", "null", "n/a", "na", "-", "--"}
_MOST_MAGNITUDE = 50.0  # 99.99, -99 and 100 are how surveys write "not measured"
_OF_DAYS = re.compile(r"jd|days?\b", re.IGNORECASE)
_MJD_OF_UNIX = 40587  # 1970-01-01


class Points(NamedTuple):
    """Points of some objects, sorted by object and time; m is the number of points.

    Attributes
    ----------
    object_ids : list of str
        In the order in which they first appear.
    codes : ndarray, shape (m,)
        Which object each point is of.
    time, value, error : ndarray, shape (m,), float64
        Times in days and values are finite; an error is NaN where it is not known.
    band : ndarray, shape (m,), object
        Text; "" where there are no bands.
    reasons : dict of int to str
        Why an object cannot be used, by its number.
    """

    object_ids: list[str]
    codes: NDArray[Any]
    time: NDArray[Any]
    value: NDArray[Any]
    error: NDArray[Any]
    band: NDArray[Any]
    reasons: dict[int, str]


def points_of(frame: pd.DataFrame, columns: Columns, units: dict[Any, str]) -> Points:
    """Take the points out of a long table: sorted, without gaps and exact repeats.

    A point without a time or a value is a gap; so is a magnitude beyond 50, as 99.99 or -99 is how
    surveys write that nothing was measured, and a limit, such as ">16.3".

    Raises
    ------
    SourceError
        Rows without an object id, nothing but text where numbers are wanted, or units that do not
        convert.
    """
    codes, ids = identify(frame[columns.object_id])
    what = "magnitude" if columns.is_magnitude else "flux"
    _check_unit(columns, units)
    reasons: dict[int, str] = {}

    def numbers(column: Any, words: str) -> NDArray[Any]:
        values, wrong = _numbers(frame[column], f"{words} column {column!r}", words == "time")
        for code in np.unique(codes[wrong]).tolist():
            of = frame[column].to_numpy()[wrong & (codes == code)]
            reasons.setdefault(
                code, f"{len(of)} of its {words} values are not numbers, such as {of[0]!r}"
            )
        return values

    time = numbers(columns.time, "time") * _in_days(units.get(columns.time), columns.time)
    value = numbers(columns.value, what)
    error = np.full(len(frame), np.nan)
    if columns.error is not None:
        unit = units.get(columns.value) or units.get(columns.error)
        error = numbers(columns.error, "error")
        error = error * _factor(units.get(columns.error), unit, columns.error)
    error[np.isinf(error)] = np.nan
    band = np.full(len(frame), "", dtype=object)
    if columns.band is not None:
        band = _texts(frame[columns.band])

    measured = np.isfinite(time) & np.isfinite(value)
    if columns.is_magnitude:
        measured &= np.abs(value) < _MOST_MAGNITUDE
    for code, (n, n_all) in _count(codes, measured & (error < 0), measured).items():
        reasons.setdefault(
            code,
            f"{n} of its {n_all} errors are negative; leave these rows out, or write NaN where an "
            "error is not known",
        )
    kept = measured.nonzero()[0]
    codes, time, value, error, band = (array[kept] for array in (codes, time, value, error, band))
    order, repeated = _order(codes, time, value, error, band)
    order = order[~repeated]
    return Points(ids, codes[order], time[order], value[order], error[order], band[order], reasons)


def _texts(column: pd.Series) -> NDArray[Any]:
    """Return a column of few different values as text; "" where it is missing."""
    import pandas as pd

    codes, values = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    return np.array([*as_text(values), ""], dtype=object)[codes]


def identify(column: pd.Series) -> tuple[NDArray[Any], list[str]]:
    """Return the number of the object of each row, and the names of the objects.

    Raises
    ------
    SourceError
        Some rows have no id.
    """
    import pandas as pd

    codes, values = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    names = np.array(as_text(values), dtype=object)
    # 7 and "7" are one object
    same, unique = pd.factorize(names)
    missing = (codes < 0) | (names == "")[codes] if len(names) else np.ones(len(codes), bool)
    if missing.any():
        raise SourceError(
            f"{int(missing.sum())} of {len(missing)} rows of the table have no object id in column "
            f"{column.name!r}"
        )
    return np.asarray(same[codes]), list(map(str, unique))


def _numbers(column: pd.Series, words: str, is_time: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a column as float64, dates as MJD, and which rows hold something that is no number."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return _modified_julian_days(column), np.zeros(len(column), bool)
    numbers = pd.to_numeric(column, errors="coerce")
    values = numbers.to_numpy(dtype=float, na_value=np.nan, copy=True)
    wrong = np.zeros(len(values), bool)
    lost = np.isnan(values) & column.notna().to_numpy()
    if lost.any() and not pd.api.types.is_numeric_dtype(column):
        if is_time:
            dates = pd.to_datetime(column[lost], format="ISO8601", utc=True, errors="coerce")
            values[lost] = _modified_julian_days(dates)
            lost &= np.isnan(values)
        wrong[lost] = [_is_wrong(text) for text in as_text(column[lost])]
        if wrong.all():
            wanted = "days, or dates as 2026-11-21 or 2026-11-21T12:00" if is_time else "numbers"
            raise SourceError(
                f"the {words} holds text, such as {column.iloc[0]!r}; wanted {wanted}"
            )
    return values, wrong


def _is_wrong(text: str) -> bool:
    """Whether a text is neither a number nor a word for none, nor a limit."""
    return text.lower() not in _NO_NUMBER and not text.startswith(("<", ">"))


def _modified_julian_days(dates: pd.Series) -> NDArray[Any]:
    import pandas as pd

    since = pd.to_datetime(dates, utc=True) - pd.Timestamp(0, tz="UTC")
    return (since / pd.Timedelta(1, "D") + _MJD_OF_UNIX).to_numpy(float)


def _check_unit(columns: Columns, units: dict[Any, str]) -> None:
    unit = units.get(columns.value, "")
    if unit and not columns.is_magnitude and "mag" in unit:
        raise SourceError(
            f"column {columns.value!r} is in {unit}: give it as magnitude=, not as flux"
        )


def _in_days(unit: str | None, column: Any) -> float:
    """Return by what to multiply a time; Kepler and TESS call days "BJD - 2457000, days"."""
    return 1.0 if unit and _OF_DAYS.search(unit) else _factor(unit, "d", column)


def _factor(unit: str | None, wanted: str | None, column: Any) -> float:
    """Return by what to multiply to get the wanted unit; 1 where there is no unit."""
    if not unit or not wanted or unit == wanted:
        return 1.0
    from astropy import units as u

    if "mag" in unit and "mag" in wanted:  # the error of mag(AB) is in mag
        return 1.0
    try:
        return float(u.Unit(unit).to(wanted))
    except (u.UnitConversionError, ValueError) as error:
        raise SourceError(
            f"column {column!r} is in {unit!r}, which does not convert to {wanted!r}"
        ) from error


def _count(
    codes: NDArray[Any], found: NDArray[Any], among: NDArray[Any]
) -> dict[int, tuple[int, int]]:
    """Return, for objects where anything is found, how often and among how many."""
    n, n_all = np.bincount(codes, found), np.bincount(codes, among)
    return {k: (int(n[k]), int(n_all[k])) for k in np.flatnonzero(n).tolist()}


def _order(
    codes: NDArray[Any],
    time: NDArray[Any],
    value: NDArray[Any],
    error: NDArray[Any],
    band: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return an order that the rows' own has no part in, and which of it repeat the one before."""
    import pandas as pd

    letters = pd.factorize(band, sort=True)[0]
    order = np.lexsort((error, value, letters, time, codes))
    repeated = np.zeros(len(order), bool)
    if len(order):
        same = np.ones(len(order) - 1, bool)
        for array in (codes, time, value, error, letters):
            a, b = array[order[1:]], array[order[:-1]]
            same &= (a == b) | ((a != a) & (b != b))  # noqa: PLR0124 - both are NaN
        repeated[1:] = same
    return order, repeated


def spectral(bands: list[str]) -> list[str]:
    """Sort names of bands from blue to red, as far as they can be told."""

    def place(name: str) -> tuple[int, str]:
        for letters in (name, name[-1:], name[:1]):
            if letters in _SPECTRAL_ORDER:
                return _SPECTRAL_ORDER.index(letters), name
        return len(_SPECTRAL_ORDER), name

    return sorted(bands, key=place)
