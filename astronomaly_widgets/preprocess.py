"""Image to image: noise, brightness scales, grey, crops (LB21 section 3.1).

Every function takes an image of shape (height, width) or (height, width, bands), integer or
floating, and returns a new one. NaN means no data: it takes no part in any statistic and stays NaN,
unless the docstring says what becomes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Stretch = Literal["linear", "sqrt", "log", "asinh", "sinh"]

# the curves of astropy.visualization with its default parameters, 0..1 to 0..1
_CURVES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "linear": lambda x: x,
    "sqrt": np.sqrt,
    "log": lambda x: np.log1p(1000 * x) / np.log(1001),
    "asinh": lambda x: np.arcsinh(10 * x) / np.arcsinh(10),
    "sinh": lambda x: np.sinh(3 * x) / np.sinh(3),
}


def grey(image: NDArray[Any], method: Literal["mean", "opencv"] = "mean") -> NDArray[Any]:
    """Average the bands (E24 section 3.1 and conclusion).

    Parameters
    ----------
    image : ndarray
        A grey image is only converted.
    method : {"mean", "opencv"}
        The mean of all bands that have data, or OpenCV's weights of red, green and blue
        (0.299, 0.587, 0.114).

    Returns
    -------
    ndarray, shape (height, width), float32
        NaN where no band has data (for ``"opencv"``: where a band has none).

    Raises
    ------
    ValueError
        OpenCV's weights for an image that does not have three bands, or another method.
    """
    if method not in {"mean", "opencv"}:
        raise ValueError(f"method is {method!r}; wanted 'mean' or 'opencv'")
    if image.ndim == 2:
        return image.astype(np.float32)
    bands = image.shape[2]
    if method == "opencv":
        if bands != 3:
            raise ValueError(f"OpenCV's weights are for 3 bands, not {bands}; use method='mean'")
        return _weighted(image, np.array([0.299, 0.587, 0.114]))
    if image.dtype.kind != "f" or np.isfinite(image).all():
        return _weighted(image, np.full(bands, 1 / bands))
    valid = np.isfinite(image)
    total = np.where(valid, image, 0).sum(axis=2, dtype=np.float64)
    count = valid.sum(axis=2)
    return np.where(count, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _weighted(image: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    import cv2

    if image.dtype.itemsize > 4:
        return np.asarray(image @ weights, np.float32)
    # eight times faster than numpy, which walks along the short axis
    floating = np.ascontiguousarray(image, np.float32)
    return np.asarray(cv2.transform(floating, weights[None].astype(np.float32)))


def sigma_clipped_stats(
    image: NDArray[Any], sigma: float = 3.0, maxiters: int | None = 5
) -> tuple[float, float, float]:
    """Mean, median and standard deviation of the background, after sigma clipping.

    The same as :func:`astropy.stats.sigma_clipped_stats`, in a fraction of the time: what is
    left after each clip is a run of the sorted values, so they are sorted once, or, for integers of
    up to 16 bits, only counted.

    Parameters
    ----------
    image : ndarray
        Of any shape; values that are not finite are left out.
    sigma : float
        Clip values further than this many standard deviations from the median.
    maxiters : int or None
        Clip at most so often, or until nothing is clipped any more.

    Returns
    -------
    mean, median, std : float
        In the units of the image; NaN if no value is finite.
    """
    values, counts = _distribution(image)
    if not len(values):
        return (np.nan, np.nan, np.nan)
    mean, median, std = _moments(values, counts)
    iteration = 0
    while maxiters is None or iteration < maxiters:
        low = int(np.searchsorted(values, median - sigma * std, "left"))
        high = int(np.searchsorted(values, median + sigma * std, "right"))
        if high - low in {0, len(values)}:
            break
        values = values[low:high]
        counts = None if counts is None else counts[low:high]
        mean, median, std = _moments(values, counts)
        iteration += 1
    return mean, median, std


def _distribution(image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Sorted values, with their counts if counting was possible."""
    flat = image.ravel()
    if flat.dtype.kind in "iu" and flat.dtype.itemsize <= 2 and flat.size:
        lowest = int(flat.min())
        counts = np.bincount(flat - lowest if lowest < 0 else flat)
        values = np.flatnonzero(counts)
        return (values + min(lowest, 0)).astype(np.float64), counts[values]
    finite = np.isfinite(flat)
    return np.sort(flat if finite.all() else flat[finite]), None


