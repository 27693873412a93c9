"""Results in the formats that astronomers use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import Table

SUFFIXES = (".csv", ".ecsv", ".vot", ".fits", ".parquet")


def write(results: pd.DataFrame, path: str | Path) -> Path:
    """Write a table, in the format that the file's suffix names.

    Parameters
    ----------
    results : DataFrame
        One row per object, indexed by object id; `tags` holds tuples of str, `time` is UTC.
    path : str or Path
        Ends in .csv, .ecsv, .vot, .fits or .parquet; an existing file is replaced at once.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the suffix is none of these.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"cannot export to {path.name!r}: its suffix must be one of {', '.join(SUFFIXES)}"
        )
    flat = results.copy()
    # a semicolon, as tags may hold commas; one spelling in every format
    flat["tags"] = [";".join(tags) for tags in flat["tags"]]
    flat["time"] = flat["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").fillna("")
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        if suffix == ".csv":
            flat.to_csv(temporary, index_label="object_id")
        elif suffix == ".parquet":
            _of_one_type(flat).rename_axis("object_id").to_parquet(temporary)
        else:
            kind = {".ecsv": "ascii.ecsv", ".vot": "votable", ".fits": "fits"}[suffix]
            table = _table(flat)
            if suffix == ".fits":
                table.convert_unicode_to_bytestring()  # UTF-8: FITS text itself is ASCII only
            table.write(temporary, format=kind, overwrite=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _of_one_type(flat: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text for columns of several types, which Parquet does not know."""
    from pandas.api.types import infer_dtype

    mixed = [name for name in flat if infer_dtype(flat[name]).startswith("mixed")]
    return flat.assign(**{str(name): _texts(flat[name]) for name in mixed})


def _table(flat: pd.DataFrame) -> Table:
    import numpy as np
    from astropy import units
    from astropy.table import Table

    table = Table()
    table["object_id"] = np.array(flat.index, dtype=str)
    for name in flat.columns:
        table[name] = _column(flat[name])
    for name in ("ra", "dec"):
        if name in table.colnames and table[name].dtype.kind == "f":
            table[name].unit = units.deg
    return table


def _column(values: pd.Series[Any]) -> Any:
    """Return a column of a type that both FITS and VOTable know.

    Neither knows objects, VOTable no unsigned integers; FITS takes a missing truth value for true.
    """
    import numpy as np
    from astropy.table import MaskedColumn

    missing = values.isna().to_numpy()
    kind = values.dtype.kind
    if kind in "iu" and not (values > np.iinfo(np.int64).max).any():
        whole = values.to_numpy(dtype=np.int64, na_value=0)
        return MaskedColumn(whole, mask=missing) if missing.any() else whole
    if kind == "f":
        single = values.dtype in (np.float16, np.float32)
        return values.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
    if kind == "b" and not missing.any():
        return values.to_numpy(dtype=bool)
    return np.array(_texts(values), dtype=str)


def _texts(values: pd.Series[Any]) -> list[str]:
    return ["" if gone else str(v) for v, gone in zip(values, values.isna(), strict=True)]
