"""The map as bqplot marks, for up to 5,000 objects.

Not as a Scatter: that is three SVG elements with a transform of their own per object, and with
3,000 of them the browser takes 10 ms longer for every frame of the whole page, so that labeling
is felt to lag. A line with round ends that is broken after each point draws the same dots as one
element; there is one such line per color.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bqplot
import numpy as np

from ..density import KIND_COLORS, NEUTRAL, PALETTE, Window, frame, shades

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ._map_view import Scene

# custom properties of panel.css, so that marks follow the theme
_INK = "var(--aw-fg, #1b1f24)"
_BRAND = "var(--aw-brand, #1f6fb8)"
_N_COLORS = 16
_FAINT, _CLEAR = 0.12, 0.85


class MarksMap:
    """Draws a :class:`Scene` with bqplot.

    Parameters
    ----------
    run : callable
        ``run(function, *args)``: how traits are set, on any thread.

    Attributes
    ----------
    figure : bqplot.Figure
    objects : list of bqplot.Lines
        Dots of all objects: one mark per color, and the last for those without a value.
    kinds : list of bqplot.Lines
        Dots of the objects that are of a kind, one mark per color.
    chosen : bqplot.Lines
        Dots of the selected objects.
    rims, labeled : bqplot.Lines, list of bqplot.Lines
        Dots of the labeled objects: rims, and one mark per score.
    current : bqplot.Scatter
        The ring round the current object.
    """

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        # unpadded, so that a place on the screen is the same part of the window
        self._x, self._y = (bqplot.LinearScale(allow_padding=False) for _ in range(2))
        self.objects = [self._dots(color, 3.6) for color in (*shades(_N_COLORS), NEUTRAL)]
        self.kinds = [self._dots(color, 3.6) for color in KIND_COLORS]
        self.chosen = self._dots(_BRAND, 4.0)
        self.rims = self._dots(_INK, 9.0)
        self.labeled = [self._dots(color, 6.2) for color in PALETTE]
        self.current = bqplot.Scatter(
            x=np.zeros(1), y=np.zeros(1), scales={"x": self._x, "y": self._y}, visible=False,
            colors=[_BRAND], default_size=170, fill=False, stroke=_BRAND, stroke_width=3,
        )  # fmt: skip
        self._pan = bqplot.PanZoom(scales={"x": [self._x], "y": [self._y]})
        self.figure = bqplot.Figure(
            marks=[*self.objects, *self.kinds, self.chosen, self.rims, *self.labeled, self.current],
            axes=[],
            scale_x=self._x,
            scale_y=self._y,
            fig_margin={"top": 0, "bottom": 0, "left": 0, "right": 0},
            padding_y=0,
            display_toolbar=False,
            background_style={"fill": "none", "stroke": "none"},
        )
        self.figure.layout.width = "100%"
        self.figure.layout.height = "100%"

    @property
    def widgets(self) -> tuple[Any, ...]:
        """What goes below the head."""
        return (self.figure,)

    def window(self) -> Window:
        """Return what of the map is visible."""
        return Window(self._x.min, self._x.max, self._y.min, self._y.max)

    def zoom(self, factor: float, x: float, y: float) -> None:
        """Show `factor` times as much, keeping a place, given as parts of the plot, where it is."""
        seen = self.window()
        here = (
            seen.x_min + x * (seen.x_max - seen.x_min),
            seen.y_max - y * (seen.y_max - seen.y_min),
        )
        edges = ((seen.x_min, seen.x_max), (seen.y_min, seen.y_max))
        for scale, center, (low, high) in zip((self._x, self._y), here, edges, strict=True):
            self._run(
                _set_limits, scale, *(center + (edge - center) * factor for edge in (low, high))
            )

    def draw(self, scene: Scene, parts: set[str]) -> None:
        """Bring what has changed to the screen."""
        self._run(self._draw, scene, parts)

    def close(self) -> None:
        """Take the figure and its marks off the page."""
        for widget in (*self.figure.marks, self.figure, self._pan, self._x, self._y):
            widget.close()

    def _draw(self, scene: Scene, parts: set[str]) -> None:
        if parts & {"points", "reset"}:
            self._show_all(scene)
        if parts & {"points", "colors"}:
            self._draw_objects(scene)
        if parts & {"points", "labels"}:
            self._draw_labels(scene)
        if parts & {"points", "selection"}:
            _place(self.chosen, scene.points[scene.selected])
            opacity = [_FAINT if len(scene.selected) else _CLEAR]
            for mark in (*self.objects, *self.kinds):
                mark.opacities = opacity
        if parts & {"points", "current"}:
            with self.current.hold_sync():
                if scene.current is not None:
                    self.current.x, self.current.y = scene.points[[scene.current]].T
                self.current.visible = scene.current is not None
        if "mode" in parts:
            self.figure.interaction = self._pan if scene.mode == "pan" else None

    def _draw_objects(self, scene: Scene) -> None:
        by = scene.coloring
        if by.kinds is None:
            kind = np.full(len(scene.points), -1)
            color = _color_of(by.values, by.limits, len(scene.points))
            _paint(self.objects[:-1], shades(_N_COLORS, by.palette))
        else:
            kind = np.where(by.kinds < 0, -1, by.kinds % len(by.palette))
            color = np.where(kind < 0, _N_COLORS, -1)
            _paint(self.kinds, by.palette)
        for k, mark in enumerate(self.objects):
            _place(mark, scene.points[color == k])
        for k, mark in enumerate(self.kinds):
            _place(mark, scene.points[kind == k])

    def _draw_labels(self, scene: Scene) -> None:
        _place(self.rims, scene.points[scene.labeled])
        score = np.rint(scene.label_scores).astype(int)
        for k, mark in enumerate(self.labeled):
            _place(mark, scene.points[scene.labeled[score == k]])

    def _show_all(self, scene: Scene) -> None:
        whole = frame(scene.points)
        _set_limits(self._x, whole.x_min, whole.x_max)
        _set_limits(self._y, whole.y_min, whole.y_max)

    def _dots(self, color: str, size: float) -> bqplot.Lines:
        return bqplot.Lines(
            x=np.zeros(1), y=np.zeros(1), scales={"x": self._x, "y": self._y}, visible=False,
            colors=[color], stroke_width=size, opacities=[_CLEAR],
        )  # fmt: skip


def _set_limits(scale: bqplot.LinearScale, low: float, high: float) -> None:
    with scale.hold_sync():
        scale.min, scale.max = low, high


def _paint(marks: Sequence[bqplot.Lines], colors: Sequence[str]) -> None:
    for mark, color in zip(marks, colors, strict=False):  # a coloring may need fewer
        mark.colors = [color]


def _color_of(values: NDArray[Any] | None, limits: tuple[float, float], n: int) -> NDArray[np.intp]:
    """Return which mark draws each object, (n,): its color, or the last for no value."""
    if values is None:
        return np.full(n, _N_COLORS)
    known = np.isfinite(values)
    part = (np.where(known, values, 0.0) - limits[0]) / (limits[1] - limits[0])
    color = np.clip((part * _N_COLORS).astype(np.intp), 0, _N_COLORS - 1)
    return np.where(known, color, _N_COLORS)


def _place(mark: bqplot.Lines, points: NDArray[Any]) -> None:
    """Draw dots at these points, shape (m, 2): a line that is broken after each of them."""
    with mark.hold_sync():
        if len(points):
            line = np.full((len(points), 2, 2), np.nan, dtype=np.float32)
            line[:, 0] = points
            mark.x, mark.y = line.reshape(-1, 2)[:-1].T  # bqplot puts a label at the last place
        mark.visible = len(points) > 0  # bqplot stumbles over a line of nothing but breaks
