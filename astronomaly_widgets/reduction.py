"""Feature matrices made ready for detectors and learners: standard scaling and PCA.

Everything is linear in the number of objects and reads the features in blocks, from memory or from
disk, in two passes: one for the sums, in float64, one for the result. The blocks are cut by the
number of features alone, so the result does not depend on how the features are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .compute import blocks, map_objects, npy_writer, open_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from .compute import Rows

    _Path = str | os.PathLike[str]

_NUMBERS_PER_CHUNK = 2**20  # 8 MB of float64, whatever the number of features
_BLOCKS_PER_SPAN = 64  # whose sums are gathered by one worker; added up, they cost little


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


@dataclass
class _Moments:
    """Sums over objects, gathered block by block without cancellation.

    Attributes
    ----------
    n : int
        Objects so far.
    mean, low, high : ndarray, shape (d,), dtype float64
    scatter : ndarray, shape (d, d) or (d,), dtype float64
        Sum of the products of the differences from the mean: of all pairs of features (the upper
        triangle counts), or of each with itself.

    References
    ----------
    Chan, Golub & LeVeque 1983, The American Statistician 37, 242, eq. 2.1.
    """

    n: int
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows, *, pairs: bool, client: Any = None) -> Self:
        """Gather the sums of all rows, span by span, so that it matters to no digit who does it."""
        gather = partial(cls._of_span, rows, _rows(rows.shape[1]), pairs)
        sums: Iterator[Self] = _over_spans(rows, gather, client)
        return reduce(cls.plus, sums)

    @classmethod
    def _of_span(cls, rows: Rows, size: int, pairs: bool, span: tuple[int, int]) -> Self:
        d = rows.shape[1]
        # in BLAS's own order, so that it adds in place
        scatter = np.zeros((d, d) if pairs else d, order="F")
        result = cls(0, np.zeros(d), np.full(d, np.inf), np.full(d, -np.inf), scatter)
        for part, block in blocks(rows, size, start=span[0], stop=span[1]):
            result.add(block, part)
        return result

    def plus(self, other: Self) -> Self:
        """Take in the sums of what comes next; return itself."""
        step = other.mean - self.mean
        n = self.n + other.n
        weight = self.n * other.n / n
        self.scatter += other.scatter
        if self.scatter.ndim == 1:
            self.scatter += weight * step**2
        else:
            from scipy.linalg import blas

            blas.dsyr(weight, step, a=self.scatter, overwrite_a=True)
        np.minimum(self.low, other.low, out=self.low)
        np.maximum(self.high, other.high, out=self.high)
        self.n = n
        self.mean += step * (other.n / n)
        return self

    def add(self, block: NDArray[np.float64], part: slice) -> None:
        """Take in a block (k, d), which is changed."""
        mean = block.mean(axis=0)
        bad = int(np.count_nonzero(~np.isfinite(mean)))
        if bad:
            raise ValueError(
                f"{bad} of {len(mean)} features hold NaN or infinity (in rows {part.start} to "
                f"{part.stop - 1}); leave out the objects or the columns that could not be measured"
            )
        np.minimum(self.low, block.min(axis=0), out=self.low)
        np.maximum(self.high, block.max(axis=0), out=self.high)
        block -= mean
        step = mean - self.mean
        weight = self.n * len(block) / (self.n + len(block))
        if self.scatter.ndim == 1:
            self.scatter += np.einsum("ij,ij->j", block, block) + weight * step**2
        else:
            from scipy.linalg import blas

            blas.dsyrk(1.0, block.T, beta=1.0, c=self.scatter, overwrite_c=True)
            blas.dsyr(weight, step, a=self.scatter, overwrite_a=True)
        self.n += len(block)
        self.mean += step * (len(block) / self.n)

    def center_and_spread(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation (d,); of a feature without any, its value and 1."""
        squares = self.scatter if self.scatter.ndim == 1 else self.scatter.diagonal()
        # the extremes tell what is constant: the mean of equal numbers is rounded
        varies = self.high > self.low
        spread = np.where(varies, np.sqrt(squares / self.n), 1.0)
        spread[spread == 0] = 1.0  # variance below the smallest float
        return np.where(varies, self.mean, self.low), spread


