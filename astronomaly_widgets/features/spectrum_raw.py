"""Spectra as they are, on one grid of wavelengths for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._spectrum_grid import OnGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import Source


class ResampledSpectrumFeatures(OnGrid):
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
