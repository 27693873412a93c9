"""An image as a stack of bands, and what the bands are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import preprocess
from ..exceptions import MeasurementError
from ._most import of_most

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import Source


def planes(data: NDArray[Any]) -> NDArray[np.float32]:
    """Put the bands of an image in front.

    Parameters
    ----------
    data : ndarray, shape (height, width) or (height, width, bands)

    Returns
    -------
    ndarray, shape (bands, height, width), float32
        NaN where a value is missing or infinite; a copy.

    Raises
    ------
    MeasurementError
        It has no pixels or no bands, or a band without any data.
    """
    if data.ndim not in (2, 3) or not data.size:
        raise MeasurementError(f"an array of shape {data.shape} is no image with pixels")
    with np.errstate(over="ignore"):  # what float32 cannot hold is missing
        stack = np.array(data[None] if data.ndim == 2 else np.moveaxis(data, 2, 0), np.float32)
    if data.dtype.kind == "f":
        finite = np.isfinite(stack)
        if not finite.all():
            stack[~finite] = np.nan
            empty = np.flatnonzero(~finite.any(axis=(1, 2)))
            if len(empty):
                raise MeasurementError(f"{_bands(empty, len(stack))} no data")
    return np.ascontiguousarray(stack)


def refuse_constant(stack: NDArray[np.float32]) -> None:
    """Raise MeasurementError if a band has the same value everywhere.

    Parameters
    ----------
    stack : ndarray, shape (bands, height, width)
        As :func:`planes` gives it.
    """
    constant = np.flatnonzero(np.nanmax(stack, axis=(1, 2)) == np.nanmin(stack, axis=(1, 2)))
    if len(constant):
        raise MeasurementError(f"{_bands(constant, len(stack))} no structure: all pixels are equal")


def _bands(which: NDArray[Any], n_bands: int) -> str:
    if n_bands == 1:
        return "the image has"
    one = len(which) == 1
    return f"band{'' if one else 's'} {', '.join(map(str, which))} {'has' if one else 'have'}"


def central_source(grey: NDArray[Any], sigma: float) -> NDArray[np.bool_]:
    """Find the pixels of the source at the center of an image (LB21 appendix B, steps 1 and 2).

    Parameters
    ----------
    grey : ndarray, shape (height, width)
    sigma : float
        Threshold above the background, in standard deviations of the noise.

    Raises
    ------
    MeasurementError
        There is none.
    """
    mask = preprocess.source_mask(grey, sigma, maxiters=None)
    if not mask.any():
        raise MeasurementError(f"no source above {sigma:g} sigma at the image's center")
    return mask


def band_names(source: Source) -> tuple[str, ...]:
    """Names of the bands of a source: those it gives itself, or else their numbers.

    Raises
    ------
    MeasurementError
        No object can be read, so that the number of bands is not known.
    """
    n_bands = of_most(source, lambda image: image.shape[2] if image.ndim == 3 else 1)
    names = getattr(source, "bands", None)
    if isinstance(names, (list, tuple)) and len(names) == n_bands:
        return tuple(map(str, names))
    return tuple(map(str, range(n_bands)))


def suffixes(source: Source) -> tuple[str, ...]:
    """Return what tells the features of bands apart: ``_<band>``, or nothing for a single one."""
    names = band_names(source)
    return tuple(f"_{name}" for name in names) if len(names) > 1 else ("",)
