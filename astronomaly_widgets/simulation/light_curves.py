"""Simulated light curves of variable stars with known truth, rare ones among them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sources import LightCurves
from ._mixture import draw_classes, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Drawn = tuple[NDArray[np.float64], float]

# share among the ordinary, or among the rare; what the simulated person gives it
_ORDINARY = {"rr_lyrae": 0.24, "eclipsing": 0.26, "mira": 0.2, "spotted": 0.16, "quasar": 0.14}
_RARE = {"microlensing": 0.3, "dwarf_nova": 0.25, "fading": 0.2, "glitch": 0.15, "jump": 0.1}
LIGHT_CURVE_SCORES: Mapping[str, float] = MappingProxyType(
    {
        "rr_lyrae": 1.0,
        "eclipsing": 1.0,
        "mira": 1.0,
        "spotted": 0.0,
        "quasar": 1.0,
        "microlensing": 5.0,
        "dwarf_nova": 4.0,
        "fading": 5.0,
        "glitch": 0.0,
        "jump": 0.0,
    }
)
_BANDS = ("g", "r")
_START = 59_000.0  # MJD of the first night
_SEASON = 220.0  # days of a year in which a field is up at night
_LATER = 0.03  # days between the exposures in g and in r


def make_light_curves(
    n: int = 1000,
    random_state: int = 0,
    *,
    n_nights: int = 70,
    n_years: int = 2,
    rare_fraction: float = 0.06,
) -> LightCurves:
    """Simulate a survey of variable stars in two bands, with rare ones and glitches among them.

    Ordinary are RR Lyrae stars, eclipsing binaries, Miras, spotted stars that turn, and quasars
    (a damped random walk). Rare and interesting are stars brightened by a gravitational lens
    (Paczynski 1986, ApJ 304, 1, eq. 1), dwarf novae in outburst, and stars that fade as R Coronae
    Borealis does; rare and boring are single bad points, and a zero point that jumps from one year
    to the next. Every field is observed in random nights of its season, in g and then in r.

    An object depends on `random_state` and its own number only: the first hundred of a thousand
    are the hundred of a survey of a hundred.

    Parameters
    ----------
    n : int
        Number of objects.
    random_state : int
        Seed.
    n_nights : int
        Nights in which each is observed, in all seasons together.
    n_years : int
        Number of seasons.
    rare_fraction : float
        Share of the rare ones together, 0..1. Of these, 75 % are interesting.

    Returns
    -------
    LightCurves
        Magnitudes with errors, in the bands g and r. Its catalog has the truth: ``class_name`` (a
        key of ``LIGHT_CURVE_SCORES``), ``score`` (the person's, 0..5), ``interesting`` (bool: score
        of 4 or more) and ``true_period`` (days; NaN where there is none). So
        ``explore(make_light_curves(), truth="interesting")`` works.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> make_light_curves(n=20, random_state=1)
    <LightCurves: 20 objects, 2800 points in g, r>
    """
    import pandas as pd

    if n_nights < 10 or n_years < 1 or n_nights > n_years * _SEASON / 2:
        raise ValueError(
            f"n_nights is {n_nights} in {n_years} years; wanted at least 10, and at most "
            f"{_SEASON / 2:.0f} a year"
        )
    classes = draw_classes(n, random_state, rare_fraction, _ORDINARY, _RARE)
    curves = []
    periods = np.empty(n)
    for row, name in enumerate(classes):
        curve, periods[row] = _observe(
            name, np.random.default_rng((random_state, row)), n_nights, n_years
        )
        curves.append(curve)
    ids = np.array([f"star-{row:06d}" for row in range(n)], dtype=object)
    time, magnitude, error = np.concatenate(curves, axis=1)
    n_points = 2 * n_nights
    table = pd.DataFrame(
        {
            "object_id": np.repeat(ids, n_points),
            "mjd": time,
            "mag": magnitude,
            "magerr": error,
            "band": np.tile(np.repeat(_BANDS, n_nights), n),
        }
    )
    truth = judged(ids, classes, LIGHT_CURVE_SCORES)
    truth["true_period"] = periods
    source = LightCurves(table, catalog=truth)
    arguments = {
        "n": int(n),
        "random_state": int(random_state),
        "n_nights": int(n_nights),
        "n_years": int(n_years),
        "rare_fraction": float(rare_fraction),
    }
    source.spec = {"room": "demos", "name": "simulated_light_curves", "arguments": arguments}
    return source


def _observe(
    name: str, rng: np.random.Generator, n_nights: int, n_years: int
) -> tuple[NDArray[np.float64], float]:
    """Observe one object; time, magnitude and error in g, then in r, (3, 2 n_nights); its period.

    Magnitudes of a class are relative to the star at rest, (2, n_nights), positive is fainter.
    """
    day = np.sort(rng.choice(int(n_years * _SEASON), n_nights, replace=False))
    year, day = np.divmod(day, int(_SEASON))
    night = 365.25 * year + day + rng.normal(0, 0.08, n_nights)
    time = np.stack([night, night + _LATER])
    shape, period = _DRAW[name](rng, time)
    brightness = rng.uniform(14.5, 17.5)
    color = np.array([[rng.normal(0.3, 0.15)], [-0.1]])
    magnitude = brightness + color + shape
    error = np.hypot(0.012, 0.02 * 10 ** (0.3 * (magnitude - 17)))
    magnitude += error * rng.standard_normal(time.shape)
    if name == "glitch":
        _spoil(rng, magnitude)
    curve = np.stack([time.ravel() + _START, magnitude.ravel(), error.ravel()])
    return curve, period


def _rr_lyrae(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Rise in a sixth of the period, fall in the rest."""
    period = rng.uniform(0.45, 0.75)
    phase = (time / period + rng.random()) % 1
    rise = rng.uniform(0.12, 0.2)
    tooth = np.where(phase < rise, 1 - phase / rise, (phase - rise) / (1 - rise))
    return _in_bands(rng.uniform(0.6, 1.2), 0.7) * (tooth**0.7 - 0.6), period


