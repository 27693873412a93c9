"""What the map is colored by: a score, the labels, the clusters, or a column of the catalog."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..density import (
    KIND_COLORS,
    NEUTRAL,
    OTHER,
    PALETTE,
    SCALE,
    as_numbers,
    most_frequent,
    on_scale,
    robust_range,
)
from ._facts import in_full

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..session import Session

LIMITS = (0.0, 5.0)
COLORS = {
    "trained_score": "trained score",
    "anomaly_score": "anomaly score",
    "label": "label",
    "cluster": "cluster",
}
_SCORES = ("trained_score", "anomaly_score")
_MOST_KINDS = 7  # more colors are not told apart at a glance
_LONGEST = 4  # decimals of a number in the legend, and
_LARGEST = 1e9  # the number that is written in full
_MOST_DIGITS = 6  # of others
_MOST_LETTERS = 60
_DAY = 86_400.0


@dataclass(frozen=True)
class Coloring:
    """The color of each object, and what the legend says of it.

    Attributes
    ----------
    by : str
        What was asked for.
    values : ndarray, shape (n,), or None
        Place of each object on a scale that spans `limits`, NaN for none; None leaves all neutral.
    limits : tuple of float
    kinds : ndarray of int, shape (n,), or None
        Kind of each object, -1 if of none; given, it colors the objects instead of `values`.
    palette : tuple of str
        Colors of the scale, evenly, or of the kinds, in turn.
    legend : dict
        JSON-ready. ``scale`` (low, high: words; colors) or None; ``kinds`` (number, text, color,
        size, words of each) to be told apart and shown alone; ``says``, what else there is to say.
    column : Series or None
        The column of the catalog, if it is one.
    """

    by: str = "label"
    values: NDArray[Any] | None = None
    limits: tuple[float, float] = LIMITS
    kinds: NDArray[np.int32] | None = None
    palette: tuple[str, ...] = PALETTE
    legend: dict[str, Any] = field(default_factory=lambda: _BY_SCORE)
    column: pd.Series[Any] | None = None

    def of(self, session: Session, row: int) -> str:
        """Say in words what colors an object; its score if that is its label or cluster."""
        if self.column is not None:
            value = self.column.iloc[row]
            is_number = isinstance(value, (float, np.floating)) and np.isfinite(value)
            return f"{self.by} {f'{value:.6g}' if is_number else _short(value)}"
        by = self.by if self.by in _SCORES else _SCORES[0]
        return f"{COLORS[by]} {float(getattr(session, by)[row]):.2f}"

    def members(self, number: int) -> NDArray[np.intp]:
        """Return the rows of a kind, of what is missing for -1.

        Raises
        ------
        ValueError
            If there is no object of it.
        """
        values = np.empty(0) if self.values is None else self.values
        rows = np.flatnonzero(np.isnan(values) if self.kinds is None else self.kinds == number)
        if not len(rows):
            raise ValueError(f"no object is of kind {number} of {self.by}")
        return rows


def choices(session: Session) -> list[list[str]]:
    """Return what a map can be colored by, as (value, words, group) lists."""
    own = [[value, words, ""] for value, words in COLORS.items()]
    return own + [[name, name, "catalog"] for name in _columns(session)]


def check_choice(session: Session, by: str) -> str:
    """Return what a map can be colored by, as given.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if by in COLORS or by in _columns(session):
        return by
    offered = ", ".join(COLORS)
    columns = ", ".join(_columns(session)) or "there is none"
    raise ValueError(
        f"color_by must be one of {offered}, or a column of the catalog ({columns}); got {by!r}"
    )


def coloring(session: Session, by: str) -> Coloring:
    """Color all objects of a session."""
    if by in _SCORES:
        return Coloring(by, np.asarray(getattr(session, by)), legend=_BY_SCORE)
    if by == "cluster":
        return _by_cluster(session)
    if by in COLORS:
        return Coloring(by)
    column = session.catalog.iloc[:, _columns(session)[by]]
    numbers = as_numbers(column)
    return _by_kind(by, column) if numbers is None else _by_number(by, column, numbers)


