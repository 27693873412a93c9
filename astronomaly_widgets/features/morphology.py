"""Morphology without a model: Gini, M20, concentration, asymmetry, smoothness, moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import preprocess
from ..exceptions import MeasurementError
from ._planes import central_source, planes
from ._radial import PETROSIAN, Growth, growth
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_NAMES = (
    "gini",
    "m20",
    "concentration",
    "asymmetry",
    "shape_asymmetry",
    "smoothness",
    "half_light_radius",
    "ellipticity",
    "lopsidedness",
    "triangularity",
    "kurtosis",
)
_LEAST = 3  # pixels of a source
_PIXEL = 1 / 6  # second moment of a pixel about its middle, in square pixels


class MorphologyFeatures(ShownAsCall):
    r"""Shape of the central source, in 11 numbers that need no model of it.

    No number depends on the orientation of the image, on the scale of brightness or on the level
    of the sky; and none but the half-light radius on the size of a well-resolved source.

    Parameters
    ----------
    sigma : float
        The source is what lies within the contour around the image's center at this many standard
        deviations of the noise above the sky (LB21 appendix B, steps 1 and 2).

    Notes
    -----
    With :math:`f` the flux of a pixel above the sky, in the mean of the bands:

    *gini*
        How unequally light is spread, 0 to 1, over the pixels above the surface brightness at the
        Petrosian radius, in an image smoothed by a fifth of that (Lotz, Primack & Madau 2004, AJ
        128, 163, eq. 4 and 6): the same part of a galaxy whatever the noise.
    *m20*
        Of the same pixels, :math:`\log_{10}` of the part that the brightest 20 % of the light has
        in the second moment about the centroid (Lotz et al. 2004, eq. 7 and 8). The extent of a
        pixel itself counts (1/6 square pixel), so that it is finite for a point, too.
    *concentration*
        :math:`5 \log_{10}(r_{80} / r_{20})` of the light within 1.5 Petrosian radii (Conselice
        2003, ApJS 147, 1; Lotz et al. 2004, eq. 9).
    *asymmetry*
        :math:`\sum |f - f_{180}| / \sum |f|` there, less what the noise adds, about the center
        that makes it least (Conselice 2003; Lotz et al. 2004, eq. 10). Gaussian noise adds
        :math:`\sqrt{2 (1 + v) / \pi}\, \sigma` per pixel; :math:`v` is what interpolation leaves of
        its variance.
    *shape_asymmetry*
        The same of the source's outline alone (Pawlik et al. 2016, MNRAS 456, 3032): tails and
        companions, however faint.
    *smoothness*
        :math:`\sum \max(f - f_s, 0) / \sum f` there, without the innermost quarter of a
        Petrosian radius; :math:`f_s` is the mean within a box of that width; less what the noise
        adds, :math:`\sigma_{f - f_s} / \sqrt{2 \pi}` per pixel (Conselice 2003; Lotz et al. 2004,
        eq. 11).
    *half_light_radius*
        In pixels; the circle with half of the light within 1.5 Petrosian radii.
    *ellipticity*
        :math:`1 - b / a` of the ellipse of the source's second moments.
    *lopsidedness, triangularity, kurtosis*
        :math:`|c_{21}| / c_{11}^{3/2}`, :math:`|c_{30}| / c_{11}^{3/2}` and
        :math:`c_{22} / c_{11}^2` with the complex moments :math:`c_{pq} = \sum f z^p \bar z^q /
        \sum f` of the pixels of *gini* about their centroid (Flusser 2000, Pattern Recognition 33,
        1405).

    Other sources are replaced by sky, and so are missing pixels. Circles end at the image's edge.
    """

    name = "morphology"
    kinds: tuple[str, ...] = ("image",)

    def __init__(self, sigma: float = 3.0) -> None:
        self.sigma = sigma

    def feature_names(self, source: Source) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """Names of the eleven numbers: ``gini``, ``m20``, ``concentration``, ..."""
        return _NAMES

    def settings(self) -> Mapping[str, Any]:
        """Return the threshold, and the version of the method."""
        return {"sigma": self.sigma, "version": 1}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Returns
        -------
        ndarray, shape (11,), float32

        Raises
        ------
        MeasurementError
            No source above the threshold at the center, or one of fewer than three pixels, or
            without flux above the sky; a band without data.
        """
        planes(data)  # has a reason for each kind of image that is none
        grey = preprocess.grey(data)
        mask = central_source(grey, self.sigma)
        size = np.count_nonzero(mask)
        if size < _LEAST:
            raise MeasurementError(f"the source has too few pixels: {size}, wanted {_LEAST}")
        flux, noise = _above_sky(grey, mask, self.sigma)
        pixels = _Pixels(flux, mask)
        x, y = pixels.centroid
        around = growth(flux, x, y)
        petrosian = around.petrosian_radius()
        segment = _Pixels(flux, _segment(flux, mask, around, petrosian))
        turned = _HalfTurn(flux, 1.5 * petrosian, noise)
        x, y = turned.center(x, y)
        around = growth(flux, x, y)
        petrosian = around.petrosian_radius()
        total = around.total(1.5 * petrosian)
        if not total > 0:
            raise MeasurementError("the source is no brighter than the sky around it")
        r20, r50, r80 = (around.radius_of(part * total) for part in (0.2, 0.5, 0.8))
        outline = _HalfTurn(mask.astype(np.float32), np.inf)
        features = (
            segment.gini(),
            segment.m20(),
            5 * np.log10(r80 / r20),
            turned.asymmetry(x, y),
            outline.asymmetry(x, y),
            _smoothness(flux, noise, x, y, petrosian),
            r50,
            pixels.ellipticity(),
            *segment.moments(),
        )
        return np.array(features, np.float32)


