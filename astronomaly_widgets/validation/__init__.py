"""Whether features help: what few labels teach with them, and what all labels would (ML24, E24)."""

from ._comparison import FeatureComparison
from ._few_labels import compare_features
from ._rankings import RECALLS, compare_rankings

__all__ = ["RECALLS", "FeatureComparison", "compare_features", "compare_rankings"]
