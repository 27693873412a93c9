"""Objects become numbers: one extractor per file, and the run that measures them all."""

from ._measure import Measurements, measure
from ._registry import by_name
from .cnn import CNNFeatures
from .combined import CombinedFeatures
from .ellipse import EllipseFeatures
from .raw import RawFeatures

__all__ = [
    "CNNFeatures",
    "CombinedFeatures",
    "EllipseFeatures",
    "Measurements",
    "RawFeatures",
    "by_name",
    "measure",
]
