"""The period of a light curve: a Lomb-Scargle search that is not taken in by sawteeth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._optional import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

_N_HARMONICS = 4
_N_CANDIDATES = 40  # peaks of the quick search that are looked at again
_FINER = 7  # frequencies per candidate
_OVERSAMPLING = 2.5  # at least, as the grid has a power of two of frequencies
_MOST_FREQUENCIES = 20  # as a power of two
_POINTS_PER_HARMONIC = 6
_FLOOR = 0.03  # of the amplitude: errors are seldom all there is, and no point rules the fit
_LEAST_LOG_CHANCE = -300.0


class Period(NamedTuple):
    """What a search for a period has found.

    Attributes
    ----------
    days : float
        The best period.
    power : float
        Fraction of the variance that the harmonics at this period explain, 0..1.
    log_chance : float
        Logarithm (base 10) of the probability that noise alone explains as much at any period that
        was tried; 0 where that is certain.
    """

    days: float
    power: float
    log_chance: float


def find_period(light_curve: NDArray[Any], min_period: float = 0.1) -> Period:
    """Find the best period of a light curve, all bands together.

    Parameters
    ----------
    light_curve : structured ndarray, shape (n_points,)
        As :meth:`~astronomaly_widgets.sources.LightCurves.read` returns it: ``time`` in
        days, ``magnitude`` or ``flux``, ``error`` (NaN where it is not known) and ``band``.
    min_period : float
        The shortest period that is tried, in days, or an eighth of the time covered if that is
        shorter; the longest is half of it.

    Returns
    -------
    Period

    Raises
    ------
    ValueError
        Fewer than four points, all at one time, or all of one value.

    Notes
    -----
    A single sine mistakes the aliases of a sawtooth, such as an RR Lyrae star's, for its period. So
    the highest peaks of a quick periodogram are looked at again with a Lomb-Scargle fit of several
    harmonics and a floating mean (VanderPlas 2018, ApJS 236, 16, section 6; fewer harmonics where
    there are few points). Bands are brought to one mean and one amplitude first, so that all of
    them carry one phase. The chance is that of white noise (ibid., section 7.4.2, with the beta
    distribution of several harmonics: Schwarzenberg-Czerny 1998, MNRAS 301, 831), times the number
    of independent frequencies.
    """
    from astropy.timeseries import LombScargle
    from scipy.special import betaincc

    time, value, error, n_bands = _brought_together(light_curve)
    n = len(time)
    span = float(np.ptp(time)) if n else 0.0
    if n < 4 or span == 0 or np.ptp(value) == 0:
        raise ValueError(
            f"a period needs at least four points at several times that differ, got {n} in "
            f"{span:g} days"
        )
    most = max(1 / min_period, 8 / span)
    candidates = _candidates(time - time.min(), value, span, most)
    n_harmonics = int(np.clip(n // _POINTS_PER_HARMONIC, 1, _N_HARMONICS))
    error = np.hypot(error, _FLOOR)
    fit = LombScargle(time - time.mean(), value, error, nterms=n_harmonics)
    power = _powers(fit, candidates)
    best = int(power.argmax())
    found = float(np.clip(power[best], 0, 1))
    freedom = max(n - n_bands - 2 * n_harmonics, 1)
    chance = float(betaincc(n_harmonics, freedom / 2, found))
    log_chance = np.log10(chance) + np.log10(span * most) if chance > 0 else _LEAST_LOG_CHANCE
    return Period(
        1 / float(candidates[best]), found, float(np.clip(log_chance, _LEAST_LOG_CHANCE, 0))
    )


def _powers(fit: Any, frequencies: NDArray[Any]) -> NDArray[Any]:
    """Return the power at each frequency; 0 where the points cannot tell its harmonics apart."""
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            power: NDArray[Any] = fit.power(frequencies, method="chi2")
    except np.linalg.LinAlgError:
        if len(frequencies) == 1:
            return np.zeros(1)
        return np.concatenate(
            [_powers(fit, frequencies[k : k + 1]) for k in range(len(frequencies))]
        )
    return np.where(np.isfinite(power), power, 0.0)


def _brought_together(
    light_curve: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], int]:
    """Return time, value, error in units of each band's amplitude, and the number of bands."""
    names = light_curve.dtype.names or ()
    raw = light_curve[names[1]]
    value, error = np.zeros(len(raw)), np.zeros(len(raw))
    used = np.zeros(len(raw), bool)
    bands = np.unique(light_curve["band"])
    n_used = 0
    for band in bands:
        here = light_curve["band"] == band
        low, high = np.percentile(raw[here], [5, 95])
        amplitude = high - low if high > low else np.ptp(raw[here])  # one flare on a flat curve
        if (here.sum() < 3 and len(bands) > 1) or amplitude == 0:
            continue  # it has no amplitude to be measured in
        value[here] = (raw[here] - raw[here].mean()) / amplitude
        error[here] = light_curve["error"][here] / amplitude
        used |= here
        n_used += 1
    error = np.where(np.isfinite(error), error, 0)
    return light_curve["time"][used], value[used], error[used], n_used


def _candidates(
    time: NDArray[Any], value: NDArray[Any], span: float, most: float
) -> NDArray[np.float64]:
    """Return frequencies round the highest peaks of a quick periodogram, per day."""
    lc = require("light_curve", extra="series")
    levels = int(np.ceil(np.log2(max(most * span * _OVERSAMPLING, 64))))
    grid = np.linspace(0, 2 * np.pi * most, 2 ** min(levels, _MOST_FREQUENCIES) + 1)
    order = np.argsort(time, kind="stable")
    quick = lc.Periodogram(freqs=grid, fast=True)
    angular, power = quick.freq_power(time[order], value[order])
    frequency = angular / (2 * np.pi)
    step = frequency[1]
    slow = frequency < 2 / span
    power = np.where(slow, -np.inf, np.nan_to_num(power))
    inner = power[1:-1]
    peaks = 1 + np.flatnonzero((inner > power[:-2]) & (inner >= power[2:]) & np.isfinite(inner))
    if not len(peaks):
        peaks = np.array([int(power.argmax())])  # no peak but at one end
    highest = peaks[np.argsort(-power[peaks], kind="stable")[:_N_CANDIDATES]]
    around = frequency[highest][:, None] + np.linspace(-1, 1, _FINER) * step
    return np.unique(np.clip(around, step, most))
