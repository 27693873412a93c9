"""The plot of a light curve or a spectrum, as it crosses to the front end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import render

if TYPE_CHECKING:
    from ..session import Session

_log = logging.getLogger(__name__)


def of(session: Session, object_id: str) -> dict[str, Any] | None:
    """Return what there is to plot of an object, its numbers as bytes; None for other objects.

    Its ``period`` is that of the source, at which it is shown folded, or else the one in the
    catalog's column of that name, at which it can be; None without one.
    """
    try:
        lines = render.line_data(session.source, object_id)
    except Exception as error:  # noqa: BLE001 - a source may raise anything; the picture says so
        _log.warning("no plot of %r: %s", object_id, error)
        return None
    if lines is None:
        return None
    folded = bool(np.isfinite(lines.period))
    return {
        "kind": lines.kind,
        "x": lines.x.tobytes(),
        "y": lines.y.tobytes(),
        "error": lines.error.tobytes(),
        "band": lines.band.tobytes(),
        "bands": list(lines.bands),
        "colors": list(lines.colors),
        "x_label": lines.x_label,
        "y_label": lines.y_label,
        "turned": lines.turned,
        "folded": folded,
        "period": lines.period if folded else _period(session, object_id),
    }


def _period(session: Session, object_id: str) -> float | None:
    table = session.catalog
    if table is None or "period" not in table.columns:
        return None
    try:
        days = float(table["period"].iloc[session.row_of(object_id)])
    except (TypeError, ValueError):  # a column of something else
        return None
    return days if np.isfinite(days) and days > 0 else None
