"""Magnitudes and colors of the central source."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import preprocess
from ..exceptions import MeasurementError
from ._planes import central_source, planes, suffixes
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_LEAST_SKY = 64  # pixels beside the source that are enough to know the sky
_LEAST_SOFTENING = 1e-6  # of the brightest band: where the sky has no noise


class PhotometryFeatures(ShownAsCall):
    r"""Magnitude in each band, colors of neighboring bands, and how colors change outwards.

    What is odd by its color, such as a "green pea", is found by these and by no measure of shape.
    Colors do not depend on the scale of brightness, if it is the same for all bands; no number
    depends on the orientation of the image or on the level of its sky.

    Parameters
    ----------
    sigma : float
        The source is what lies within the contour around the image's center at this many standard
        deviations of the noise above the sky, in the mean of the bands.
    radius : float, optional
        Measure within this many pixels of the image's center instead (pixels whose middle lies
        within), whether or not a source stands out there.
    zero_point : float
        Magnitude of a flux of 1, as 22.5 for nanomaggies.

    Notes
    -----
    The flux of a band is the sum of its source pixels less the sky, which is the sigma-clipped
    median of the pixels beside the source; missing source pixels count as the mean of the others.
    Magnitudes are those of Lupton, Gunn & Szalay (1999, AJ 118, 1406, eq. 3, with their choice of
    :math:`b`), which are defined for faint and negative fluxes too:

    .. math:: \mu = m_0 - \frac{2.5}{\ln 10}
        \left[ \operatorname{arsinh} \frac{f}{2b} + \ln b \right], \qquad b = 1.042\, \sigma_f

    with :math:`\sigma_f` the noise of the sky in as many pixels (at least a millionth of the
    greatest flux). A color is the difference of two magnitudes, the earlier band less the later.
    Its gradient is the color of the brighter half of the source's pixels less that of the fainter
    half: negative where the core is bluer, if bands go from blue to red.
    """

    name = "photometry"
    kinds: tuple[str, ...] = ("image",)

    def __init__(
        self, sigma: float = 3.0, radius: float | None = None, zero_point: float = 0.0
    ) -> None:
        if radius is not None and not radius >= 1:
            raise ValueError(f"radius is {radius}; wanted at least 1 pixel")
        self.sigma = sigma
        self.radius = radius
        self.zero_point = zero_point

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``magnitude_<band>``, ``surface_brightness``, ``color_<b>_<c>``, ``gradient_<b>_<c>``."""
        bands = suffixes(source)
        colors = [first + second for first, second in pairwise(bands)]
        return (
            *(f"magnitude{band}" for band in bands),
            "surface_brightness",
            *(f"color{color}" for color in colors),
            *(f"color_gradient{color}" for color in colors),
        )

    def settings(self) -> Mapping[str, Any]:
        """Return threshold, radius and zero point, and the version of the method."""
        return {
            "sigma": self.sigma,
            "radius": self.radius,
            "zero_point": self.zero_point,
            "version": 1,
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Returns
        -------
        ndarray, shape (3 * bands - 1,), float32
            Magnitudes; the surface brightness is per pixel, of the mean of the bands.

        Raises
        ------
        MeasurementError
            A band without data in the image or in the source, or no source at the center.
        """
        stack = planes(data)
        grey = preprocess.grey(data)
        if self.radius is None:
            mask = central_source(grey, self.sigma)
        else:
            mask = _disk(grey.shape, self.radius)
        sky, noise = _sky(data, mask)
        pixels = stack[:, mask].astype(np.float64) - sky[:, None]
        known = np.isfinite(pixels)
        empty = np.flatnonzero(~known.any(axis=1))
        if len(empty):
            raise MeasurementError(f"band {empty[0]} has no data within the source")
        brightness = np.where(known, pixels, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        bright = brightness >= np.median(brightness)
        flux = _flux(pixels)
        scale = np.abs(flux).max()
        if not scale > 0:
            raise MeasurementError("the source is as bright as the sky: it has no flux")

        def magnitudes(flux: NDArray[Any], noise: NDArray[Any], n: int) -> NDArray[Any]:
            softening = np.maximum(1.042 * noise * n**0.5, _LEAST_SOFTENING * scale)
            curve = np.arcsinh(flux / (2 * softening)) + np.log(softening)
            return np.asarray(self.zero_point - 2.5 / np.log(10) * curve)

        n, n_bands = pixels.shape[1], len(pixels)
        whole = magnitudes(flux, noise, n)
        mean_noise = np.sqrt((noise**2).sum()) / n_bands
        surface = magnitudes(flux.mean(), mean_noise, n) + 2.5 * np.log10(n)
        core, rim = (_flux(pixels[:, half]) for half in (bright, ~bright))
        core = magnitudes(core, noise, int(bright.sum()))
        rim = magnitudes(rim, noise, int((~bright).sum())) if not bright.all() else core
        gradient = np.diff(rim) - np.diff(core)  # a color is the former less the latter
        return np.hstack([whole, surface, -np.diff(whole), gradient]).astype(np.float32)


def _flux(pixels: NDArray[Any]) -> NDArray[Any]:
    """Sum of each band, (bands,), where what is missing counts as the mean; 0 without any."""
    known = np.isfinite(pixels)
    total = np.where(known, pixels, 0).sum(axis=1)
    return np.asarray(total * pixels.shape[1] / np.maximum(known.sum(axis=1), 1))


def _sky(image: NDArray[Any], mask: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Level and noise of the sky of each band, each (bands,), from the pixels beside the source."""
    stack = image[..., None] if image.ndim == 2 else image
    sky, noise = np.empty(stack.shape[2]), np.empty(stack.shape[2])
    for band in range(stack.shape[2]):
        plane = stack[..., band]
        beside = plane[~mask]
        enough = np.count_nonzero(np.isfinite(beside)) >= _LEAST_SKY
        _, sky[band], noise[band] = preprocess.sigma_clipped_stats(beside if enough else plane)
    return sky, noise


def _disk(shape: tuple[int, ...], radius: float) -> NDArray[np.bool_]:
    down, across = (np.arange(n) - (n - 1) / 2 for n in shape)
    return np.asarray(np.hypot(down[:, None], across) <= radius)
