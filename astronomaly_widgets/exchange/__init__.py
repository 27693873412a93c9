"""Searches and labels that came from other programs, or go there: Astronomaly, AnomalyMatch."""

from ._astronomaly import from_astronomaly
from ._labels import FORMATS, ImportedLabels, export_labels, import_labels, read_labels

__all__ = [
    "FORMATS",
    "ImportedLabels",
    "export_labels",
    "from_astronomaly",
    "import_labels",
    "read_labels",
]
