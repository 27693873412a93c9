"""What stands out of the noise, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._brightness import grey

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    if counts is None:
        return _clipped(values, sigma, maxiters)
    mean, median, std = _moments(values, counts)
    iteration = 0
    while maxiters is None or iteration < maxiters:
        low = int(np.searchsorted(values, median - sigma * std, "left"))
        high = int(np.searchsorted(values, median + sigma * std, "right"))
        if high - low in {0, len(values)}:
            break
        values, counts = values[low:high], counts[low:high]
        mean, median, std = _moments(values, counts)
        iteration += 1
    return mean, median, std


def _clipped(
    values: NDArray[Any], sigma: float, maxiters: int | None
) -> tuple[float, float, float]:
    """Clip sorted values, with sums that are added up only once."""
    low, high = 0, len(values)
    shifted = values - np.float64(_middle(values))  # so that the squares do not drown the rest
    sums = _added_up(shifted)
    squares = _added_up(np.square(shifted, out=shifted))
    iteration = 0
    while maxiters is None or iteration < maxiters:
        n = high - low
        mean = (sums[high] - sums[low]) / n
        std = np.sqrt(max((squares[high] - squares[low]) / n - mean**2, 0))
        median = _middle(values[low:high])
        first = int(np.searchsorted(values, median - sigma * std, "left"))
        last = int(np.searchsorted(values, median + sigma * std, "right"))
        first, last = max(first, low), min(last, high)
        if last - first in {0, n}:
            break
        low, high = first, last
        iteration += 1
    left = values[low:high]
    return float(left.mean(dtype=float)), _middle(left), float(left.std(dtype=float))


def _added_up(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return sums up to each place, (n + 1,), added from the middle outwards.

    From one end, the -9999 of missing pixels would drown all that is small.
    """
    middle = len(values) // 2
    sums = np.zeros(len(values) + 1)
    np.cumsum(values[middle:], out=sums[middle + 1 :])
    np.negative(np.cumsum(values[:middle][::-1])[::-1], out=sums[:middle])
    return sums


def _distribution(image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Sorted values, with their counts if counting was possible."""
    flat = image.ravel()
    if flat.dtype.kind in "iu" and flat.dtype.itemsize <= 2 and flat.size:
        lowest = int(flat.min())
        # in a wider type, for the range of int16 is not one
        counts = np.bincount(np.subtract(flat, lowest, dtype=np.int32) if lowest < 0 else flat)
        values = np.flatnonzero(counts)
        return (values + min(lowest, 0)).astype(np.float64), counts[values]
    finite = np.isfinite(flat)
    return np.sort(flat if finite.all() else flat[finite]), None


def _middle(values: NDArray[Any]) -> float:
    """Median of sorted values."""
    n = len(values)
    return (float(values[(n - 1) // 2]) + float(values[n // 2])) / 2


def _moments(values: NDArray[Any], counts: NDArray[Any]) -> tuple[float, float, float]:
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
    bright = flat > median + sigma * std
    if flat.dtype.kind == "f":
        bright &= np.isfinite(flat)  # what is infinite has no data
    above = np.ascontiguousarray(bright).view(np.uint8)
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
        The value of what is removed; NaN if it is to count as missing.

    Returns
    -------
    ndarray
        Of the image's shape and type; float32 where an integer type has no such `fill`.
    """
    mask = source_mask(image, sigma, central=central)
    if image.dtype.kind in "iu" and not _holds(image.dtype, fill):
        image = image.astype(np.float32)
    return np.where(mask if image.ndim == 2 else mask[..., None], image, image.dtype.type(fill))


def _holds(integers: np.dtype[Any], value: float) -> bool:
    limits = np.iinfo(integers)
    return limits.min <= value <= limits.max and value == int(value)
