"""The power spectrum: how much structure there is at each scale."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..exceptions import MeasurementError
from ._planes import planes, refuse_constant, suffixes
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_FAINTEST = 1e-10  # of the mean power; below it, rounding is all there is
_SMALLEST = 4  # pixels


class PowerSpectrumFeatures(ShownAsCall):
    r"""Power spectral density of each band, averaged over all directions (LB21 section 3.2).

    Invariant under quarter turns, reflections and a change of the scale of brightness or of the
    level of the sky; nearly so under any rotation about the center.

    Parameters
    ----------
    n_bins : int
        Number of annuli of spatial frequency, in equal steps of its logarithm from one cycle per
        shorter side of the image to half a cycle per pixel.

    Notes
    -----
    With :math:`I` the band, :math:`w` a Hann window that keeps the image's edges from showing as
    structure (Press et al. 2007, Numerical Recipes, 3rd ed., section 13.4), and
    :math:`\bar I` the mean of the band under it,

    .. math:: P(k_x, k_y) = |\mathcal{F}[w (I - \bar I)]|^2, \qquad
        p_n = \log_{10} \frac{\langle P \rangle_n}{\langle P \rangle}

    where :math:`\langle P \rangle_n` is the mean over the frequencies in annulus :math:`n`, and
    :math:`\langle P \rangle` that over all annuli. White noise gives 0 everywhere. An annulus in
    which a small image has no frequency takes what lies between its neighbors. Missing pixels are
    taken for the mean of their band. No number is below -10.
    """

    name = "power_spectrum"
    kinds: tuple[str, ...] = ("image",)

    def __init__(self, n_bins: int = 12) -> None:
        if n_bins < 1:
            raise ValueError(f"n_bins is {n_bins}; wanted at least 1")
        self.n_bins = n_bins

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``power_<band>_<annulus>``, from the largest structures to the smallest.

        Without the band where there is only one.
        """
        return tuple(
            f"power{suffix}_{k}" for suffix in suffixes(source) for k in range(self.n_bins)
        )

    def settings(self) -> Mapping[str, Any]:
        """Return the number of annuli, and the version of the method."""
        return {"n_bins": self.n_bins, "version": 1}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Returns
        -------
        ndarray, shape (bands * n_bins,), float32

        Raises
        ------
        MeasurementError
            A band without data or without structure, or a side of less than four pixels.
        """
        from scipy import fft

        stack = planes(data)
        if min(stack.shape[1:]) < _SMALLEST:
            height, width = stack.shape[1:]
            raise MeasurementError(
                f"an image of {height} x {width} pixels has no spectrum; wanted at least "
                f"{_SMALLEST} x {_SMALLEST}"
            )
        refuse_constant(stack)
        annuli = _annuli(stack.shape[1], stack.shape[2], self.n_bins)
        transformed = fft.rfft2(_windowed(stack, annuli.window))
        power = (transformed.real**2 + transformed.imag**2) * annuli.multiplicity
        features = np.empty((len(stack), self.n_bins), np.float32)
        for band, plane in enumerate(power):
            total = np.bincount(annuli.annulus, plane.ravel(), self.n_bins + 1)[: self.n_bins]
            mean = total.sum() / annuli.size.sum()
            if not mean > 0:
                raise MeasurementError("all structure is finer than half a cycle per pixel")
            filled = annuli.size > 0
            known = np.maximum(total[filled] / annuli.size[filled] / mean, _FAINTEST)
            where = np.arange(self.n_bins)
            features[band] = np.interp(where, where[filled], np.log10(known))
        return features.ravel()


def _windowed(stack: NDArray[np.float32], window: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the mean under the window, and apply it; with a largest value of 1 per band."""
    missing = np.isnan(stack)
    if missing.any():
        weight = np.where(missing, 0, window)
        mean = np.nansum(stack * weight, axis=(1, 2), dtype=np.float64) / weight.sum(axis=(1, 2))
        result = np.where(missing, 0, stack - mean[:, None, None].astype(np.float32))
    else:
        mean = np.einsum("bij,ij->b", stack, window, dtype=np.float64) / window.sum()
        result = stack - mean[:, None, None].astype(np.float32)
    largest = np.abs(result).max(axis=(1, 2), keepdims=True)
    return np.asarray(result * (window / largest), np.float32)


class _Annuli(NamedTuple):
    """What depends on the shape of an image alone.

    ``annulus``: the annulus of each frequency of the half plane, ``n_bins`` for none;
    ``multiplicity``: how often it stands for itself in the whole plane, (1, width // 2 + 1);
    ``size``: frequencies of the whole plane in each annulus; ``window``: (height, width).
    """

    annulus: NDArray[np.intp]
    multiplicity: NDArray[np.float32]
    size: NDArray[Any]
    window: NDArray[np.float32]


@lru_cache(maxsize=32)
def _annuli(height: int, width: int, n_bins: int) -> _Annuli:
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.hypot(down, across)
    edges = np.geomspace(1 / min(height, width), 0.5, n_bins + 1)
    index = np.clip(np.searchsorted(edges * (1 - 1e-9), frequency, "right") - 1, 0, n_bins - 1)
    index[frequency > 0.5 * (1 + 1e-9)] = n_bins
    index[0, 0] = n_bins  # the mean is no structure
    multiplicity = np.full((1, width // 2 + 1), 2, np.float32)
    multiplicity[0, 0] = 1
    if width % 2 == 0:
        multiplicity[0, -1] = 1
    weights = np.broadcast_to(multiplicity, index.shape).ravel()
    size = np.bincount(index.ravel(), weights, n_bins + 1)[:n_bins]
    # the window of n points that is 0 just outside of the image, not on its first pixel
    down, across = (
        np.sin(np.pi * (np.arange(n) + 0.5) / n).astype(np.float32) ** 2 for n in (height, width)
    )
    return _Annuli(index.ravel(), multiplicity, size, down[:, None] * across)
