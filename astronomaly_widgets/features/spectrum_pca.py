"""Spectra in numbers: how much they have of what most spectra differ in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import evenly
from ..exceptions import MeasurementError, ReadError
from ._spectrum_grid import OnGrid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .._protocols import Source

_LEAST = 1e-6


class SpectrumPCAFeatures(OnGrid):
    """Principal components of the flattened spectra, and what they leave unexplained.

    Parameters
    ----------
    n_components : int
        As many, or fewer if there are fewer spectra.
    n_bins : int
        Bins of the grid, of equal width in log wavelength.
    limits : tuple of float, optional
        Ends of the grid, in the source's unit.
    n_fit : int
        Components are found from at most so many spectra, spread evenly over the survey.

    Attributes
    ----------
    mean_ : ndarray, shape (n_bins,)
        Of the flattened spectra.
    components_ : ndarray, shape (n_components, n_bins)
        Orthonormal, the one that explains most first.
    grid_ : Grid

    Notes
    -----
    *residual* is log10 of the root mean square of what the components do not explain: large for
    noise, and for what is unlike the rest (the eigenspectra of Yip et al. 2004, AJ 128, 585).
    """

    name = "spectrum_pca"

    def __init__(
        self,
        n_components: int = 20,
        *,
        n_bins: int = 300,
        limits: tuple[float, float] | None = None,
        n_fit: int = 5000,
    ) -> None:
        super().__init__(n_bins, limits=limits)
        if n_components < 1 or n_fit < 2:
            raise ValueError(
                f"n_components is {n_components} and n_fit {n_fit}; wanted at least 1 and 2"
            )
        self.n_components = n_components
        self.n_fit = n_fit

    def fit(self, source: Source) -> SpectrumPCAFeatures:
        """Find grid and components.

        Raises
        ------
        MeasurementError
            Fewer than two spectra can be measured, or they have no common range.
        """
        from scipy.linalg import svd

        super().fit(source)
        ids = source.object_ids
        some = ids[evenly(len(ids), self.n_fit)]
        rows = []
        for object_id in some:
            try:
                rows.append(self._relative(source.read(object_id)))
            except (MeasurementError, ReadError):
                continue
        if len(rows) < 2:
            raise MeasurementError(
                f"{len(rows)} of {len(some)} spectra can be measured; principal components want 2"
            )
        X = np.array(rows)
        self.mean_ = X.mean(axis=0)
        _, _, components = svd(X - self.mean_, full_matrices=False)
        n = min(self.n_components, len(X) - 1)
        signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(axis=1)])
        self.components_ = (components * signs[:, None])[:n]
        return self

    def _relative(self, data: NDArray[Any]) -> NDArray[np.float64]:
        # a line of ten times the continuum counts, but not a hundred times as much as others
        return np.arcsinh(self._flatten(data).relative)

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """``pc_1``, ``pc_2``, ... and ``residual``; fits to the source unless done."""
        self._fitted(source)
        return (*(f"pc_{k + 1}" for k in range(len(self.components_))), "residual")

    def settings(self) -> Mapping[str, Any]:
        """Return the parameters and a digest of the components."""
        digest = hashlib.blake2b(digest_size=8)
        if hasattr(self, "components_"):
            digest.update(np.round(self.components_, 6).astype(np.float32).tobytes())
        return {
            **super().settings(),
            "n_components": self.n_components,
            "components": digest.hexdigest(),
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one spectrum; (n_components + 1,) float32.

        Raises
        ------
        MeasurementError
            It covers less than half of the grid, or is nothing but zeros.
        ValueError
            There are no components yet.
        """
        away = self._relative(data) - self.mean_
        scores = self.components_ @ away
        rest = away - scores @ self.components_
        residual = np.log10(max(np.sqrt(np.mean(rest**2)), _LEAST))
        return np.append(scores, residual).astype(np.float32)
