"""Drawings of light curves and spectra: small for the gallery, with axes for a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from ._drawing import GROUND, RULE
from ._lines import folded
from ._words import put

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._lines import LineData

_ROUND_STEPS = (1, 2, 5, 10)
_MANY = 3000  # points: beyond, they are dots without bars


class _Frame(NamedTuple):
    """Where on the canvas which numbers lie; `bottom` is below `top`."""

    left: int
    top: int
    right: int
    bottom: int
    x: tuple[float, float]
    y: tuple[float, float]  # at the bottom, at the top

    def across(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.left + (self.right - self.left) * (x - self.x[0]) / (self.x[1] - self.x[0])

    def up(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        height = self.bottom - self.top
        place = self.bottom - height * (y - self.y[0]) / (self.y[1] - self.y[0])
        return np.clip(place, self.top - height, self.bottom + height)


def plot(lines: LineData, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a light curve or a spectrum.

    Up to 256 pixels wide there are no axes, only the ends of the range of y and the length of that
    of x; larger pictures have ticks, labels and a legend of the bands. A light curve that has a
    period is folded at it.

    Parameters
    ----------
    lines : LineData
        With at least one finite point.
    width, height : int
        In pixels.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        RGB.
    """
    if lines.kind == "light_curve" and np.isfinite(lines.period):
        lines = folded(lines, lines.period)
    canvas = np.full((height, width, 3), GROUND, dtype=np.uint8)
    small = width <= 256
    frame = _frame(lines, width, height, small=small)
    if small:
        _ends(canvas, lines, frame)
    else:
        _axes(canvas, lines, frame)
    inside = canvas[frame.top : frame.bottom + 1, frame.left : frame.right + 1]
    local = frame._replace(left=0, top=0, right=inside.shape[1] - 1, bottom=inside.shape[0] - 1)
    if lines.kind == "spectrum":
        _draw_line(inside, lines, local, small=small)
    else:
        _draw_points(inside, lines, local, small=small)
    if not small:
        _legend(canvas, lines, frame)
    return canvas


def _frame(lines: LineData, width: int, height: int, *, small: bool) -> _Frame:
    seen = np.isfinite(lines.x) & np.isfinite(lines.y)
    x, y = lines.x[seen], lines.y[seen]
    low, high = float(y.min()), float(y.max())
    if lines.kind == "spectrum":  # a spike may stand out, but it must not flatten the rest
        near, far = np.percentile(y, [0.5, 99.5])
        low, high = max(low, near - (far - near)), min(high, far + (far - near))
    room = 0.08 * (high - low) or max(abs(high) * 0.05, 1e-30)
    bottom, top = (high + room, low - room) if lines.turned else (low - room, high + room)
    start, stop = float(x.min()), float(x.max())
    if "phase" in lines.x_label:
        start, stop = 0.0, 2.0
    margin = 0.04 * (stop - start) if lines.kind == "light_curve" else 0.0
    if stop == start:
        margin = 0.5
    around = (2, 2, width - 3, height - 3) if small else (74, 14, width - 16, height - 50)
    return _Frame(*around, (start - margin, stop + margin), (bottom, top))


def _draw_points(canvas: NDArray[np.uint8], lines: LineData, frame: _Frame, *, small: bool) -> None:
    import cv2

    seen = np.flatnonzero(np.isfinite(lines.x) & np.isfinite(lines.y))
    x, y = frame.across(lines.x[seen]), frame.up(lines.y[seen])
    colors = [_rgb(color) for color in lines.colors]
    dim = [_mixed(color, GROUND, 0.55) for color in colors]
    bands = lines.band[seen].tolist()
    if len(seen) > _MANY:
        rows = np.clip(np.round(y), 0, canvas.shape[0] - 1).astype(int)
        columns = np.clip(np.round(x), 0, canvas.shape[1] - 1).astype(int)
        canvas[rows, columns] = np.array(colors, np.uint8)[bands]
        return
    error = lines.error[seen]
    ends = np.round([frame.up(lines.y[seen] - error), frame.up(lines.y[seen] + error)])
    for k in np.flatnonzero(np.isfinite(error)).tolist():
        column = round(x[k])
        corners = (column, int(ends[0, k])), (column, int(ends[1, k]))
        cv2.line(canvas, *corners, dim[bands[k]], 1)  # upright, so crisp without smoothing
    radius = (1.9 if len(seen) < 150 else 1.5) if small else 3.4
    if len(seen) > 600:
        radius *= 0.7
    centers = np.round(np.stack([x, y], axis=1) * 16).astype(int).tolist()
    for center, band in zip(centers, bands, strict=True):
        cv2.circle(
            canvas, center, round(radius * 16), colors[band], cv2.FILLED, cv2.LINE_AA, shift=4
        )


