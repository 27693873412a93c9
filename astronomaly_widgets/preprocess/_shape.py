"""Fewer pixels, or others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
