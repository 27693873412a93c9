"""Feature matrices made ready for detectors and learners: standard scaling and PCA.

Everything is linear in the number of objects, reads memory-mapped features in chunks of fixed
size (so the result depends on the data alone) and sums in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .compute import chunks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_NUMBERS_PER_CHUNK = 2**22  # 32 MB of float64, whatever the number of features


@dataclass(frozen=True, slots=True)
class PCAResult:
    """Principal components of a feature matrix.

    Attributes
    ----------
    scores : ndarray, shape (n, k), dtype float32
        Every object along the k leading components, in the units of the features.
    names : tuple of str
        ``PC1`` ... ``PCk``.
    components : ndarray, shape (k, d), dtype float64
        Unit vectors in feature space; the largest entry of each is positive.
    mean : ndarray, shape (d,), dtype float64
        What was subtracted before the projection.
    explained : ndarray, shape (k,), dtype float64
        Fraction of the total variance along each component; 0 where there is no variance at all.
    """

    scores: NDArray[Any]
    names: tuple[str, ...]
    components: NDArray[Any]
    mean: NDArray[Any]
    explained: NDArray[Any]


def scale(X: ArrayLike) -> NDArray[Any]:
    """Standardize every feature to mean 0 and standard deviation 1.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite features, possibly memory-mapped.

    Returns
    -------
    ndarray, shape (n, d), dtype float32
        A feature that is the same for all objects becomes 0, never NaN.

    Raises
    ------
    ValueError
        If `X` is not a matrix with at least one object, or holds NaN or infinity.
    """
    X = _matrix(X)
    n, d = X.shape
    mean = _mean(X)
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    squares = np.zeros(d)
    for part in chunks(n, _rows(d)):
        block = np.asarray(X[part], dtype=np.float64)
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
        squares += np.square(block - mean).sum(axis=0)
    # the extremes, not the variance, tell what is constant: the mean of equal numbers is rounded
    varies = high > low
    spread = np.where(varies, np.sqrt(squares / n), 1.0)
    mean = np.where(varies, mean, low)
    spread[spread == 0] = 1.0  # variance below the smallest float
    out = np.empty((n, d), dtype=np.float32)
    for part in chunks(n, _rows(d)):
        out[part] = (np.asarray(X[part], dtype=np.float64) - mean) / spread
    return out


def pca(X: ArrayLike, n_components: float = 0.95) -> PCAResult:
    """Rotate features onto their principal components.

    The decomposition is exact and needs no random numbers. Its cost is that of the smaller of
    the (d, d) covariance and the (n, n) matrix of inner products.

    Parameters
    ----------
    X : array, shape (n, d)
        Finite features, possibly memory-mapped; scale them first unless they share one unit.
    n_components : int or float
        An int is how many components to keep (at most min(n, d) exist and are kept); a float
        in 0..1, exclusive, is the fraction of the variance to keep at least
        (Etsebeth et al. 2024, section 3.1, keep .95 of it).

    Raises
    ------
    ValueError
        If `X` is not a matrix with at least one object or holds NaN or infinity, or if
        `n_components` is neither a positive int nor a fraction.
    """
    X = _matrix(X)
    n, d = X.shape
    _check_n_components(n_components)
    mean = _mean(X)
    variance, components = (_axes_of_features if d <= n else _axes_of_objects)(X, mean)
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
    scores = np.empty((n, k), dtype=np.float32)
    for part in chunks(n, _rows(d)):
        scores[part] = (np.asarray(X[part], dtype=np.float64) - mean) @ components.T
    return PCAResult(
        scores=scores,
        names=tuple(f"PC{i + 1}" for i in range(k)),
        components=components,
        mean=mean,
        explained=explained[:k],
    )


def _axes_of_features(X: NDArray[Any], mean: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Variances, largest first, and axes (d, d), from the covariance: for d <= n."""
    n, d = X.shape
    covariance = np.zeros((d, d))
    for part in chunks(n, _rows(d)):
        block = np.asarray(X[part], dtype=np.float64) - mean
        covariance += block.T @ block
    variance, axes = np.linalg.eigh(covariance / n)
    return np.maximum(variance[::-1], 0.0), axes.T[::-1]


def _axes_of_objects(X: NDArray[Any], mean: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Variances, largest first, and axes (n, d), by singular values: for n < d."""
    _, singular, axes = np.linalg.svd(
        np.asarray(X, dtype=np.float64) - mean,
        full_matrices=False,
    )
    return singular**2 / len(X), axes


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


def _matrix(X: ArrayLike) -> NDArray[Any]:
    array = np.asanyarray(X)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"the features have shape {array.shape}; give a matrix (n_objects, n_features) "
            "with at least one of each"
        )
    return array


def _mean(X: NDArray[Any]) -> NDArray[np.float64]:
    n, d = X.shape
    total = np.zeros(d, dtype=np.float64)
    for part in chunks(n, _rows(d)):
        total += np.asarray(X[part]).sum(axis=0, dtype=np.float64)
    bad = int(np.count_nonzero(~np.isfinite(total)))
    if bad:
        raise ValueError(
            f"{bad} of {d} features hold NaN or infinity; leave out the objects or the columns "
            "that could not be measured"
        )
    mean: NDArray[np.float64] = total / n
    return mean


def _rows(d: int) -> int:
    return max(1, _NUMBERS_PER_CHUNK // d)
