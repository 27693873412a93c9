"""Image to image: noise, brightness scales, grey, crops (LB21 section 3.1).

Every function takes an image of shape (height, width) or (height, width, bands), integer or
floating, and returns a new one. NaN means no data: it takes no part in any statistic and stays NaN,
unless the docstring says what becomes of it. A :class:`Chain` puts several of them in a row, one
for what is measured and another for what is shown.
"""

from ._brightness import (
    Limits,
    Stretch,
    grey,
    normalize,
    percentile_limits,
    remove_negative,
    stretch,
    to_uint8,
    zscale_limits,
)
from ._chain import Chain
from ._color import lupton_rgb, select_bands
from ._noise import contour_around, sigma_clip, sigma_clipped_stats, source_mask
from ._prepared import PreparedSource
from ._shape import center_crop, resize

__all__ = [
    "Chain",
    "Limits",
    "PreparedSource",
    "Stretch",
    "center_crop",
    "contour_around",
    "grey",
    "lupton_rgb",
    "normalize",
    "percentile_limits",
    "remove_negative",
    "resize",
    "select_bands",
    "sigma_clip",
    "sigma_clipped_stats",
    "source_mask",
    "stretch",
    "to_uint8",
    "zscale_limits",
]
