"""How large each cut-out is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import SourceError
from ._positions import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_DEFAULT = 64  # pixels
_PIXELS = (None, "", "pix", "pixel")


def sides(size: Any, frame: pd.DataFrame, scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the side of each cut-out in pixels, (n,), not yet rounded; NaN where unknown.

    Parameters
    ----------
    size : int, str, Quantity, array or None
        See :class:`FITSCutouts`.
    frame : DataFrame
        The catalog, (n) rows.
    scales : ndarray, shape (n,)
        Side of a pixel in arcsec; NaN where there are no coordinates.

    Raises
    ------
    SourceError
        No such column, a unit that is no angle, or another number of sizes.
    """
    values, unit = _given(size, frame)
    n = len(frame)
    if values.shape not in {(), (n,)}:
        raise SourceError(
            f"size has shape {values.shape}; wanted one number, or {n}: one per object"
        )
    values = np.broadcast_to(values, (n,))
    return values.copy() if unit in _PIXELS else _in_arcsec(values, unit) / _known(scales)


def _given(size: Any, frame: pd.DataFrame) -> tuple[NDArray[np.float64], str | None]:
    """Return numbers and their unit."""
    from astropy import units as u

    if isinstance(size, str) and size in frame.columns:
        return numbers(frame[size]), frame.attrs.get("units", {}).get(size)
    if isinstance(size, str):
        try:
            size = u.Quantity(size)
        except (TypeError, ValueError) as error:
            there = ", ".join(map(str, frame.columns))
            raise SourceError(
                f"size is {size!r}, neither a column of the catalog ({there}) nor an angle such as "
                "'20 arcsec'"
            ) from error
    if isinstance(size, u.Quantity):
        return np.asarray(size.value, np.float64), str(size.unit)
    return np.asarray(_DEFAULT if size is None else size, np.float64), None


def _in_arcsec(values: NDArray[np.float64], unit: Any) -> NDArray[np.float64]:
    from astropy import units as u

    try:
        return np.asarray((values * u.Unit(unit)).to_value(u.arcsec), np.float64)
    except (ValueError, u.UnitConversionError) as error:
        raise SourceError(
            f"sizes are in {unit!r}, which is no angle; wanted pixels or an angle"
        ) from error


def _known(scales: NDArray[np.float64]) -> NDArray[np.float64]:
    if np.isnan(scales).all():
        raise SourceError("sizes on the sky need mosaics with celestial coordinates (WCS)")
    return scales
