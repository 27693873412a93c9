"""Searches, labels and objects that come from other programs, or go there."""

from ._astronomaly import from_astronomaly
from ._labels import FORMATS, ImportedLabels, export_labels, import_labels, read_labels
from ._samp import send_to_samp

__all__ = [
    "FORMATS",
    "ImportedLabels",
    "export_labels",
    "from_astronomaly",
    "import_labels",
    "read_labels",
    "send_to_samp",
]
