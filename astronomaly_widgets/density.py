"""The array work behind the map of feature space: points to pictures, pointers to points.

A map of millions of objects cannot send its points to a browser. It sends a picture of the
window a person looks at, and finds here what their pointer or lasso means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Colors of the scores 0, 1, ... 5: viridis without its darkest quarter, lost on a dark page.
PALETTE = ("#3b528b", "#31688e", "#21918c", "#35b779", "#90d743", "#fde725")
#: Colors of kinds, in turn; told apart also by the color blind (Okabe & Ito 2008; Tol 2021).
KIND_COLORS = (
    *("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00"),
    *("#0072b2", "#b8a914", "#882255", "#44aa99", "#999933"),
)
#: Color of what has no score.
NEUTRAL = "#8795a3"

_CELLS = 256  # of the index, per axis
_FAINTEST = 0.5  # opacity of a lone point among crowds


class Window(NamedTuple):
    """A rectangle of the map, in the units of its points."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float


def frame(points: ArrayLike, margin: float = 0.04) -> Window:
    """Return the window that holds every point, with a margin.

    Parameters
    ----------
    points : array, shape (n, 2)
        Positions; rows with NaN are ignored.
    margin : float
        Fraction of the extent that is added on each side.
    """
    xy = np.asarray(points)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) == 0:
        return Window(-1.0, 1.0, -1.0, 1.0)
    low, high = xy.min(axis=0).astype(float), xy.max(axis=0).astype(float)
    extent = np.where(high > low, high - low, 1.0) * margin
    low, high = low - extent, high + extent
    return Window(float(low[0]), float(high[0]), float(low[1]), float(high[1]))


