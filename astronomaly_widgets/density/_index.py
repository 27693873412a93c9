"""Points sorted by place, so that a question touches only those that it may concern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import compiled
from ._binning import Window, frame, mean_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CELLS = 256  # of the index, per axis: a cell's number is two bytes, which sort quickly


class PointIndex:
    """Finds points by window, by nearness and by polygon, without looking at all of them.

    Points are sorted once into a grid of cells; a question then touches only the cells it needs,
    and what lies together on the map lies together in memory.

    Parameters
    ----------
    points : array, shape (n, 2)
        Positions; rows with NaN are never found.
    """

    def __init__(self, points: ArrayLike) -> None:
        points = np.asarray(points)
        self._frame = frame(points, margin=0.001)
        rows = np.flatnonzero(np.isfinite(points[:, 0]) & np.isfinite(points[:, 1]))
        points = points[rows] if len(rows) < len(points) else points
        cell = self._row_of(points[:, 1]) * _CELLS + self._column_of(points[:, 0])
        order = np.argsort(cell.astype(np.uint16), kind="stable")  # by radix: linear
        self._rows = rows[order]
        self._points = np.ascontiguousarray(points[order])
        self._start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=_CELLS**2))])
        self._sorted: tuple[Any, Any] = None, None  # values, as given and in the order of cells

    def bin_points(
        self, values: ArrayLike | None, window: Window, width: int, height: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Count the points of each pixel as :func:`bin_points` does, only faster.

        The loop is compiled: worth it for many points, or for the second picture of them.
        """
        sums = np.zeros((height, width, 3))
        ordered = np.empty(0) if values is None else self._in_order(values)
        _add_up(self._points, ordered, *self._place(window, width, height), sums)
        counts, valued, total = np.moveaxis(sums, 2, 0)
        return counts.astype(np.int64), mean_of(total, valued)

    def bin_kinds(
        self, kinds: NDArray[np.integer[Any]], window: Window, width: int, height: int
    ) -> NDArray[np.int64]:
        """Count the points of each pixel and kind as :func:`bin_kinds` does, only faster."""
        counts = np.zeros((int(kinds.max(initial=-1)) + 2, height, width), dtype=np.int64)
        place = self._place(window, width, height)
        _count(self._points, self._in_order(kinds), *place, counts)
        return counts

    def in_window(self, window: Window) -> NDArray[np.intp]:
        """Return the rows of the points within a window, in ascending order, shape (m,)."""
        at = self._candidates(window)
        x, y = self._points[at, 0], self._points[at, 1]
        inside = (x >= window.x_min) & (x <= window.x_max)
        inside &= (y >= window.y_min) & (y <= window.y_max)
        return np.sort(self._rows[at[inside]])

    def nearest(self, x: float, y: float, x_reach: float, y_reach: float) -> int | None:
        """Return the row of the point nearest to (x, y), or None if none is within reach.

        Parameters
        ----------
        x, y : float
            Where the pointer is.
        x_reach, y_reach : float
            How far it reaches along each axis; nearness is measured in these units, so that it
            is nearness on the screen.
        """
        at = self._candidates(Window(x - x_reach, x + x_reach, y - y_reach, y + y_reach))
        if len(at) == 0:
            return None
        dx = (self._points[at, 0] - x) / x_reach
        dy = (self._points[at, 1] - y) / y_reach
        distance = dx * dx + dy * dy
        best = int(np.argmin(distance))
        return int(self._rows[at[best]]) if distance[best] <= 1 else None

    def in_polygon(self, vertices: ArrayLike) -> NDArray[np.intp]:
        """Return the rows of the points inside a polygon, in ascending order, shape (m,).

        Parameters
        ----------
        vertices : array, shape (k, 2)
            Corners in order; the polygon closes itself, and what it winds round twice is outside
            (even-odd rule).

        Raises
        ------
        ValueError
            If `vertices` are not at least three finite positions.
        """
        corners = np.asarray(vertices, dtype=float)
        if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
            raise ValueError(f"a polygon needs at least 3 corners (k, 2), got {corners.shape}")
        if not np.isfinite(corners).all():
            raise ValueError("the corners of a polygon must be finite")
        edge = self._cells_along(corners)
        centers_x, centers_y = self._centers()
        whole = _inside(centers_x, centers_y, corners) & ~edge
        taken = [self._of_cells(np.flatnonzero(whole))]
        doubtful = self._of_cells(np.flatnonzero(edge))
        at = self._points[doubtful]
        taken.append(doubtful[_inside(at[:, 0], at[:, 1], corners)])
        return np.sort(self._rows[np.concatenate(taken)])

    def _column_of(self, x: ArrayLike) -> NDArray[np.int64]:
        f = self._frame
        return _cell(x, f.x_min, f.x_max)

    def _row_of(self, y: ArrayLike) -> NDArray[np.int64]:
        f = self._frame
        return _cell(y, f.y_min, f.y_max)

    def _centers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        f, middle = self._frame, (np.arange(_CELLS) + 0.5) / _CELLS
        x = f.x_min + middle * (f.x_max - f.x_min)
        y = f.y_min + middle * (f.y_max - f.y_min)
        return np.tile(x, _CELLS), np.repeat(y, _CELLS)

    def _spans(self, window: Window) -> NDArray[np.int64]:
        """Return where the points of a window's cells begin and end, by row of the grid, (k, 2)."""
        f = self._frame
        apart = window.x_max < f.x_min or window.x_min > f.x_max
        if apart or window.y_max < f.y_min or window.y_min > f.y_max:
            return np.empty((0, 2), dtype=np.int64)
        left, right = self._column_of([window.x_min, window.x_max])
        bottom, top = self._row_of([window.y_min, window.y_max])
        first = np.arange(bottom, top + 1) * _CELLS
        return np.column_stack([self._start[first + left], self._start[first + right + 1]])

    def _place(
        self, window: Window, width: int, height: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return which points a picture may show, and how they are placed: origin and scale."""
        across = width / (window.x_max - window.x_min)
        down = height / (window.y_max - window.y_min)
        return self._spans(window), np.array([window.x_min, across, window.y_max, down])

    def _in_order(self, values: ArrayLike) -> NDArray[Any]:
        """Return values in the order of cells; kept, because a zoom asks for them again."""
        given, ordered = self._sorted
        if given is not values:
            ordered = np.asarray(values)[self._rows]
            self._sorted = values, ordered
        kept: NDArray[Any] = ordered
        return kept

    def _candidates(self, window: Window) -> NDArray[np.intp]:
        """Return which of the sorted points lie in the cells of a window."""
        spans = [np.arange(start, end) for start, end in self._spans(window)]
        return np.concatenate(spans) if spans else np.empty(0, dtype=np.intp)

    def _of_cells(self, cells: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return which of the sorted points lie in some cells, given in ascending order."""
        counts = self._start[cells + 1] - self._start[cells]
        cells, counts = cells[counts > 0], counts[counts > 0]
        before = np.cumsum(counts) - counts
        place: NDArray[np.intp] = np.arange(counts.sum()) + np.repeat(
            self._start[cells] - before, counts
        )
        return place

    def _cells_along(self, corners: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which cells the outline may cross, as a flat mask, one cell too wide."""
        f = self._frame
        size = np.array([f.x_max - f.x_min, f.y_max - f.y_min]) / _CELLS
        place = (corners - (f.x_min, f.y_min)) / size
        place = np.clip(place, -_CELLS, 2 * _CELLS)  # what lies far outside crosses no cell
        mask = np.zeros((_CELLS, _CELLS), dtype=bool)
        for start, end in zip(place, np.roll(place, -1, axis=0), strict=True):
            steps = int(np.abs(end - start).max() * 2) + 2
            at = np.floor(start + np.linspace(0, 1, steps)[:, None] * (end - start)).astype(int)
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    column, row = at[:, 0] + dx, at[:, 1] + dy
                    on = (column >= 0) & (column < _CELLS) & (row >= 0) & (row < _CELLS)
                    mask[row[on], column[on]] = True
        return mask.ravel()


@compiled
def _add_up(xy: Any, values: Any, spans: Any, place: Any, sums: Any) -> None:
    """Of each pixel (height, width, 3): number of points, of those with a value, sum of values."""
    height, width, _ = sums.shape
    left, across, top, down = place
    for k in range(len(spans)):
        for i in range(spans[k, 0], spans[k, 1]):
            x = (xy[i, 0] - left) * across
            y = (top - xy[i, 1]) * down
            if x >= 0 and x < width and y >= 0 and y < height:
                pixel = sums[int(y), int(x)]
                pixel[0] += 1
                if len(values) > 0 and np.isfinite(values[i]):
                    pixel[1] += 1
                    pixel[2] += values[i]


@compiled
def _count(xy: Any, kinds: Any, spans: Any, place: Any, counts: Any) -> None:
    """Points of no kind, of kind 0, 1, ... of each pixel, (1 + number of kinds, height, width)."""
    _, height, width = counts.shape
    left, across, top, down = place
    for k in range(len(spans)):
        for i in range(spans[k, 0], spans[k, 1]):
            x = (xy[i, 0] - left) * across
            y = (top - xy[i, 1]) * down
            if x >= 0 and x < width and y >= 0 and y < height:
                counts[kinds[i] + 1, int(y), int(x)] += 1


def _cell(x: ArrayLike, low: float, high: float) -> NDArray[np.int64]:
    place = (np.asarray(x, dtype=float) - low) * (_CELLS / (high - low))
    return np.clip(np.floor(place), 0, _CELLS - 1).astype(np.int64)


def _inside(
    x: NDArray[np.floating], y: NDArray[np.floating], corners: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Even-odd test of points against a polygon, edge by edge."""
    inside = np.zeros(len(x), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crossed = (y1 > y) != (y2 > y)
            inside ^= crossed & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