def scale(X: Any, *, out: _Path | None = None) -> NDArray[Any]:
    """Standardize every feature to mean 0 and standard deviation 1.

    Parameters
    ----------
    X : array or path, shape (n, d)
        Finite features: an array, a memory map, a Zarr array or HDF5 dataset, or the path of a
        ``.npy``, ``.zarr`` or Parquet file or of a folder of Parquet files. Never held as a whole.
    out : path, optional
        Write the result to this ``.npy`` file instead of holding it.

    Returns
    -------
    ndarray, shape (n, d), dtype float32
        A feature that is the same for all objects becomes 0, never NaN. Memory-mapped, read-only,
        if it was written to a file.

    Raises
    ------
    ValueError
        If `X` is not a matrix with at least one object, or holds NaN or infinity.
    SourceError
        If a file cannot be read.
    OSError
        If the disk is full.
    """
    rows = open_rows(X)
    mean, spread = _Moments.of(rows, pairs=False).center_and_spread()

    def standardize(block: NDArray[np.float64]) -> NDArray[np.float64]:
        block -= mean
        block /= spread
        return block

    return _transform(rows, rows.shape[1], standardize, out)


def pca(
    X: Any,
    n_components: float = 0.95,
    *,
    standardize: bool = False,
    whiten: bool = False,
    out: _Path | None = None,
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
    moments = _Moments.of(rows, pairs=d <= n, client=client)
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
        scores=_transform(rows, k, project, out, client),
        names=tuple(f"PC{i + 1}" for i in range(k)),
        components=components,
        mean=mean,
        explained=explained[:k],
        spread=spread,
    )


def _axes_of_features(
    moments: _Moments, spread: NDArray[np.float64]
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
    X = np.concatenate([block for _, block in blocks(rows, _rows(d))])
    X -= mean
    X /= spread
    _, singular, axes = np.linalg.svd(X, full_matrices=False)
    return singular**2 / n, axes


def _transform(
    rows: Rows,
    width: int,
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    path: _Path | None,
    client: Any = None,
) -> NDArray[Any]:
    """Apply a function to all blocks, and hold the results (n, width) or write them to a file."""
    n, d = rows.shape
    results: Iterator[NDArray[Any]]
    if client is None or not rows.travels:
        results = (function(block) for _, block in blocks(rows, _rows(d)))
    else:
        results = _over_spans(rows, partial(_results, rows, _rows(d), function), client)
    if path is None:
        held = np.empty((n, width), dtype=np.float32)
        start = 0
        for values in results:
            held[start : start + len(values)] = values
            start += len(values)
        return held
    with npy_writer(path, (n, width), np.float32) as write:
        for values in results:
            write(values)
    written: NDArray[Any] = np.load(path, mmap_mode="r")
    return written


def _results(
    rows: Rows, size: int, function: Callable[..., NDArray[np.float64]], span: tuple[int, int]
) -> NDArray[np.float32]:
    """Apply a function to the blocks of a span."""
    some = blocks(rows, size, start=span[0], stop=span[1])
    return np.concatenate([function(block).astype(np.float32) for _, block in some])


def _over_spans(rows: Rows, function: Callable[[tuple[int, int]], Any], client: Any) -> Any:
    """Apply a function to spans of many blocks, here or by those who can read them; in order."""
    n, d = rows.shape
    size = _BLOCKS_PER_SPAN * _rows(d)
    spans = [(start, min(start + size, n)) for start in range(0, n, size)]
    if client is None or not rows.travels:
        return map(function, spans)
    return map_objects(function, spans, client=client, at_once=1)


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


def _rows(d: int) -> int:
    return max(1, _NUMBERS_PER_CHUNK // d)
