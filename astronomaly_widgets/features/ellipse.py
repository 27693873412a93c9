"""Ellipses fitted to levels of brightness: the shape of a galaxy in 21 numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import preprocess
from ..exceptions import MeasurementError
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_MEASURES = ("residual", "offset", "aspect", "theta")


class EllipseFeatures(ShownAsCall):
    """How well ellipses fit a source, and how much they twist and wander (LB21 appendix B).

    An ordinary galaxy is a nest of ellipses of one center, shape and orientation; a merger is
    not. Invariant under rotation, and under a change of the scale of brightness.

    Parameters
    ----------
    sigma : float
        Threshold of the source above the background, in standard deviations of the noise (steps 1
        and 2).
    percentiles : tuple of float
        Levels, as percentiles of the brightness of the source's pixels (step 3). The first is the
        one that the others are compared to.

    Notes
    -----
    Per level: *residual*, the area where the filled ellipse and the filled contour differ, divided
    by the area within the contour; *offset*, the distance of the ellipse's center to that of the
    first level, in pixels; *aspect*, the ratio of major to minor axis, divided by that of the first
    level; *theta*, the angle between the major axes, 0 to 90 degrees. The first level gives its
    residual alone.

    Where the paper is silent: bands are averaged; the background's median is added to the
    threshold; the contour of the first level is the one around the image's center, or else the
    largest, and that of each further level is the one around the former; axes have half a pixel
    added at each end, since contours run through the middle of the outermost pixels; a contour of
    fewer than five points, or whose fit is half as long again as itself, takes the ellipse of
    the second moments instead.
    """

    name = "ellipse"
    kinds: tuple[str, ...] = ("image",)

    def __init__(
        self,
        sigma: float = 3.0,
        percentiles: tuple[float, ...] = (90, 80, 70, 60, 50, 0),
    ) -> None:
        self.sigma = sigma
        self.percentiles = percentiles

    def feature_names(self, source: Source) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """Names like ``residual_90`` and ``theta_0``; the first level has its residual alone."""
        first, *others = (f"{percentile:g}" for percentile in self.percentiles)
        return (
            f"residual_{first}",
            *(f"{measure}_{level}" for level in others for measure in _MEASURES),
        )

    def settings(self) -> Mapping[str, Any]:
        """Return threshold and percentiles, and the version of the method."""
        return {"sigma": self.sigma, "percentiles": list(self.percentiles), "version": 1}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Returns
        -------
        ndarray, float32
            Shape (1 + 4 * (levels - 1),), by default (21,).

        Raises
        ------
        MeasurementError
            No source above the threshold at the center (step 7: about 1 % of images).
        """
        brightness = _brightness(data)
        mask = preprocess.source_mask(brightness, self.sigma, maxiters=None)
        if not mask.any():
            raise MeasurementError(f"no source above {self.sigma:g} sigma at the image's center")
        window, center = _window(mask)
        source, inside = brightness[window], mask[window]
        values = source[inside]
        levels = np.percentile(values[np.isfinite(values)], self.percentiles)

        features: list[float] = []
        first: _Ellipse | None = None
        for level in levels:
            above = (inside & (source >= level)).view(np.uint8)
            contour = _contour(above, center)
            # the levels are nested, so the next contour is the one around any point of this one
            center = (float(contour[0, 0, 0]), float(contour[0, 0, 1]))
            region = _filled(contour, above.shape)
            ellipse = _fit(contour, region)
            residual = _residual(ellipse, region)
            if first is None:
                first = ellipse
                features.append(residual)
            else:
                features += [residual, *ellipse.compared_to(first)]
        return np.array(features, np.float32)


