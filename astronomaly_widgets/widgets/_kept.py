"""Decisions that an earlier page could not tell: kept by the browser, stored when one opens again.

A kernel that dies takes with it what it had not yet answered, and so does a page that is closed
while a kernel is busy. ``static/keeper.js`` writes such decisions down in the browser, under the
session's name; the next view of the session sends them here.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astronomaly_widgets.session import Session


def shelf_of(session: Session, kind: str) -> str:
    """Return the name under which a browser keeps what this session has not confirmed.

    It is the same when the project is opened again, and tells nobody where the project lies. Each
    kind of widget has its own, because each has its own messages.
    """
    return hashlib.sha256(f"{kind} of {session.project.path}".encode()).hexdigest()[:16]


def clock() -> float:
    """Return the kernel's time, by which labels are dated, in milliseconds since 1970.

    The clock of a browser may be minutes from it: then the older of two scores would win.
    """
    return datetime.now(UTC).timestamp() * 1000


def still_to_store(session: Session, decision: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a kept decision as a message, without what has been settled since.

    Parameters
    ----------
    session : Session
    decision : mapping
        The message as the browser kept it, with ``event_id`` (str) and ``time`` (of the decision,
        milliseconds since 1970 by :func:`clock`) beside it.

    Returns
    -------
    dict or None
        None if every object of it was labeled later, by which the decision may have been stored
        after all, or is no longer in the session.
    """
    decided = datetime.fromtimestamp(float(decision["time"]) / 1000, UTC)

    def is_open(object_id: str) -> bool:
        label = session.label_of(object_id)
        return label is None or label.time < decided

    ids = decision.get("object_ids") or [decision["object_id"]]
    rows = session.rows_of(ids)
    ids = [name for name, row in zip(ids, rows, strict=True) if row >= 0 and is_open(name)]
    # where the person was going then is nowhere to go now
    return {**decision, "object_ids": ids, "next": None} if ids else None
