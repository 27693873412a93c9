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

#: What a field of a text file says where there is no score; what an object may be called.
NO_SCORE = ("", "nan", "NaN", "NA", "N/A", "None", "null")
