"""What columns of identifiers are called, and what stands where there is no score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What columns of identifiers are called in the field, in order of preference.
ID_NAMES = (
    "object_id",
    "objectid",
    "obj_id",
    "objid",
    "id",
    "source_id",
    "sourceid",
    "dr7objid",
    "specobjid",
    "id_str",
    "iauname",
    "designation",
    "name",
)

#: What files of scores say where there is none; an object may be called the same.
NO_SCORE = ("", "nan", "NaN", "NA", "N/A", "None", "null")


def id_columns(columns: Iterable[Any], *further: str) -> list[Any]:
    """Return the columns that are called like identifiers in any case, best first.

    `further` names come last.
    """
    lower = {str(column).lower(): column for column in columns}
    return [lower[name] for name in (*ID_NAMES, *further) if name in lower]
