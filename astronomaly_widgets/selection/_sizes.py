"""How large a cut-out must be to show its object (E24 section 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def effective_area(r_half: ArrayLike, sigma: ArrayLike, *, p: float = 1.15) -> NDArray[np.float64]:
    """Return the area that the light of a galaxy covers, N_eff of E24 equation 1.

    ``N_eff = [(4 pi sigma^2)^(1/p) + (8.91 r_half^2)^(1/p)]^p``: that of the point-spread
    function and that of an exponential profile, one after the other.

    Parameters
    ----------
    r_half : array_like
        Half-light radius of the profile, in pixels.
    sigma : array_like
        Standard deviation of a Gaussian point-spread function, in pixels: FWHM / 2.355.
    p : float

    Returns
    -------
    ndarray, float64
        Number of pixels, of the shape of both; NaN where an input is NaN.

    Raises
    ------
    ValueError
        A radius or a sigma is negative, or `p` is not positive.

    References
    ----------
    Etsebeth et al. 2024, MNRAS 529, 732, equation 1, after Dey et al. 2019, AJ 157, 168.
    """
    radius, width = np.asarray(r_half, np.float64), np.asarray(sigma, np.float64)
    if (radius < 0).any() or (width < 0).any() or not p > 0:
        raise ValueError("r_half and sigma are lengths and p an exponent: none can be negative")
    seeing = (4 * np.pi * width**2) ** (1 / p)
    return np.asarray((seeing + (8.91 * radius**2) ** (1 / p)) ** p)


def cutout_side(
    r_half: ArrayLike,
    sigma: ArrayLike,
    *,
    pixel_scale: float = 1.0,
    smallest: int = 2,
    largest: int | None = None,
) -> NDArray[np.float64]:
    """Return the side of the cut-out of a galaxy, ``sqrt(N_eff)`` (E24 section 2.2).

    Parameters
    ----------
    r_half, sigma : array_like
        As for :func:`effective_area`, but in units of which a pixel has `pixel_scale`: for a
        catalog in arcsec, give the arcsec per pixel.
    pixel_scale : float
        Side of a pixel.
    smallest, largest : int, optional
        Limits, in pixels.

    Returns
    -------
    ndarray, float64
        Whole numbers of pixels, for ``FITSCutouts(..., size=...)``; NaN where an input is NaN.

    Raises
    ------
    ValueError
        A negative radius, or a `pixel_scale` that is not positive.
    """
    if not pixel_scale > 0:
        raise ValueError(f"pixel_scale is {pixel_scale!r}; wanted a positive number")
    area = effective_area(np.divide(r_half, pixel_scale), np.divide(sigma, pixel_scale))
    return np.asarray(np.clip(np.ceil(np.sqrt(area)), smallest, largest))
