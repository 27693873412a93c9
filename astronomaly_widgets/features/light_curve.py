"""Light curves in numbers: how much they vary, how, and with what period."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .._optional import require
from ..exceptions import MeasurementError
from ._period import find_period
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .._protocols import Source

# a feature's own name, and the extractor of light-curve that measures it
_SHAPE: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("amplitude", "Amplitude", {}),
    ("anderson_darling", "AndersonDarlingNormal", {}),
    ("beyond_1_std", "BeyondNStd", {"nstd": 1}),
    ("cusum", "Cusum", {}),
    ("eta_e", "EtaE", {}),
    ("excess_variance", "ExcessVariance", {}),
    ("interquartile_range", "InterPercentileRange", {"quantile": 0.25}),
    ("kurtosis", "Kurtosis", {}),
    ("median", "Median", {}),
    ("median_absolute_deviation", "MedianAbsoluteDeviation", {}),
    ("median_buffer_range", "MedianBufferRangePercentage", {"quantile": 0.1}),
    ("maximum_slope", "MaximumSlope", {}),
    ("reduced_chi2", "ReducedChi2", {}),
    ("skew", "Skew", {}),
    ("standard_deviation", "StandardDeviation", {}),
    ("stetson_k", "StetsonK", {}),
    ("trend", "LinearTrend", {}),
    ("otsu", "OtsuSplit", {}),
)
# the extractors that give several numbers
_PARTS = {
    "trend": ("trend", None, "trend_noise"),
    "otsu": ("otsu_difference", "otsu_std_lower", "otsu_std_upper", "otsu_lower_fraction"),
}
# positive, and spread over many orders of magnitude
_IN_LOG = ("anderson_darling", "eta_e", "maximum_slope", "reduced_chi2")
_PERIOD = ("log_period", "period_power", "period_significance")
_LEAST = 1e-6


class LightCurveFeatures(ShownAsCall):
    """Variability, shape, trend and period of light curves.

    The features of Malanchev et al. (2021, MNRAS 502, 5147, appendix A), measured by their library
    `light-curve`, and a period found by Lomb-Scargle fits, see :func:`find_period`.

    Parameters
    ----------
    bands : sequence of str, optional
        Measure each of these bands by itself, and the colors between neighbors: for surveys with
        the same bands for all. Left out, features are the mean over those bands of an object that
        have enough points, weighted by their number; nothing is lost for want of one band.
    min_points : int
        An object is set aside if no band (or, with `bands`, any of them) has so many points; at
        least 4.
    period : bool
        Whether to search for a period, which takes most of the time.
    min_period : float
        The shortest period that is tried, in days.

    Notes
    -----
    Points of one band at one time are averaged. Where errors are not known, the scatter from point
    to point stands in for them (von Neumann 1941). Fluxes are measured in units of their own
    standard deviation, which is kept as ``log_scale``: no other feature depends on the unit. A
    color of fluxes is the difference of the asinh of their medians, linear up to the typical error
    (Lupton, Gunn & Szalay 1999, AJ 118, 1406), positive where the first band is brighter.
    *anderson_darling*, *eta_e*, *maximum_slope* and *reduced_chi2* are logarithms (base 10).
    *period_significance* is ``log10(1 - log10 p)``, p the probability that noise explains as much.
    """

    name = "light_curve"
    kinds: tuple[str, ...] = ("light_curve",)

    def __init__(
        self,
        bands: Sequence[str] | None = None,
        *,
        min_points: int = 4,
        period: bool = True,
        min_period: float = 0.1,
    ) -> None:
        if min_points < 4:
            raise ValueError(f"min_points is {min_points}; skew and kurtosis need at least 4")
        if not min_period > 0:
            raise ValueError(f"min_period is {min_period}; wanted days, above 0")
        if isinstance(bands, str) or (bands is not None and not len(bands)):
            raise ValueError(f"bands is {bands!r}; wanted a list of at least one band, or None")
        self.bands = bands
        self.min_points = min_points
        self.period = period
        self.min_period = min_period

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names like ``amplitude`` and ``log_period``; with bands ``g_amplitude``, ``g-r``.

        Raises
        ------
        ValueError
            The source has not all of `bands`.
        """
        shape = _shape_names(getattr(source, "value_name", "magnitude") == "flux")
        names: list[str] = list(shape)
        if self.bands is not None:
            known = getattr(source, "bands", tuple(self.bands))
            missing = [band for band in self.bands if band not in known]
            if missing:
                raise ValueError(
                    f"there are no bands {', '.join(map(repr, missing))}; there are "
                    f"{', '.join(map(repr, known))}"
                )
            names = [f"{band}_{name}" for band in self.bands for name in shape]
            names += [f"{a}-{b}" for a, b in pairwise(self.bands)]
        return (*names, *(_PERIOD if self.period else ()))

    def settings(self) -> Mapping[str, Any]:
        """Return the parameters and the version of the method."""
        return {
            "bands": None if self.bands is None else list(self.bands),
            "min_points": self.min_points,
            "period": self.period,
            "min_period": self.min_period,
            "version": 2,
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one light curve.

        Parameters
        ----------
        data : structured ndarray, shape (n_points,)
            As :meth:`~astronomaly_widgets.sources.LightCurves.read` returns it.

        Returns
        -------
        ndarray, float32
            Shape (25,), or (26,) for fluxes, where no bands are named.

        Raises
        ------
        MeasurementError
            Too few points, no variation at all, or no finite points.
        """
        value_name = _value_name(data)
        data = data[np.isfinite(data["time"]) & np.isfinite(data[value_name])]
        is_flux = value_name == "flux"
        features = self._over_bands(data, is_flux) if self.bands is None else []
        if self.bands is not None:
            curves = [self._enough(data, band) for band in self.bands]
            features += [number for curve in curves for number in _shape(curve, is_flux)]
            middles = [_middle(curve, is_flux) for curve in curves]
            features += [a - b for a, b in pairwise(middles)]
            data = np.concatenate(curves)
        if self.period:
            features += self._period(data)
        return np.array(features, np.float32)

    def _enough(self, data: NDArray[Any], band: str) -> NDArray[Any]:
        """Return the points of a band, one per time."""
        curve = _one_per_time(data[data["band"] == band])
        if len(curve) < self.min_points:
            where = f" in band {band}" if band else ""
            raise MeasurementError(f"{_n_points(len(curve))}{where}; wanted {self.min_points}")
        return curve

    def _over_bands(self, data: NDArray[Any], is_flux: bool) -> list[float]:
        curves = [_one_per_time(data[data["band"] == band]) for band in np.unique(data["band"])]
        enough = [curve for curve in curves if len(curve) >= self.min_points]
        if not enough:
            most = max((len(curve) for curve in curves), default=0)
            where = " in its best band" if len(curves) > 1 else ""
            raise MeasurementError(f"{_n_points(most)}{where}; wanted {self.min_points}")
        varying = [curve for curve in enough if np.ptp(curve[_value_name(curve)]) > 0]
        if not varying:
            raise MeasurementError(f"all of its {len(enough[0])} points have the same value")
        rows = [_shape(curve, is_flux) for curve in varying]
        mean: list[float] = np.average(rows, axis=0, weights=[len(c) for c in varying]).tolist()
        return mean

    def _period(self, data: NDArray[Any]) -> list[float]:
        try:
            found = find_period(data, self.min_period)
        except ValueError as error:
            raise MeasurementError(str(error)) from error
        significance = np.log10(1 - found.log_chance)
        return [float(np.log10(found.days)), found.power, float(significance)]


def _value_name(data: NDArray[Any]) -> str:
    """Return "magnitude" or "flux", which is the second field of a light curve."""
    return (data.dtype.names or ("", ""))[1]


def _shape_names(is_flux: bool) -> tuple[str, ...]:
    names = [part for name, *_ in _SHAPE for part in _PARTS.get(name, (name,)) if part is not None]
    return (*names, *(("log_scale",) if is_flux else ()))


@lru_cache(maxsize=1)
def _extractor() -> Any:
    lc = require("light_curve", extra="series")
    return lc.Extractor(*(getattr(lc, kind)(**options) for _, kind, options in _SHAPE))


def _shape(curve: NDArray[Any], is_flux: bool) -> list[float]:
    """Measure one band of an object; points are in order of time."""
    value = curve[_value_name(curve)]
    if np.ptp(value) == 0:
        raise MeasurementError(f"all of its {len(value)} points have the same value")
    error = curve["error"]
    error = np.where(np.isfinite(error) & (error > 0), error, _typical_error(curve))
    scale = float(np.std(value)) if is_flux else 1.0
    time = curve["time"] - curve["time"][0]
    try:
        numbers = _extractor()(time, value / scale, error / scale, sorted=True)
    except ValueError as problem:  # the library's word for what has no such feature
        raise MeasurementError(str(problem)) from problem
    parts = [part for name, *_ in _SHAPE for part in _PARTS.get(name, (name,))]
    found = {p: float(number) for p, number in zip(parts, numbers, strict=True) if p is not None}
    for name in _IN_LOG:
        found[name] = float(np.log10(max(found[name], _LEAST)))
    return [*found.values(), *((float(np.log10(scale)),) if is_flux else ())]


def _typical_error(curve: NDArray[Any]) -> float:
    """Return the median of the errors that are known, or else the scatter from point to point."""
    value, error = curve[_value_name(curve)], curve["error"]
    known = np.isfinite(error) & (error > 0)
    if known.any():
        return float(np.median(error[known]))
    noise = np.median(np.abs(np.diff(value))) / 0.954  # of a normal distribution
    return float(max(noise, 0.01 * np.std(value)))


def _middle(curve: NDArray[Any], is_flux: bool) -> float:
    """Return the median as a magnitude, or the asinh of that of a flux."""
    middle = float(np.median(curve[_value_name(curve)]))
    if not is_flux:
        return middle
    softening = 2 * _typical_error(curve)
    return float(np.arcsinh(middle / softening) + np.log(softening))


def _one_per_time(curve: NDArray[Any]) -> NDArray[Any]:
    """Average the points of one time, in order of time; the better a point, the more it counts."""
    times, group = np.unique(curve["time"], return_inverse=True)
    if len(times) == len(curve):
        return curve[np.argsort(curve["time"], kind="stable")]
    name = _value_name(curve)
    error = curve["error"]
    known = np.isfinite(error) & (error > 0)
    weight = np.where(known, 1 / np.where(known, error, 1) ** 2, 0)
    unknown = np.bincount(group, weight) == 0  # where no error is known all count the same
    weight[unknown[group]] = 1
    total = np.bincount(group, weight)
    result = np.empty(len(times), curve.dtype)
    result["time"], result["band"] = times, curve["band"][0]
    result[name] = np.bincount(group, weight * curve[name]) / total
    result["error"] = np.where(unknown, np.nan, 1 / np.sqrt(total))
    return result


def _n_points(n: int) -> str:
    return f"{n} point{'' if n == 1 else 's'}"