def bin_points(
    points: ArrayLike, values: ArrayLike | None, window: Window, width: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count the points of each pixel, and take the mean of their values.

    Parameters
    ----------
    points : array, shape (n, 2)
        Positions; a point outside the window, or NaN, is not counted.
    values : array, shape (n,), or None
        What is averaged; a point whose value is NaN counts, but not for the mean.
    window : Window
        What the picture shows.
    width, height : int
        Size of the picture in pixels.

    Returns
    -------
    counts : ndarray, shape (height, width), int64
        Points per pixel; row 0 is the top, where y is largest.
    means : ndarray, shape (height, width), float64
        Mean value per pixel, NaN where there is none.
    """
    xy = np.asarray(points)
    x = (xy[:, 0] - window.x_min) * (width / (window.x_max - window.x_min))
    y = (window.y_max - xy[:, 1]) * (height / (window.y_max - window.y_min))
    seen = np.flatnonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
    pixel = y[seen].astype(np.int64) * width + x[seen].astype(np.int64)
    np.minimum(pixel, width * height - 1, out=pixel)  # float32 may round up to the edge
    size = width * height
    counts = np.bincount(pixel, minlength=size)
    if values is None:
        return counts.reshape(height, width), np.full((height, width), np.nan)
    weight = np.asarray(values, dtype=float)[seen]
    known = np.isfinite(weight)
    total = np.bincount(pixel, weights=np.where(known, weight, 0.0), minlength=size)
    valued = counts if known.all() else np.bincount(pixel[known], minlength=size)
    means = np.full(size, np.nan)
    np.divide(total, valued, out=means, where=valued > 0)
    return counts.reshape(height, width), means.reshape(height, width)


def paint(
    counts: NDArray[np.int64],
    means: NDArray[np.float64],
    limits: tuple[float, float],
    radius: int = 0,
) -> NDArray[np.uint8]:
    """Color a picture of binned points: hue is the mean value, opacity the density.

    Parameters
    ----------
    counts, means : ndarray, shape (height, width)
        As :func:`bin_points` returns them.
    limits : tuple of float
        Values drawn in the first and in the last color.
    radius : int
        Each point is drawn as a disc of this radius in pixels.

    Returns
    -------
    ndarray, shape (height, width, 4), uint8
        Red, green, blue and opacity; transparent where there is no point, so that the picture
        lies on a light and on a dark page alike.
    """
    known = np.isfinite(means)
    weight = np.where(known, counts, 0).astype(np.float32)
    total = np.where(known, means, 0.0).astype(np.float32) * weight
    density = _spread(counts.astype(np.float32), radius)
    total, weight = _spread(total, radius), _spread(weight, radius)
    low, high = limits
    span = (high - low) if high > low else 1.0
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    place = np.clip((mean - low) / span, 0.0, 1.0)
    picture = np.empty((*counts.shape, 4), dtype=np.uint8)
    table = _color_table()
    picture[..., :3] = table[(place * (len(table) - 1)).astype(np.intp)]
    picture[weight == 0, :3] = _rgb(NEUTRAL)
    filled = density > 0
    crowded = float(np.quantile(density[filled], 0.99)) if filled.any() else 1.0
    opacity = _FAINTEST + (1 - _FAINTEST) * np.log1p(density) / np.log1p(max(crowded, 1.0))
    picture[..., 3] = np.where(filled, np.clip(opacity, 0.0, 1.0) * 255, 0).astype(np.uint8)
    return picture


def paint_kinds(
    points: ArrayLike,
    kinds: NDArray[np.integer[Any]],
    window: Window,
    width: int,
    height: int,
) -> NDArray[np.uint8]:
    """Color a picture of points by their kind: each pixel by the one most points around are of.

    Parameters
    ----------
    points : array, shape (n, 2)
        See :func:`bin_points`.
    kinds : ndarray of int, shape (n,)
        From 0; -1 is none, and neutral.
    window : Window
    width, height : int
        Of the picture, in pixels.

    Returns
    -------
    ndarray, shape (height, width, 4), uint8
        See :func:`paint`.
    """
    total, _ = bin_points(points, None, window, width, height)
    radius = disc_radius(int(total.sum()), width * height)
    picture = paint(total, np.full(total.shape, np.nan), (0.0, 1.0), radius)
    xy = np.asarray(points)
    # among several of one pixel the kind wins that has most; no kind wins where it stands alone
    most = np.zeros(total.shape, dtype=np.float32)
    for kind in range(int(kinds.max(initial=-1)) + 1):
        counts, _ = bin_points(xy[kinds == kind], None, window, width, height)
        here = _spread(counts.astype(np.float32), radius)
        wins = here > most
        picture[wins, :3] = _rgb(KIND_COLORS[kind % len(KIND_COLORS)])
        np.maximum(most, here, out=most)
    return picture


def shades(n: int) -> tuple[str, ...]:
    """Return `n` colors, evenly from the first to the last of the palette, as "#rrggbb"."""
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in _color_table(n))


def disc_radius(n_seen: int, n_pixels: int) -> int:
    """Return the radius in pixels at which `n_seen` points fill a picture well."""
    room = n_pixels / max(n_seen, 1)
    return 2 if room > 20 else 1 if room > 1.5 else 0


class PointIndex:
    """Finds points by window, by nearness and by polygon, without looking at all of them.

    Points are sorted once into a grid of cells; a question then touches only the cells it needs.

    Parameters
    ----------
    points : array, shape (n, 2)
        Positions; rows with NaN are never found.
    """

    def __init__(self, points: ArrayLike) -> None:
        self._points = np.asarray(points)
        self._frame = frame(self._points, margin=0.001)
        rows = np.flatnonzero(np.isfinite(self._points).all(axis=1))
        cell = self._row_of(self._points[rows, 1]) * _CELLS + self._column_of(self._points[rows, 0])
        order = np.argsort(cell, kind="stable")
        self._rows = rows[order]
        self._start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=_CELLS**2))])

    def in_window(self, window: Window) -> NDArray[np.intp]:
        """Return the rows of the points within a window, in ascending order, shape (m,)."""
        rows = self._candidates(window)
        x, y = self._points[rows, 0], self._points[rows, 1]
        inside = (x >= window.x_min) & (x <= window.x_max)
        inside &= (y >= window.y_min) & (y <= window.y_max)
        return np.sort(rows[inside])

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
        rows = self._candidates(Window(x - x_reach, x + x_reach, y - y_reach, y + y_reach))
        if len(rows) == 0:
            return None
        dx = (self._points[rows, 0] - x) / x_reach
        dy = (self._points[rows, 1] - y) / y_reach
        distance = dx * dx + dy * dy
        best = int(np.argmin(distance))
        return int(rows[best]) if distance[best] <= 1 else None

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
        return np.sort(np.concatenate(taken))

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

    def _candidates(self, window: Window) -> NDArray[np.intp]:
        f = self._frame
        if window.x_max < f.x_min or window.x_min > f.x_max:
            return np.empty(0, dtype=np.intp)
        if window.y_max < f.y_min or window.y_min > f.y_max:
            return np.empty(0, dtype=np.intp)
        left, right = self._column_of([window.x_min, window.x_max])
        bottom, top = self._row_of([window.y_min, window.y_max])
        first = np.arange(bottom, top + 1) * _CELLS
        starts, ends = self._start[first + left], self._start[first + right + 1]
        return np.concatenate([self._rows[a:b] for a, b in zip(starts, ends, strict=True)])

    def _of_cells(self, cells: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the rows of all points in some cells, given in ascending order."""
        counts = self._start[cells + 1] - self._start[cells]
        cells, counts = cells[counts > 0], counts[counts > 0]
        before = np.cumsum(counts) - counts
        place = np.arange(counts.sum()) + np.repeat(self._start[cells] - before, counts)
        rows: NDArray[np.intp] = self._rows[place]
        return rows

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


def _spread(plane: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Add up every pixel's neighborhood, a disc."""
    if radius == 0:
        return plane
    height, width = plane.shape
    padded = np.pad(plane, radius)
    out = np.zeros_like(plane)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy <= radius * radius + 1:  # + 1: a rounder disc of few pixels
                out += padded[radius + dy : radius + dy + height, radius + dx : radius + dx + width]
    return out


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _color_table(n: int = 256) -> NDArray[np.uint8]:
    anchors = np.array([_rgb(color) for color in PALETTE], dtype=float)
    at = np.linspace(0, len(anchors) - 1, n)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, k]) for k in range(3)]
    table: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return table


def typical(features: ArrayLike, n_rows: int = 20_000) -> tuple[NDArray[np.float64], ...]:
    """Return the median and the spread of each feature, to say how unusual an object's are.

    Parameters
    ----------
    features : array, shape (n, d)
        Possibly memory-mapped; at most `n_rows` evenly spaced rows are looked at.
    n_rows : int
        See above.

    Returns
    -------
    median, spread : ndarray, shape (d,), float64
        The spread is 1.4826 times the median absolute deviation, a standard deviation for
        normal data; where that is 0, the standard deviation; 1 where all values are equal.
    """
    X = np.asanyarray(features)
    sample = np.asarray(X[:: max(1, -(-len(X) // n_rows))], dtype=float)
    median = np.median(sample, axis=0)
    spread = 1.4826 * np.median(np.abs(sample - median), axis=0)
    spread = np.where(spread > 0, spread, sample.std(axis=0))
    return median, np.where(spread > 0, spread, 1.0)
