"""What columns of identifiers are called."""

from __future__ import annotations

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