def _above_sky(
    grey: NDArray[Any], mask: NDArray[Any], sigma: float
) -> tuple[NDArray[np.float32], float]:
    """Subtract the sky, and put it in the place of other sources; with its standard deviation."""
    beside = grey[~mask]
    known = np.count_nonzero(np.isfinite(beside))
    _, sky, noise = preprocess.sigma_clipped_stats(beside if known >= 64 else grey)
    others = (grey > sky + sigma * noise) & ~mask
    flux = np.where(others | ~np.isfinite(grey), 0, grey - np.float32(sky)).astype(np.float32)
    largest = np.abs(flux).max()  # of order 1, so that no product overflows
    return (flux / largest, noise / float(largest)) if largest > 0 else (flux, 0.0)


def _segment(
    flux: NDArray[np.float32], mask: NDArray[np.bool_], around: Growth, petrosian: float
) -> NDArray[np.bool_]:
    """Pixels above the surface brightness at the Petrosian radius, smoothed by a fifth of it.

    The same part of a galaxy whatever its noise or distance; `mask` if there is hardly any.
    """
    import cv2

    level = PETROSIAN * around.total(petrosian) / (np.pi * petrosian**2)
    above = (cv2.GaussianBlur(flux, (0, 0), petrosian / 5) >= level).view(np.uint8)
    contours, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    center = (mask.shape[1] - 1) / 2, (mask.shape[0] - 1) / 2
    contour = preprocess.contour_around(contours, center)
    if contour is None:
        return mask
    segment = np.zeros_like(above)
    cv2.drawContours(segment, [contour], 0, 1, cv2.FILLED)
    return segment.view(bool) if np.count_nonzero(segment) >= _LEAST else mask


