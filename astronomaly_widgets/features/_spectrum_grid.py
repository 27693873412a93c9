"""One grid of wavelengths for a survey of spectra, and what is left of each when flattened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..compute import evenly
from ..exceptions import MeasurementError, ReadError
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_N_SEEN = 500  # spectra from which the grid is made
_COVERED = 0.1  # the grid leaves out what this fraction of the spectra lacks, at each end
_FLAT = 0.3  # mean over scatter, below which there is no continuum left to divide by
_WIDTH = 0.15  # of the continuum's median filter, as a fraction of the grid
_FAINTEST = 0.1  # of the typical continuum: dividing by less would make lines of noise
_LEAST_COVERAGE = 0.5
_GAP = 5  # times the steps beside it: a step that is longer has no data within


class Flattened(NamedTuple):
    """A spectrum on the grid, each array of shape (n_bins,).

    Attributes
    ----------
    flux : ndarray
        Mean flux per bin; NaN where there are no data.
    continuum : ndarray
        Smooth part of it; what flux is divided by. 0 for spectra that come without one.
    relative : ndarray
        ``flux / continuum - 1``; for spectra without a continuum ``flux / scale``. 0 where there
        are no data: no line is seen there.
    scale : float
        Mean of the continuum, or standard deviation of the fluxes without one.
    """

    flux: NDArray[np.float64]
    continuum: NDArray[np.float64]
    relative: NDArray[np.float64]
    scale: float


@dataclass(frozen=True)
class Grid:
    """Bins of equal width in the logarithm of the wavelength.

    Attributes
    ----------
    start, stop : float
        The ends, in the source's unit of wavelength.
    n_bins : int
    has_continuum : bool
        Whether there is a continuum to divide by; False where spectra were flattened before.
    """

    start: float
    stop: float
    n_bins: int
    has_continuum: bool

    @property
    def edges(self) -> NDArray[np.float64]:
        """Ends of the bins, (n_bins + 1,)."""
        edges: NDArray[np.float64] = np.geomspace(self.start, self.stop, self.n_bins + 1)
        return edges

    @property
    def centers(self) -> NDArray[np.float64]:
        """Middles of the bins, (n_bins,)."""
        edges = self.edges
        return np.sqrt(edges[1:] * edges[:-1])

    def flatten(self, data: NDArray[Any]) -> Flattened:
        """Bring a spectrum onto the grid, and divide by its continuum.

        Raises
        ------
        MeasurementError
            Less than half of the grid is reached, or there is nothing but zeros.
        """
        flux = self.binned(data)
        seen = np.isfinite(flux)
        # gaps between detectors are those of all: they make no spectrum a poor one
        whole = self._mean_flux(data["wavelength"], data["flux"])
        reached = np.isfinite(whole).mean() if seen.sum() > 1 else 0.0
        if reached < _LEAST_COVERAGE:
            raise MeasurementError(
                f"it covers {reached:.0%} of the range that is measured, {self.start:.5g} to "
                f"{self.stop:.5g}; wanted {_LEAST_COVERAGE:.0%}"
            )
        if not self.has_continuum:
            scale = float(flux[seen].std())
            if not scale > 0:
                raise MeasurementError("all of its fluxes are the same")
            relative = np.where(seen, flux / scale, 0.0)
            return Flattened(flux, np.zeros(self.n_bins), relative, scale)
        continuum = self._continuum(flux, seen)
        relative = np.where(seen, flux / continuum - 1, 0.0)
        return Flattened(flux, continuum, relative, float(continuum[seen].mean()))

    def _continuum(self, flux: NDArray[Any], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
        from scipy.ndimage import median_filter

        width = 2 * int(_WIDTH * self.n_bins / 2) + 1
        places = np.flatnonzero(seen)
        filled = np.interp(np.arange(self.n_bins), places, flux[seen])
        smooth = median_filter(filled, width, mode="nearest")
        typical = float(np.median(np.abs(smooth[seen])))
        if not typical > 0:
            raise MeasurementError("more than half of its fluxes are 0")
        floored: NDArray[np.float64] = np.maximum(smooth, _FAINTEST * typical)
        return floored

    def binned(self, data: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean flux in each bin, (n_bins,): light is neither lost nor made.

        NaN where data cover less than half of a bin.
        """
        return self._mean_flux(*_with_gaps(data["wavelength"], data["flux"]))

    def _mean_flux(self, axis: NDArray[Any], flux: NDArray[Any]) -> NDArray[np.float64]:
        middles = (axis[1:] + axis[:-1]) / 2
        ends = np.concatenate([[2 * axis[0] - middles[0]], middles, [2 * axis[-1] - middles[-1]]])
        good = np.isfinite(flux)
        widths = np.diff(ends) * good
        light = np.concatenate([[0], np.cumsum(np.where(good, flux, 0) * widths)])
        width = np.concatenate([[0], np.cumsum(widths)])
        edges = self.edges
        covered = np.diff(np.interp(edges, ends, width))
        collected = np.diff(np.interp(edges, ends, light))
        enough = covered >= 0.5 * np.diff(edges)
        mean: NDArray[np.float64] = np.full(self.n_bins, np.nan)
        mean[enough] = collected[enough] / covered[enough]
        return mean


def _with_gaps(
    axis: NDArray[Any], flux: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put pixels without data where there are none, so that no pixel is as wide as such a gap."""
    step = np.diff(axis)
    # a lone pixel between two gaps has no width of its own
    beside = np.maximum(np.append(step[0], step[:-1]), np.append(step[1:], step[-1]))
    gap = np.flatnonzero(step > _GAP * beside)
    ends = np.stack([axis[gap] + step[gap - 1], axis[gap + 1] - step[gap + 1]], axis=1).ravel()
    places = np.repeat(gap + 1, 2)
    return np.insert(axis, places, ends), np.insert(flux, places, np.nan)


def make_grid(source: Source, n_bins: int, limits: tuple[float, float] | None) -> Grid:
    """Choose the grid for a survey.

    Parameters
    ----------
    source : Source
    n_bins : int
    limits : tuple of float, optional
        Ends of the grid; by default the range that nine in ten spectra reach at either end.

    Raises
    ------
    MeasurementError
        None of the spectra can be read, or they have no common range.
    """
    ids = source.object_ids
    some = ids[evenly(len(ids), _N_SEEN)]
    spans, ratios = [], []
    why = ""
    for object_id in some:
        try:
            data = source.read(object_id)
        except ReadError as error:
            why = why or f", such as {object_id!r}: {error}"
            continue
        good = np.isfinite(data["flux"])
        flux = data["flux"][good]
        if len(flux) > 1:
            spans.append(data["wavelength"][good][[0, -1]])
            scatter = float(flux.std())
            ratios.append(abs(float(np.median(flux))) / scatter if scatter else np.inf)
    if not spans:
        raise MeasurementError(f"not one of {len(some)} spectra can be read{why}")
    starts, stops = np.array(spans).T
    if limits is None:
        limits = (
            float(np.quantile(starts, 1 - _COVERED, method="nearest")),
            float(np.quantile(stops, _COVERED, method="nearest")),
        )
    if not 0 < limits[0] < limits[1]:
        raise MeasurementError(
            f"the spectra have no common range: they begin at {starts.min():.5g} to "
            f"{starts.max():.5g} and end at {stops.min():.5g} to {stops.max():.5g}; choose limits"
        )
    return Grid(*limits, n_bins, has_continuum=bool(np.median(ratios) > _FLAT))


class OnGrid(ShownAsCall):
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

    def fit(self, source: Source) -> OnGrid:
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
            "version": 2,
        }
