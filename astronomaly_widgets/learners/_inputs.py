"""What every learner checks of what it is given, and how it cuts it into pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_NUMBERS_PER_CHUNK = 2**21  # 16 MB of float64, whatever the number of columns


def as_features(X: ArrayLike) -> NDArray[Any]:
    """Return `X` as a matrix (n, d), still memory-mapped if it was.

    Raises
    ------
    ValueError
        If it is not a matrix, or has no columns.
    """
    array = np.asanyarray(X)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(
            f"the features have shape {array.shape}; give a matrix (n_objects, n_features)"
        )
    return array


def as_anomaly_score(anomaly_score: ArrayLike, n: int) -> NDArray[np.float32]:
    """Return the anomaly scores as a new array (n,) float32.

    Raises
    ------
    ValueError
        If there is not one per object.
    """
    score = np.array(anomaly_score, dtype=np.float32)
    if score.shape != (n,):
        raise ValueError(f"anomaly_score has shape {score.shape}; {n} objects need ({n},)")
    return score


def labeled(
    X: ArrayLike, rows: ArrayLike, y: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return features (m, d) and scores (m,) of the labeled objects, checked.

    Raises
    ------
    ValueError
        If `rows` and `y` differ in length, a score is not in 0..5, or a labeled object has a
        feature that is NaN or infinite.
    IndexError
        If a row is not in `X`.
    """
    X = as_features(X)
    index = np.asarray(rows, dtype=np.intp)
    scores = np.asarray(y, dtype=np.float64)
    if index.ndim != 1 or index.shape != scores.shape:
        raise ValueError(
            f"rows has shape {index.shape} and y {scores.shape}; give one score per labeled row"
        )
    if not ((scores >= 0) & (scores <= 5)).all():
        wrong = scores[~((scores >= 0) & (scores <= 5))][0]
        raise ValueError(f"a label is {wrong}; scores are 0 to 5")
    return as_block(X, index), scores


def as_block(X: NDArray[Any], part: slice | NDArray[np.intp]) -> NDArray[np.float64]:
    """Return some rows of a matrix as float64, checked.

    Raises
    ------
    ValueError
        If a feature is NaN or infinite.
    """
    block = np.asarray(X[part], dtype=np.float64)
    if not np.isfinite(block).all():
        bad = int(np.count_nonzero(~np.isfinite(block).all(axis=1)))
        raise ValueError(
            f"{bad} of {len(block)} objects have a feature that is NaN or infinite; "
            "set them aside before learning"
        )
    return block


def rows_per_chunk(columns: int) -> int:
    """Say how many rows of so many columns are worked on at once."""
    return max(1, _NUMBERS_PER_CHUNK // columns)
