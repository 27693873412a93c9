"""What there is to plot of an object that is a curve: a light curve or a spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import Source

# from blue to red, told apart by the color-blind too (Okabe & Ito 2008), on a dark ground
_PALETTE = ("#56b4e9", "#29b78f", "#f0e442", "#f5a623", "#ff7043", "#d789b8", "#b9bec8")
_ONE_BAND = "#7ad0eb"
_UNITS = {"Angstrom": "Å", "um": "µm", "micron": "µm"}


@dataclass(frozen=True)
class LineData:
    """A light curve or a spectrum, ready to be plotted.

    Attributes
    ----------
    kind : {"light_curve", "spectrum"}
        Points with error bars, or a line.
    x : ndarray, shape (n,), float64
        Time in days, or wavelength; increasing.
    y : ndarray, shape (n,), float64
        Magnitude or flux; NaN where a spectrum has no data.
    error : ndarray, shape (n,), float64
        Standard deviations of y; NaN where they are not known.
    band : ndarray, shape (n,), uint8
        Place of each point's band in `bands`.
    bands : tuple of str
        Names of the survey's bands, from blue to red; ``("",)`` for one without a name.
    colors : tuple of str
        Of the bands, as ``#rrggbb``; the same for all objects of a survey.
    x_label, y_label : str
        What is plotted, with its unit.
    turned : bool
        Whether y grows downwards, as magnitudes do.
    period : float
        At which to fold, in days; NaN for none.
    """

    kind: Literal["light_curve", "spectrum"]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64]
    band: NDArray[np.uint8]
    bands: tuple[str, ...]
    colors: tuple[str, ...]
    x_label: str
    y_label: str
    turned: bool = False
    period: float = float("nan")


def line_data(source: Source | None, object_id: str) -> LineData | None:
    """Return what there is to plot of one object, or None if it is not a curve.

    Parameters
    ----------
    source : Source or None
        Where the object comes from.
    object_id : str
        Which object.

    Returns
    -------
    LineData or None
        None for images, tables, and without a source.

    Raises
    ------
    ReadError
        It cannot be read.
    KeyError
        There is no such object.
    """
    if source is None or source.kind not in {"light_curve", "spectrum"}:
        return None
    return lines_of(source, object_id, source.read(object_id))


def lines_of(source: Source, object_id: str, data: NDArray[Any]) -> LineData:
    """Return the plot of an object that has been read."""
    names = data.dtype.names or ()
    if "wavelength" in names:
        return _spectrum(source, data)
    bands = tuple(getattr(source, "bands", ())) or tuple(np.unique(data["band"]).tolist())
    value = names[1]
    unit = getattr(source, "value_unit", "")
    period = getattr(source, "period", None)
    number = {name: k for k, name in enumerate(bands)}
    return LineData(
        "light_curve",
        np.ascontiguousarray(data["time"], dtype=np.float64),
        np.ascontiguousarray(data[value], dtype=np.float64),
        np.ascontiguousarray(data["error"], dtype=np.float64),
        np.array([number[name] for name in data["band"].tolist()], np.uint8),
        bands,
        band_colors(len(bands)),
        "time (days)",
        f"{value} ({unit})" if unit else value,
        turned=value == "magnitude",
        period=float("nan") if period is None else float(period(object_id)),
    )


def _spectrum(source: Source, data: NDArray[Any]) -> LineData:
    unit = getattr(source, "wavelength_unit", "")
    axis = getattr(source, "axis_name", "wavelength")
    flux_unit = getattr(source, "value_unit", "")
    return LineData(
        "spectrum",
        np.ascontiguousarray(data["wavelength"], dtype=np.float64),
        np.ascontiguousarray(data["flux"], dtype=np.float64),
        np.ascontiguousarray(data["error"], dtype=np.float64),
        np.zeros(len(data), np.uint8),
        ("",),
        (_ONE_BAND,),
        f"{axis} ({_UNITS.get(unit, unit)})" if unit else axis,
        f"flux ({flux_unit})" if flux_unit else "flux",
    )


def band_colors(n: int) -> tuple[str, ...]:
    """Return n colors from blue to red; beyond seven they come again."""
    if n == 1:
        return (_ONE_BAND,)
    if n > len(_PALETTE):
        return tuple(_PALETTE[k % len(_PALETTE)] for k in range(n))
    last = min(4, n - 1) if n <= 5 else n - 1
    last = 4 if n <= 5 else last
    return tuple(_PALETTE[round(k)] for k in np.linspace(0, last, n))


def folded(lines: LineData, period: float) -> LineData:
    """Return a light curve against phase, two cycles of it, with the brightest point at phase 0."""
    brightest = np.argmin(lines.y) if lines.turned else np.argmax(lines.y)
    phase = np.mod((lines.x - lines.x[brightest]) / period, 1.0)
    return LineData(
        lines.kind,
        np.concatenate([phase, phase + 1]),
        np.tile(lines.y, 2),
        np.tile(lines.error, 2),
        np.tile(lines.band, 2),
        lines.bands,
        lines.colors,
        f"phase (period {period:.6g} d)",
        lines.y_label,
        lines.turned,
        period,
    )
