"""What the toolbar of the gallery sets, and what it may be set to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astronomaly_widgets.session import Session

PER_PAGE = (24, 28, 36, 48, 60, 72, 100)  # what the toolbar offers; the first is the default
ZOOMS = (1.0, 1.5, 2.0, 3.0)


def initial_settings(session: Session, per_page: int | None, order: str | None) -> dict[str, Any]:
    """Return what was asked for, else what was used last, else the defaults."""
    last = session.view_state.get("gallery")
    last = last if isinstance(last, dict) else {}
    if order is None:
        order = last.get("order") if last.get("order") in session.orders else "suggested"
    if per_page is None:
        per_page = last["per_page"] if _is_page_size(last.get("per_page")) else PER_PAGE[0]
    return {
        "order": checked_order(session, order),
        "per_page": checked_per_page(per_page),
        "hide_labeled": bool(last.get("hide_labeled", True)),
        "zoom": last["zoom"] if last.get("zoom") in ZOOMS else ZOOMS[0],
    }


def checked_order(session: Session, order: Any) -> str:
    if order not in session.orders:
        raise ValueError(f"no order {order!r}: choose one of {', '.join(session.orders)}")
    return order


def _is_page_size(per_page: Any) -> bool:
    return isinstance(per_page, int) and 1 <= per_page <= PER_PAGE[-1]


def checked_per_page(per_page: Any) -> int:
    if not _is_page_size(per_page):
        raise ValueError(f"per_page must be an integer in 1..{PER_PAGE[-1]}, not {per_page!r}")
    return per_page


def checked_zoom(zoom: Any) -> float:
    if zoom not in ZOOMS:
        raise ValueError(f"no zoom {zoom!r}: choose one of {', '.join(map(str, ZOOMS))}")
    return float(zoom)
