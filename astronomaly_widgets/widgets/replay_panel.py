"""Which learner would have found them sooner, as one plot that says what it cannot say."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import bqplot
import ipywidgets
import numpy as np

from ._curves import COLORS, QUIET, CurvesKey, plain_figure, thinned, ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..simulation import Replay

_REFERENCES = {"as it was": "solid", "at random": "dashed"}  # not learners: quiet lines


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
        self.figure = plain_figure(
            [*self.curves.values()],
            [
                bqplot.Axis(scale=x, label="labels", label_offset="26px", grid_lines="none",
                            tick_format=",d", tick_values=_ticks_below(x.max, 5)),
                bqplot.Axis(scale=y, side="left", label="found", label_offset="28px",
                            grid_lines="solid", tick_format=",d",
                            tick_values=_ticks_below(y.max, 4)),
            ],
            margin={"top": 10, "bottom": 34, "left": 42, "right": 14},
        )  # fmt: skip
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
