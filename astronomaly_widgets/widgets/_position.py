"""Where an object is on the sky, in full precision, and pages of others about that place."""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Integral
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import numpy as np

from .._sky import all_columns, from_galactic, galactic_columns, sexagesimal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Pages that open in the browser of whoever looks, by their short names.
LINKS = {
    "Legacy": "https://www.legacysurvey.org/viewer?ra={ra}&dec={signed_dec}&zoom=16",
    "Aladin": "https://aladin.cds.unistra.fr/AladinLite/?target={ra}%20{signed_dec}&fov=0.05",
    "ESASky": "https://sky.esa.int/esasky/?target={ra}%20{signed_dec}&fov=0.05&cooframe=J2000"
    "&sci=true",
    "SIMBAD": "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={ra}%20{signed_dec}"
    "&Radius=10&Radius.unit=arcsec",
    "NED": "https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search"
    "&coordinates={ra}d%20{signed_dec}d&radius=0.2",
}
_PLACES = ("ra", "dec", "signed_dec", "ra_hms", "dec_dms", "object_id")
_FIELD = re.compile(r"\{([^{}]+)\}")


def check(links: Mapping[str, str]) -> dict[str, str]:
    """Return templates of links as they are.

    Raises
    ------
    ValueError
        One is no web address, or has a single brace.
    """
    for name, template in links.items():
        plain = _FIELD.sub("0", template)
        parts = urlsplit(plain)
        if parts.scheme not in {"http", "https"} or not parts.netloc or set("{}") & set(plain):
            raise ValueError(
                f"the link {name!r} is {template!r}; wanted a web address with "
                f"{', '.join('{' + place + '}' for place in _PLACES)} or a column of the catalog "
                "in braces, such as 'https://example.org/?ra={ra}&dec={dec}'"
            )
    return dict(links)


def position(table: list[tuple[str, Any]], in_full: Callable[[Any], str]) -> tuple[str, str] | None:
    """Return right ascension and declination in a catalog row, in degrees with every digit.

    They are taken to be in degrees, as their columns' names say nothing else; what cannot be
    degrees is no position. Galactic ones are converted where there are no others.
    """
    by_name: dict[str, Any] = {}
    for name, value in table:
        by_name.setdefault(name.lower(), value)
    for first, second in all_columns(by_name):
        ra, dec = by_name[first], by_name[second]
        if _between(ra, 0, 360) and _between(dec, -90, 90):
            return _plain(in_full(ra)), _plain(in_full(dec))
    galactic = [by_name[name] for name in galactic_columns(by_name) or ()]
    if galactic and _between(galactic[0], -180, 360) and _between(galactic[1], -90, 90):
        place = from_galactic(*(np.array([value], dtype=float) for value in galactic))
        return f"{place[0][0]:.7f}", f"{place[1][0]:.7f}"
    return None


def sky(
    object_id: str,
    table: list[tuple[str, Any]],
    in_full: Callable[[Any], str],
    links: Mapping[str, str],
) -> dict[str, Any] | None:
    """Return the position of an object, to be shown and copied, with links; None if it has none.

    Parameters
    ----------
    object_id : str
    table : list of (str, value)
        Its row in the catalog.
    in_full : callable
        Writes a value so that nothing of it is lost.
    links : mapping
        Name to template. In braces stand ``ra``, ``dec`` (degrees), ``signed_dec`` (with its
        plus), ``ra_hms``, ``dec_dms``, ``object_id`` or a column of the catalog; a link to a
        column that there is not, or that is empty here, is left out.

    Returns
    -------
    dict
        ``ra``, ``dec`` (signed) in degrees, ``sexagesimal``, ``copy``, ``links``: all text.
    """
    place = position(table, in_full)
    if place is None:
        return None
    east, north = place
    signed = north if north.startswith("-") else f"+{north}"
    hms, dms = sexagesimal(east, north)
    fields = {name: in_full(value) for name, value in table if _is_there(value)}
    fields |= dict(zip(_PLACES, (east, north, signed, hms, dms, object_id), strict=True))
    return {
        "ra": east,
        "dec": signed,
        "sexagesimal": f"{hms} {dms}",
        "copy": f"{east} {north}",
        "links": [
            [name, _FIELD.sub(lambda field: quote(fields[field[1]], safe=""), template)]
            for name, template in links.items()
            if set(_FIELD.findall(template)) <= fields.keys()
        ],
    }


def _between(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, float | np.floating | Integral) and not isinstance(value, bool)
    return number and low <= value <= high  # NaN is between nothing


def _plain(number: str) -> str:
    """Write 1e-05 as 0.00001, which every page understands."""
    return format(Decimal(number), "f")


def _is_there(value: Any) -> bool:
    return value is not None and value == value and str(value) not in {"", "<NA>", "NaT"}  # noqa: PLR0124 - NaN is not
