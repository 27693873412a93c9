"""Principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import blocks, open_rows
from ._moments import Moments
from ._passes import rows_per_block, transformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..compute import Rows
    from ._passes import PathLike


@dataclass(frozen=True, slots=True)
class PCAResult:
    """Principal components of a feature matrix.

    Attributes
    ----------
    scores : ndarray, shape (n, k), dtype float32
        Every object along the k leading components, in the units of the features, or in standard
        deviations if they were standardized; whitened ones have a standard deviation of 1 each,
        or are 0. Memory-mapped if it was written to a file.
    names : tuple of str
        ``PC1`` ... ``PCk``.
    components : ndarray, shape (k, d), dtype float64
        Unit vectors in feature space; the largest entry of each is positive.
    mean : ndarray, shape (d,), dtype float64
        What was subtracted before the projection.
    explained : ndarray, shape (k,), dtype float64
        Fraction of the total variance along each component; 0 where there is no variance at all.
    spread : ndarray, shape (d,), dtype float64
        What the features were then divided by: their standard deviations (1 for a feature that is
        the same for all), or 1.
    """

    scores: NDArray[Any]
    names: tuple[str, ...]
    components: NDArray[Any]
    mean: NDArray[Any]
    explained: NDArray[Any]
    spread: NDArray[Any]

    def __repr__(self) -> str:
        (n, k), d = self.scores.shape, len(self.mean)
        return (
            f"<PCAResult: {n} objects, {k} components of {d} features, "
            f"{self.explained.sum() * 100:.1f} % of the variance>"
        )


def pca(
    X: Any,
    n_components: float = 0.95,
    *,
    standardize: bool = False,
    whiten: bool = False,
    out: PathLike | None = None,
    client: Any = None,
) -> PCAResult:
    """Rotate features onto their principal components.

    The decomposition is exact and needs no random numbers: that of the covariance, which is
    gathered in one pass, or with fewer objects than features that of the features themselves.
    The memory it takes is 32 d^2 bytes and some 50 MB, besides the result.

    Parameters
    ----------
    X : array or path, shape (n, d)
        Finite features; see :func:`scale`.
    n_components : int or float
        An int is how many components to keep (at most min(n, d) exist and are kept); a float
        in 0..1, exclusive, is the fraction of the variance to keep at least
        (Etsebeth et al. 2024, section 3.1, keep .95 of it).
    standardize : bool
        Divide every feature by its standard deviation before; the same as :func:`scale` first,
        without its result. Do so unless the features share one unit.
    whiten : bool
        Divide every component by its standard deviation, so that all weigh the same: what the last
        of them say counts as much as what the first do. Those without variance become 0.
    out : path, optional
        Write the scores to this ``.npy`` file instead of holding them.
    client : distributed.Client, optional
        Read and reduce on the workers of this Dask cluster, which must see the files under the same
        path; the result is the same, bit for bit, on machines of the same kind. Each takes 16 d^2
        bytes and some 50 MB. What is in memory here, or in HDF5, is reduced here.

    Raises
    ------
    ValueError
        If `X` is not a matrix with at least one object or holds NaN or infinity, or if
        `n_components` is neither a positive int nor a fraction.
    SourceError
        If a file cannot be read.
    OSError
        If the disk is full.
    ConnectionError
        If the client is closed, or loses all its workers.
    """
    rows = open_rows(X)
    n, d = rows.shape
    _check_n_components(n_components)
    moments = Moments.of(rows, pairs=d <= n, client=client)
    mean, spread = moments.center_and_spread()
    if not standardize:
        spread = np.ones(d)
    if d <= n:
        variance, components = _axes_of_features(moments, spread)
    else:
        variance, components = _axes_of_objects(rows, mean, spread)
    total = variance.sum()
    explained = variance / total if total > 0 else np.zeros_like(variance)
    if isinstance(n_components, (float, np.floating)):
        # the tolerance keeps a fraction that is reached but for rounding
        k = 1 + int(np.searchsorted(np.cumsum(explained), n_components - 1e-12))
    else:
        k = int(n_components)
    k = min(k, n, d)
    components = components[:k]
    largest = components[np.arange(k), np.abs(components).argmax(axis=1)]
    components = components * np.where(largest < 0, -1.0, 1.0)[:, None]
    onto = (components / spread).T
    if whiten:
        # a direction that is but rounding has no scale of its own
        real = variance[:k] > variance[0] * max(n, d) * np.finfo(np.float64).eps
        onto = onto * np.where(real, 1 / np.sqrt(np.where(real, variance[:k], 1.0)), 0.0)

    def project(block: NDArray[np.float64]) -> NDArray[np.float64]:
        block -= mean
        projected: NDArray[np.float64] = block @ onto
        return projected

    return PCAResult(
        scores=transformed(rows, k, project, out, client),
        names=tuple(f"PC{i + 1}" for i in range(k)),
        components=components,
        mean=mean,
        explained=explained[:k],
        spread=spread,
    )


def _axes_of_features(
    moments: Moments, spread: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Variances, largest first, and axes (d, d), from the covariance: for d <= n."""
    covariance = moments.scatter
    covariance /= moments.n
    covariance /= spread
    covariance /= spread[:, None]
    constant = moments.high == moments.low  # but for the rounding of its mean
    covariance[constant] = 0.0
    covariance[:, constant] = 0.0
    variance, axes = np.linalg.eigh(covariance, UPLO="U")
    return np.maximum(variance[::-1], 0.0), axes.T[::-1]


def _axes_of_objects(
    rows: Rows, mean: NDArray[np.float64], spread: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Variances, largest first, and axes (n, d), by singular values: for n < d."""
    n, d = rows.shape
    X = np.concatenate([block for _, block in blocks(rows, rows_per_block(d))])
    X -= mean
    X /= spread
    _, singular, axes = np.linalg.svd(X, full_matrices=False)
    return singular**2 / n, axes


def _check_n_components(n_components: float) -> None:
    if isinstance(n_components, (int, np.integer)) and not isinstance(n_components, bool):
        if n_components >= 1:
            return
    elif isinstance(n_components, (float, np.floating)) and 0 < n_components < 1:
        return
    raise ValueError(
        f"n_components is {n_components!r}; give a positive int (how many to keep) "
        "or a float between 0 and 1 (the fraction of the variance to keep)"
    )
