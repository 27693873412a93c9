"""Spectra in numbers: continuum, lines, principal components, or the fluxes themselves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import MeasurementError, ReadError
from ._spectrum_grid import Flattened, Grid, make_grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

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


class _OnGrid:
    """What extractors share that measure all spectra of a survey on one grid."""

    kinds: tuple[str, ...] = ("spectrum",)
    name = ""
    grid_: Grid

    def __init__(self, n_bins: int = 300, *, limits: tuple[float, float] | None = None) -> None:
        if n_bins < 20:
            raise ValueError(f"n_bins is {n_bins}; wanted at least 20")
        if limits is not None and not 0 < limits[0] < limits[1]:
            raise ValueError(f"limits are {limits}; wanted two wavelengths, the shorter first")
        self.n_bins = n_bins
        self.limits = limits

    def fit(self, source: Source) -> _OnGrid:
        """Choose the grid by the spectra of a survey; measuring does it by itself.

        Raises
        ------
        MeasurementError
            None can be read, or they have no common range.
        """
        self.grid_ = make_grid(source, self.n_bins, self.limits)
        return self

    def _fitted(self, source: Source) -> Grid:
        if not hasattr(self, "grid_"):
            self.fit(source)
        return self.grid_

    def _flatten(self, data: NDArray[Any]) -> Flattened:
        if not hasattr(self, "grid_"):
            raise ValueError(f"{self.name} has no grid yet; call fit(source) first")
        return self.grid_.flatten(data)

    def settings(self) -> Mapping[str, Any]:
        """Return the parameters, the grid and the version of the method."""
        grid = getattr(self, "grid_", None)
        return {
            "n_bins": self.n_bins,
            "limits": None if self.limits is None else list(self.limits),
            "grid": None if grid is None else [grid.start, grid.stop, grid.has_continuum],
            "version": 1,
        }


class SpectrumFeatures(_OnGrid):
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
        Names of lines and their wavelengths in Angstrom, by default those of :data:`LINES`; those
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
            As :meth:`Spectra.read` returns it.

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


class ResampledSpectrumFeatures(_OnGrid):
    """The fluxes themselves, on one grid for all and divided by their mean.

    Parameters
    ----------
    n_bins : int
        Bins of the grid, of equal width in log wavelength.
    limits : tuple of float, optional
        Ends of the grid, in the source's unit; by default what nine in ten spectra reach at either
        end.

    Notes
    -----
    Spectra that come without a continuum are divided by their standard deviation. Where a spectrum
    has no data it takes the continuum of what is near, or 0 without one.
    """

    name = "spectrum_raw"

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names like ``flux_5120.3``; fits to the source unless done."""
        return tuple(f"flux_{middle:.8g}" for middle in self._fitted(source).centers)

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Resample one spectrum; (n_bins,) float32.

        Raises
        ------
        MeasurementError
            It covers less than half of the grid, or is nothing but zeros.
        ValueError
            There is no grid yet.
        """
        spectrum = self._flatten(data)
        missing = np.isnan(spectrum.flux)
        values = np.where(missing, spectrum.continuum, spectrum.flux) / spectrum.scale
        return np.array(values, np.float32)


class SpectrumPCAFeatures(_OnGrid):
    """Principal components of the flattened spectra, and what they leave unexplained.

    Parameters
    ----------
    n_components : int
        As many, or fewer if there are fewer spectra.
    n_bins : int
        Bins of the grid, of equal width in log wavelength.
    limits : tuple of float, optional
        Ends of the grid, in the source's unit.
    n_fit : int
        Components are found from at most so many spectra, spread evenly over the survey.

    Attributes
    ----------
    mean_ : ndarray, shape (n_bins,)
        Of the flattened spectra.
    components_ : ndarray, shape (n_components, n_bins)
        Orthonormal, the one that explains most first.
    grid_ : Grid

    Notes
    -----
    *residual* is log10 of the root mean square of what the components do not explain: large for
    noise, and for what is unlike the rest (the eigenspectra of Yip et al. 2004, AJ 128, 585).
    """

    name = "spectrum_pca"

    def __init__(
        self,
        n_components: int = 20,
        *,
        n_bins: int = 300,
        limits: tuple[float, float] | None = None,
        n_fit: int = 5000,
    ) -> None:
        super().__init__(n_bins, limits=limits)
        if n_components < 1 or n_fit < 2:
            raise ValueError(
                f"n_components is {n_components} and n_fit {n_fit}; wanted at least 1 and 2"
            )
        self.n_components = n_components
        self.n_fit = n_fit

    def fit(self, source: Source) -> SpectrumPCAFeatures:
        """Find grid and components.

        Raises
        ------
        MeasurementError
            Fewer than two spectra can be measured, or they have no common range.
        """
        from scipy.linalg import svd

        super().fit(source)
        ids = source.object_ids
        some = ids[np.unique(np.linspace(0, len(ids) - 1, min(len(ids), self.n_fit)).astype(int))]
        rows = []
        for object_id in some:
            try:
                rows.append(self._relative(source.read(object_id)))
            except (MeasurementError, ReadError):
                continue
        if len(rows) < 2:
            raise MeasurementError(
                f"{len(rows)} of {len(some)} spectra can be measured; principal components want 2"
            )
        X = np.array(rows)
        self.mean_ = X.mean(axis=0)
        _, _, components = svd(X - self.mean_, full_matrices=False)
        n = min(self.n_components, len(X) - 1)
        signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(axis=1)])
        self.components_ = (components * signs[:, None])[:n]
        return self

    def _relative(self, data: NDArray[Any]) -> NDArray[np.float64]:
        # a line of ten times the continuum counts, but not a hundred times as much as others
        return np.arcsinh(self._flatten(data).relative)

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``pc_1``, ``pc_2``, ... and ``residual``; fits to the source unless done."""
        self._fitted(source)
        return (*(f"pc_{k + 1}" for k in range(len(self.components_))), "residual")

    def settings(self) -> Mapping[str, Any]:
        """Return the parameters and a digest of the components."""
        digest = hashlib.blake2b(digest_size=8)
        if hasattr(self, "components_"):
            digest.update(np.round(self.components_, 6).astype(np.float32).tobytes())
        return {
            **super().settings(),
            "n_components": self.n_components,
            "components": digest.hexdigest(),
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one spectrum; (n_components + 1,) float32.

        Raises
        ------
        MeasurementError
            It covers less than half of the grid, or is nothing but zeros.
        ValueError
            There are no components yet.
        """
        away = self._relative(data) - self.mean_
        scores = self.components_ @ away
        rest = away - scores @ self.components_
        residual = np.log10(max(np.sqrt(np.mean(rest**2)), _LEAST))
        return np.append(scores, residual).astype(np.float32)


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
