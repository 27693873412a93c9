"""The map as a picture made in the kernel, for millions of objects."""

from __future__ import annotations

import io
import zlib
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ..density import Window, bin_kinds, bin_points, disc_radius, frame, paint, paint_kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..density import Picture
    from ._map_view import MapView, Scene

MOST_MARKS = 5_000
_MANY = 200_000  # objects from which on a compiled loop is worth its loading
_LARGEST = 2_000  # pixels per side; more than a screen gives the map


class CanvasMap:
    """Draws a :class:`Scene` as a picture of the window a person looks at, and a few marks on it.

    Parameters
    ----------
    run : callable
        ``run(function, *args)``: how traits are set, on any thread.
    view : MapView
        The widget whose canvas shows it.
    """

    def __init__(self, run: Callable[..., Any], view: MapView) -> None:
        self._run = run
        self._view = view
        self._keys = count(1)
        self._lock = Lock()
        self._window: Window | None = None
        self._size = (640, 400)

    @property
    def widgets(self) -> tuple[Any, ...]:
        """What goes below the head: nothing, the head draws it."""
        return ()

    def look_at(self, window: Window, width: int, height: int) -> None:
        """Note what is visible; a ``view`` part then draws it.

        Parameters
        ----------
        window : Window
        width, height : int
            Size of the canvas in device pixels.

        Raises
        ------
        ValueError
            If that is no window.
        """
        if not (window.x_max > window.x_min and window.y_max > window.y_min):
            raise ValueError(f"the visible part of the map has no area: {tuple(window)}")
        with self._lock:
            self._window = window
            self._size = (min(max(int(width), 16), _LARGEST), min(max(int(height), 16), _LARGEST))

    def draw(self, scene: Scene, parts: set[str]) -> None:
        """Bring what has changed to the screen; the slow part holds no lock."""
        if parts & {"points", "reset"}:
            whole = frame(scene.points)
            with self._lock:
                self._window = whole
            self._run(setattr, self._view, "frame", list(whole))
        if parts & {"points", "reset", "colors", "view"}:
            self._run(setattr, self._view, "picture", self._picture(scene))
        if parts & {"points", "labels", "current", "selection", "top"}:
            self._run(setattr, self._view, "marks", _marks(scene))

    def close(self) -> None:
        """Do nothing: the view is closed by its owner."""

    def _picture(self, scene: Scene) -> dict[str, Any]:
        with self._lock:
            window, (width, height) = self._window or frame(scene.points), self._size
        looked_at = window, width, height
        # for few objects, and for the first picture, nothing is sorted or compiled
        index = scene.index if len(scene.points) >= _MANY else None
        by = scene.coloring
        if by.kinds is not None:
            planes = (
                bin_kinds(scene.points, by.kinds, *looked_at)
                if index is None
                else index.bin_kinds(by.kinds, *looked_at)
            )
            radius = disc_radius(int(planes.sum()), width * height)
            picture = paint_kinds(planes, radius, by.palette)
        else:
            counts, means = (
                bin_points(scene.points, by.values, *looked_at)
                if index is None
                else index.bin_points(by.values, *looked_at)
            )
            radius = disc_radius(int(counts.sum()), width * height)
            picture = paint(counts, means, by.limits, radius, by.palette)
        return {"png": _png(picture), "window": list(window), "key": next(self._keys)}


def _marks(scene: Scene) -> dict[str, Any]:
    current = None if scene.current is None else [float(v) for v in scene.points[scene.current]]
    room = MOST_MARKS
    labeled = scene.labeled[-room:]
    room -= len(labeled)
    top = scene.top[:room]
    room -= len(top)
    step = -(-len(scene.selected) // room) if room else 0
    selected = scene.selected[::step] if step else scene.selected[:0]
    scores = np.asarray(scene.label_scores, dtype=np.float32)[-MOST_MARKS:]
    return {
        "labeled": _bytes(np.column_stack([scene.points[labeled], scores])),
        "top": _bytes(scene.points[top]),
        "selected": _bytes(scene.points[selected]),
        "n_selected": len(scene.selected),
        "current": current,
    }


def _bytes(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array, dtype="<f4").tobytes()


def _png(picture: Picture) -> bytes:
    from PIL import Image

    image = Image.fromarray(picture.pixels)
    image.putpalette(picture.palette[:, :3].tobytes())
    opacity = picture.palette[:, 3].tobytes()
    out = io.BytesIO()
    # runs are all that repeats in such a picture: to look for more costs three times as much
    image.save(out, "PNG", transparency=opacity, compress_level=1, compress_type=zlib.Z_RLE)
    return out.getvalue()