def _draw_line(canvas: NDArray[np.uint8], lines: LineData, frame: _Frame, *, small: bool) -> None:
    import cv2

    color = _rgb(lines.colors[0])
    if frame.y[0] < 0 < frame.y[1]:
        zero = round(float(frame.up(np.zeros(1))[0]))
        cv2.line(canvas, (0, zero), (canvas.shape[1], zero), RULE, 1)
    x, y, error = lines.x, lines.y, lines.error
    columns = canvas.shape[1]
    if len(x) > 4 * columns:  # each half pixel shows the extent of its values
        x, y, error = _extents(x, y, error, 2 * columns)
    points = np.stack([frame.across(x), frame.up(y)], axis=1)
    if not small:
        spread = np.isfinite(error) & np.isfinite(y)
        for run in _runs(spread):
            edges = [frame.up(y[run] - error[run]), frame.up(y[run] + error[run])[::-1]]
            outline = np.stack(
                [np.concatenate([points[run, 0], points[run, 0][::-1]]), np.concatenate(edges)],
                axis=1,
            )
            shade = _mixed(color, GROUND, 0.22)
            cv2.fillPoly(canvas, [np.round(outline * 16).astype(np.int32)], shade, shift=4)
    for run in _runs(np.isfinite(y)):
        line = np.round(points[run] * 16).astype(np.int32)
        cv2.polylines(canvas, [line], False, color, 1, cv2.LINE_AA, shift=4)


def _extents(
    x: NDArray[np.float64], y: NDArray[np.float64], error: NDArray[np.float64], n_parts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Replace the values of each part by their least and largest, so that no spike is lost."""
    size = -(-len(x) // n_parts)
    n = -(-len(x) // size) * size
    blocks = [
        np.pad(array, (0, n - len(x)), mode="edge").reshape(-1, size) for array in (x, y, error)
    ]
    low = np.fmin.reduce(blocks[1], axis=1)
    high = np.fmax.reduce(blocks[1], axis=1)
    both = np.stack([low, high], axis=1).ravel()
    return np.repeat(blocks[0][:, 0], 2), both, np.repeat(np.fmax.reduce(blocks[2], axis=1), 2)


def _runs(good: NDArray[np.bool_]) -> list[slice]:
    """Return the stretches without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [slice(a, b) for a, b in edges.reshape(-1, 2).tolist()]


# ---- words and numbers


def _ends(canvas: NDArray[np.uint8], lines: LineData, frame: _Frame) -> None:
    """Write the ends of the range of y and the length of that of x into the corners."""
    height, width = canvas.shape[:2]
    if min(height, width) < 90:
        return
    size = max(9, round(height * 0.062))
    digits = _digits(frame.y)
    put(canvas, f"{frame.y[1]:{digits}}", 4, 3, size)
    put(canvas, f"{frame.y[0]:{digits}}", 4, height - size - 4, size)
    if "phase" in lines.x_label:
        span = f"P {lines.period:.4g} d"
    elif lines.kind == "spectrum":
        span = f"{frame.x[0]:.4g} - {frame.x[1]:.4g} {lines.x_label.partition('(')[2].strip(')')}"
    else:
        span = f"{np.ptp(lines.x):.4g} d"
    put(canvas, span.strip(), width - 4, height - size - 4, size, align="right")


def _axes(canvas: NDArray[np.uint8], lines: LineData, frame: _Frame) -> None:
    import cv2

    for value in _ticks(frame.x, 7):
        column = round(float(frame.across(np.array([value]))[0]))
        cv2.line(canvas, (column, frame.top), (column, frame.bottom), RULE, 1)
        text = f"{value:{_digits(frame.x)}}"
        put(canvas, text, column, frame.bottom + 6, 13, align="center")
    for value in _ticks((min(frame.y), max(frame.y)), 6):
        row = round(float(frame.up(np.array([value]))[0]))
        cv2.line(canvas, (frame.left, row), (frame.right, row), RULE, 1)
        put(canvas, f"{value:{_digits(frame.y)}}", frame.left - 8, row - 8, 13, align="right")
    middle = (frame.left + frame.right) // 2
    put(canvas, lines.x_label, middle, frame.bottom + 26, 14, align="center")
    put(canvas, lines.y_label, frame.left + 8, frame.top + 6, 14)


def _legend(canvas: NDArray[np.uint8], lines: LineData, frame: _Frame) -> None:
    if len(lines.bands) < 2:
        return
    x = frame.right - 8
    for k in sorted(set(lines.band.tolist()), reverse=True):
        text = lines.bands[k] or "no band"
        x -= put(canvas, text, x, frame.top + 6, 14, align="right", color=_rgb(lines.colors[k]))
        x -= 14


def _ticks(ends: tuple[float, float], n: int) -> list[float]:
    """Return round numbers between two, at most n."""
    low, high = ends
    rough = (high - low) / n
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * s for s in _ROUND_STEPS if power * s >= rough)
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(high // step) + 1)]


def _digits(ends: tuple[float, float]) -> str:
    """Return the format in which numbers of a range differ."""
    span, largest = abs(ends[1] - ends[0]), max(map(abs, ends))
    if largest >= 1e5 and span < largest / 100 and largest < 1e8:
        return f".{max(0, int(np.ceil(1 - np.log10(span))))}f"
    if not 1e-3 <= largest < 1e5:
        return ".3g"
    return f".{max(0, min(6, int(np.ceil(1.2 - np.log10(span)))))}f"


def _rgb(color: str) -> tuple[int, int, int]:
    return cast("tuple[int, int, int]", tuple(bytes.fromhex(color[1:])))


def _mixed(
    color: tuple[int, int, int], ground: tuple[int, int, int], part: float
) -> tuple[int, int, int]:
    return cast(
        "tuple[int, int, int]",
        tuple(round(part * a + (1 - part) * b) for a, b in zip(color, ground, strict=True)),
    )
