"""Results in the formats that astronomers use."""

from __future__ import annotations

import csv
import io
import os
import re
import warnings
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from astropy.table import Table

SUFFIXES = (".csv", ".ecsv", ".vot", ".fits", ".parquet")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # to one reader or another
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\ufffe\uffff]")  # not allowed in XML
_NOT_FITS = re.compile("[^ -~]")  # in the name of a column, whose card has room for some 68 letters
_FITS_LENGTH = 60


def write(results: pd.DataFrame, path: str | Path) -> Path:
    """Write a table, in the format that the file's suffix names.

    Parameters
    ----------
    results : DataFrame
        One row per object, indexed by object id; `tags` holds tuples of str, `time` is UTC. Units
        of columns are in ``attrs["units"]``, as text by column; `ra` and `dec` are else in degrees.
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
    from astropy.utils.exceptions import AstropyWarning

    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"cannot export to {path.name!r}: its suffix must be one of {', '.join(SUFFIXES)}"
        )
    flat = results.copy()
    flat["tags"] = [join_tags(tags) for tags in flat["tags"]]  # one spelling in every format
    flat["time"] = flat["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").fillna("")
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        if suffix == ".csv":
            _with_one_line_end(flat).to_csv(temporary, index_label="object_id")
        elif suffix == ".parquet":
            _of_one_type(flat).rename_axis("object_id").to_parquet(temporary)
        else:
            kind = {".ecsv": "ascii.ecsv", ".vot": "votable", ".fits": "fits"}[suffix]
            table = _table(flat)
            if suffix == ".fits":
                table.convert_unicode_to_bytestring()  # UTF-8: FITS text itself is ASCII only
                table.rename_columns(table.colnames, _fits_names(table.colnames))
            with warnings.catch_warnings():
                # of units that the standard does not have, but those who wrote the catalog had
                warnings.simplefilter("ignore", AstropyWarning)
                # as text: astropy 7.0 writes no VOTable to a relative Path
                table.write(str(temporary), format=kind, overwrite=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def join_tags(tags: Iterable[str]) -> str:
    """Return tags as one text: a semicolon between them, as they may hold commas.

    One that holds a semicolon, a quote or the end of a line is quoted, as in a CSV file.
    """
    text = io.StringIO()
    if tags:
        csv.writer(text, delimiter=";").writerow(tags)
    return text.getvalue().removesuffix("\r\n")


def split_tags(text: str) -> tuple[str, ...]:
    """Return the tags that :func:`join_tags` joined."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    return tuple(tag for row in rows for tag in row if tag)


def _with_one_line_end(flat: pd.DataFrame) -> pd.DataFrame:
    """Return the table without carriage returns: not quoted, they would end a line of a CSV."""
    words = [name for name in flat if _kind(flat[name]) == "string"]
    new = {str(name): flat[name].str.replace("\r\n?", "\n", regex=True) for name in words}
    return flat.assign(**new)


def _of_one_type(flat: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text for what Parquet does not know: several types, bins, complex."""
    odd = [name for name in flat if _kind(flat[name]).startswith(("mixed", "interval", "complex"))]
    return flat.assign(**{str(name): _texts(flat[name]) for name in odd})


def _kind(values: pd.Series[Any]) -> str:
    """Return what a column holds; one of categories, what these are."""
    from pandas.api.types import infer_dtype

    return infer_dtype(values.cat.categories if hasattr(values, "cat") else values)


def _table(flat: pd.DataFrame) -> Table:
    import numpy as np
    from astropy import units
    from astropy.table import Table

    table = Table()
    table["object_id"] = np.array(_plain(flat.index), dtype=str)
    for name in flat.columns:
        table[name] = _column(flat[name])
    known = {"ra": "deg", "dec": "deg", **flat.attrs.get("units", {})}
    for name in table.colnames:
        if name in known and table[name].dtype.kind in "fiu":
            unit = units.Unit(known[name], parse_strict="silent")  # also one that astropy knows not
            table[name].unit = units.hour if unit == units.hourangle else unit  # which FITS knows
    return table


def _fits_names(names: Iterable[str]) -> list[str]:
    """Return names of columns as FITS allows them: short, ASCII, and different in any case."""
    new: list[str] = []
    taken: set[str] = set()
    for name in names:
        stem = _NOT_FITS.sub("_", name)[:_FITS_LENGTH]
        plain, k = stem, 1
        while plain.lower() in taken:
            plain, k = f"{stem}_{k + 1}", k + 1
        taken.add(plain.lower())
        new.append(plain)
    return new


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
        if not missing.any():
            return whole
        # FITS writes a number where there is none, and takes it for none wherever it stands
        taken = set(whole.tolist())
        free = next(k for k in count(np.iinfo(np.int64).min) if k not in taken)
        return MaskedColumn(whole, mask=missing, fill_value=free)
    if kind == "f":
        single = values.dtype in (np.float16, np.float32)
        return values.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
    if kind == "b" and not missing.any():
        return values.to_numpy(dtype=bool)
    return np.array(_plain(_texts(values)), dtype=str)


def _plain(texts: Iterable[str]) -> list[str]:
    """Return texts with one kind of line end and no control characters.

    A single one, pasted into a comment, makes a whole VOTable or ECSV file unreadable.
    """
    return [_CONTROL.sub("\ufffd", _LINE_END.sub("\n", text)) for text in texts]


def _texts(values: pd.Series[Any]) -> list[str]:
    return ["" if gone else str(v) for v, gone in zip(values, values.isna(), strict=True)]
