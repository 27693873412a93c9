"""Which bands, and what they look like as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._noise import sigma_clipped_stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def select_bands(
    image: NDArray[Any], bands: Sequence[int], weights: Sequence[float] | None = None
) -> NDArray[Any]:
    """Choose and order bands, and multiply them by weights.

    Parameters
    ----------
    image : ndarray
        A grey image is one of a single band.
    bands : sequence of int
        Their numbers, in the order in which they are wanted; a band may be taken twice.
    weights : sequence of float, optional
        One factor for each band that was chosen.

    Returns
    -------
    ndarray, shape (height, width, len(bands))
        float32 if there are weights, else the type of the image.

    Raises
    ------
    ValueError
        There is no such band, or no band was chosen, or the weights are not one for each.
    """
    stack = image[..., None] if image.ndim == 2 else image
    n_bands = stack.shape[2]
    if not bands or not all(-n_bands <= band < n_bands for band in bands):
        raise ValueError(f"bands is {list(bands)}; wanted numbers below {n_bands}")
    chosen = stack[..., list(bands)]
    if weights is None:
        return chosen
    if len(weights) != len(bands):
        raise ValueError(f"there are {len(weights)} weights for {len(bands)} bands")
    return chosen.astype(np.float32) * np.asarray(weights, np.float32)


def lupton_rgb(
    image: NDArray[Any],
    minimum: float | Sequence[float] | None = None,
    stretch: float | None = None,
    Q: float = 8.0,
) -> NDArray[np.uint8]:
    """Make a picture in which color is the same for bright and faint (Lupton et al. 2004).

    PASP 116, 133, as :func:`astropy.visualization.make_lupton_rgb` has it.

    Parameters
    ----------
    image : ndarray, shape (height, width, 3)
        Red, green and blue, in proportion to light; see :func:`select_bands`.
    minimum : float or three floats, optional
        What becomes black; by default the sky of each band, its median after sigma clipping.
    stretch : float, optional
        Extent of the linear part, in the units of the image; by default so that the 99.5th
        percentile of the mean of the bands, above the sky, becomes white.
    Q : float
        Softening of the asinh; 0 is close to linear.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8
        What is missing counts as sky in its band, and is black where no band has data.

    Raises
    ------
    ValueError
        It does not have three bands, or `stretch` is not above 0, or `Q` is below.
    """
    from astropy.visualization import make_lupton_rgb

    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"an image of shape {image.shape} has no red, green and blue")
    if stretch is not None and not stretch > 0:
        raise ValueError(f"stretch is {stretch}; wanted more than 0")
    if not Q >= 0:
        raise ValueError(f"Q is {Q}; wanted 0 or more")
    if minimum is None:
        sky = np.array([sigma_clipped_stats(image[..., band])[1] for band in range(3)])
    else:
        sky = np.broadcast_to(np.asarray(minimum, np.float64), 3)
    light = image.astype(np.float64) - np.nan_to_num(sky)
    light[~np.isfinite(light)] = 0
    if stretch is None:
        mean = light.mean(axis=2)
        white = float(np.percentile(mean, 99.5))
        white = white if white > 0 else float(mean.max())  # of a few pixels on an empty sky
        white = white if white > 0 else 1.0
        softening = max(Q, 0.1)
        stretch = white * softening / np.sinh(10 * np.arcsinh(softening / 10))
    red, green, blue = np.moveaxis(light, 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # of pixels without light
        return np.asarray(make_lupton_rgb(red, green, blue, minimum=0, stretch=stretch, Q=Q))