def _moments(values: NDArray[Any], counts: NDArray[Any] | None) -> tuple[float, float, float]:
    if counts is None:
        n = len(values)
        median = (float(values[(n - 1) // 2]) + float(values[n // 2])) / 2
        return float(values.mean(dtype=float)), median, float(values.std(dtype=float))
    total = np.cumsum(counts)
    n = int(total[-1])
    middle = values[np.searchsorted(total, [(n - 1) // 2, n // 2], "right")]
    mean = float(values @ counts) / n
    std = float(np.sqrt((values - mean) ** 2 @ counts / n))
    return mean, float(middle.mean()), std


def source_mask(
    image: NDArray[Any],
    sigma: float = 3.0,
    *,
    central: bool = True,
    maxiters: int | None = 5,
) -> NDArray[Any]:
    """Find the pixels that stand out of the noise (LB21 appendix B, steps 1 and 2).

    Parameters
    ----------
    image : ndarray
        Bands are averaged first.
    sigma : float
        Threshold above the median of the background, in its standard deviations after clipping.
    central : bool
        Only what lies within the outer contour that contains the center of the image, holes filled
        ("within": the center may be up to a pixel outside, since contours run through the middle
        of pixels).
    maxiters : int or None
        See :func:`sigma_clipped_stats`.

    Returns
    -------
    ndarray, shape (height, width), bool
        All False if nothing stands out, or nothing at the center.
    """
    flat = image if image.ndim == 2 else grey(image)
    _, median, std = sigma_clipped_stats(flat, sigma, maxiters)
    above = (flat > median + sigma * std).view(np.uint8)
    if not central:
        return above.view(bool)
    import cv2

    mask = np.zeros_like(above)
    contours, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = contour_around(contours, ((flat.shape[1] - 1) / 2, (flat.shape[0] - 1) / 2))
    if contour is not None:
        cv2.drawContours(mask, [contour], 0, 1, cv2.FILLED)
    return mask.view(bool)


def contour_around(contours: Any, point: tuple[float, float]) -> Any:
    """Return the contour that contains a point (x, y), at most a pixel outside; None if none."""
    import cv2

    x, y = point
    best, best_distance = None, -1.0
    for contour in contours:
        left, top, width, height = cv2.boundingRect(contour)
        if left - 1 <= x <= left + width and top - 1 <= y <= top + height:
            distance = cv2.pointPolygonTest(contour, (x, y), measureDist=True)
            if distance >= best_distance:
                best, best_distance = contour, distance
    return best


def sigma_clip(
    image: NDArray[Any], sigma: float = 3.0, *, central: bool = False, fill: float = 0
) -> NDArray[Any]:
    """Replace by `fill` all pixels that do not stand out of the noise (E24 section 3.1).

    Parameters
    ----------
    image : ndarray
        Judged by the average of its bands; pixels without data are filled too.
    sigma, central
        See :func:`source_mask`; ``central=True`` also removes the neighbors of the central source
        (LB21 section 5).
    fill : float
        The value of what is removed.
    """
    mask = source_mask(image, sigma, central=central)
    return np.where(mask if image.ndim == 2 else mask[..., None], image, image.dtype.type(fill))


def percentile_limits(
    image: NDArray[Any], lower: float = 1.0, upper: float = 99.5
) -> tuple[float, float]:
    """Brightness at two percentiles of the finite pixels; (0, 1) if there are none."""
    values = image[np.isfinite(image)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, [lower, upper])
    return float(low), float(high)


def normalize(
    image: NDArray[Any], low: float | None = None, high: float | None = None
) -> NDArray[Any]:
    """Bring low..high linearly to 0..1, and cut off what is beyond.

    Parameters
    ----------
    image : ndarray
    low, high : float, optional
        By default the least and the greatest finite value.

    Returns
    -------
    ndarray, float32
        A constant image becomes 0.
    """
    least, greatest = percentile_limits(image, 0, 100)
    low = least if low is None else low
    high = greatest if high is None else high
    span = high - low
    if not span > 0:
        return np.where(np.isnan(image), np.nan, 0).astype(np.float32)
    scaled = (image.astype(np.float64) - low) / span
    return np.clip(scaled, 0, 1).astype(np.float32)


def stretch(
    image: NDArray[Any],
    method: Stretch = "asinh",
    low: float | None = None,
    high: float | None = None,
) -> NDArray[Any]:
    """Bring low..high to 0..1 along a curve that shows what is faint.

    Parameters
    ----------
    image : ndarray
    method : {"linear", "sqrt", "log", "asinh", "sinh"}
        As the classes of :mod:`astropy.visualization` with their default parameters.
    low, high : float, optional
        See :func:`normalize`.

    Returns
    -------
    ndarray, float32
        In 0..1.

    Raises
    ------
    ValueError
        There is no such method.
    """
    if method not in _CURVES:
        raise ValueError(f"method is {method!r}; wanted one of {', '.join(get_args(Stretch))}")
    return _CURVES[method](normalize(image, low, high)).astype(np.float32, copy=False)


def to_uint8(
    image: NDArray[Any], low: float | None = None, high: float | None = None
) -> NDArray[Any]:
    """Bring low..high to 0..255 for a picture; no data becomes 0.

    An image that is uint8 already is returned unchanged if no limits are given.
    """
    if image.dtype == np.uint8 and low is None and high is None:
        return image.copy()
    scaled = normalize(image, low, high)
    return np.asarray(np.rint(np.nan_to_num(scaled) * 255), np.uint8)


def remove_negative(image: NDArray[Any]) -> NDArray[Any]:
    """Set negative values to 0."""
    return np.asarray(np.maximum(image, image.dtype.type(0)))


def center_crop(image: NDArray[Any], size: int | tuple[int, int]) -> NDArray[Any]:
    """Cut out the middle.

    Parameters
    ----------
    image : ndarray
    size : int or (int, int)
        Side, or height and width, in pixels; an image that is smaller is not cut.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"size is {size}; wanted at least one pixel")
    top = max(0, (image.shape[0] - height) // 2)
    left = max(0, (image.shape[1] - width) // 2)
    return image[top : top + height, left : left + width].copy()


def resize(image: NDArray[Any], size: int | tuple[int, int]) -> NDArray[Any]:
    """Resample to another number of pixels: area means when shrinking, linear when growing.

    Parameters
    ----------
    image : ndarray
    size : int or (int, int)
        Side, or height and width, in pixels.

    Returns
    -------
    ndarray
        uint8 if the image is, else float32 (float64 for float64); a new pixel is NaN only if
        no data fell into it.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"size is {size}; wanted at least one pixel")
    if image.dtype not in (np.uint8, np.float32, np.float64):
        image = image.astype(np.float32)
    valid = np.isfinite(image) if image.dtype.kind == "f" else None
    if valid is None or valid.all():
        return _resample(image, height, width)
    weight = _resample(valid.astype(image.dtype), height, width)
    total = _resample(np.where(valid, image, 0), height, width)
    with np.errstate(invalid="ignore", divide="ignore"):
        filled = np.where(weight > 1e-3, total / weight, np.nan)
    return filled.astype(image.dtype, copy=False)


def _resample(image: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    import cv2

    smaller = height < image.shape[0] or width < image.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    if image.ndim == 3 and image.shape[2] > 4:  # the most that OpenCV takes at once
        bands = [
            cv2.resize(image[..., k], (width, height), interpolation=method)
            for k in range(image.shape[2])
        ]
        return np.stack(bands, axis=2)
    resized = np.asarray(cv2.resize(image, (width, height), interpolation=method))
    return resized.reshape(height, width, *image.shape[2:])
