"""What is known of an object, in words and numbers ready to be shown."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..session import Session

MOST_FEATURES = 60
_RA = ("ra", "ra_deg", "raj2000", "ra_j2000", "_raj2000", "alpha_j2000", "right_ascension")
_DEC = ("dec", "dec_deg", "dej2000", "dec_j2000", "decj2000", "_dej2000", "delta_j2000",
        "declination")  # fmt: skip


def of(
    session: Session, object_id: str, median: NDArray[Any], spread: NDArray[Any]
) -> dict[str, Any]:
    """Return everything but the label and the picture of an object, JSON-ready.

    Parameters
    ----------
    session : Session
    object_id : str
    median, spread : ndarray, shape (d,)
        Of the features, as `density.typical` returns them.

    Returns
    -------
    dict
        ``sky`` (ra, dec in degrees as text, and links) or None, ``facts`` and ``catalog``
        ((name, text) pairs), ``features`` ((name, text, deviation in units of the spread)
        triples, the most unusual first), ``n_features``.
    """
    row = session.row_of(object_id)
    table = catalog(session, row)
    z = (np.asarray(session.features[row], dtype=float) - median) / spread
    order = np.argsort(-np.abs(z), kind="stable")[:MOST_FEATURES]
    names = session.feature_names
    return {
        "sky": sky(table),
        "facts": facts(session, object_id, row),
        "catalog": [[name, in_full(value)] for name, value in table],
        "features": [
            [names[k] if k < len(names) else str(k), f"{session.features[row, k]:.4g}", float(z[k])]
            for k in order
        ],
        "n_features": len(z),
    }


def facts(session: Session, object_id: str, row: int) -> list[list[str]]:
    """Return scores and reason as (name, text) pairs, without those there are not."""
    found = [["anomaly score", f"{session.anomaly_score[row]:.2f}"]]
    found.append(["trained score", f"{session.trained_score[row]:.2f}"])
    relevance, uncertainty = session.relevance[row], session.uncertainty[row]
    if np.isfinite(relevance):
        give_or_take = f" ± {uncertainty:.1f}" if np.isfinite(uncertainty) else ""
        found.append(["relevance", f"{relevance:.1f}{give_or_take}"])
    reason = session.reason_of(object_id)
    if reason:
        found.append(["suggested because", reason])
    return found


def label(session: Session, object_id: str | None) -> dict[str, Any]:
    """Return the label of an object, JSON-ready; its ``score`` is None if it has none."""
    known = None if object_id is None else session.label_of(object_id)
    if known is None:
        return {"object_id": object_id, "score": None, "tags": [], "comment": "", "by": ""}
    return {
        "object_id": object_id,
        "score": known.score,
        "tags": list(known.tags),
        "comment": known.comment,
        "by": known.annotator,
    }


def catalog(session: Session, row: int) -> list[tuple[str, Any]]:
    """Return the catalog's row as (name, value) pairs, each value in its column's own type."""
    table = session.catalog
    if table is None:
        return []
    return [(str(name), table[name].iloc[row]) for name in table.columns]


def in_full(value: Any) -> str:
    """Write a value so that nothing of it is lost: 150.1234567 is not "150".

    A float32 is written with the digits that tell it from its neighbors, a float64 likewise.
    """
    if np.ndim(value) == 0 and pd.isna(value):
        return "-"
    if isinstance(value, np.generic):
        return str(value) if isinstance(value, np.floating) else str(value.item())
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def sky(table: list[tuple[str, Any]]) -> dict[str, Any] | None:
    """Return the position in a catalog row, with links to pages on it, or None.

    Right ascension and declination are taken to be in degrees, as their columns' names say
    nothing else; what cannot be degrees is not shown as a position.
    """
    by_name = {name.lower(): value for name, value in table}
    ra = next((by_name[name] for name in _RA if name in by_name), None)
    dec = next((by_name[name] for name in _DEC if name in by_name), None)
    if not _between(ra, 0, 360) or not _between(dec, -90, 90):
        return None
    east, north = in_full(ra), in_full(dec)
    signed = north if north.startswith("-") else f"+{north}"
    return {"ra": east, "dec": signed, "copy": f"{east} {north}", "links": _links(east, signed)}


def _between(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, float | np.floating | Integral) and not isinstance(value, bool)
    return number and low <= value <= high  # NaN is between nothing


def _links(ra: str, dec: str) -> list[list[str]]:
    legacy = "https://www.legacysurvey.org/viewer"
    simbad = "https://simbad.cds.unistra.fr/simbad/sim-coo"
    ned = "https://ned.ipac.caltech.edu/conesearch"
    here, near = quote(f"{ra} {dec}"), quote(f"{ra}d {dec}d")
    return [
        ["Legacy", f"{legacy}?ra={ra}&dec={quote(dec)}&zoom=16"],
        ["SIMBAD", f"{simbad}?Coord={here}&Radius=10&Radius.unit=arcsec"],
        ["NED", f"{ned}?search_type=Near%20Position%20Search&coordinates={near}&radius=0.2"],
    ]
