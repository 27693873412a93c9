"""Standard scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..compute import open_rows
from ._moments import Moments
from ._passes import transformed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._passes import PathLike


def scale(X: Any, *, out: PathLike | None = None) -> NDArray[Any]:
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
    mean, spread = Moments.of(rows, pairs=False).center_and_spread()

    def standardize(block: NDArray[np.float64]) -> NDArray[np.float64]:
        block -= mean
        block /= spread
        return block

    return transformed(rows, rows.shape[1], standardize, out)
