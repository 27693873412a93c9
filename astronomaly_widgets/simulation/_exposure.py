"""A small telescope: light on a sensor in three bands, made into a color picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def per_band(i: float, r: float, g: float) -> NDArray[np.float32]:
    """Three numbers as (3, 1, 1), to go with light of shape (size, size)."""
    return np.array([i, r, g], dtype=np.float32)[:, None, None]


# Fluxes are in nanomaggies (22.5 mag), bands are i, r, g: shown as red, green, blue
PIXEL = 0.396  # arcsec at 128 pixels a side, as in the Sloan Digital Sky Survey
_SKY_NOISE = per_band(0.026, 0.017, 0.012)  # per pixel
_GAIN = 260.0  # photoelectrons per nanomaggy

_BALANCE = per_band(0.90, 1.0, 1.52)  # what makes a solar spectrum white
_SOFTENING = 0.045  # nanomaggies per pixel where the display turns logarithmic
_WHITE = 3.2  # nanomaggies per pixel
_VIVID = 1.3  # colors are drawn this much stronger than they are


class Exposure:
    """One picture being taken.

    Attributes
    ----------
    size : int
        Side in pixels.
    unit : float
        Pixels per "pixel at 128 a side", so that a scene looks the same at every size.
    x, y : ndarray, shape (size, size), float32
        Coordinates from the center, in units; y points down.
    flux : ndarray, shape (3, size, size), float32
        What has arrived in i, r, g, in nanomaggies per pixel.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng = rng
        self.size = size
        self.unit = size / 128
        axis = ((np.arange(size) - (size - 1) / 2) / self.unit).astype(np.float32)
        self.x, self.y = np.meshgrid(axis, axis)
        self.flux: NDArray[np.float32] = np.zeros((3, size, size), dtype=np.float32)

    def plane(
        self,
        center: tuple[float, float],
        angle: float,
        axis_ratio: float,
        bend: float = 0.0,
        box: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coordinates in a disk that is tilted to `axis_ratio`, its long axis at `angle`.

        A `bend` (per unit) curves the disk, as a tide does; a `box` is a part of the picture.
        """
        dx, dy = self.x[box] - np.float32(center[0]), self.y[box] - np.float32(center[1])
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        u, v = cos * dx + sin * dy, cos * dy - sin * dx
        if bend:
            v = v + np.float32(bend) * u * u / (1 + np.abs(u) / 15)
        return np.asarray(u), np.asarray(v / np.float32(axis_ratio))

    def box(self, center: tuple[float, float], reach: float) -> tuple[slice, slice]:
        """Rows and columns of the pixels up to `reach` from a place; never none of them."""
        half = (self.size - 1) / 2
        row, column = (
            slice(
                int(np.clip((at - reach) * self.unit + half, 0, self.size - 1)),
                int(np.clip((at + reach) * self.unit + half + 2, 1, self.size)),
            )
            for at in (center[1], center[0])
        )
        return row, column

    def curve(
        self, x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any], width: float
    ) -> NDArray[np.float32]:
        """Light of many soft points of the given Gaussian width; sums to the weights on sensor."""
        half = (self.size - 1) / 2
        column, row = (np.round(axis * self.unit + half).astype(int) for axis in (x, y))
        on = (column >= 0) & (column < self.size) & (row >= 0) & (row < self.size)
        light = np.bincount(
            row[on] * self.size + column[on], weights=weights[on], minlength=self.size**2
        )
        light = light.reshape(self.size, self.size).astype(np.float32)
        return blurred(light, width * self.unit)

    def texture(self, width: float, strength: float) -> NDArray[np.float32]:
        """Lumpy field of mean about 1: log-normal with lumps of the given width."""
        noise = self.rng.standard_normal((self.size, self.size), dtype=np.float32)
        noise = blurred(noise, width * self.unit)
        lumps: NDArray[np.float32] = np.exp(strength * noise / noise.std())
        return lumps

    def shine(self, light: NDArray[Any], mag: float, g_r: float) -> NDArray[np.float32]:
        """Give light of any shape a magnitude in r and a color; (3, size, size)."""
        flux = 10 ** (0.4 * (22.5 - mag)) / max(float(light.sum()), 1e-12)
        return np.float32(flux) * spectrum(g_r) * np.asarray(light, dtype=np.float32)

    def develop(self, seeing: float) -> NDArray[np.float32]:
        """Blur by the atmosphere, add photon and sky noise; nanomaggies per unit area."""
        image = np.stack(
            [
                0.86 * blurred(band, seeing * self.unit)
                + 0.14 * blurred(band, 2.6 * seeing * self.unit)
                for band in self.flux
            ]
        )
        image *= self.unit**2
        sigma = np.sqrt(_SKY_NOISE**2 + np.maximum(image, 0) / _GAIN)
        noise = self.rng.standard_normal(image.shape, dtype=np.float32)
        return np.asarray(image + sigma * noise)


def blurred(light: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur; no light comes from beyond the edge."""
    side = 2 * int(np.ceil(3 * sigma)) + 1
    return np.asarray(cv2.GaussianBlur(light, (side, side), sigma, borderType=cv2.BORDER_CONSTANT))


def spectrum(g_r: float) -> NDArray[np.float32]:
    """Flux in i, r, g relative to r of a population of color g - r (magnitudes)."""
    r_i = 0.5 * g_r - 0.02
    return per_band(10 ** (0.4 * r_i), 1, 10 ** (-0.4 * g_r))


def sersic(radius: NDArray[Any], index: float, half_light: float) -> NDArray[np.float32]:
    """Sersic profile, 1 at the half-light radius (Ciotti & Bertin 1999 for b_n)."""
    b = 2 * index - 1 / 3 + 0.009876 / index
    softened = np.sqrt(radius**2 + 0.16)  # the mean over the central pixel is finite
    profile: NDArray[np.float32] = np.exp(
        -b * ((softened / np.float32(half_light)) ** np.float32(1 / index) - 1)
    )
    return profile


def composite(flux: NDArray[Any]) -> NDArray[np.uint8]:
    """Color picture of i, r, g with one asinh for all bands, which keeps hues (Lupton+ 2004).

    Parameters
    ----------
    flux : ndarray, shape (3, size, size)
        Nanomaggies per unit area; NaN, a band that is missing, is shown as none of its color.

    Returns
    -------
    ndarray, uint8, shape (size, size, 3)
    """
    light = np.nan_to_num(flux) * _BALANCE
    mean = np.maximum(light.mean(axis=0), np.float32(1e-6))
    slope = np.float32(1 / np.arcsinh(_WHITE / _SOFTENING))
    shown = light * (np.arcsinh(mean / np.float32(_SOFTENING)) * slope / mean)
    grey = shown.mean(axis=0)
    shown = np.float32(0.035) + grey + np.float32(_VIVID) * (shown - grey)
    peak = np.maximum(shown.max(axis=0), 1)
    bleached = np.clip(np.float32(2.5) * np.log10(peak), 0, 1)  # overexposed pixels turn white
    shown = shown * ((1 - bleached) / peak) + bleached
    picture = (np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(picture.transpose(1, 2, 0))