class _Pixels:
    """The pixels of a source, with their places about the centroid."""

    def __init__(self, flux: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
        down, across = np.nonzero(mask)
        self._flux = flux[mask].astype(np.float64)
        weight = np.maximum(self._flux, 0)
        if not weight.sum() > 0:
            raise MeasurementError("the source is no brighter than the sky around it")
        self._weight = weight / weight.sum()
        #: The flux-weighted mean place, (x, y).
        self.centroid = float(self._weight @ across), float(self._weight @ down)
        self._place = (across - self.centroid[0]) + 1j * (down - self.centroid[1])

    def gini(self) -> float:
        values = np.sort(np.abs(self._flux))
        n = len(values)
        rank = 2 * np.arange(1, n + 1) - n - 1
        return float(rank @ values / (values.mean() * n * (n - 1)))

    def m20(self) -> float:
        order = np.argsort(-self._flux, kind="stable")
        light = self._weight[order]
        moment = light * (np.abs(self._place[order]) ** 2 + _PIXEL)
        n = max(1, int(np.searchsorted(np.cumsum(light), 0.2)))
        return float(np.log10(moment[:n].sum() / moment.sum()))

    def ellipticity(self) -> float:
        c11 = float(self._weight @ np.abs(self._place) ** 2) + _PIXEL
        spread = float(np.abs(self._weight @ self._place**2))
        return float(1 - np.sqrt(max(c11 - spread, 0) / (c11 + spread)))

    def moments(self) -> tuple[float, float, float]:
        """Lopsidedness, triangularity and kurtosis."""
        z, light = self._place, self._weight
        square = np.abs(z) ** 2
        c11 = float(light @ square) + _PIXEL
        lopsided = np.abs(light @ (z * square)) / c11**1.5
        triangular = np.abs(light @ z**3) / c11**1.5
        return float(lopsided), float(triangular), float(light @ square**2 / c11**2)


class _HalfTurn:
    """Compare an image with itself turned by 180 degrees, within a radius of the center.

    `noise` is the standard deviation of the image's noise, whose part is taken off.
    """

    def __init__(self, image: NDArray[np.float32], radius: float, noise: float = 0.0) -> None:
        self._image = image
        self._radius = radius
        self._noise = noise

    def asymmetry(self, x: float, y: float) -> float:
        """Sum of the differences by the sum of the image, both absolute."""
        import cv2

        height, width = self._image.shape
        reach = min(self._radius, height + width) + 2
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        right, bottom = min(width, int(x + reach) + 2), min(height, int(y + reach) + 2)
        window = self._image[top:bottom, left:right]
        x, y = x - left, y - top
        turn = np.array([[-1, 0, 2 * x], [0, -1, 2 * y]])
        size = window.shape[1], window.shape[0]
        turned = cv2.warpAffine(window, turn, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        inside = (_square_distance(window.shape, x, y) <= self._radius**2).view(np.uint8)
        # the difference of two pixels, one of them interpolated
        variance = 1 + _cubic_squares(2 * x) * _cubic_squares(2 * y)
        due = self._noise * np.sqrt(variance * 2 / np.pi) * np.count_nonzero(inside)
        difference = cv2.norm(window, turned, cv2.NORM_L1, inside)
        return float((difference - due) / max(cv2.norm(window, cv2.NORM_L1, inside), 1e-30))

    def center(self, x: float, y: float) -> tuple[float, float]:
        """Find the center of the least asymmetry, downhill from (x, y) to an eighth of a pixel.

        Not further than half of the radius: in empty sky everything is symmetric.
        """
        best, start = self.asymmetry(x, y), (x, y)
        seen = {start}
        for step in (1.0, 0.5, 0.25, 0.125):
            moved = True
            while moved:
                moved = False
                for dx, dy in ((step, 0), (-step, 0), (0, step), (0, -step)):
                    place = x + dx, y + dy
                    far = np.hypot(place[0] - start[0], place[1] - start[1])
                    if place in seen or far > self._radius / 2:
                        continue
                    seen.add(place)
                    there = self.asymmetry(*place)
                    if there < best:
                        best, (x, y), moved = there, place, True
        return x, y


def _cubic_squares(place: float) -> float:
    """Sum of the squares of the weights by which OpenCV interpolates at a place on one axis."""
    t = place % 1
    a = -0.75
    near = [(a + 2) * d**3 - (a + 3) * d**2 + 1 for d in (t, 1 - t)]
    far = [a * (d**3 - 5 * d**2 + 8 * d - 4) for d in (1 + t, 2 - t)]
    return float(sum(weight**2 for weight in near + far))


def _smoothness(
    flux: NDArray[np.float32], noise: float, x: float, y: float, petrosian: float
) -> float:
    import cv2

    side = max(3, int(petrosian / 4) | 1)
    rough = flux - cv2.blur(flux, (side, side))
    distance = _square_distance(flux.shape, x, y)
    within = distance <= (1.5 * petrosian) ** 2
    inside = within & (distance > (petrosian / 4) ** 2)
    total = float(flux[within].sum())
    added = noise * np.sqrt((1 - side**-2) / (2 * np.pi)) * np.count_nonzero(inside)
    return (float(np.maximum(rough, 0)[inside].sum()) - added) / total if total > 0 else 0.0


def _square_distance(shape: tuple[int, ...], x: float, y: float) -> NDArray[np.float64]:
    down, across = np.arange(shape[0]) - y, np.arange(shape[1]) - x
    return np.asarray((down**2)[:, None] + across**2)
