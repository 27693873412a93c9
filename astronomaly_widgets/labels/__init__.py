"""The label store: an append-only log, and the labels that it leads to."""

from ._ledger import Label
from ._store import Entry, LabelStore

__all__ = ["Entry", "Label", "LabelStore"]
