"""The display stretch: what a screen shows of an object's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SAMPLE = 60_000  # pixels that are enough to find the limits of a stretch
# where asinh turns from linear to logarithmic: as a fraction of the range, but never in the noise
_SOFTENING = 0.06
_SOFTENING_SIGMAS = 2.0


class _Limits(NamedTuple):
    """Of each band, shape (bands,) or (): black level and range; and the softening of all."""

    black: NDArray[np.float32]
    scale: NDArray[np.float32]
    softening: float


def display(image: ArrayLike) -> NDArray[np.uint8]:
    """Turn the pixels of an object into what a screen shows.

    8-bit pictures pass untouched. Anything deeper is stretched: black lies one sigma under the
    sky (median and median absolute deviation), white at the 99.8th percentile, asinh in between,
    which is linear up to the noise (Lupton, Gunn & Szalay 1999), so that noise is not magnified.
    The bands of a color image share one asinh of their mean, which keeps hues (Lupton et al.
    2004). Bands that are up to three times brighter or fainter than the median band keep that
    difference, which is the color; beyond that they are scaled, so that no band drowns the rest.

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, bands)
        Any real dtype; NaN and infinity are shown black. One band is shown grey; two as red and
        blue with their mean as green; of more than three the first, middle and last are red,
        green and blue.

    Returns
    -------
    ndarray, uint8, shape (height, width) or (height, width, 3)

    Raises
    ------
    ValueError
        If the image is empty or has another number of axes.
    """
    data = bands(np.asarray(image))
    return data if data.dtype == np.uint8 else _stretch(data, _limits(data))


def bands(data: NDArray[Any]) -> NDArray[Any]:
    """Reduce to (h, w) or (h, w, 3) in uint8 or float32."""
    if data.ndim not in (2, 3) or data.size == 0:
        raise ValueError(
            f"an image has shape (height, width) or (height, width, bands), got {data.shape}"
        )
    if data.dtype == np.bool_:
        data = data.astype(np.uint8) * np.uint8(255)
    if data.dtype != np.uint8:
        with np.errstate(over="ignore"):  # beyond float32 is as bright as can be
            data = data.astype(np.float32)
    if data.ndim == 2:
        return data
    n_bands = data.shape[2]
    if n_bands == 1:
        return data[..., 0]
    if n_bands == 2:
        mean = data.mean(axis=2, dtype=np.float32).astype(data.dtype)
        return np.stack([data[..., 0], mean, data[..., 1]], axis=2)
    return data if n_bands == 3 else data[..., [0, n_bands // 2, n_bands - 1]]


def cropped(data: NDArray[Any], crop: float) -> NDArray[Any]:
    """Cut out the central fraction `crop` of each side."""
    height, width = (max(1, round(crop * side)) for side in data.shape[:2])
    top, left = (data.shape[0] - height) // 2, (data.shape[1] - width) // 2
    return data[top : top + height, left : left + width]


def resized(data: NDArray[Any], longest: int) -> NDArray[np.uint8]:
    """Scale so that the longer side has `longest` pixels, and make it displayable."""
    import cv2

    height, width = data.shape[:2]
    factor = longest / max(height, width)
    wanted = max(1, round(width * factor)), max(1, round(height * factor))
    limits = None
    if data.dtype != np.uint8:
        limits = _limits(data)
        # a missing pixel becomes sky, or averaging would spread it over its neighbors
        data = np.where(np.isfinite(data), data, limits.black)
    # linear data are averaged before the stretch, as a larger pixel would have counted them
    if factor < 1:
        data = _averaged(data, int(1 / factor))
        data = cv2.resize(data, wanted, interpolation=cv2.INTER_LINEAR)
    shown = cast("NDArray[np.uint8]", data) if limits is None else _stretch(data, limits)
    if factor > 1:  # after the stretch, or bright stars would ring
        larger = cv2.resize(np.ascontiguousarray(shown), wanted, interpolation=cv2.INTER_CUBIC)
        return cast("NDArray[np.uint8]", larger)
    return shown


def _averaged(data: NDArray[Any], block: int) -> NDArray[Any]:
    """Average whole blocks of pixels: a tenth of the time of averaging by a broken factor."""
    import cv2

    height, width = (max(1, side // block) for side in data.shape[:2])
    whole = np.ascontiguousarray(data[: height * block, : width * block])
    return cast("NDArray[Any]", cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def _limits(data: NDArray[Any]) -> _Limits:
    """Find black level, range and softening of float data."""
    n_bands = data.shape[2] if data.ndim == 3 else 1
    pixels = data.reshape(-1, n_bands)
    pixels = pixels[:: max(1, len(pixels) // _SAMPLE)]
    black = np.zeros(n_bands, dtype=np.float32)
    scale = np.full(n_bands, np.nan, dtype=np.float32)
    noise = np.zeros(n_bands, dtype=np.float32)
    for band in range(n_bands):
        values = pixels[:, band]
        values = values[np.isfinite(values)]
        if values.size == 0:
            continue
        median, white = np.percentile(values, [50, 99.8])
        sigma = 1.4826 * np.median(np.abs(values - median))
        black[band] = max(values.min(), median - sigma)
        scale[band] = (white if white > black[band] else values.max()) - black[band]
        noise[band] = sigma
    scale[~(scale > 0)] = np.nan
    if np.isnan(scale).all():
        scale[:] = 1  # constant or nothing but NaN: any range shows it black
    typical = np.nanmedian(scale)
    scale = np.where(np.isnan(scale), typical, scale)
    scale = scale / np.clip(scale / typical, 1 / 3, 3)
    softening = max(_SOFTENING, _SOFTENING_SIGMAS * float(np.median(noise / scale)))
    if data.ndim == 2:
        return _Limits(black[0], scale[0], softening)
    return _Limits(black, scale, softening)


def _stretch(data: NDArray[Any], limits: _Limits) -> NDArray[np.uint8]:
    black, scale, softening = limits
    light = np.maximum((np.nan_to_num(data, nan=-np.inf) - black) / scale, 0)
    light = np.minimum(light, 1e6)  # an infinite pixel is white, and nothing overflows
    # three bands are added one by one: numpy is slow to sum over a short axis
    red, green, blue = np.moveaxis(light, 2, 0) if light.ndim == 3 else (light,) * 3
    mean = np.maximum((red + green + blue) / 3, 1e-9)
    factor = np.arcsinh(mean / softening) / (np.arcsinh(1 / softening) * mean)
    if light.ndim == 3:  # too bright a pixel keeps its hue
        brightest = np.maximum(np.maximum(red, green), blue) * factor
        factor = (factor / np.maximum(brightest, 1))[..., None]
    light = light * factor
    shown: NDArray[np.uint8] = (np.minimum(light, 1) * 255 + 0.5).astype(np.uint8)
    return shown
