"""Text that comes as bytes, as FITS and HDF5 have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def decoded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with text where it had bytes; what is no UTF-8 becomes a replacement sign."""
    from pandas.api.types import infer_dtype, is_object_dtype

    maybe = [str(name) for name, kind in frame.dtypes.items() if is_object_dtype(kind)]
    words = [name for name in maybe if infer_dtype(frame[name]) == "bytes"]
    if not words:
        return frame
    return frame.assign(**{name: frame[name].str.decode("utf-8", "replace") for name in words})
