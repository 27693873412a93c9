"""The array work behind the map of feature space: points to pictures, pointers to points.

A map of millions of objects cannot send its points to a browser. It sends a picture of the
window a person looks at, and finds here what their pointer or lasso means.
"""

from ._binning import Window, bin_kinds, bin_points, frame
from ._colors import KIND_COLORS, NEUTRAL, OTHER, PALETTE, SCALE, shades
from ._columns import Kinds, as_numbers, most_frequent, on_scale, robust_range
from ._index import PointIndex
from ._painting import Picture, disc_radius, paint, paint_kinds
from ._typical import typical

__all__ = [
    "KIND_COLORS",
    "NEUTRAL",
    "OTHER",
    "PALETTE",
    "SCALE",
    "Kinds",
    "Picture",
    "PointIndex",
    "Window",
    "as_numbers",
    "bin_kinds",
    "bin_points",
    "disc_radius",
    "frame",
    "most_frequent",
    "on_scale",
    "paint",
    "paint_kinds",
    "robust_range",
    "shades",
    "typical",
]
