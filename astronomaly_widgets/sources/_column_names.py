"""What a column is called, however it is spelled, and the unit that some write behind its name."""

from __future__ import annotations

import re
import warnings
from typing import Any

_UNIT = re.compile(r"[(\[](.*)[)\]]\s*$")
# for astropy A is the ampere, and AB a flux
_SPELLED = {
    **dict.fromkeys(("A", "Ang", "Angstroms"), "Angstrom"),
    **dict.fromkeys(("AB", "ST", "Vega"), "mag"),
    "days": "d",
    "hours": "h",
    "seconds": "s",
    "microns": "micron",
}


def plain_name(name: Any) -> str:
    """Return a name in small letters and digits alone, without its unit: "flux" for "Flux (mJy)".

    What is nothing but a unit in brackets stays.
    """
    text = str(name)
    return re.sub("[^a-z0-9]", "", (_UNIT.sub("", text) or text).lower())


def unit_of_name(name: Any) -> str:
    """Return the unit that is written behind a name in brackets, as astropy spells it, else ""."""
    found = _UNIT.search(str(name))
    text = "" if found is None else found[1].strip()
    text = _SPELLED.get(text, text)
    if not text:
        return ""
    from astropy import units as u

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        try:
            is_unit = len(u.Unit(text).bases) > 0  # and no number, as of "JD (2450000)"
        except (ValueError, TypeError):
            is_unit = False  # a remark
    return text if is_unit else ""
