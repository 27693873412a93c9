"""Image to image: noise, brightness scales, grey, crops (LB21 section 3.1).

Every function takes an image of shape (height, width) or (height, width, bands), integer or
floating, and returns a new one. NaN means no data: it takes no part in any statistic and stays NaN,
unless the docstring says what becomes of it.
"""

from ._brightness import (
    Stretch,
    grey,
    normalize,
    percentile_limits,
    remove_negative,
    stretch,
    to_uint8,
)
from ._noise import contour_around, sigma_clip, sigma_clipped_stats, source_mask
from ._shape import center_crop, resize

__all__ = [
    "Stretch",
    "center_crop",
    "contour_around",
    "grey",
    "normalize",
    "percentile_limits",
    "remove_negative",
    "resize",
    "sigma_clip",
    "sigma_clipped_stats",
    "source_mask",
    "stretch",
    "to_uint8",
]
