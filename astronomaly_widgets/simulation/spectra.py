"""Simulated spectra of galaxies with known truth, rare ones among them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ..sources import Spectra
from ._mixture import draw_classes, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Light = NDArray[np.float64]

# share among the ordinary, or among the rare; what the simulated person gives it
_ORDINARY = {"passive": 0.45, "star_forming": 0.43, "seyfert": 0.12}
_RARE = {
    "lens": 0.3,
    "extreme_emission": 0.25,
    "tidal_disruption": 0.15,
    "sky_residual": 0.18,
    "bad_join": 0.12,
}
SPECTRUM_SCORES: Mapping[str, float] = MappingProxyType(
    {
        "passive": 0.0,
        "star_forming": 0.0,
        "seyfert": 1.0,
        "lens": 5.0,
        "extreme_emission": 5.0,
        "tidal_disruption": 4.0,
        "sky_residual": 0.0,
        "bad_join": 0.0,
    }
)
# rest wavelengths in air, Angstrom
_OII, _OIII, _H_ALPHA, _H_BETA = 3727.4, 5006.8, 6562.8, 4861.3
_BALMER = {_H_ALPHA: 1.0, _H_BETA: 0.35, 4340.5: 0.16, 4101.7: 0.09}
# equivalent widths in Angstrom, of an old population and of a young one
_METALS = {3933.7: 9, 3968.5: 8, 4304.4: 5.5, 4383: 3, 5175.4: 5, 5270: 2.5, 5892.9: 3.5}
_HOT = {3933.7: 3, 4101.7: 4, 4340.5: 4, 5175.4: 1.5}
_SKY_LINES = (5577.3, 6300.3, 6363.8, 7276, 7341, 7750, 7821, 7914, 8344, 8399, 8465, 8778, 8827,
              8886, 8919, 8958)  # fmt: skip
_RESOLUTION = 3.0  # Angstrom, standard deviation
_KM_S = 299_792.458


def make_spectra(
    n: int = 1000,
    random_state: int = 0,
    *,
    n_wavelengths: int = 1200,
    rare_fraction: float = 0.06,
) -> Spectra:
    """Simulate a survey of spectra of galaxies, with rare ones and bad data among them.

    Ordinary are passive galaxies, star-forming ones and Seyfert galaxies of type 2. Rare and
    interesting are lenses (an old galaxy with the emission lines of another one at a larger
    redshift, as Bolton et al. 2006, ApJ 638, 703, found them), galaxies that are all emission lines
    ("green peas"), and tidal disruptions (a blue continuum with broad lines of hydrogen and
    helium); rare and boring are remains of the sky's lines, and the two arms of a spectrograph that
    do not join.

    An object depends on `random_state` and its own number only: the first hundred of a thousand
    are the hundred of a survey of a hundred.

    Parameters
    ----------
    n : int
        Number of objects.
    random_state : int
        Seed.
    n_wavelengths : int
        Points of each spectrum, from 3800 to 9200 Angstrom, evenly spaced in the logarithm; at
        least 300.
    rare_fraction : float
        Share of the rare ones together, 0..1. Of these, 70 % are interesting.

    Returns
    -------
    Spectra
        Fluxes relative to that at 5500 Angstrom at rest, with errors, read at rest wavelengths.
        Its catalog has the ``redshift`` and the truth: ``class_name`` (a key of
        ``SPECTRUM_SCORES``), ``score`` (the person's, 0..5) and ``interesting`` (bool: score of 4
        or more). So ``explore(make_spectra(), truth="interesting")`` works.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> make_spectra(n=20, random_state=1).read("galaxy-000000").shape
    (1200,)
    """
    if n_wavelengths < 300:
        raise ValueError(f"n_wavelengths is {n_wavelengths}; wanted at least 300 to show lines")
    classes = draw_classes(n, random_state, rare_fraction, _ORDINARY, _RARE)
    seen = np.geomspace(3800, 9200, n_wavelengths)
    flux, error = np.empty((2, n, n_wavelengths), np.float32)
    redshift = np.empty(n)
    for row, name in enumerate(classes):
        rng = np.random.default_rng((random_state, row))
        redshift[row] = rng.uniform(0.02, 0.25)
        flux[row], error[row] = _observe(name, rng, seen, redshift[row])
    ids = [f"galaxy-{row:06d}" for row in range(n)]
    catalog = judged(ids, classes, SPECTRUM_SCORES)
    catalog.insert(0, "redshift", redshift)
    source = Spectra(flux, seen, error=error, object_ids=ids, redshift="redshift", catalog=catalog)
    arguments = {
        "n": int(n),
        "random_state": int(random_state),
        "n_wavelengths": int(n_wavelengths),
        "rare_fraction": float(rare_fraction),
    }
    source.spec = {"room": "demos", "name": "simulated_spectra", "arguments": arguments}
    return source


def _observe(
    name: str, rng: np.random.Generator, seen: Light, redshift: float
) -> tuple[Light, Light]:
    """Observe one object; its flux and the error of it, each (n_wavelengths,)."""
    light = _DRAW.get(name, _ordinary)(rng, seen / (1 + redshift))
    # the detector sees less light at either end
    depth = rng.uniform(10, 30) * np.exp(-(((seen - 6300) / 3200) ** 2))
    error = np.hypot(1 / depth, 0.02 * np.abs(light))
    flux = light + error * rng.standard_normal(len(seen))
    if name == "sky_residual":
        flux += _remains_of_the_sky(rng, seen)
    elif name == "bad_join":
        flux[seen < rng.uniform(5800, 6100)] *= rng.choice([0.45, 0.6, 1.6, 2.0])
    return flux, error


def _ordinary(rng: np.random.Generator, rest: Light) -> Light:
    """Shine as a galaxy to which bad data happen."""
    return (_passive if rng.random() < 0.5 else _star_forming)(rng, rest)


def _passive(rng: np.random.Generator, rest: Light) -> Light:
    """Old stars: a break at 4000 Angstrom, and metals."""
    light = (rest / 5500) ** rng.uniform(-0.4, 0.5) * np.exp(-((3300 / rest) ** 6))
    light /= 1 + rng.uniform(0.7, 1.1) / (1 + np.exp((rest - 4000) / 45))
    return light * (1 - _lines(rest, _METALS, rng.uniform(0.8, 1.2), rng.uniform(5, 7)))


def _star_forming(rng: np.random.Generator, rest: Light) -> Light:
    """Young stars, and the gas round them."""
    light = (rest / 5500) ** rng.uniform(-1.6, -0.4) / (
        1 + rng.uniform(0.15, 0.4) / (1 + np.exp((rest - 3900) / 60))
    )
    light *= 1 - _lines(rest, _HOT, 1.0, 6.0)
    return light + _gas(rest, 10 ** rng.uniform(0.9, 1.8), rng.uniform(0.2, 1.0))


def _seyfert(rng: np.random.Generator, rest: Light) -> Light:
    """Light the gas of an old galaxy by its nucleus."""
    width = rng.uniform(250, 450)
    return _passive(rng, rest) + _gas(
        rest, rng.uniform(8, 25), rng.uniform(3, 8), nii=rng.uniform(0.7, 1.4), km_s=width
    )


def _extreme_emission(rng: np.random.Generator, rest: Light) -> Light:
    """Ten million years old, and all aglow."""
    light = (rest / 5500) ** rng.uniform(-2.0, -1.2)
    return light + _gas(rest, rng.uniform(250, 500), rng.uniform(1.6, 2.6), nii=0.05)


def _lens(rng: np.random.Generator, rest: Light) -> Light:
    """Shine through: lines of a galaxy behind that fall where this one has none."""
    behind = rest / rng.uniform(1.22, 1.5)
    lines = {_OII: 1.0, _H_BETA: 0.4, _OIII: rng.uniform(0.6, 1.5)}
    lines[4958.9] = lines[_OIII] / 2.98
    return _passive(rng, rest) + _lines(behind, lines, rng.uniform(8, 18), 3.5)


def _tidal_disruption(rng: np.random.Generator, rest: Light) -> Light:
    """Shine blue, with lines of thousands of km/s, while a star falls in."""
    blue = rng.uniform(0.8, 2.5) * (rest / 5500) ** -2.8
    broad = {_H_ALPHA: 1.0, _H_BETA: 0.5, 4685.7: rng.uniform(0.8, 1.6)}
    km_s = rng.uniform(3500, 7000)
    width = 5500 * km_s / _KM_S
    return _passive(rng, rest) + blue + _lines(rest, broad, rng.uniform(60, 130), width)


def _remains_of_the_sky(rng: np.random.Generator, seen: Light) -> Light:
    strength = rng.normal(0, rng.uniform(8, 20), len(_SKY_LINES))
    return _lines(seen, dict(zip(_SKY_LINES, strength, strict=True)), 1.0, _RESOLUTION)


def _gas(
    rest: Light, h_alpha: float, oiii_over_hb: float, *, nii: float = 0.35, km_s: float = 120
) -> Light:
    """Return the lines of ionized gas; `h_alpha` is the flux of H alpha in Angstrom."""
    oiii = _BALMER[_H_BETA] * oiii_over_hb
    lines = {
        **_BALMER,
        _OIII: oiii,
        4958.9: oiii / 2.98,
        _OII: 0.8,
        6583.5: nii,
        6548.1: nii / 2.96,
        6716.4: 0.2,
        6730.8: 0.15,
    }
    return _lines(rest, lines, h_alpha, float(np.hypot(_RESOLUTION, 5500 * km_s / _KM_S)))


def _lines(at: Light, lines: Mapping[float, float], strength: float, width: float) -> Light:
    """Sum of Gaussian lines of these fluxes times `strength`; width is a standard deviation."""
    total = np.zeros(len(at))
    for center, flux in lines.items():
        total += flux * np.exp(-0.5 * ((at - center) / width) ** 2)
    return np.asarray(total * strength / (width * np.sqrt(2 * np.pi)))


_DRAW: dict[str, Callable[[np.random.Generator, Light], Light]] = {
    "passive": _passive,
    "star_forming": _star_forming,
    "seyfert": _seyfert,
    "lens": _lens,
    "extreme_emission": _extreme_emission,
    "tidal_disruption": _tidal_disruption,
}
