"""What a person has written of objects that have no score yet, until they have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from ..session import Session


class Draft(NamedTuple):
    """Tags and comment that wait for a score."""

    tags: tuple[str, ...]
    comment: str


# by session: the words are written in the inspector, the score may be given in the gallery
_drafts: WeakKeyDictionary[Session, dict[str, Draft]] = WeakKeyDictionary()


def drafts_of(session: Session) -> dict[str, Draft]:
    """Return the drafts of a session, by object id; to be changed in place."""
    return _drafts.setdefault(session, {})


def words_of(session: Session, object_id: str) -> Draft:
    """Return tags and comment of an object: those of its label, else those that wait for one."""
    label = session.label_of(object_id)
    if label is not None:
        return Draft(label.tags, label.comment)
    return drafts_of(session).get(object_id, Draft((), ""))
