"""What is known of an object, in words and numbers ready to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._sky import degrees, find_columns
from ._drafts import words_of
from ._position import LINKS, position, sky

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..session import Session

MOST_FEATURES = 60


def of(
    session: Session,
    object_id: str,
    median: NDArray[Any],
    spread: NDArray[Any],
    links: Mapping[str, str] = LINKS,
) -> dict[str, Any]:
    """Return everything but the label and the picture of an object, JSON-ready.

    Parameters
    ----------
    session : Session
    object_id : str
    median, spread : ndarray, shape (d,)
        Of the features, as `density.typical` returns them.
    links : mapping of str to str
        Templates of links to pages on its position, see :func:`_position.sky`.

    Returns
    -------
    dict
        ``sky`` (see :func:`_position.sky`) or None, ``facts`` and ``catalog`` ((name, text)
        pairs), ``features`` ((name, text, deviation in units of the spread) triples, the most
        unusual first), ``n_features``.
    """
    row = session.row_of(object_id)
    table = catalog(session, object_id)
    z = (np.asarray(session.features[row], dtype=float) - median) / spread
    order = np.argsort(-np.abs(z), kind="stable")[:MOST_FEATURES]
    names = session.feature_names
    place = sky(object_id, table, in_full, links)
    known = [[name, in_full(value)] for name, value in table]
    if place is not None:
        known.append(["position", place["sexagesimal"]])
    return {
        "sky": place,
        "facts": facts(session, object_id),
        "catalog": known,
        "features": [
            [names[k] if k < len(names) else str(k), f"{session.features[row, k]:.4g}", float(z[k])]
            for k in order
        ],
        "n_features": len(z),
    }


def facts(session: Session, object_id: str) -> list[list[str]]:
    """Return scores and reason as (name, text) pairs, without those there are not."""
    scores = session.scores_of(object_id)
    found = [["anomaly score", f"{scores['anomaly_score']:.2f}"]]
    found.append(["trained score", f"{scores['trained_score']:.2f}"])
    relevance, uncertainty = scores["relevance"], scores["uncertainty"]
    if np.isfinite(relevance):
        give_or_take = f" ± {uncertainty:.1f}" if np.isfinite(uncertainty) else ""
        found.append(["relevance", f"{relevance:.1f}{give_or_take}"])
    reason = session.reason_of(object_id)
    if reason:
        found.append(["suggested because", reason])
    return found


def label(session: Session, object_id: str | None) -> dict[str, Any]:
    """Return the label of an object, JSON-ready; without a score, what is written of it so far."""
    if object_id is None:
        return {"object_id": None, "score": None, "tags": [], "comment": "", "by": ""}
    known = session.label_of(object_id)
    tags, comment = words_of(session, object_id)
    return {
        "object_id": object_id,
        "score": None if known is None else known.score,
        "tags": list(tags),
        "comment": comment,
        "by": "" if known is None else known.annotator,
    }


def catalog(session: Session, object_id: str) -> list[tuple[str, Any]]:
    """Return the catalog's row as (name, value) pairs, each value in its column's own type.

    A position that only the source knows, as from the header of a file, stands before it; so does
    one in degrees of which the catalog's columns are in another unit.
    """
    table, row = session.catalog, session.row_of(object_id)
    known = [] if table is None else [(str(name), table[name].iloc[row]) for name in table.columns]
    if table is not None:
        known = [*_in_degrees(dict(known), table.attrs.get("units", {})), *known]
    ask = getattr(session.source, "position", None)
    place = ask(object_id) if ask is not None and position(known, in_full) is None else None
    return known if place is None else [*zip(("ra", "dec"), place, strict=True), *known]


def _in_degrees(known: dict[str, Any], units: dict[str, str]) -> list[tuple[str, Any]]:
    """Return right ascension and declination if columns of them have a unit that is no degree."""
    pair = find_columns(known) or ()
    if all(units.get(name, "deg") == "deg" for name in pair):
        return []
    try:
        places = [
            degrees([known[name]], hours=hours, unit=units.get(name)).round(10)[0]
            for name, hours in zip(pair, (True, False), strict=True)
        ]
    except ValueError:  # a unit that is no angle
        return []
    return list(zip(("ra", "dec"), places, strict=True))


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
