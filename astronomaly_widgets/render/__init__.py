"""One object as a picture, JPEG or PNG bytes ready for a browser, or as the lines of a plot.

What is shown is prepared apart from what is measured. An 8-bit picture is shown as it is; data
with more depth get a display stretch of their own (:func:`display`), which no feature ever sees.
"""

from ._display import display
from ._drawing import placeholder, profile
from ._lines import LineData, line_data
from ._pictures import mime, picture, picture_and_bands, thumbnail

__all__ = [
    "LineData",
    "display",
    "line_data",
    "mime",
    "picture",
    "picture_and_bands",
    "placeholder",
    "profile",
    "thumbnail",
]
