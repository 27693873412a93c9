"""Light within circles: curve of growth, Petrosian radius, concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = 8  # radii per pixel
PETROSIAN = 0.2  # surface brightness at the Petrosian radius, by its mean within


class Growth(NamedTuple):
    """The curve of growth round a point: flux within each radius.

    ``radius``: (n,), pixels, rising in equal steps, to the nearest edge of the image;
    ``flux``: (n,), in the units of the image; ``ring``: (n,), mean surface brightness in the ring
    of one pixel's width that ends there.
    """

    radius: NDArray[np.float64]
    flux: NDArray[np.float64]
    ring: NDArray[np.float64]

    def petrosian_radius(self) -> float:
        """Where the surface brightness falls to 0.2 of its mean within; the last radius if nowhere.

        Petrosian (1976, ApJ 210, L53); the surface brightness is that of a ring one pixel wide.
        """
        middle = self.radius[_STEPS:] - 0.5
        if not len(middle):
            return float(self.radius[-1])
        mean = np.interp(middle, self.radius, self.flux) / (np.pi * middle**2)
        falling = self.ring[_STEPS:] - PETROSIAN * mean
        below = np.flatnonzero(falling <= 0)
        if not len(below):
            return float(self.radius[-1])
        k = int(below[0])
        if k == 0:
            return float(middle[0])
        part = falling[k - 1] / (falling[k - 1] - falling[k])
        return float(middle[k - 1] + part / _STEPS)

    def total(self, radius: float) -> float:
        """Flux within a radius in pixels, or within the last one if that is less."""
        return float(np.interp(radius, self.radius, self.flux))

    def radius_of(self, flux: float) -> float:
        """Where the curve first reaches a flux, in pixels; the last radius if nowhere."""
        reached = np.flatnonzero(self.flux >= flux)
        if not len(reached):
            return float(self.radius[-1])
        k = int(reached[0])
        if k == 0:
            return float(self.radius[0] * np.sqrt(flux / self.flux[0]))
        part = (flux - self.flux[k - 1]) / (self.flux[k] - self.flux[k - 1])
        return float(self.radius[k - 1] + part / _STEPS)


def growth(image: NDArray[Any], x: float, y: float) -> Growth:
    """Sum an image within circles round a point.

    A pixel at distance d counts by the part of d - 1/2 .. d + 1/2 that lies within the radius, and
    the sum is corrected to the circle's true area: within 1 % of the exact overlap from a radius of
    two pixels on.

    Parameters
    ----------
    image : ndarray, shape (height, width), floating
        Finite, sky subtracted.
    x, y : float
        The point, in pixels; (0, 0) is the middle of the first pixel.
    """
    height, width = image.shape
    last = min(x + 0.5, y + 0.5, width - 0.5 - x, height - 0.5 - y)
    n = max(2 * _STEPS, int(last * _STEPS))
    distance = np.hypot(np.arange(height)[:, None] - y, np.arange(width) - x)
    reach = _STEPS // 2 - 1  # cells by which a pixel reaches inwards
    cell = np.minimum((distance * _STEPS).astype(np.intp), n + reach + 1).ravel()
    spread = np.full(_STEPS + 1, 1 / _STEPS)
    spread[[0, -1]] /= 2
    flux, area = (
        np.cumsum(np.convolve(np.bincount(cell, weights, n + reach + 2)[:-1], spread))
        for weights in (image.ravel(), None)
    )
    flux, area = flux[reach : n + reach + 1], area[reach : n + reach + 1]
    radius = np.arange(_STEPS, n + 1) / _STEPS
    ring = (flux[_STEPS:] - flux[:-_STEPS]) / (area[_STEPS:] - area[:-_STEPS])
    return Growth(radius, flux[_STEPS:] / area[_STEPS:] * np.pi * radius**2, ring)
