"""Objects become numbers: one extractor per file, and the run that measures them all."""

from ._measure import Measurements, measure
from ._period import Period, find_period
from ._registry import by_name
from .cnn import CNNFeatures
from .combined import CombinedFeatures
from .ellipse import EllipseFeatures
from .light_curve import LightCurveFeatures
from .raw import RawFeatures

__all__ = [
    "CNNFeatures",
    "CombinedFeatures",
    "EllipseFeatures",
    "LightCurveFeatures",
    "Measurements",
    "Period",
    "RawFeatures",
    "by_name",
    "find_period",
    "measure",
]
