"""The map as bqplot marks: one SVG dot per object, for up to 5,000 of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import bqplot
import numpy as np

from ..density import NEUTRAL, PALETTE, Window, frame
from ._map_view import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._map_view import Scene

# custom properties of panel.css, so that marks follow the theme
_INK = "var(--aw-fg, #1b1f24)"
_BRAND = "var(--aw-brand, #2b6cb0)"
_NOWHERE = np.empty(0, dtype=np.float32)


class MarksMap:
    """Draws a :class:`Scene` with bqplot.

    Parameters
    ----------
    run : callable
        ``run(function, *args)``: how traits are set, on any thread.
    on_click : callable
        ``on_click(row)``: an object was clicked.
    on_hover : callable
        ``on_hover(row)``: the pointer came to an object.

    Attributes
    ----------
    figure : bqplot.Figure
    """

    def __init__(
        self,
        run: Callable[..., Any],
        on_click: Callable[[int], None],
        on_hover: Callable[[int], None],
    ) -> None:
        self._run = run
        self._on_click = on_click
        self._on_hover = on_hover
        self._rows: dict[str, Any] = {}  # name of a mark -> row of each of its points
        self._x, self._y = bqplot.LinearScale(), bqplot.LinearScale()
        color = bqplot.ColorScale(min=LIMITS[0], max=LIMITS[1], colors=list(PALETTE))
        scales = {"x": self._x, "y": self._y}
        dot = {"scales": {**scales, "color": color}, "colors": [NEUTRAL], "stroke_width": 0}
        self.objects = self._mark(
            "objects", **dot, default_size=14, unselected_style={"opacity": "0.12"}, opacities=[0.8]
        )
        self.labeled = self._mark(
            "labeled", **{**dot, "stroke_width": 1.5}, default_size=36, stroke=_INK, opacities=[1.0]
        )
        self.current = self._mark(
            "current", scales=scales, colors=[_BRAND], default_size=170, fill=False, stroke=_BRAND,
            stroke_width=3,
        )  # fmt: skip
        self._pan = bqplot.PanZoom(scales={"x": [self._x], "y": [self._y]})
        self.figure = bqplot.Figure(
            marks=[self.objects, self.labeled, self.current],
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

    def draw(self, scene: Scene, parts: set[str]) -> None:
        """Bring what has changed to the screen."""
        self._run(self._draw, scene, parts)

    def greet(self) -> None:
        """Say something on each mark's comm, in the context of the message just received.

        A comm's messages go to the (sub)shell that last spoke on it: without this, the clicks of
        marks that were drawn by a cell would wait for the next running cell to end.
        """
        for mark in self.figure.marks:
            self._run(mark.send_state, "visible")

    def close(self) -> None:
        """Take the figure and its marks off the page."""
        for widget in (self.figure, self._pan, *self.figure.marks, self._x, self._y):
            widget.close()

    def _draw(self, scene: Scene, parts: set[str]) -> None:
        points = scene.points
        if parts & {"points", "reset"}:
            self._show_all(scene)
        if parts & {"points", "colors"}:
            with self.objects.hold_sync():
                self.objects.x, self.objects.y = points[:, 0], points[:, 1]
                self.objects.color = scene.values
            self._rows["objects"] = range(len(points))
        if parts & {"points", "labels"}:
            with self.labeled.hold_sync():
                self.labeled.x, self.labeled.y = points[scene.labeled].T
                self.labeled.color = scene.label_scores
            self._rows["labeled"] = scene.labeled
        if parts & {"points", "current"}:
            at = _NOWHERE if scene.current is None else scene.current
            with self.current.hold_sync():
                self.current.x = points[[at], 0] if scene.current is not None else _NOWHERE
                self.current.y = points[[at], 1] if scene.current is not None else _NOWHERE
            self._rows["current"] = [] if scene.current is None else [scene.current]
        if "selection" in parts:
            self.objects.selected = scene.selected if len(scene.selected) else None
        if "mode" in parts:
            self.figure.interaction = self._pan if scene.mode == "pan" else None

    def _show_all(self, scene: Scene) -> None:
        whole = frame(scene.points)
        for scale, low, high in (
            (self._x, whole.x_min, whole.x_max),
            (self._y, whole.y_min, whole.y_max),
        ):
            with scale.hold_sync():
                scale.min, scale.max = low, high

    def _mark(self, name: str, **style: Any) -> bqplot.Scatter:
        mark = bqplot.Scatter(x=_NOWHERE, y=_NOWHERE, **style)
        mark.on_element_click(partial(self._tell, name, self._on_click))
        mark.on_hover(partial(self._tell, name, self._on_hover))
        return mark

    def _tell(
        self, name: str, listener: Callable[[int], None], _mark: Any, content: dict[str, Any]
    ) -> None:
        rows, index = self._rows.get(name, ()), content["data"]["index"]
        if index < len(rows):  # else the browser still shows what was there before
            listener(int(rows[index]))
