"""Which features help: accuracy against labels, a curve per feature set, a plot per classifier."""

from __future__ import annotations

from itertools import cycle, product
from typing import TYPE_CHECKING

import bqplot
import ipywidgets
import numpy as np

from ._curves import COLORS, QUIET, CurvesKey, plain_figure

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..validation import FeatureComparison

_TITLES = {"neighbors": "nearest neighbors", "logistic": "logistic regression"}
_MOST_TICKS = 6  # tenths between the ends of an axis, before every other one is left out


class ComparisonPanel(ipywidgets.VBox):
    """Feature sets side by side: how well few labels tell classes apart with each.

    A plot per classifier, in which a band holds the middle 95 % of the draws, and a dashed line
    stands at what chance would give. Over them stands what each feature set gives with the most
    labels, by the better classifier of the two.

    Parameters
    ----------
    comparison : FeatureComparison
        What ``aw.validation.compare_features(...)`` returned.
    """

    def __init__(self, comparison: FeatureComparison) -> None:
        table = comparison.table
        looks = cycle(product(("solid", "dotted"), COLORS))
        self._looks = dict(zip(table["features"].unique(), looks, strict=False))
        chance = float(table["chance"].iloc[0])
        self.key = CurvesKey(
            title=f"{len(self._looks)} feature sets: {comparison.n_objects} objects of "
            f"{comparison.n_classes} classes",
            caveat=f"{comparison.caption} In numbers: with {table['n_labels'].max()} labels, by "
            "the classifier that is better.",
            entries=[
                *(
                    {"name": name, "color": color, "style": style, "note": _note(table, name)}
                    for name, (style, color) in self._looks.items()
                ),
                {"name": "chance", "color": QUIET, "style": "dashed", "note": f"{chance:.2f}"},
            ],
        )
        self.key.add_class("aw-replay-key")
        self._x = bqplot.LogScale()
        lowest, highest = min(chance, table["low"].min()), table["high"].max()
        self._y = bqplot.LinearScale(
            min=float(np.floor(10 * lowest) / 10), max=float(np.ceil(10 * highest) / 10)
        )
        self.curves: dict[tuple[str, str], bqplot.Lines] = {}
        self.figures = [
            self._figure(classifier, part)
            for classifier, part in table.groupby("classifier", sort=False)
        ]
        plots = ipywidgets.HBox(self.figures)
        plots.add_class("aw-comparison-plots")
        super().__init__([self.key, plots])
        self.add_class("aw-replay-panel")
        self.add_class("aw-panel")

    def _figure(self, classifier: str, table: pd.DataFrame) -> bqplot.Figure:
        scales = {"x": self._x, "y": self._y}
        labels = sorted(table["n_labels"].unique().astype(float))
        bands = []
        for name, (style, color) in self._looks.items():
            part = table[table["features"] == name].sort_values("n_labels")
            x = part["n_labels"].to_numpy(float)
            bands.append(
                bqplot.Lines(
                    x=x, y=part[["low", "high"]].to_numpy().T, scales=scales, colors=[color] * 2,
                    opacities=[0.0, 0.0], fill="between", fill_colors=[color],
                    fill_opacities=[0.1],
                )
            )  # fmt: skip
            self.curves[classifier, name] = bqplot.Lines(
                x=x, y=part["accuracy"].to_numpy(), scales=scales, colors=[color],
                line_style=style, stroke_width=2.2, marker="circle", marker_size=24,
                apply_clip=False,
            )  # fmt: skip
        chance = bqplot.Lines(
            x=[labels[0], labels[-1]], y=[table["chance"].iloc[0]] * 2, scales=scales,
            colors=[QUIET], line_style="dashed", stroke_width=1.3, apply_clip=False,
        )  # fmt: skip
        return plain_figure(
            [*bands, chance, *(self.curves[classifier, name] for name in self._looks)],
            [
                bqplot.Axis(scale=self._x, label="labels", label_offset="26px", grid_lines="none",
                            tick_values=labels, tick_format=",d"),
                bqplot.Axis(scale=self._y, side="left", label="accuracy", label_offset="32px",
                            grid_lines="solid", tick_format=".1f",
                            tick_values=_tenths(self._y.min, self._y.max)),
            ],
            margin={"top": 36, "bottom": 34, "left": 46, "right": 14},
            width="50%",
            title=_TITLES.get(classifier, classifier),
            title_style={"font-size": "12px", "font-weight": "normal", "fill": QUIET},
        )  # fmt: skip


def _tenths(low: float, high: float) -> NDArray[np.float64]:
    """Return round values from `low` to `high`, both tenths; of a wide range every other one."""
    first, last = round(10 * low), round(10 * high)
    step = 1 if last - first <= _MOST_TICKS else 2
    return np.arange(first + first % step, last + 1, step) / 10


def _note(table: pd.DataFrame, name: str) -> str:
    """Say what a feature set gives with the most labels, by the better classifier."""
    most = table[(table["features"] == name) & (table["n_labels"] == table["n_labels"].max())]
    best = most.loc[most["accuracy"].idxmax()]
    return f"{best['accuracy']:.2f} ({best['low']:.2f} to {best['high']:.2f})"
