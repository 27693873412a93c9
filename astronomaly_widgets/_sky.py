"""Positions on the sky: what their columns are called, and how they are written."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

#: Pairs of columns that hold right ascension and declination (ICRS), the likeliest first.
SKY_COLUMNS = (
    ("ra_deg", "dec_deg"),  # first, because these say their unit
    ("ra", "dec"),
    ("radeg", "decdeg"),
    ("ra_icrs", "de_icrs"),
    ("raj2000", "dej2000"),
    ("raj2000", "decj2000"),
    ("ra_j2000", "dec_j2000"),
    ("_raj2000", "_dej2000"),
    ("ramean", "decmean"),
    ("ra_mean", "dec_mean"),
    ("alpha_j2000", "delta_j2000"),
    ("alphawin_j2000", "deltawin_j2000"),
    ("right_ascension", "declination"),
)
_GALACTIC_COLUMNS = (("glon", "glat"), ("_glon", "_glat"), ("gal_lon", "gal_lat"), ("l", "b"))
# 15 micro-arcseconds in right ascension and 10 in declination, the precision of Gaia
_SECONDS_DIGITS = Decimal("1e-6")
_ARCSEC_DIGITS = Decimal("1e-5")


def find_columns(
    names: Iterable[Any], pairs: Iterable[tuple[str, str]] = SKY_COLUMNS
) -> tuple[Any, Any] | None:
    """Return the first of the pairs that is among the names, in any case, or None."""
    return next(all_columns(names, pairs), None)


def all_columns(
    names: Iterable[Any], pairs: Iterable[tuple[str, str]] = SKY_COLUMNS
) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs that are among the names, in any case.

    Where right ascension and declination are wanted, columns of SkyCoord come last; in a frame they
    are ``x.ra`` and ``x.dec``.
    """
    known: dict[str, Any] = {}
    for name in names:
        known.setdefault(str(name).lower(), name)
    pairs = list(pairs)
    if ("ra", "dec") in pairs:
        dotted = [name.removesuffix(".ra") for name in known if name.endswith(".ra")]
        pairs += [(f"{name}.ra", f"{name}.dec") for name in dotted]
    for first, second in pairs:
        if first in known and second in known:
            yield known[first], known[second]


def galactic_columns(names: Iterable[Any]) -> tuple[Any, Any] | None:
    """Return the columns of galactic longitude and latitude, or None.

    Beside `a`, `b` is an axis or a color.
    """
    known = list(names)
    is_other = any(str(name).lower() == "a" for name in known)
    return find_columns(known, _GALACTIC_COLUMNS[:-1] if is_other else _GALACTIC_COLUMNS)


def from_galactic(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Convert galactic degrees to ICRS degrees; what is no position becomes NaN."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    good = np.isfinite(longitude) & (np.abs(latitude) <= 90)
    ra, dec = np.full(np.shape(good), np.nan), np.full(np.shape(good), np.nan)
    place = SkyCoord(longitude[good], latitude[good], unit=u.deg, frame="galactic").icrs
    ra[good], dec[good] = place.ra.deg, place.dec.deg
    return ra, dec


def degrees(values: Any, *, hours: bool, unit: str | None = None) -> NDArray[np.float64]:
    """Convert a column of angles.

    Parameters
    ----------
    values : array_like, shape (n,)
        Numbers, or text: numbers as text, or sexagesimal as astropy's `Angle` reads it.
    hours : bool
        Sexagesimal text without a unit is in hours (right ascension), not in degrees.
    unit : str, optional
        The unit of numbers, by default degrees. Hours of time are taken for hours of angle.

    Returns
    -------
    ndarray, shape (n,), float64
        Degrees; NaN where a value is missing.

    Raises
    ------
    ValueError
        The unit is no angle, or a text is none.
    """
    import pandas as pd

    column = pd.Series(values)
    if not pd.api.types.is_numeric_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce")
        text = (numbers.isna() & column.notna()).to_numpy()
        angles = numbers.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        angles = _from_unit(angles, unit) if not text.all() else angles
        angles[text] = [_sexagesimal_degrees(value, hours=hours) for value in column[text]]
        return angles
    return _from_unit(column.to_numpy(dtype=np.float64, na_value=np.nan), unit)


def _from_unit(values: NDArray[np.float64], unit: str | None) -> NDArray[np.float64]:
    if unit in {None, "", "deg"}:
        return values
    from astropy import units as u

    try:
        given = u.hourangle if unit in {"h", "hr", "hour"} else u.Unit(unit)
        return np.asarray((values * given).to_value(u.deg), np.float64)
    except (ValueError, TypeError, u.UnitConversionError) as error:
        raise ValueError(f"the unit {unit!r} is not that of an angle") from error


def _sexagesimal_degrees(value: Any, *, hours: bool) -> float:
    from astropy import units as u
    from astropy.coordinates import Angle

    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if not text.strip():
        return float("nan")
    try:
        try:
            angle = Angle(text)
        except u.UnitsError:  # no unit in the text itself
            angle = Angle(text, unit=u.hourangle if hours else u.deg)
        return float(angle.to_value(u.deg))
    except (ValueError, TypeError, u.UnitsError) as error:
        raise ValueError(f"{text!r} is not an angle") from error


def sexagesimal(ra: str | float, dec: str | float) -> tuple[str, str]:
    """Write a position as ``hh:mm:ss.s`` and ``+dd:mm:ss.s``.

    Parameters
    ----------
    ra, dec : str or float
        Degrees, finite; as text every digit counts. Computed in decimal, so that no digit is
        lost and none invented, and rounded to a microsecond and to 10 micro-arcseconds.
    """
    hour_angle = (Decimal(str(ra)) % 360 + 360) % 360  # the sign of % is that of its left side
    seconds = _rounded(hour_angle * 240, _SECONDS_DIGITS) % 86400
    declination = Decimal(str(dec))
    arcsec = _rounded(abs(declination) * 3600, _ARCSEC_DIGITS)
    sign = "-" if declination.is_signed() else "+"
    return _parts(seconds), sign + _parts(arcsec)


def _rounded(value: Decimal, digits: Decimal) -> Decimal:
    return value.quantize(digits, rounding=ROUND_HALF_EVEN)


def _parts(seconds: Decimal) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(int(minutes), 60)
    whole, _, fraction = f"{second:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(1, "0")
    return f"{hours:02d}:{minute:02d}:{int(whole):02d}.{fraction}"


def position_names(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> list[str]:
    """Name positions as the IAU does, ``J100029.62-021220.8``: truncated, never rounded.

    A name depends on nothing but its position; what has no position is called "".
    """
    good = np.isfinite(ra) & np.isfinite(dec)
    # the tiny step keeps 12.3 from being read as 12.2999...
    centiseconds = np.floor(np.where(good, ra, 0) % 360 * 24000 + 1e-6).astype(np.int64) % 8640000
    deciarcsec = np.floor(np.abs(np.where(good, dec, 0)) * 36000 + 1e-6).astype(np.int64)
    names = []
    for known, time, arc, south in zip(
        good.tolist(), centiseconds.tolist(), deciarcsec.tolist(), (dec < 0).tolist(), strict=True
    ):
        h, m, s = time // 360000, time // 6000 % 60, time % 6000
        d, am, a_s = arc // 36000, arc // 600 % 60, arc % 600
        sign = "-" if south else "+"
        name = f"J{h:02d}{m:02d}{s / 100:05.2f}{sign}{d:02d}{am:02d}{a_s / 10:04.1f}"
        names.append(name if known else "")
    return names
