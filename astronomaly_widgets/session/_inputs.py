"""What a session is given, checked at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ._object_ids import ObjectIds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CHUNK = 100_000


def as_matrix(
    features: Any, object_ids: Any
) -> tuple[NDArray[np.float32], ObjectIds, tuple[str, ...]]:
    """Return the (n, d) float32 matrix, the object ids and the names of the d features.

    A float32 memory map is returned as it is, not read. What is masked is NaN.

    Raises
    ------
    ValueError
        If it is not a numeric table with at least one row and one column, there are not as many
        ids as rows, or an id stands for two of them.
    """
    if not isinstance(features, pd.DataFrame) and hasattr(features, "to_pandas"):
        features = features.to_pandas()  # an astropy Table
    names: tuple[str, ...] | None = None
    if isinstance(features, pd.DataFrame):
        kinds = features.dtypes.items()
        words = [str(name) for name, kind in kinds if not pd.api.types.is_numeric_dtype(kind)]
        if words:
            raise ValueError(
                f"features must be numbers, but these columns are not: {', '.join(words[:5])}; "
                "leave them out, or give the table to aw.explore, which moves them to the catalog"
            )
        if object_ids is None and not isinstance(features.index, pd.RangeIndex):
            object_ids = features.index
        names = tuple(map(str, features.columns))
        features = features.to_numpy(dtype=np.float64, na_value=np.nan)
    array = np.asanyarray(features)
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    elif not isinstance(array, np.memmap):
        array = np.asarray(array)  # no matrix and no Quantity: their arithmetic is another
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiub":
        raise ValueError(
            f"features must be numbers in an array of shape (n objects, d features), "
            f"but an array of shape {array.shape} and type {array.dtype} came"
        )
    if array.dtype != np.float32:
        with np.errstate(over="ignore"):  # what does not fit becomes inf and is set aside
            array = array.astype(np.float32)
    n, d = array.shape
    given = np.arange(n) if object_ids is None else object_ids
    given = given if hasattr(given, "__len__") else list(given)
    if len(given) != n:
        raise ValueError(f"{n} rows of features came with {len(given)} object ids: give one each")
    return unchangeable(array), ObjectIds(given), names or tuple(f"feature {k}" for k in range(d))


def unchangeable(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that a learner cannot change, and the search with it."""
    view = array.view()
    view.flags.writeable = False
    return view


def finite_rows(X: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are finite, and which are not; each (n,) bool.

    Raises
    ------
    ValueError
        If none is.
    """
    finite = np.empty(len(X), dtype=bool)
    for start in range(0, len(X), _CHUNK):
        finite[start : start + _CHUNK] = np.isfinite(X[start : start + _CHUNK]).all(axis=1)
    if not finite.any():
        raise ValueError(
            f"none of the {len(X)} objects has finite features (all hold NaN or infinity): "
            "look for a column that is empty, and leave it out"
        )
    return finite, ~finite


def set_aside_table(earlier: pd.DataFrame | None, not_finite: NDArray[Any]) -> pd.DataFrame:
    """Return the objects set aside before, and those whose features are not finite."""
    now = pd.DataFrame(
        {"stage": "features", "reason": "a feature is NaN or infinite"},
        index=pd.Index(not_finite, dtype=object),
        columns=["stage", "reason"],
    )
    table = now if earlier is None or earlier.empty else pd.concat([earlier, now])
    return table.rename_axis("object_id")


def align_truth(
    truth: Any, catalog: pd.DataFrame | None, given: ObjectIds, keep: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Return (n,) bool, which of the kept objects are known to be interesting, or None.

    Raises
    ------
    ValueError
        If it is a name that is no column of the catalog, has another length, or is of other ids.
    """
    if truth is None:
        return None
    if isinstance(truth, str):
        if catalog is None or truth not in catalog:
            known = "there is none" if catalog is None else ", ".join(map(str, catalog.columns))
            raise ValueError(f"truth={truth!r} is not a column of the catalog ({known})")
        return _are_true(catalog[truth])
    if isinstance(truth, Mapping | pd.Series):
        of_some = pd.Series(truth, dtype=object)
        names = list(map(str, of_some.index))
        rows, yes = given.rows_of(names), _are_true(of_some)
        if names and (rows < 0).all():
            raise ValueError(
                f"truth says nothing of any object: it is of {', '.join(map(repr, names[:3]))}, "
                f"but the objects are {', '.join(map(repr, given.take(range(min(3, len(given))))))}"
            )
        of_all = np.zeros(len(given), dtype=bool)
        of_all[rows[yes & (rows >= 0)]] = True
        return np.asarray(of_all[keep])
    if np.shape(truth) != (len(given),):
        raise ValueError(
            f"truth must be one value per object, ({len(given)},), not {np.shape(truth)}"
        )
    return np.asarray(_are_true(truth)[keep])


def _are_true(values: Any) -> NDArray[np.bool_]:
    """Return what is true, (m,); what is missing is not."""
    if getattr(values, "dtype", None) == np.bool_:  # of millions, at once
        return np.array(values)
    return pd.Series(values, dtype=object).to_numpy(dtype=bool, na_value=False)


def checked_anomaly_score(score: ArrayLike, n: int) -> NDArray[np.float32]:
    """Return the anomaly score as (n,) float32.

    Raises
    ------
    ValueError
        If it is not finite, not on the scale 0..5, or of another length.
    """
    values = np.asarray(score, dtype=np.float32)
    if values.shape != (n,):
        raise ValueError(f"anomaly_score must have shape ({n},), but {values.shape} came")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 5:
        raise ValueError(
            "anomaly_score must be finite and lie in 0..5, larger = more anomalous, but it spans "
            f"{values.min()}..{values.max()}; aw.detectors.rescale brings a detector's score there"
        )
    return values


def checked_score(score: Any) -> float:
    """Return a person's score as a float.

    Raises
    ------
    ValueError
        If it is not a number from 0 to 5.
    """
    try:
        value = float(score)
    except (TypeError, ValueError):
        value = np.nan
    if isinstance(score, str | bytes | bool | np.bool_) or not 0 <= value <= 5:
        raise ValueError(f"a score is a number from 0 to 5, but {score!r} came; nothing was stored")
    return value
