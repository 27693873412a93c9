"""What finds clusters in a sample, and gives others to them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MOST_COMPARED = 2000  # objects for the silhouette, whose cost is that of all pairs
_NEIGHBORS = 10
_PATIENCE = 2  # numbers of clusters that may be no better before the search ends
_COVERED = 0.5  # what density must explain, or "auto" takes a mixture


class Fitted(Protocol):
    method: str

    def sampled(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Label, and distance in any unit, of the objects that it was fitted on."""
        ...

    def assign(self, block: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the same of others."""
        ...


def fitted(
    sample: NDArray[Any], method: str, candidates: range, smallest: int, random_state: int
) -> Fitted:
    if method == "hdbscan" or (method == "auto" and len(candidates) > 1):
        density = _Density(sample, smallest)
        if method == "hdbscan" or density.explains_most():
            return density
    if method == "kmeans" or len(sample) == 1:  # of which there is no mixture
        return _fit_kmeans(sample, candidates, random_state)
    return _fit_mixture(sample, candidates, random_state)


class _Density:
    """HDBSCAN; and, for others, the cluster of the nearest neighbor that is near enough."""

    method = "hdbscan"

    def __init__(self, sample: NDArray[Any], smallest: int) -> None:
        from sklearn.cluster import HDBSCAN
        from sklearn.neighbors import NearestNeighbors

        n = len(sample)
        self._k = min(_NEIGHBORS, n - 1)
        self._labels = np.full(n, -1)
        self._reach = np.zeros(n)
        if n <= max(smallest, 2):
            return
        model = HDBSCAN(smallest, min_samples=min(smallest, _NEIGHBORS), copy=True)
        self._labels = model.fit(sample).labels_
        self._neighbors = NearestNeighbors().fit(sample)
        self._reach = self._neighbors.kneighbors(sample, self._k + 1)[0][:, -1]  # first is itself

    def explains_most(self) -> bool:
        return bool(self._labels.max() > 0 and (self._labels >= 0).mean() >= _COVERED)

    def sampled(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self._labels, self._reach

    def assign(self, block: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        if not (self._labels >= 0).any():
            return np.full(len(block), -1), np.zeros(len(block))
        distances, neighbors = self._neighbors.kneighbors(block, self._k)
        nearest = neighbors[:, 0]
        near = distances[:, 0] <= self._reach[nearest]
        return np.where(near, self._labels[nearest], -1), distances[:, -1]


class _Mixture:
    method = "gaussian_mixture"

    def __init__(self, model: Any, sample: NDArray[Any]) -> None:
        self._model = model
        self._sample = sample

    def sampled(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.assign(self._sample)

    def assign(self, block: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        model = self._model
        labels = model.predict(block)
        distances = np.empty(len(block))
        for k, (mean, root) in enumerate(
            zip(model.means_, model.precisions_cholesky_, strict=True)
        ):
            members = labels == k
            apart = block[members] - mean
            whitened = apart @ root if model.covariance_type == "full" else apart * root
            distances[members] = np.linalg.norm(whitened, axis=1)
        return labels, distances


def _fit_mixture(sample: NDArray[Any], candidates: range, random_state: int) -> _Mixture:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    def fitted(kind: str) -> Iterator[tuple[float, Any]]:
        for k in candidates:
            model = GaussianMixture(k, covariance_type=kind, random_state=random_state)
            with warnings.catch_warnings():
                # a mixture that is still creeping uphill is judged by its criterion all the same
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(sample)
            yield float(model.bic(sample)), model

    n, d = sample.shape
    kinds = ["diag"] if d == 1 or n <= d else ["diag", "full"]
    models = [_best(fitted(kind)) for kind in kinds]
    return _Mixture(min(models, key=lambda each: each[0])[1], sample)


class _Means:
    method = "kmeans"

    def __init__(self, model: Any, sample: NDArray[Any]) -> None:
        self._model = model
        self._sample = sample

    def sampled(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.assign(self._sample)

    def assign(self, block: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        distances = self._model.transform(block)
        labels = distances.argmin(axis=1)
        return labels, distances[np.arange(len(block)), labels]


def _fit_kmeans(sample: NDArray[Any], candidates: range, random_state: int) -> _Means:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    def fitted() -> Iterator[tuple[float, Any]]:
        for k in candidates if len(candidates) == 1 else candidates[1:]:
            model = KMeans(k, n_init=5, random_state=random_state).fit(sample)
            labels = model.labels_[::step]
            comparable = 1 < len(np.unique(labels)) < len(labels)
            yield -silhouette_score(sample[::step], labels) if comparable else 0.0, model

    step = -(-len(sample) // _MOST_COMPARED)
    return _Means(min(fitted(), key=lambda each: each[0])[1], sample)


def _best(models: Iterator[tuple[float, Any]]) -> tuple[float, Any]:
    """Return the one of least criterion; the search ends soon after it has passed."""
    best = next(models)
    worse = 0
    for each in models:
        best, worse = (each, 0) if each[0] < best[0] else (best, worse + 1)
        if worse == _PATIENCE:
            break
    return best