def _eclipsing(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Two minima, wider the closer the stars are."""
    period = float(np.exp(rng.uniform(np.log(0.3), np.log(6))))
    phase = (time / period + rng.random()) % 1
    width = 0.035 + 0.07 * (0.3 / period) ** 0.5
    depth = rng.uniform(0.25, 0.8)
    second = depth * rng.uniform(0.25, 0.95)
    dips = depth * np.exp(-0.5 * ((phase - 0.5) / width) ** 2)
    from_zero = np.minimum(phase, 1 - phase)
    return dips + second * np.exp(-0.5 * (from_zero / width) ** 2), period


def _mira(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Swell for months, never twice alike."""
    period = rng.uniform(110, 380)
    phase = time / period + rng.random()
    swell = np.sin(2 * np.pi * phase) * (1 + 0.2 * np.sin(2 * np.pi * time / (2.7 * period)))
    return _in_bands(rng.uniform(0.7, 1.8), 0.75) * swell, period


def _spotted(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Two spots on a star that turns."""
    period = rng.uniform(1, 15)
    phase = time / period + rng.random()
    first, second = np.sin(2 * np.pi * phase), np.sin(4 * np.pi * phase + rng.uniform(0, 6.3))
    return _in_bands(rng.uniform(0.05, 0.16), 0.8) * (first + 0.4 * second), period


def _quasar(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Damped random walk (Kelly et al. 2009, ApJ 698, 895)."""
    order = np.argsort(time, axis=None)
    kept = np.exp(-np.diff(time.ravel()[order], prepend=-np.inf) / rng.uniform(80, 300))
    walk = np.empty(time.size)
    at = 0.0
    for k, (fraction, step) in enumerate(zip(kept, rng.standard_normal(time.size), strict=True)):
        at = at * fraction + np.sqrt(1 - fraction**2) * step
        walk[order[k]] = at
    return _in_bands(rng.uniform(0.12, 0.3), 0.8) * walk.reshape(time.shape), np.nan


def _microlensing(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Brighten once, the same in all bands."""
    peak = rng.choice(time[0]) + rng.normal(0, 2)
    closest = rng.uniform(0.03, 0.9)  # the farther, the more there are, and the less they show
    u2 = closest**2 + ((time - peak) / rng.uniform(10, 45)) ** 2
    return -2.5 * np.log10((u2 + 2) / np.sqrt(u2 * (u2 + 4))), np.nan


def _dwarf_nova(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Faint, with outbursts of a few days that are bluer."""
    apart = rng.uniform(45, 110)
    starts = np.arange(-apart, time.max() + apart, apart)
    starts = starts + rng.uniform(-0.2, 0.2, len(starts)) * apart
    since = time[..., None] - starts
    decay = rng.uniform(5, 9)
    burst = np.where(since > 0, np.minimum(since / 1.5, 1) * np.exp(-since / decay), 0).sum(axis=-1)
    flicker = rng.normal(0, 0.08, time.shape)
    return flicker - _in_bands(rng.uniform(1.5, 4.5), 0.85) * burst, np.nan


def _fading(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Vanish behind a cloud of soot within days, and come back in months."""
    since = time - rng.choice(time[0, : 3 * time.shape[1] // 4]) + 1
    fall = np.clip(since / rng.uniform(8, 25), 0, 1)
    back = np.exp(-np.maximum(since, 0) / rng.uniform(60, 160))
    pulse = 0.08 * np.sin(2 * np.pi * time / rng.uniform(35, 50))
    return pulse + _in_bands(rng.uniform(1.0, 4.5), 0.8) * fall * back, np.nan


def _still(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:  # noqa: ARG001 - as the others
    return np.zeros(time.shape), np.nan


def _jump(rng: np.random.Generator, time: NDArray[Any]) -> Drawn:
    """Change the zero point where a season is over, or in the middle of the only one."""
    days = time[0]
    gap = int(np.argmax(np.diff(days)))
    later = np.arange(len(days)) > gap
    return rng.choice([-1, 1]) * rng.uniform(0.25, 0.8) * np.broadcast_to(later, time.shape), np.nan


def _spoil(rng: np.random.Generator, magnitude: NDArray[Any]) -> None:
    """Measure something else in a few images: a satellite, a neighbor, a cosmic ray."""
    bad = rng.choice(magnitude.size, rng.integers(2, 6), replace=False)
    magnitude.ravel()[bad] += rng.choice([-1, -1, 1], len(bad)) * rng.uniform(1, 3, len(bad))


def _in_bands(in_g: float, r_over_g: float) -> NDArray[np.float64]:
    """Amplitudes in g and r, (2, 1)."""
    return in_g * np.array([[1.0], [r_over_g]])


_DRAW: dict[str, Callable[[np.random.Generator, NDArray[Any]], Drawn]] = {
    "rr_lyrae": _rr_lyrae,
    "eclipsing": _eclipsing,
    "mira": _mira,
    "spotted": _spotted,
    "quasar": _quasar,
    "microlensing": _microlensing,
    "dwarf_nova": _dwarf_nova,
    "fading": _fading,
    "glitch": _still,
    "jump": _jump,
}
