"""The colors of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Colors of the scores 0, 1, ... 5: viridis without its darkest quarter, lost on a dark page.
PALETTE = ("#3b528b", "#31688e", "#21918c", "#35b779", "#90d743", "#fde725")
#: Colors of kinds, in turn; told apart also by the color blind (Okabe & Ito 2008; Tol 2021).
KIND_COLORS = (
    *("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00"),
    *("#0072b2", "#b8a914", "#882255", "#44aa99", "#999933"),
)
#: Colors of a column's numbers: plasma without its ends, so that none is taken for a score.
SCALE = ("#8808a6", "#b42e8d", "#d5546e", "#ef7c51", "#fca934", "#f8df25")
#: Color of kinds too many to be told apart.
OTHER = "#8b5e3c"
#: Color of what has no value.
NEUTRAL = "#8795a3"


def shades(n: int, palette: Sequence[str] = PALETTE) -> tuple[str, ...]:
    """Return `n` colors, evenly from the first to the last of the palette, as "#rrggbb"."""
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in color_table(n, palette))


def rgb(color: str) -> tuple[int, int, int]:
    """Return red, green and blue of "#rrggbb", 0..255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def color_table(n: int, palette: Sequence[str] = PALETTE) -> NDArray[np.uint8]:
    """Return `n` colors, evenly from the first to the last of the palette, shape (n, 3)."""
    anchors = np.array([rgb(color) for color in palette], dtype=float)
    at = np.linspace(0, len(anchors) - 1, n)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, k]) for k in range(3)]
    table: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return table
