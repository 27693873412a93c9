"""The flux histogram: how many pixels are how bright."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import preprocess
from ._planes import planes, refuse_constant, suffixes
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source


class FluxHistogramFeatures(ShownAsCall):
    r"""Histogram of the pixels of each band, in standard deviations above the sky.

    Blind to where a pixel lies: invariant under any rotation, reflection or rearrangement, and
    under a change of the scale of brightness or of the level of the sky. A saturated star, an
    empty field, a missing corner and a satellite's trail each have a histogram of their own.

    Parameters
    ----------
    edges : tuple of float
        Borders of the bins, rising; what is below the first and above the last has a bin too.

    Notes
    -----
    With the median :math:`m` and the standard deviation :math:`\sigma` of the band after sigma
    clipping (LB21 appendix B, step 1), the features are the square roots of the fractions of
    pixels whose :math:`(I - m) / \sigma` falls into each bin: the Euclidean distance of two such
    rows is, up to a factor, the Hellinger distance of the histograms (Pollard 2002, A User's Guide
    to Measure Theoretic Probability, section 3.3), so that few bright pixels count beside many
    dark ones. Where the sky has no noise, :math:`\sigma` is that of all pixels. Missing pixels are
    left out.
    """

    name = "flux_histogram"
    kinds: tuple[str, ...] = ("image",)

    def __init__(self, edges: tuple[float, ...] = (-3, -1, 0, 1, 3, 10, 30, 100)) -> None:
        if not edges or not np.all(np.diff(edges) > 0):
            raise ValueError(f"edges is {edges}; wanted one or more numbers that rise")
        self.edges = edges

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``flux_<band>_<lower>_to_<upper>``; without the band where there is only one."""
        edges = [f"{edge:g}" for edge in self.edges]
        bins = [
            f"below_{edges[0]}",
            *(f"{low}_to_{high}" for low, high in pairwise(edges)),
            f"above_{edges[-1]}",
        ]
        return tuple(f"flux{suffix}_{name}" for suffix in suffixes(source) for name in bins)

    def settings(self) -> Mapping[str, Any]:
        """Return the borders of the bins, and the version of the method."""
        return {"edges": [float(edge) for edge in self.edges], "version": 1}

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image.

        Parameters
        ----------
        data : ndarray, shape (height, width) or (height, width, bands)
            NaN where there are no data.

        Returns
        -------
        ndarray, shape (bands * (edges + 1),), float32
            From 0 to 1; the squares of each band add up to 1.

        Raises
        ------
        MeasurementError
            A band without data or without structure.
        """
        stack = planes(data)
        refuse_constant(stack)
        features = np.empty((len(stack), len(self.edges) + 1), np.float32)
        for band, plane in enumerate(stack):
            if data.dtype.kind in "iu" and data.dtype.itemsize <= 2:  # these are counted
                pixels = data if data.ndim == 2 else data[..., band]
                values = np.sort(pixels, axis=None, kind="stable")
            else:
                values = np.sort(plane[np.isfinite(plane)])
            _, median, sigma = preprocess.sigma_clipped_stats(values)
            sigma = sigma if sigma > 0 else float(values.std(dtype=np.float64))
            edges = median + sigma * np.asarray(self.edges, np.float64)
            below = np.searchsorted(values, edges.astype(np.float32))
            count = np.diff(below, prepend=0, append=len(values))
            features[band] = np.sqrt(count / len(values))
        return features.ravel()
