"""Spectra in numbers: the shape of their continuum, and their lines, known and unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._spectrum_grid import OnGrid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source
    from ._spectrum_grid import Grid

#: Rest wavelengths in air, Angstrom.
LINES: Mapping[str, float] = {
    "oii_3727": 3727.4,
    "ca_k": 3933.7,
    "ca_h": 3968.5,
    "h_delta": 4101.7,
    "g_band": 4304.4,
    "h_gamma": 4340.5,
    "he_ii_4686": 4685.7,
    "h_beta": 4861.3,
    "oiii_5007": 5006.8,
    "mg_b": 5175.4,
    "he_i_5876": 5875.6,
    "na_d": 5892.9,
    "o_i_6300": 6300.3,
    "si_ii_6355": 6355.2,
    "h_alpha": 6562.8,
    "s_ii_6725": 6724.0,
    "ca_ii_8542": 8542.1,
}
_N_CONTINUUM = 6
_N_PARTS = 12
_LEAST = 1e-6


class SpectrumFeatures(OnGrid):
    """Shape of the continuum, and strengths of the lines, known and unknown.

    Every spectrum is brought onto one grid (bins of equal width in log wavelength, over the range
    that most of the survey covers) and divided by its continuum, a running median. Spectra that
    come without a continuum, their mean near zero, are divided by their standard deviation instead.

    Parameters
    ----------
    n_bins : int
        Bins of the grid.
    limits : tuple of float, optional
        Ends of the grid, in the source's unit; by default what nine in ten spectra reach at either
        end.
    lines : mapping of str to float, optional
        Names of lines and their wavelengths in Angstrom, by default
        ``features.spectrum.LINES``; those
        outside of the grid are left out. They mean something for spectra at rest: give the source
        its redshifts.
    width : float
        A line is measured within this fraction of its wavelength, to either side; 0.01 is 3000
        km/s.

    Notes
    -----
    *line_<name>* is the equivalent width, ``sum((flux / continuum - 1) * d_lambda)``, positive in
    emission, in the source's unit. *emission_<wavelength>* and *absorption_<wavelength>* are the
    mean of the positive and of the negative part of ``flux / continuum - 1`` in twelve parts of the
    grid, which see lines that no list has. *continuum_<wavelength>* is log10 of the continuum in
    six parts over its mean. *roughness* is log10 of the median step between neighboring bins:
    noise.
    """

    name = "spectrum"

    def __init__(
        self,
        n_bins: int = 300,
        *,
        limits: tuple[float, float] | None = None,
        lines: Mapping[str, float] | None = None,
        width: float = 0.01,
    ) -> None:
        super().__init__(n_bins, limits=limits)
        if not 0 < width < 0.5:
            raise ValueError(f"width is {width}; wanted a fraction of the wavelength, such as 0.01")
        self.lines = lines
        self.width = width

    def fit(self, source: Source) -> SpectrumFeatures:
        """Choose the grid, and the lines that lie in it.

        Raises
        ------
        MeasurementError
            No spectrum can be read, or they have no common range.
        """
        super().fit(source)
        per_angstrom = _in_angstrom(getattr(source, "wavelength_unit", "Angstrom"))
        edges = self.grid_.edges
        self.windows_ = {
            name: (low, high)
            for name, at in (LINES if self.lines is None else self.lines).items()
            for low, high in [
                (at * per_angstrom * (1 - self.width), at * per_angstrom * (1 + self.width))
            ]
            if edges[0] <= low and high <= edges[-1]
        }
        return self

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names like ``line_h_alpha``, ``emission_5120``; fits to the source unless done."""
        grid = self._fitted(source)
        parts = [f"{middle:.4g}" for middle in _middles(grid, _N_PARTS)]
        shape = [f"continuum_{middle:.4g}" for middle in _middles(grid, _N_CONTINUUM)]
        return (
            *(shape if grid.has_continuum else ()),
            *(f"emission_{part}" for part in parts),
            *(f"absorption_{part}" for part in parts),
            *("strongest_emission", "strongest_absorption", "roughness"),
            *(f"line_{name}" for name in self.windows_),
        )

    def settings(self) -> Mapping[str, Any]:
        """Return the parameters, the grid, the lines and the version of the method."""
        windows = getattr(self, "windows_", {})
        lines = {name: list(window) for name, window in windows.items()}
        return {**super().settings(), "width": self.width, "lines": lines}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one spectrum.

        Parameters
        ----------
        data : structured ndarray, shape (n_wavelengths,)
            As :meth:`~astronomaly_widgets.sources.Spectra.read` returns it.

        Returns
        -------
        ndarray, shape (d,), float32

        Raises
        ------
        MeasurementError
            It covers less than half of the grid, or is nothing but zeros.
        ValueError
            There is no grid yet.
        """
        spectrum = self._flatten(data)
        relative, grid = spectrum.relative, self.grid_
        parts = np.array_split(relative, _N_PARTS)
        features: list[float] = []
        if grid.has_continuum:
            shape = [part.mean() for part in np.array_split(spectrum.continuum, _N_CONTINUUM)]
            features += [float(np.log10(max(mean / spectrum.scale, _LEAST))) for mean in shape]
        features += [float(np.maximum(part, 0).mean()) for part in parts]
        features += [float(np.maximum(-part, 0).mean()) for part in parts]
        seen = relative[np.isfinite(spectrum.flux)]
        noise = float(np.median(np.abs(np.diff(seen))))
        features += [
            max(seen.max(), 0.0),
            max(-seen.min(), 0.0),
            float(np.log10(max(noise, _LEAST))),
        ]
        features += [_integral(grid.edges, relative, *window) for window in self.windows_.values()]
        return np.array(features, np.float32)


def _middles(grid: Grid, n_parts: int) -> list[float]:
    return [float(np.sqrt(part[0] * part[-1])) for part in np.array_split(grid.centers, n_parts)]


def _integral(edges: NDArray[Any], values: NDArray[Any], low: float, high: float) -> float:
    """Integrate a step function between two wavelengths."""
    total = np.concatenate([[0], np.cumsum(values * np.diff(edges))])
    return float(np.interp(high, edges, total) - np.interp(low, edges, total))


def _in_angstrom(unit: str) -> float:
    """Return one Angstrom in a unit of length."""
    from astropy import units as u

    return float(u.Unit("Angstrom").to(unit))
