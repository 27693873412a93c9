"""The head of the map: its menu, modes, legend and hover card; and what both renderers draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets as t

from ..density import PointIndex
from ._channel import Channel
from ._map_colors import Coloring
from ._static import bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ..session import Session

MODES = ("point", "lasso", "rectangle", "pan")


def _no_rows() -> NDArray[np.intp]:
    return np.empty(0, dtype=np.intp)


@dataclass
class Scene:
    """What is to be seen, whichever way it is drawn. Rows are positions in `points`.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        Positions of all objects.
    coloring : Coloring
        The color of each object; labeled ones have that of their score on top.
    labeled, label_scores : ndarray, shape (m,)
        Rows that are labeled, and their scores.
    selected : ndarray, shape (k,)
        Rows that are selected; empty if there is no selection.
    top : ndarray, shape (j,)
        Rows at the top of the ranking.
    current : int or None
        Row of the current object.
    mode : str
        One of `MODES`.
    """

    points: NDArray[Any]
    coloring: Coloring = field(default_factory=Coloring)
    labeled: NDArray[np.intp] = field(default_factory=_no_rows)
    label_scores: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    selected: NDArray[np.intp] = field(default_factory=_no_rows)
    top: NDArray[np.intp] = field(default_factory=_no_rows)
    current: int | None = None
    mode: str = "point"
    _indexed: tuple[Any, PointIndex | None] = (None, None)  # which points, and the index of them

    @property
    def index(self) -> PointIndex | None:
        """Finds and counts `points`; None until it is made."""
        points, index = self._indexed
        return index if points is self.points else None

    def make_index(self) -> PointIndex:
        """Return what finds and counts `points`, made on whichever thread wants it first."""
        points = self.points
        known, index = self._indexed
        if index is None or known is not points:
            index = PointIndex(points)
            self._indexed = points, index  # as one: others may have come while these were sorted
        return index


class MapView(anywidget.AnyWidget):
    """Head, legend, lasso and hover card of a map; above some size also its canvas.

    Parameters
    ----------
    session : Session
    handlers : mapping of str to callable
        See :class:`Channel`.
    hello : callable
        Called when a view is drawn.

    Attributes
    ----------
    head : dict
        ``embedding`` (what is shown, in words), ``colors`` (value, words, group of each choice)
        and ``color_by``, ``legend`` (see :class:`Coloring`), ``mode``, ``n_selected``, ``palette``
        and ``limits`` of the labels' scores, and ``canvas`` (whether this widget draws).
    frame : list of float
        ``[x_min, x_max, y_min, y_max]`` of the whole map; canvas only.
    picture : dict
        ``png`` (bytes), the ``window`` it shows, like `frame`, and ``key``, growing; canvas only.
    marks : dict
        Little-endian float32 bytes: ``labeled`` (x, y, score per mark), ``top`` and ``selected``
        (x, y per mark); and ``current``, [x, y] or None; canvas only.
    """

    _esm = bundle(
        "keeper.js",
        "channel.js",
        "picture_url.js",
        "own_keys.js",
        "map_canvas.js",
        "map_keys.js",
        "map_legend.js",
        "map.js",
    )
    _css = bundle("theme.css", "panel.css", "map.css")

    head = t.Dict().tag(sync=True)
    frame = t.List().tag(sync=True)
    picture = t.Dict().tag(sync=True)
    marks = t.Dict().tag(sync=True)

    def __init__(
        self,
        session: Session,
        handlers: Mapping[str, Callable[[dict[str, Any]], dict[str, Any] | None]],
        hello: Callable[[], dict[str, Any]],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channel = Channel(self, session, handlers, hello=hello)
        self.add_class("aw-map-view")

    def close(self) -> None:
        """Take no more messages, and leave the page."""
        self.channel.close()
        super().close()
