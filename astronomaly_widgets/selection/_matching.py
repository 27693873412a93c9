"""Objects of two catalogs that are at the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._sky import degrees, find_columns, from_galactic, galactic_columns
from ..exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


def cross_match(
    catalog: Any,
    other: Any,
    radius: float | Sequence[float] = 10.0,
    *,
    columns: tuple[str, str] | None = None,
    other_columns: tuple[str, str] | None = None,
) -> pd.DataFrame:
    """Find for each object the nearest one of another catalog, and how many are near.

    Parameters
    ----------
    catalog, other : DataFrame or Table
        With right ascension and declination (ICRS), or galactic positions: numbers in degrees or in
        the unit of an astropy column, or sexagesimal text.
    radius : float or sequence of float
        Arcsec; the nearest is looked for within the largest (E24 uses 10 and 30).
    columns, other_columns : (str, str), optional
        The columns of the positions, if they are not called ra and dec or the like.

    Returns
    -------
    DataFrame
        One row per row of `catalog`, with its index: ``match`` (label of the row in the index of
        `other`, or its number; missing if there is none within the radius), ``separation``
        (arcsec, NaN if there is none), and ``n_within_10``, ... for each radius. What has no
        position has no match.

    Raises
    ------
    SourceError
        No columns of positions, or their units are no angles.
    ValueError
        A radius is not positive.
    """
    import pandas as pd

    radii = sorted({float(r) for r in np.atleast_1d(radius)})
    if not radii or not radii[0] > 0 or not np.isfinite(radii[-1]):
        raise ValueError(f"radius is {radius!r}; wanted positive numbers of arcsec")
    here, there = _positions(catalog, columns), _positions(other, other_columns)
    left, right, separation = _pairs(here, there, radii[-1])
    n = len(here)
    # the nearest comes first, and of equally near ones the first row of the other catalog
    order = np.lexsort((right, separation, left))
    left, right, separation = left[order], right[order], separation[order]
    rows, first = np.unique(left, return_index=True)
    labels = other.index if isinstance(other, pd.DataFrame) else pd.RangeIndex(len(there))
    match = pd.Series(pd.NA, index=range(n), dtype=object)
    match.iloc[rows] = labels[right[first]].astype(object)
    nearest = np.full(n, np.nan)
    nearest[rows] = separation[first]
    found = {"match": match.to_numpy(), "separation": nearest}
    for r in radii:
        found[f"n_within_{r:g}"] = np.bincount(left[separation <= r], minlength=n)
    index = catalog.index if isinstance(catalog, pd.DataFrame) else pd.RangeIndex(n)
    return pd.DataFrame(found, index=index)


def _pairs(
    here: NDArray[np.float64], there: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return rows of both whose separation is at most the radius, and it in arcsec."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord, search_around_sky

    known = [np.flatnonzero(np.isfinite(places).all(axis=1)) for places in (here, there)]
    if not all(len(rows) for rows in known):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    first, second = (
        SkyCoord(places[rows], unit="deg")
        for places, rows in zip((here, there), known, strict=True)
    )
    left, right, separation, _ = search_around_sky(first, second, radius * u.arcsec)
    return known[0][left], known[1][right], separation.to_value(u.arcsec)


def _positions(table: Any, columns: tuple[str, str] | None) -> NDArray[np.float64]:
    """Return right ascension and declination in degrees, (n, 2)."""
    names = getattr(table, "colnames", None)
    if names is None:
        names = getattr(table, "columns", None)
    if names is None:
        raise SourceError(
            f"a {type(table).__name__} is not a table; wanted a DataFrame or an astropy Table"
        )
    chosen = columns
    if chosen is None:
        chosen = find_columns(names) or galactic_columns(names)
    there = ", ".join(map(str, names))
    if chosen is None:
        raise SourceError(f"the table has no columns like ra and dec; it has {there}")
    values = []
    galactic = galactic_columns(chosen) is not None
    for name, hours in zip(chosen, (not galactic, False), strict=True):
        if name not in list(names):
            raise SourceError(f"the table has no column {name!r}; it has {there}")
        unit = getattr(table[name], "unit", None)
        column = getattr(table[name], "value", table[name])
        try:
            values.append(degrees(column, hours=hours, unit=None if unit is None else str(unit)))
        except ValueError as error:
            raise SourceError(f"column {name!r} is no position: {error}") from error
    ra, dec = from_galactic(*values) if galactic else values
    good = np.isfinite(ra) & (np.abs(dec) <= 90)
    return np.where(good[:, None], np.stack([ra % 360, dec], axis=1), np.nan)
