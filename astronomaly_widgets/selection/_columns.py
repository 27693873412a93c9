"""A column of a table of any kind, as an array and what of it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBERS = {"integer", "floating", "mixed-integer-float"}


def read_column(table: Any, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a column's values and which of them are missing."""
    import pandas as pd

    names = getattr(table, "colnames", None) or getattr(table, "columns", None)
    if names is None:
        names = getattr(getattr(table, "dtype", None), "names", None) or ()
    if name not in list(names):
        there = ", ".join(map(str, names)) or "no columns"
        raise SourceError(f"the table has no column {name!r}; it has {there}")
    found = table[name]
    if isinstance(found, pd.Series):
        missing = found.isna().to_numpy()
        numeric = found.dtype.kind in "iufb"
        if numeric and isinstance(found.dtype, pd.api.extensions.ExtensionDtype):
            values = found.fillna(0).to_numpy()
        else:
            values = found.to_numpy() if numeric else found.astype(object).to_numpy()
    else:
        missing = np.array(np.ma.getmaskarray(found))
        values = np.asarray(np.ma.getdata(found))
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    if values.dtype.kind == "O":
        numbers = pd.api.types.infer_dtype(values[~missing]) in _NUMBERS
        values = np.where(missing, 0.0 if numbers else "", values)
        values = values.astype(np.float64) if numbers else _decoded(values)
    return values, missing


def _decoded(values: NDArray[Any]) -> NDArray[Any]:
    """Turn bytes among the values into text."""
    decode = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values.tolist()]
    return np.array(decode, dtype=object)
