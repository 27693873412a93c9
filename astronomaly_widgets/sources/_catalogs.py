"""The rows of a catalog find their objects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .._names import ID_NAMES
from ..exceptions import SourceError
from ._images import image_stem
from ._tables import FILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray


def as_text(values: Any) -> list[str]:
    """Return identifiers as str: integers with every digit, bytes decoded, missing as ""."""
    import pandas as pd

    values = pd.Series(values)
    missing = values.isna().to_numpy()
    return [
        "" if gone else _as_text(value)
        for value, gone in zip(values.tolist(), missing, strict=True)
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def unique_ids(ids: list[str], what: str) -> NDArray[Any]:
    """Return the ids as an object array.

    Raises
    ------
    SourceError
        Some are missing, or are there twice; `what` names where they came from.
    """
    if "" in ids:
        raise SourceError(f"{what} has {ids.count('')} rows without an object id")
    if len(set(ids)) < len(ids):
        twice = [i for i, count in Counter(ids).most_common(3) if count > 1]
        raise SourceError(
            f"{what} has object ids that are not unique, such as {', '.join(map(repr, twice))}; "
            "name a column of unique ids"
        )
    return np.array(ids, dtype=object)


def match_files(frame: pd.DataFrame, files: Mapping[str, str]) -> pd.DataFrame:
    """Return the catalog's rows by object id, for the images of a folder.

    Parameters
    ----------
    frame : DataFrame
        The catalog, one row per image; the order does not matter.
    files : mapping
        Object id to path within the folder.

    Returns
    -------
    DataFrame
        Indexed by object id, sorted as the objects are; missing where the catalog has no row.

    Raises
    ------
    SourceError
        No column names the images, or two rows name the same one.
    """
    best = _named(frame, files)
    if best is None:
        raise SourceError(
            f"no column of the catalog ({', '.join(map(str, frame.columns))}) names the images, "
            f"which are called like {next(iter(files))!r}"
        )
    return by_object(frame, best, sorted(files))


def names_files(frame: pd.DataFrame, files: Mapping[str, str]) -> bool:
    """Whether a column of a catalog names images of a folder, and none of them twice."""
    named = [name for name in _named(frame, files) or () if name is not None]
    return 0 < len(named) == len(set(named))


def _named(frame: pd.DataFrame, files: Mapping[str, str]) -> list[str | None] | None:
    """Return each row's object by the column that names most of them; None if none names any."""
    keys = _file_keys(files)
    best: list[str | None] | None = None
    n_best = 0
    for values in _id_candidates(frame):
        found = [_find(value, keys) for value in as_text(values)]
        n_found = len(set(found) - {None})
        if n_found > n_best:
            best, n_best = found, n_found
        if n_best == len(files):
            break
    return best


def match_objects(frame: pd.DataFrame, object_ids: NDArray[Any]) -> pd.DataFrame:
    """Return the catalog's rows by object id; row by row if nothing in it names the objects."""
    wanted = set(object_ids)
    for values in _id_candidates(frame):
        ids = [i if i in wanted else None for i in as_text(values)]
        if any(i is not None for i in ids):
            return by_object(frame, ids, list(object_ids))
    if len(frame) != len(object_ids):
        raise SourceError(
            f"the catalog has {len(frame)} rows for {len(object_ids)} objects, and no column of it "
            f"holds their ids, which are like {object_ids[0]!r}"
        )
    return frame.set_axis(list(object_ids), axis=0)


def by_object(frame: pd.DataFrame, ids: list[str | None], object_ids: list[str]) -> pd.DataFrame:
    """Give each row its object's id (None: drop it) and put the rows in the objects' order."""
    import pandas as pd

    keep = [i is not None for i in ids]
    known = [i for i in ids if i is not None]
    if len(set(known)) < len(known):
        twice = Counter(known).most_common(1)[0][0]
        raise SourceError(
            f"the catalog has more than one row for {twice!r}; give it one row per object"
        )
    frame = frame[keep].set_axis(known, axis=0)
    if len(frame) < len(object_ids):
        integers = frame.select_dtypes("integer").columns
        # a gap would turn 18-digit integers into rounded floating numbers
        frame = frame.astype({c: "Int64" for c in integers if frame[c].dtype != "uint64"})
    return frame.reindex(pd.Index(object_ids, dtype=object))


def _id_candidates(frame: pd.DataFrame) -> list[Any]:
    """Columns that may hold names, the likeliest first."""
    import pandas as pd

    likely = (*FILE_NAMES, *ID_NAMES)
    texts = [c for c in frame.columns if not pd.api.types.is_float_dtype(frame[c])]
    order = {name: rank for rank, name in enumerate(likely)}
    texts.sort(key=lambda c: order.get(str(c).lower(), len(likely)))
    columns = [frame[c] for c in texts]
    return columns if isinstance(frame.index, pd.RangeIndex) else [frame.index, *columns]


def _file_keys(files: Mapping[str, str]) -> dict[str, str]:
    """Map all that a catalog may call an image to its object id; what is ambiguous is left out."""
    keys: dict[str, str] = {}
    ambiguous: set[str] = set()
    for object_id, relative in files.items():
        name = relative.rpartition("/")[2]
        for key in {relative, image_stem(relative) or relative, name, image_stem(name) or name}:
            if keys.setdefault(key, object_id) != object_id:
                ambiguous.add(key)
    keys = {key: object_id for key, object_id in keys.items() if key not in ambiguous}
    return keys | {object_id: object_id for object_id in files}


def _find(value: str, keys: Mapping[str, str]) -> str | None:
    name = value.replace("\\", "/").rpartition("/")[2]
    for key in (value, image_stem(value), name, image_stem(name)):
        if key is not None and key in keys:
            return keys[key]
    return None