def _columns(session: Session) -> dict[str, int]:
    """Map the columns, as they are offered, to their places; of several alike the first counts."""
    found: dict[str, int] = {}
    for place, name in enumerate(() if session.catalog is None else session.catalog.columns):
        found.setdefault(f"{name} (catalog)" if name in COLORS else str(name), place)
    return found


def _by_cluster(session: Session) -> Coloring:
    found = session.clusters
    if found is None:
        return Coloring("cluster", legend=_legend(says="finding clusters…"))
    kinds = [
        [k, str(k), KIND_COLORS[k % len(KIND_COLORS)], size, f"cluster {k}"]
        for k, size in enumerate(found.sizes.tolist())
    ]
    legend = _legend(kinds=kinds)
    return Coloring("cluster", kinds=found.labels, palette=KIND_COLORS, legend=legend)


def _by_number(by: str, column: pd.Series[Any], numbers: NDArray[np.float64]) -> Coloring:
    missing = _missing(int(np.isnan(numbers).sum()))
    ends = robust_range(numbers)
    if ends is None:
        values = np.full(len(numbers), np.nan, dtype=np.float32)
        return Coloring(by, values, palette=SCALE, legend=_legend(kinds=missing), column=column)
    low, high = ends
    dated = pd.api.types.is_datetime64_any_dtype(column.infer_objects())
    words = _dates(low, high) if dated else _numbers(low, high)
    below, above = (numbers < low).any(), (numbers > high).any()
    scale = f"{'≤ ' * bool(below)}{words[0]}", f"{'≥ ' * bool(above)}{words[1]}", SCALE
    part = on_scale(numbers, low, high)
    return Coloring(by, part, (0.0, 1.0), None, SCALE, _legend(scale, missing), column)


def _by_kind(by: str, column: pd.Series[Any]) -> Coloring:
    found = most_frequent(column, _MOST_KINDS)
    names = [_short(name) for name in found.names]
    palette = (*KIND_COLORS[: len(names)], OTHER)
    n_missing, *sizes = found.sizes()
    kinds = [
        [k, text, color, size, text]
        for k, (text, color, size) in enumerate(zip((*names, "other"), palette, sizes, strict=True))
        if size
    ]
    legend = _legend(kinds=kinds + _missing(n_missing))
    return Coloring(by, None, LIMITS, found.numbers, palette, legend, column)


def _legend(
    scale: tuple[str, str, tuple[str, ...]] | None = None,
    kinds: list[list[Any]] | None = None,
    says: str = "",
) -> dict[str, Any]:
    return {"scale": scale and list(scale), "kinds": kinds or [], "says": says}


def _missing(n: int) -> list[list[Any]]:
    return [[-1, "no value", NEUTRAL, n, "those without a value"]] if n else []


def _short(value: Any) -> str:
    text = in_full(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _numbers(*ends: float) -> list[str]:
    """Write the ends of a scale with as many digits as tell them apart."""
    largest, span = max(map(abs, ends)), ends[1] - ends[0]
    size = span or largest or 1.0
    decimals = max(0, 1 - math.floor(math.log10(size)))
    if all(end.is_integer() for end in ends):
        decimals = 0
    if decimals <= _LONGEST and largest < _LARGEST:
        return [f"{round(end, decimals) + 0.0:,.{decimals}f}" for end in ends]  # never "-0"
    digits = min(3 + round(math.log10(largest / size)), _MOST_DIGITS)
    return [f"{end:.{digits}g}" for end in ends]


def _dates(*ends: float) -> list[str]:
    texts = [str(np.datetime64(round(end), "s")).replace("T", " ") for end in ends]
    return [text[:10] if ends[1] - ends[0] > 2 * _DAY else text[:16] for text in texts]


_BY_SCORE = _legend((*_numbers(*LIMITS), PALETTE))
