"""How good a ranking is, and how well the labeling goes."""

from ..remaining import Remaining, estimate_from_audit, estimate_remaining
from ._discovery import DiscoveryCurves, discovery_curves
from ._rankings import precision_at_recall, rank_weighted_score, recall_by_class, recall_curve

__all__ = [
    "DiscoveryCurves",
    "Remaining",
    "discovery_curves",
    "estimate_from_audit",
    "estimate_remaining",
    "precision_at_recall",
    "rank_weighted_score",
    "recall_by_class",
    "recall_curve",
]
