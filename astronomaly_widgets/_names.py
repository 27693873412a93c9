"""What columns of identifiers are called, and what stands where there is no score."""

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

#: What files of scores say where there is none; an object may be called the same.
NO_SCORE = ("", "nan", "NaN", "NA", "N/A", "None", "null")
