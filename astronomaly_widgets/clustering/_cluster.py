"""Clusters of feature space, as many as the data say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ..compute import chunks
from ._models import fitted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Method = Literal["auto", "hdbscan", "gaussian_mixture", "kmeans"]
METHODS = get_args(Method)

_NUMBERS_PER_CHUNK = 2**22
_SHOWN = 10  # sizes that a representation says
_FEWEST_EACH = 5  # objects per cluster, on average, below which more clusters are not tried


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which object belongs to which cluster.

    Attributes
    ----------
    labels : ndarray, shape (n,), dtype int32
        Number of the cluster: 0 is the largest; -1 is none.
    oddity : ndarray, shape (n,), dtype float32
        How far out an object lies, in units of the median member of its cluster; NaN in none.
        Distance to the center for k-means; Mahalanobis distance for a mixture; for density, the
        distance to the tenth neighbor.
    method : str
        What found them, one of ``METHODS`` but ``"auto"``.
    """

    labels: NDArray[np.int32]
    oddity: NDArray[np.float32]
    method: str

    def __repr__(self) -> str:
        largest = ", ".join(map(str, self.sizes[:_SHOWN]))
        more = ", ..." if len(self.sizes) > _SHOWN else ""
        return (
            f"<Clusters: {len(self.sizes)} by {self.method}, of {largest}{more} objects; "
            f"{(self.labels < 0).sum()} in none>"
        )

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many objects each cluster has, largest first; (n_clusters,)."""
        return np.bincount(self.labels[self.labels >= 0]).astype(np.int64)

    def members(
        self, cluster: int, order: Literal["representative", "extreme"] = "representative"
    ) -> NDArray[np.intp]:
        """Rows of a cluster's objects: its most typical first, or those at its edge.

        Parameters
        ----------
        cluster : int
            Its number; -1 gives the objects in none, in their own order.
        order : {"representative", "extreme"}

        Raises
        ------
        ValueError
            There is no such cluster or order.
        """
        if order not in {"representative", "extreme"}:
            raise ValueError(f"order is {order!r}; wanted 'representative' or 'extreme'")
        if not -1 <= cluster < len(self.sizes):
            raise ValueError(f"there is no cluster {cluster}; there are {len(self.sizes)}, from 0")
        rows = np.flatnonzero(self.labels == cluster)
        if cluster == -1:
            return rows
        sign = 1 if order == "representative" else -1
        return rows[np.argsort(sign * self.oddity[rows], kind="stable")]


def cluster(
    X: ArrayLike,
    method: Method = "auto",
    *,
    n_clusters: int | None = None,
    max_clusters: int = 15,
    min_size: int | None = None,
    n_fit: int = 10_000,
    random_state: int = 0,
) -> Clusters:
    """Find clusters; how many, the data say.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite features, possibly memory-mapped; scaled, and reduced to some tens of dimensions
        (``reduction.pca``), beyond which distances tell little.
    method : str
        ``"hdbscan"``: regions that are denser than what surrounds them, of any shape; objects in
        between belong to none. ``"gaussian_mixture"``: ellipsoids that may overlap, as many as
        have the least Bayesian information criterion. ``"kmeans"``: balls, as many as have the
        greatest mean silhouette, at least two. ``"auto"``: HDBSCAN, or a mixture if that finds
        fewer than two clusters or leaves out more than half of the objects.
    n_clusters : int, optional
        How many, for a mixture or k-means; ``"auto"`` then takes a mixture.
    max_clusters : int
        The most that a mixture or k-means may have.
    min_size : int, optional
        The fewest objects that HDBSCAN calls a cluster; by default 1 % of all, at least 5.
    n_fit : int
        Clusters are found among so many random objects; the others are given to them. With
        HDBSCAN, one that is farther from its nearest neighbor than that is from its tenth is
        given to none.
    random_state : int
        The same number gives the same clusters.

    Returns
    -------
    Clusters

    Raises
    ------
    ValueError
        If `X` is not a matrix of finite numbers with at least one object, the method is unknown,
        or a number does not suit it.

    References
    ----------
    Campello et al. 2013, PAKDD, 160 (HDBSCAN). Schwarz 1978, Annals of Statistics 6, 461 (BIC).
    Rousseeuw 1987, J. Comput. Appl. Math. 20, 53 (silhouette).
    """
    from threadpoolctl import threadpool_limits

    X = _matrix(X)
    _check(method, n_clusters, max_clusters, n_fit, min_size)
    n = len(X)
    rng = np.random.default_rng(random_state)
    rows = np.arange(n) if n <= n_fit else np.sort(rng.choice(n, n_fit, replace=False))
    sample = _finite(np.asarray(X[rows], np.float64))
    smallest = max(5, n // 100) if min_size is None else min_size
    smallest = max(2, round(smallest * len(rows) / n))
    candidates = _candidates(sample, n_clusters, max_clusters)
    with threadpool_limits(1):  # threads that wait for each other are slower on a busy machine
        found = fitted(sample, method, candidates, smallest, random_state)
    labels, distances = np.empty(n, np.int32), np.empty(n)
    step = max(1, _NUMBERS_PER_CHUNK // max(X.shape[1], len(rows) // 8))
    for part in chunks(n, step):
        block = _finite(np.asarray(X[part], np.float64))
        labels[part], distances[part] = found.assign(block)
    labels[rows], distances[rows] = found.sampled()
    return _numbered(labels, distances, found.method)


def _candidates(sample: NDArray[Any], n_clusters: int | None, max_clusters: int) -> range:
    """Numbers of clusters to try; no more than there are different objects."""
    different = len(np.unique(sample, axis=0))
    if n_clusters is None:
        most = min(max_clusters, different, len(sample) // _FEWEST_EACH)
        return range(1, max(1, most) + 1)
    if n_clusters > different:
        raise ValueError(f"n_clusters is {n_clusters}, but {different} objects are different")
    return range(n_clusters, n_clusters + 1)


def _numbered(labels: NDArray[Any], distances: NDArray[Any], method: str) -> Clusters:
    """Give clusters numbers by size, and distances one unit."""
    found, first, counts = np.unique(labels, return_index=True, return_counts=True)
    real = found >= 0
    found = found[real][np.lexsort((first[real], -counts[real]))]
    numbers = np.full(len(labels), -1, np.int32)
    oddity = np.full(len(labels), np.nan, np.float32)
    for number, label in enumerate(found):
        members = labels == label
        numbers[members] = number
        typical = np.median(distances[members])
        oddity[members] = distances[members] / (typical if typical > 0 else 1.0)
    return Clusters(numbers, oddity, method)


def _check(
    method: str, n_clusters: int | None, max_clusters: int, n_fit: int, min_size: int | None
) -> None:
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}; there are: {', '.join(METHODS)}")
    if n_clusters is not None and method == "hdbscan":
        raise ValueError("HDBSCAN finds how many clusters there are; leave out n_clusters")
    for name, value, least in (
        ("n_clusters", n_clusters, 1),
        ("max_clusters", max_clusters, 1),
        ("n_fit", n_fit, 1),
        ("min_size", min_size, 2),
    ):
        if value is not None and value < least:
            raise ValueError(f"{name} is {value}; wanted at least {least}")


def _matrix(X: ArrayLike) -> NDArray[Any]:
    array = np.asanyarray(X)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"the features have shape {array.shape}; give a matrix (n_objects, n_features) "
            "with at least one of each"
        )
    return array


def _finite(block: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(block).all():
        raise ValueError("an object has a feature that is NaN or infinite; set it aside")
    return block
