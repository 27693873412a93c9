"""Which learner would have found them sooner, as one plot that says what it cannot say."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import anywidget
import bqplot
import ipywidgets
import numpy as np
import traitlets as t

from ._static import bundle
from .recall_panel import thinned, ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..simulation import Replay

_BRAND = "var(--aw-brand, #2b6cb0)"
QUIET = "var(--aw-quiet, #5b6470)"
# told apart also by the color blind, on light and on dark; the first is our own learner
COLORS = (_BRAND, "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
_REFERENCES = {"as it was": "solid", "at random": "dashed"}  # not learners: quiet lines


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


class ReplayPanel(ipywidgets.VBox):
    """A search played again: interesting objects found against labels, a curve per learner.

    Over the curves stands what the comparison cannot say, and for each curve how many labels it
    takes to find half, and nine tenths, of the interesting objects.

    Parameters
    ----------
    replay : Replay
        What ``aw.simulation.replay(session)`` returned.
    """

    def __init__(self, replay: Replay) -> None:
        self.key = CurvesKey(
            title=f"Replay: {replay.n_interesting} interesting of {replay.n_labels} labeled, "
            f"batches of {replay.batch_size}",
            caveat=replay.caveat,
        )
        self.key.add_class("aw-replay-key")
        colors = cycle(COLORS)
        needed = replay.needed((0.5, 0.9))
        x, y = bqplot.LinearScale(min=0), bqplot.LinearScale(min=0)
        self.curves: dict[str, bqplot.Lines] = {}
        entries = []
        for name, curve in replay.curves.items():
            color = QUIET if name in _REFERENCES else next(colors)
            style = _REFERENCES.get(name, "solid")
            labels, found = thinned(curve.to_numpy())
            self.curves[name] = bqplot.Lines(
                x=labels, y=found, scales={"x": x, "y": y}, colors=[color], line_style=style,
                stroke_width=1.3 if name in _REFERENCES else 2.2, apply_clip=False,
            )  # fmt: skip
            note = _note(*needed.loc[name])
            entries.append({"name": name, "color": color, "style": style, "note": note})
        self.key.entries = entries
        # every curve ends in the same corner: no room is needed beyond it
        x.max, y.max = float(max(replay.n_labels, 5)), float(max(replay.n_interesting, 4))
        self.figure = bqplot.Figure(
            marks=[*self.curves.values()],
            axes=[
                bqplot.Axis(scale=x, label="labels", label_offset="26px", grid_lines="none",
                            tick_format=",d", tick_values=_ticks_below(x.max, 5)),
                bqplot.Axis(scale=y, side="left", label="found", label_offset="28px",
                            grid_lines="solid", tick_format=",d",
                            tick_values=_ticks_below(y.max, 4)),
            ],
            fig_margin={"top": 10, "bottom": 34, "left": 42, "right": 14},
            padding_y=0,
            display_toolbar=False,
            background_style={"fill": "none", "stroke": "none"},
        )  # fmt: skip
        self.figure.layout.width = "100%"
        self.figure.layout.height = "100%"
        super().__init__([self.key, self.figure])
        self.add_class("aw-replay-panel")
        self.add_class("aw-panel")


def _ticks_below(highest: float, n: int) -> NDArray[np.int64]:
    """About `n` whole round numbers from 0 to at most `highest`."""
    values = ticks(highest, n)
    return values[values <= highest]


def _note(half: float, most: float) -> str:
    """How many labels it takes, in words; nothing where nothing is interesting."""
    return "" if np.isnan(half) else f"half by {half:.0f}, 90% by {most:.0f}"
