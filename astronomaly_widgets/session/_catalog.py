"""What is known of the objects: whose row it is, and how it stands beside what the session says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .._bytes import decoded
from .._names import id_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._object_ids import ObjectIds


def align_catalog(catalog: Any, given: ObjectIds, kept: ObjectIds) -> pd.DataFrame | None:
    """Return the catalog's rows in the order of the kept objects; absent ones are missing.

    A row belongs to the object that its index, or a column called like an identifier, names; where
    none of them names any, rows are in the order of the objects.

    Raises
    ------
    ValueError
        If rows cannot be told whose they are, an object has several, or two columns have one name.
    """
    if catalog is None:
        return None
    units = _units(catalog)
    if not isinstance(catalog, pd.DataFrame):
        catalog = catalog.to_pandas() if hasattr(catalog, "to_pandas") else pd.DataFrame(catalog)
    columns = pd.Index([str(name) for name in catalog.columns], dtype=object)
    if not columns.is_unique:
        twice = columns[columns.duplicated()][0]
        raise ValueError(f"the catalog has several columns called {twice!r}: rename one of them")
    table = decoded(catalog.set_axis(columns, axis=1))
    # as objects: pandas takes ten times as long to look for them in a column of text
    ids, wanted = given.index.astype(object), kept.index.astype(object)
    names = _whose(table, ids)
    known = names.isin(ids)
    table = table.set_axis(names, axis=0)[known]
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"the catalog has several rows for {twice!r}: keep one of each")
    if not wanted.isin(table.index).all():
        table = _with_gaps(table)
    table = table.reindex(wanted).set_axis(kept.index, axis=0)
    table.attrs["units"] = units
    return table


def _units(catalog: Any) -> dict[str, str]:
    """Return the units of the columns that have one, as text."""
    if isinstance(catalog, pd.DataFrame):
        return dict(catalog.attrs.get("units", {}))
    units = {str(c): getattr(catalog[c], "unit", None) for c in getattr(catalog, "colnames", ())}
    return {name: str(unit) for name, unit in units.items() if unit is not None}


def _with_gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Return columns that can miss a value without losing the digits of the others."""
    gapped = {"i": "Int64", "u": "UInt64", "b": "boolean"}
    kinds = {name: dtype.kind for name, dtype in table.dtypes.items()}
    return table.astype({name: gapped[kind] for name, kind in kinds.items() if kind in gapped})


def beside(catalog: pd.DataFrame, ours: Iterable[str]) -> pd.DataFrame:
    """Return the catalog with other names for columns that are called, in any case, like ours.

    `time` becomes `catalog_time`. What only says the object ids again is left out.
    """
    taken = {name.lower() for name in ours} | {"object_id"}  # FITS knows no case
    names = {}
    for column in catalog.columns:
        if column.lower() in taken:
            names[column] = f"catalog_{column}"
            while names[column] in catalog:
                names[column] = f"catalog_{names[column]}"
    again = [name for name in names if name.lower() == "object_id" and _says_ids(catalog[name])]
    renamed = catalog.drop(columns=again).rename(columns=names)
    units = catalog.attrs.get("units", {})
    renamed.attrs["units"] = {names.get(name, name): unit for name, unit in units.items()}
    return renamed


def _says_ids(column: pd.Series[Any]) -> bool:
    words = _words(column)
    return bool(((words == column.index) | (words == "")).all())


def _whose(table: pd.DataFrame, ids: pd.Index[Any]) -> pd.Index[Any]:
    """Return the name of each row's object: that of the column that names most of them."""
    columns = [
        _words(table[name])
        for name in id_columns(table.columns)
        if not pd.api.types.is_float_dtype(table[name])
    ]
    index = _words(table.index)
    is_plain = isinstance(table.index, pd.RangeIndex)
    found = [*columns, index] if is_plain else [index, *columns]
    n_named = [int(ids.isin(names).sum()) for names in found]
    best = max(range(len(found)), key=n_named.__getitem__)
    # that numbers of rows are also ids of some objects, but not of all, is chance
    by_chance = is_plain and found[best] is index and n_named[best] < len(ids)
    if (by_chance or not n_named[best]) and is_plain and len(table) == len(ids):
        return ids
    if not n_named[best]:
        raise ValueError(
            f"no row of the catalog has the id of an object: its index begins with "
            f"{', '.join(map(repr, index[:3]))}, the objects with "
            f"{', '.join(map(repr, ids[:3]))}; index the catalog by object id"
        )
    return found[best]


def _words(values: Any) -> pd.Index[Any]:
    """Return identifiers as text: bytes decoded, missing as ""."""
    values = pd.Series(values.tolist(), dtype=object)
    words = [
        "" if gone else value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value, gone in zip(values, values.isna(), strict=True)
    ]
    return pd.Index(words, dtype=object)
