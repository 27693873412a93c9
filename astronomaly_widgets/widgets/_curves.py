"""Curves as all panels draw them: a plain figure, colors that are told apart, a key in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import bqplot
import numpy as np
import traitlets as t

from ._static import bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

BRAND = "var(--aw-brand, #2b6cb0)"
QUIET = "var(--aw-quiet, #5b6470)"
# told apart also by the color blind, on light and on dark; the first is our own learner
COLORS = (BRAND, "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
_MOST_POINTS = 400  # of a curve, more than it has pixels


class CurvesKey(anywidget.AnyWidget):
    """What stands over the curves: a title, what they cannot say, and a line for each of them.

    Attributes
    ----------
    title, caveat : str
    entries : list of dict
        ``name``, ``color``, ``style`` ("solid" or "dashed") and ``note`` of each curve.
    """

    _esm = bundle("replay.js")
    _css = bundle("theme.css", "panel.css", "replay.css")

    title = t.Unicode().tag(sync=True)
    caveat = t.Unicode().tag(sync=True)
    entries = t.List().tag(sync=True)


def plain_figure(
    marks: Sequence[bqplot.Mark],
    axes: Sequence[bqplot.Axis],
    *,
    margin: Mapping[str, int],
    width: str = "100%",
    **options: Any,
) -> bqplot.Figure:
    """Return a figure on the ground of its panel, as high as that, without a toolbar."""
    figure = bqplot.Figure(
        marks=list(marks),
        axes=list(axes),
        fig_margin=dict(margin),
        padding_y=0,
        display_toolbar=False,
        background_style={"fill": "none", "stroke": "none"},
        **options,
    )
    figure.layout.width = width
    figure.layout.height = "100%"
    return figure


def thinned(line: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of a curve given at 0, 1, 2, ..., with no more points than it has pixels."""
    x = np.arange(len(line))
    if len(line) > _MOST_POINTS:
        x = np.unique(np.linspace(0, len(line) - 1, _MOST_POINTS).astype(int))
    return x.astype(float), np.asarray(line, dtype=float)[x]


def ticks(highest: float, n: int) -> NDArray[np.int64]:
    """Return about `n` whole round numbers from 0 to at least `highest`."""
    rough = max(highest / n, 1.0)
    power = 10.0 ** np.floor(np.log10(rough))
    step = int(next(s for s in (1, 2, 5, 10) if s * power >= rough) * power)
    return np.arange(0, int(np.ceil(highest / step)) * step + 1, step)
