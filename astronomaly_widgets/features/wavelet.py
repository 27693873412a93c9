"""Wavelets: how much structure there is at each scale, and how gathered it is."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .._optional import require
from ..exceptions import MeasurementError
from ._planes import planes, refuse_constant, suffixes
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_STARLET = "starlet"
_SPLINE = (1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16)
_FAINTEST = 1e-10  # of the energy; below it, rounding is all there is


class WaveletFeatures(ShownAsCall):
    r"""Energy and sparsity of the undecimated wavelet transform of each band.

    Energy says how much of the structure has a scale of 2, 4, 8, ... pixels; sparsity whether it
    is gathered in few pixels (knots, arcs, cosmic rays) or spread over all (noise, smooth light).
    Invariant under a change of the scale of brightness or of the level of the sky, and, with the
    starlet, under quarter turns and reflections, and nearly so under any rotation.

    Parameters
    ----------
    wavelet : str
        ``"starlet"``, the isotropic wavelet of the B3 spline, or the name of a discrete wavelet of
        PyWavelets, such as ``"haar"`` or ``"sym4"`` (extra ``images``).
    n_levels : int
        Number of scales, each twice as coarse as the one before.

    Notes
    -----
    The starlet (Starck & Murtagh 2006, Astronomical Image and Data Analysis, 2nd ed., appendix A):
    :math:`c_0` is the image, :math:`c_j` is :math:`c_{j-1}` smoothed along both axes with
    (1, 4, 6, 4, 1) / 16 at a spacing of :math:`2^{j-1}` pixels, and :math:`w_j = c_{j-1} - c_j`.
    With a wavelet of PyWavelets, :math:`w_j` are the horizontal, vertical and diagonal details of
    its stationary transform together. Beyond its edges the image is mirrored. Then

    .. math:: e_j = \log_{10} \frac{\sum w_j^2}{\sum_i \sum w_i^2}, \qquad
        s_j = \frac{\sqrt n - \sum |w_j| / \sqrt{\sum w_j^2}}{\sqrt n - 1}

    with the sparsity :math:`s_j` of Hoyer (2004, J. Mach. Learn. Res. 5, 1457): 0 if
    all :math:`n` coefficients are alike, 1 if only one is not zero. Missing pixels are taken for
    the mean of their band. No energy is below -10; a scale without energy has sparsity 0.
    """

    name = "wavelet"
    kinds: tuple[str, ...] = ("image",)

    def __init__(self, wavelet: str = _STARLET, n_levels: int = 5) -> None:
        if n_levels < 1:
            raise ValueError(f"n_levels is {n_levels}; wanted at least 1")
        self.wavelet = wavelet
        self.n_levels = n_levels

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``wavelet_energy_<band>_<level>`` and ``wavelet_sparsity_<band>_<level>``.

        From the finest level to the coarsest; without the band where there is only one.

        Raises
        ------
        ValueError
            There is no such wavelet.
        MissingDependencyError
            A wavelet other than the starlet, without PyWavelets.
        """
        if self.wavelet != _STARLET:
            _filters(self.wavelet)  # what is wrong with it is said before anything is measured
        return tuple(
            f"wavelet_{measure}{suffix}_{level}"
            for suffix in suffixes(source)
            for measure in ("energy", "sparsity")
            for level in range(1, self.n_levels + 1)
        )

    def settings(self) -> Mapping[str, Any]:
        """Return wavelet and number of levels, and the version of the method."""
        return {"wavelet": self.wavelet, "n_levels": self.n_levels, "version": 1}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Returns
        -------
        ndarray, shape (bands * 2 * n_levels,), float32

        Raises
        ------
        MeasurementError
            A band without data or without structure, or a side shorter than the coarsest scale.
        """
        stack = planes(data)
        height, width = stack.shape[1:]
        smallest = 2**self.n_levels
        if min(height, width) < smallest:
            raise MeasurementError(
                f"an image of {height} x {width} pixels is too small for {self.n_levels} levels of "
                f"wavelets; wanted at least {smallest} x {smallest}, or fewer levels"
            )
        refuse_constant(stack)
        rest = _centered(stack)
        energy = np.empty((len(stack), self.n_levels))
        sparsity = np.empty_like(energy)
        for level in range(self.n_levels):
            rest, details = _split(rest, self.wavelet, 2**level)
            flat = details.reshape(len(stack), -1)
            energy[:, level] = np.einsum("bi,bi->b", flat, flat)
            sparsity[:, level] = _hoyer(np.abs(flat).sum(axis=1), energy[:, level], flat.shape[1])
        total = energy.sum(axis=1, keepdims=True)
        share = np.divide(energy, total, out=np.zeros_like(energy), where=total > 0)
        logarithm = np.log10(np.maximum(share, _FAINTEST))
        return np.hstack([logarithm, sparsity]).astype(np.float32).ravel()


def _centered(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the mean, with a largest value of 1, so that no square overflows."""
    mean = np.nanmean(stack, axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    result = np.where(np.isnan(stack), np.float32(0), stack - mean)
    return np.asarray(result / np.abs(result).max(axis=(1, 2), keepdims=True), np.float32)


def _hoyer(l1: NDArray[Any], squares: NDArray[Any], n: int) -> NDArray[Any]:
    l2 = np.sqrt(squares)
    ratio = np.divide(l1, l2, out=np.full_like(l2, np.sqrt(n)), where=l2 > 0)
    return np.asarray(np.clip((np.sqrt(n) - ratio) / (np.sqrt(n) - 1), 0, 1))


def _split(
    stack: NDArray[np.float32], wavelet: str, step: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take the details of one scale out: what is left, (bands, h, w), and them, (bands, ...)."""
    if wavelet == _STARLET:
        smooth = _filtered(stack, _SPLINE, _SPLINE, step)
        return smooth, stack - smooth
    low, high = _filters(wavelet)
    details = [_filtered(stack, *taps, step) for taps in ((low, high), (high, low), (high, high))]
    return _filtered(stack, low, low, step), np.stack(details, axis=1)


@lru_cache
def _filters(wavelet: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Low and high pass of a discrete wavelet of PyWavelets, which keep the energy together."""
    bank = require("pywt", extra="images").Wavelet(wavelet)
    low, high = (
        tuple(tap / 2**0.5 for tap in reversed(taps)) for taps in (bank.dec_lo, bank.dec_hi)
    )
    return low, high


def _filtered(
    stack: NDArray[np.float32],
    down: tuple[float, ...],
    across: tuple[float, ...],
    step: int,
) -> NDArray[np.float32]:
    """Correlate along both axes with taps `step` pixels apart; mirrored beyond the edges."""
    import cv2

    rows, columns = (_spread(taps, step) for taps in (down, across))
    anchor = len(across) // 2 * step, len(down) // 2 * step
    bands = [
        cv2.sepFilter2D(band, -1, columns, rows, None, anchor, 0, cv2.BORDER_REFLECT)
        for band in stack
    ]
    return np.stack(bands)


def _spread(taps: tuple[float, ...], step: int) -> NDArray[np.float32]:
    kernel = np.zeros((len(taps) - 1) * step + 1, np.float32)
    kernel[::step] = taps
    return kernel
