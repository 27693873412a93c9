"""Brightness against time: the light curves of a survey, from one long table or many short ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._text_tables import TEXT
from ..exceptions import ReadError, SourceError
from ._catalogs import as_text, match_objects
from ._folders import absolute, are_files, are_mostly, files_in, is_folder_or_files
from ._long_tables import (
    are_parts,
    find_columns,
    is_long_file,
    is_long_table,
    is_one_curve,
    open_table,
)
from ._points import Points, identify, points_of, spectral
from ._tables import read_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_SUFFIXES = (*TEXT, ".ecsv", ".fits", ".fit", ".fits.gz", ".parquet", ".vot", ".vot.gz", ".xml",
             ".tbl")  # fmt: skip


class LightCurves:
    """Light curves, one object per id, in one or several bands.

    Parameters
    ----------
    table : path, DataFrame, Table, TimeSeries, or mapping
        A long table, one row per measurement, in any order: a file (CSV or other text, Parquet,
        FITS, ECSV, VOTable), a DataFrame, or an astropy Table or TimeSeries. Or one table per
        object: a mapping from object id to table, or a folder or list of such files, whose names
        are the ids. Files with many ids in each are parts of one long table.
    object_id, time, magnitude, flux, error, band : str, optional
        Names of the columns. Left out, they are recognized by their usual names (mjd,
        mag, magerr, filter, ...); where a file of text names none, they are ``col1``, ``col2``,
        ``col3``, taken for time, magnitude and error, as in OGLE's files. Brightness is `magnitude`
        or `flux`, not both.
    period : str or mapping, optional
        Periods in days at which pictures are folded: a column of the catalog, or object id to
        period. NaN, or none, shows the object against time.
    catalog : path, DataFrame or Table, optional
        One row per object, matched by a column of object ids. The number of points and the days
        between first and last are added; so is each further column of `table` that says the same in
        all rows of each object, such as its position.

    Attributes
    ----------
    bands : tuple of str
        All bands, from blue to red as far as can be told; ``("",)`` without bands.
    value_name : str
        ``"magnitude"`` or ``"flux"``.
    value_unit : str
        Of the flux or magnitude, where the table says it; else "".
    has_errors : bool
        Whether any point has an error.
    spec : dict or None
        How a project finds this source again, if it lies on disk; JSON-ready.

    Raises
    ------
    SourceError
        Not a table, no columns that fit, rows without an object id, units that do not convert.

    Notes
    -----
    Times are in days: where a column has a unit, also in brackets behind its name, or holds astropy
    times or dates (also as text, 2026-11-21T12:00), it becomes MJD or days; plain numbers are taken
    as days of any kind. Points without a time or a value are gaps and are left out, and so are
    magnitudes beyond 50 (99.99 and -99 are how surveys write that nothing was measured), limits
    such as ">16.3", and exact repeats of a point.
    """

    kind = "light_curve"

    def __init__(
        self,
        table: Any,
        *,
        object_id: str | None = None,
        time: str | None = None,
        magnitude: str | None = None,
        flux: str | None = None,
        error: str | None = None,
        band: str | None = None,
        period: str | Mapping[str, float] | None = None,
        catalog: Any = None,
    ) -> None:
        named = {
            "object_id": object_id,
            "time": time,
            "magnitude": magnitude,
            "flux": flux,
            "error": error,
            "band": band,
        }
        self.spec = _describe(table, named, period, catalog)
        if is_folder_or_files(table):
            table = files_in(table, _SUFFIXES, "tables")
            table = list(table.values()) if are_parts(table.values()) else table
        self.value_name, self.value_unit = "", ""
        constant: dict[str, Any] = {}
        if isinstance(table, Mapping):
            points = self._joined(table, named)
        else:
            points, constant = self._opened(table, named, whole=True)
        self._take(points)
        self._catalog = self._make_catalog(constant, catalog)
        self._period = self._find_periods(period)

    def _opened(
        self, table: Any, named: dict[str, str | None], *, whole: bool, object_id: str = ""
    ) -> tuple[Points, dict[str, Any]]:
        """Read one table: all light curves, or (not `whole`) that of one object."""
        text = tuple(name for name in (named["object_id"], named["band"]) if name is not None)
        frame, units = open_table(table, text)
        if not whole:
            named = named | {"object_id": "object_id"}
            frame = frame.assign(object_id=object_id)
        if not len(frame):
            raise SourceError("the table has no rows")
        columns = find_columns(frame, **named)
        value_name = "magnitude" if columns.is_magnitude else "flux"
        unit = units.get(columns.value, "")
        if self.value_name and (value_name, unit) != (self.value_name, self.value_unit):
            raise SourceError(
                f"{object_id!r} has a {value_name} in {unit or 'no unit'}, those before it a "
                f"{self.value_name} in {self.value_unit or 'no unit'}; wanted one for all"
            )
        points = points_of(frame, columns, units)
        self.value_name, self.value_unit = value_name, unit
        return points, _constant(frame, columns) if whole else {}

    def _joined(self, tables: Mapping[str, Any], named: dict[str, str | None]) -> Points:
        """Read a table per object; one that cannot be read spoils no other."""
        pieces: list[Points] = []
        reasons: dict[int, str] = {}
        ids = as_text(list(tables))
        for code, (name, table) in enumerate(zip(ids, tables.values(), strict=True)):
            try:
                points, _ = self._opened(table, named, whole=False, object_id=name)
            except SourceError as error:
                reasons[code] = str(error)
                continue
            pieces.append(points._replace(codes=np.full(len(points.codes), code)))
            reasons |= dict.fromkeys((code,) if points.reasons else (), points.reasons.get(0, ""))
        if not pieces:
            why = f": {next(iter(reasons.values()))}" if reasons else ""
            raise SourceError(f"none of {len(ids)} light curves can be read{why}")
        return Points(
            object_ids=ids,
            codes=np.concatenate([piece.codes for piece in pieces]),
            time=np.concatenate([piece.time for piece in pieces]),
            value=np.concatenate([piece.value for piece in pieces]),
            error=np.concatenate([piece.error for piece in pieces]),
            band=np.concatenate([piece.band for piece in pieces]),
            reasons=reasons,
        )

    def _take(self, points: Points) -> None:
        self._ids = np.array(points.object_ids, dtype=object)
        self._rows = {object_id: row for row, object_id in enumerate(points.object_ids)}
        self._reasons = points.reasons
        self._starts = np.searchsorted(points.codes, np.arange(len(self._ids) + 1))
        self._time, self._value, self._error = points.time, points.value, points.error
        self.bands = tuple(spectral(list(dict.fromkeys(points.band.tolist())))) or ("",)
        self._letters = np.array(self.bands)
        number = {name: k for k, name in enumerate(self.bands)}
        self._band = np.array([number[name] for name in points.band.tolist()], np.int16)
        self.has_errors = bool(np.isfinite(self._error).any())

    def _make_catalog(self, constant: dict[str, Any], catalog: Any) -> pd.DataFrame:
        import pandas as pd

        n_points = np.diff(self._starts)
        days = np.zeros(len(self))
        some = n_points > 0
        days[some] = self._time[self._starts[1:][some] - 1] - self._time[self._starts[:-1][some]]
        own = pd.DataFrame(constant, index=pd.Index(self._ids))
        own["n_points"] = n_points
        own["days"] = days
        if catalog is None:
            return own
        given = match_objects(read_table(catalog), self._ids)
        return given.join(own[[name for name in own.columns if name not in given.columns]])

    def with_periods(self, period: Mapping[str, float] | pd.Series[float]) -> LightCurves:
        """Return the same light curves, which pictures show folded at other periods.

        Those that were found with the default features are in the catalog of the search; with a
        project, nothing is measured again::

            session = aw.explore(curves, project="my-search")
            folded = curves.with_periods(session.catalog["period"])
            session.close()
            session = aw.explore(folded, project="my-search")

        Parameters
        ----------
        period : mapping or Series from object id to days
            NaN, or none, shows the object against time. The search finds a period for every
            object: leave out those that you do not believe.
        """
        other = copy(self)
        days = other._period = self._find_periods(period)  # noqa: SLF001 - its own kind
        if self.spec is not None and self.spec["room"] == "sources":
            known = np.isfinite(days)
            given = dict(zip(self._ids[known].tolist(), days[known].tolist(), strict=True))
            other.spec = {**self.spec, "arguments": {**self.spec["arguments"], "period": given}}
        return other

    def _find_periods(self, period: Any) -> NDArray[Any]:
        import pandas as pd

        if isinstance(period, str):
            if period not in self._catalog.columns:
                raise SourceError(
                    f"there is no column {period!r} of periods in the catalog; there are "
                    f"{', '.join(map(str, self._catalog.columns))}"
                )
            column = self._catalog[period]
        else:
            given = {} if period is None else period
            column = pd.Series(given, dtype=object).reindex(self._ids)
        days = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(days) & (days > 0), days, np.nan)

    @staticmethod
    def recognizes(table: Any) -> bool:
        """Whether something is light curves, by its columns and by ids that come more than once.

        Parameters
        ----------
        table : object
            Anything; a folder, a list or a mapping is known by some of its tables.
        """
        if isinstance(table, Mapping):
            return bool(table) and is_one_curve(next(iter(table.values())))
        try:
            if is_folder_or_files(table):
                return are_mostly(table, _SUFFIXES, is_one_curve)
            if isinstance(table, str | os.PathLike):
                path = Path(table).expanduser()
                known = path.is_file() and path.name.lower().endswith(_SUFFIXES)
                return known and is_long_file(path)
            return is_long_table(open_table(table)[0])
        except (SourceError, OSError, ValueError):
            return False

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        bands = f" in {', '.join(self.bands)}" if self.bands != ("",) else ""
        return f"<LightCurves: {len(self)} objects, {len(self._time)} points{bands}>"

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects, (n,) object array of str, as they first appear in the table."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """A digest of the points of each object, (n,) object array of str; their order is none."""
        marks = np.empty(len(self), dtype=object)
        for row, (start, stop) in enumerate(zip(self._starts[:-1], self._starts[1:], strict=True)):
            digest = hashlib.blake2b(digest_size=8)
            for array in (self._time, self._value, self._error):
                digest.update(np.ascontiguousarray(array[start:stop]).data)
            bands = self._letters[self._band[start:stop]].tolist()
            digest.update("\n".join((self.value_name, *bands)).encode())
            marks[row] = digest.hexdigest()
        return marks

    @property
    def catalog(self) -> pd.DataFrame:
        """What is known of each object, indexed by object id; ``n_points`` and ``days`` in it."""
        return self._catalog

    def period(self, object_id: str) -> float:
        """Return the period at which an object is folded in pictures, in days; NaN for none."""
        return float(self._period[self._rows[object_id]])

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one light curve.

        Returns
        -------
        ndarray, shape (n_points,)
            With the fields ``time`` (days), ``magnitude`` or ``flux``, ``error`` (in the same unit;
            NaN where it is not known), all float64, and ``band`` (text). Sorted by time.

        Raises
        ------
        ReadError
            It has no points, or points that make no sense; the message says which.
        KeyError
            There is no such object.
        """
        row = self._rows[object_id]
        if row in self._reasons:
            raise ReadError(self._reasons[row])
        one = slice(self._starts[row], self._starts[row + 1])
        n = one.stop - one.start
        if not n:
            raise ReadError(f"it has no point with both a time and a {self.value_name}")
        fields = [("time", "f8"), (self.value_name, "f8"), ("error", "f8")]
        data = np.empty(n, dtype=[*fields, ("band", self._letters.dtype)])
        data["time"], data[self.value_name] = self._time[one], self._value[one]
        data["error"], data["band"] = self._error[one], self._letters[self._band[one]]
        return data


def _describe(
    table: Any, named: dict[str, str | None], period: Any, catalog: Any
) -> dict[str, Any] | None:
    if not isinstance(table, str | os.PathLike) and not are_files(table):
        return None
    if catalog is not None and not isinstance(catalog, str | os.PathLike):
        catalog = None  # a project keeps the catalog itself
        period = None if isinstance(period, str) else period
    arguments = {
        "table": absolute(table),
        **named,
        "period": dict(period) if isinstance(period, Mapping) else period,
        "catalog": None if catalog is None else absolute(catalog),
    }
    return {"room": "sources", "name": "LightCurves", "arguments": arguments}


def _constant(frame: pd.DataFrame, columns: Any) -> dict[str, Any]:
    """Return the further columns that say the same in all rows of each object, one value each."""
    import pandas as pd

    codes, _ = identify(frame[columns.object_id])
    first = np.unique(codes, return_index=True)[1]
    found = {}
    for name in frame.columns:
        if name in columns or not pd.api.types.is_hashable(frame[name].iloc[0]):
            continue
        values = pd.factorize(frame[name].to_numpy(dtype=object))[0]
        if (values == values[first][codes]).all():
            found[name] = frame[name].iloc[first].to_numpy()
    return found
