"""Scales of brightness, and bands averaged to grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Stretch = Literal["linear", "sqrt", "log", "asinh", "sinh"]
#: The least and the greatest value, astropy's zscale, or two percentiles.
Limits = Literal["minmax", "zscale"] | tuple[float, float]

# the curves of astropy.visualization with its default parameters, 0..1 to 0..1
_CURVES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "linear": lambda x: x,
    "sqrt": np.sqrt,
    "log": lambda x: np.log1p(1000 * x) / np.log(1001),
    "asinh": lambda x: np.arcsinh(10 * x) / np.arcsinh(10),
    "sinh": lambda x: np.sinh(3 * x) / np.sinh(3),
}


def grey(
    image: NDArray[Any],
    method: Literal["mean", "opencv"] = "mean",
    weights: Sequence[float] | None = None,
) -> NDArray[Any]:
    """Average the bands (E24 section 3.1 and conclusion).

    Parameters
    ----------
    image : ndarray
        A grey image is only converted.
    method : {"mean", "opencv"}
        The mean of all bands that have data, or OpenCV's weights of red, green and blue
        (0.299, 0.587, 0.114).
    weights : sequence of float, optional
        One weight per band, instead of a method: the weighted mean of the bands that have data.

    Returns
    -------
    ndarray, shape (height, width), float32
        NaN where no band of a weight above zero has data (for ``"opencv"``: where a band has none).

    Raises
    ------
    ValueError
        What was given is no image; OpenCV's weights for one that does not have three bands, or
        another method; weights that are not one per band, none below zero, and not all zero.
    """
    if method not in {"mean", "opencv"}:
        raise ValueError(f"method is {method!r}; wanted 'mean' or 'opencv'")
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(f"an array of shape {image.shape} is no image with pixels")
    if image.ndim == 2 and weights is None:
        return image.astype(np.float32)
    bands = image.shape[2] if image.ndim == 3 else 1
    if weights is not None:
        return _weighted_mean(image.reshape(*image.shape[:2], bands), weights)
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


def _weighted_mean(image: NDArray[Any], weights: Sequence[float]) -> NDArray[Any]:
    factors = np.asarray(weights, np.float64)
    if factors.shape != image.shape[2:]:
        raise ValueError(f"there are {factors.size} weights for {image.shape[2]} bands")
    if not (factors >= 0).all() or not factors.sum() > 0:
        raise ValueError(f"weights are {factors.tolist()}; wanted none below 0, and one above")
    if image.dtype.kind != "f" or np.isfinite(image).all():
        return _weighted(image, factors / factors.sum())
    valid = np.isfinite(image)
    total = np.where(valid, image, 0) @ factors
    weight = valid @ factors
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weight > 0, total / weight, np.nan).astype(np.float32)


def percentile_limits(
    image: NDArray[Any], lower: float = 1.0, upper: float = 99.5
) -> tuple[float, float]:
    """Brightness at two percentiles of the finite pixels; (0, 1) if there are none."""
    values = image[np.isfinite(image)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, [lower, upper])
    return float(low), float(high)


def zscale_limits(image: NDArray[Any]) -> tuple[float, float]:
    """Limits of IRAF's zscale, which follow the sky and not the brightest star.

    See :class:`astropy.visualization.ZScaleInterval`; (0, 1) if no pixel is finite.
    """
    from astropy.visualization import ZScaleInterval

    values = image[np.isfinite(image)]
    if not values.size:
        return 0.0, 1.0
    low, high = ZScaleInterval().get_limits(values)
    return float(low), float(high)


def _limits_of(image: NDArray[Any], limits: Limits) -> tuple[float, float]:
    if isinstance(limits, str):
        if limits == "zscale":
            return zscale_limits(image)
        if limits == "minmax":
            return percentile_limits(image, 0, 100)
    elif len(limits) == 2 and 0 <= limits[0] < limits[1] <= 100:
        return percentile_limits(image, *limits)
    raise ValueError(f"limits is {limits!r}; wanted 'minmax', 'zscale' or two percentiles, rising")


def normalize(
    image: NDArray[Any],
    low: float | None = None,
    high: float | None = None,
    limits: Limits = "minmax",
    *,
    per_band: bool = False,
) -> NDArray[Any]:
    """Bring low..high linearly to 0..1, and cut off what is beyond.

    Parameters
    ----------
    image : ndarray
    low, high : float, optional
        By default as `limits` says.
    limits : {"minmax", "zscale"} or (float, float)
        The least and the greatest finite value; those of :func:`zscale_limits`; or two percentiles
        of the finite values.
    per_band : bool
        Find the limits of each band by itself, which takes the color out; otherwise all bands
        share theirs.

    Returns
    -------
    ndarray, float32
        A constant image becomes 0.

    Raises
    ------
    ValueError
        There are no such limits.
    """
    if per_band and image.ndim == 3:
        bands = np.moveaxis(image, 2, 0)
        return np.stack([normalize(band, low, high, limits) for band in bands], axis=2)
    if low is None or high is None:
        lower, upper = _limits_of(image, limits)
        low = lower if low is None else low
        high = upper if high is None else high
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
    limits: Limits = "minmax",
    *,
    per_band: bool = False,
) -> NDArray[Any]:
    """Bring low..high to 0..1 along a curve that shows what is faint.

    Parameters
    ----------
    image : ndarray
    method : {"linear", "sqrt", "log", "asinh", "sinh"}
        As the classes of :mod:`astropy.visualization` with their default parameters.
    low, high, limits, per_band
        See :func:`normalize`.

    Returns
    -------
    ndarray, float32
        In 0..1.

    Raises
    ------
    ValueError
        There is no such method, or there are no such limits.
    """
    if method not in _CURVES:
        raise ValueError(f"method is {method!r}; wanted one of {', '.join(get_args(Stretch))}")
    normalized = normalize(image, low, high, limits, per_band=per_band)
    return _CURVES[method](normalized).astype(np.float32, copy=False)


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