class _Ellipse(NamedTuple):
    """Center and full axes in pixels; angle of the major axis in degrees, from x towards y.

    The axes reach to the outer edge of the outermost pixels.
    """

    x: float
    y: float
    major: float
    minor: float
    angle: float

    def compared_to(self, other: _Ellipse) -> tuple[float, float, float]:
        """Offset, aspect and theta."""
        offset = float(np.hypot(self.x - other.x, self.y - other.y))
        aspect = (self.major / self.minor) / (other.major / other.minor)
        angle = abs(self.angle - other.angle) % 180  # an axis has no direction
        return offset, aspect, min(angle, 180 - angle)


def _brightness(image: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of the bands, or what is proportional to it and quicker to sort."""
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] <= 257:
        total = image[..., 0].astype(np.uint16)
        for band in range(1, image.shape[2]):
            total += image[..., band]
        return total
    return image if image.dtype == np.uint8 else preprocess.grey(image)


def _window(mask: NDArray[Any]) -> tuple[tuple[slice, slice], tuple[float, float]]:
    """Cut round the source, with half its size to spare; and where the image's center is in it."""
    import cv2

    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    x0, y0 = max(0, left - width // 2), max(0, top - height // 2)
    window = (slice(y0, top + height + height // 2), slice(x0, left + width + width // 2))
    return window, ((mask.shape[1] - 1) / 2 - x0, (mask.shape[0] - 1) / 2 - y0)


def _contour(above: NDArray[Any], point: tuple[float, float]) -> NDArray[Any]:
    """Return the outer contour around the point, or else the largest."""
    import cv2

    contours, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = preprocess.contour_around(contours, point)
    if contour is None:
        contour = max(contours, key=lambda c: (cv2.contourArea(c), len(c)))
    return np.asarray(contour)


def _filled(contour: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    import cv2

    region = np.zeros(shape, np.uint8)
    cv2.drawContours(region, [contour], 0, 1, cv2.FILLED)
    return region


def _fit(contour: NDArray[Any], region: NDArray[Any]) -> _Ellipse:
    """Fit by OpenCV; by second moments where points are too few, or where the fit is far off."""
    import cv2

    if len(contour) >= 5:
        cv2.setRNGSeed(0)  # where points lie too regularly, it moves them at random
        (x, y), (width, height), angle = cv2.fitEllipse(contour)
        if height > width:
            width, height, angle = height, width, angle + 90
        _, _, across, down = cv2.boundingRect(contour)
        # it may run away, or shrink to a point; also false for NaN
        if max(across, down) - 1 <= 2 * width <= 3 * np.hypot(across, down):
            return _Ellipse(x, y, width + 1, height + 1, angle)
    m = cv2.moments(region, binaryImage=True)
    area = m["m00"]
    # 1/12 is the variance of a pixel
    xx, yy, xy = m["mu20"] / area + 1 / 12, m["mu02"] / area + 1 / 12, m["mu11"] / area
    mean, spread = (xx + yy) / 2, float(np.hypot((xx - yy) / 2, xy))
    angle = float(np.degrees(np.arctan2(2 * xy, xx - yy) / 2))
    axes = 4 * np.sqrt([mean + spread, mean - spread])
    return _Ellipse(m["m10"] / area, m["m01"] / area, float(axes[0]), float(axes[1]), angle)


def _residual(ellipse: _Ellipse, region: NDArray[Any]) -> float:
    """Return the area where ellipse and region differ, by the area of the region."""
    height, width = region.shape
    x = np.arange(width, dtype=np.float32) - np.float32(ellipse.x)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(ellipse.y)
    angle = np.radians(ellipse.angle)
    c, s = np.cos(angle), np.sin(angle)
    a, b = (ellipse.major / 2) ** -2, (ellipse.minor / 2) ** -2
    # (x, y) is inside where xx x^2 + xy x y + yy y^2 <= 1; OpenCV's drawing is a pixel too wide
    xx, yy, xy = a * c * c + b * s * s, a * s * s + b * c * c, 2 * (a - b) * c * s
    inside = (np.float32(xx) * x + np.float32(xy) * y) * x <= 1 - np.float32(yy) * y * y
    return float(np.count_nonzero(inside ^ region.view(bool)) / np.count_nonzero(region))
