"""The ids of millions of objects: held as Arrow strings, found by hash."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

_CHUNK = 200_000
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, of random bits
_HALF = np.uint64(32)
_ROW = np.uint64(0xFFFFFFFF)


class ObjectIds:
    """Unique ids and the rows they stand for.

    A Python string costs some 60 bytes and a hash table of them as much again; here an id costs
    its letters and 16 bytes, so that four million of them are a tenth of a gigabyte.

    Parameters
    ----------
    names : iterable of str
        What is not a str becomes one.

    Raises
    ------
    ValueError
        If an id stands for two objects, or is not text that can be stored.
    """

    def __init__(self, names: Any) -> None:
        self.strings = _as_strings(names)
        twice = self._repeated()
        if len(twice):
            shown = ", ".join(map(repr, twice[:5]))
            raise ValueError(
                f"{len(twice)} object ids stand for more than one object: {shown}; "
                "labels belong to ids, so each object needs its own"
            )

    def __len__(self) -> int:
        return len(self.strings)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._row(name) >= 0

    def __getitem__(self, row: int) -> str:
        name: str = self.strings[int(row)].as_py()
        return name

    @cached_property
    def names(self) -> NDArray[Any]:
        """All ids, (n,), dtype object holding str; made on first use, and kept: not to change."""
        names = _objects(self.strings)
        names.flags.writeable = False  # who shuffles them would label other objects
        return names

    @property
    def index(self) -> pd.Index[Any]:
        """All ids, as pandas holds text."""
        index: pd.Index[Any] = pd.Index(self.strings.to_pandas(), name="object_id")
        return index

    def take(self, rows: ArrayLike) -> NDArray[Any]:
        """Return the ids of some rows, (m,), dtype object holding str."""
        chosen = np.asarray(rows, dtype=np.int64)
        if "names" in self.__dict__:
            return np.asarray(self.names[chosen])
        return _objects(self.strings.take(pa.array(chosen)))

    def keep(self, mask: NDArray[np.bool_]) -> ObjectIds:
        """Return only the ids where `mask`, (n,) bool, holds."""
        if mask.all():
            return self
        return ObjectIds(self.strings.filter(pa.array(mask)))

    def letters(self) -> Iterator[bytes]:
        """Yield all ids, joined by zeros, some at a time."""
        for first in range(0, len(self), _CHUNK):
            part = _objects(self.strings[first : first + _CHUNK])
            yield (b"\0" if first else b"") + "\0".join(part).encode()

    def row_of(self, name: str) -> int:
        """Return the row of an id.

        Raises
        ------
        KeyError
            If it is none.
        """
        row = self._row(name) if isinstance(name, str) else -1
        if row < 0:
            raise KeyError(name)
        return row

    def rows_of(self, names: Sequence[str] | NDArray[Any]) -> NDArray[np.intp]:
        """Return the row of each id, (m,) intp; -1 where it is none."""
        if not len(names):
            return np.empty(0, dtype=np.intp)
        wanted = _as_strings(names)
        table = self._table
        hashed = _hashes(wanted) & ~_ROW
        place = np.searchsorted(table, hashed)
        found = table[np.minimum(place, len(table) - 1)]
        rows = (found & _ROW).astype(np.intp)
        same = pc.equal(self.strings.take(pa.array(rows)), wanted).to_numpy(zero_copy_only=False)
        rows[~same] = -1
        # an id whose hash another one has, too, stands behind that one
        doubtful = np.flatnonzero(~same & ((found & ~_ROW) == hashed))
        rows[doubtful] = [self._row(wanted[int(i)].as_py()) for i in doubtful]
        return rows

    def containing(self, text: str, most: int) -> NDArray[np.intp]:
        """Return the rows, at most so many, of the ids that contain a text in any case of letters.

        Returns
        -------
        ndarray, shape (m,), intp
        """
        matches = pc.match_substring(self.strings, text, ignore_case=True)
        return np.flatnonzero(matches.to_numpy(zero_copy_only=False))[:most]

    # -- inside ----------------------------------------------------------------------------

    @cached_property
    def _table(self) -> NDArray[np.uint64]:
        """Hashes in the upper half, rows in the lower; sorted, (n,)."""
        table = _hashes(self.strings) & ~_ROW
        table |= np.arange(len(table), dtype=np.uint64)
        table.sort()
        return table

    def _row(self, name: str) -> int:
        try:
            hashed = _hashes(_as_strings([name]))[0] & ~_ROW
        except ValueError:  # no text that could be stored, so none of ours
            return -1
        table = self._table
        place = int(np.searchsorted(table, hashed))
        while place < len(table) and table[place] & ~_ROW == hashed:
            row = int(table[place] & _ROW)
            if self.strings[row].as_py() == name:
                return row
            place += 1
        return -1

    def _repeated(self) -> list[str]:
        table = self._table
        same = np.flatnonzero((table[1:] >> _HALF) == (table[:-1] >> _HALF))
        if not len(same):
            return []
        rows = (table[np.unique(np.concatenate([same, same + 1]))] & _ROW).astype(np.int64)
        suspects = pd.Index(_objects(self.strings.take(pa.array(np.sort(rows)))), dtype=object)
        return list(suspects[suspects.duplicated()].unique())


def _as_strings(names: Any) -> pa.Array:
    """Return ids as one Arrow array of text."""
    try:
        array = _from_words(names)
        if array is None:
            array = pa.array([_as_word(name) for name in names], type=pa.large_string())
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"the id {error.object!r} is not text that can be stored ({error.reason}); rename it"
        ) from error
    return array


def _as_word(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)  # HDF5 has bytes


def _from_words(names: Any) -> pa.Array | None:
    """Return what is text or whole numbers already without a Python object per id."""
    if isinstance(names, pa.Array | pa.ChunkedArray):
        array = names
    elif isinstance(names, pd.Index | pd.Series | np.ndarray):
        kind = getattr(names.dtype, "kind", "O")
        if kind == "S":  # the words of FITS tables
            names = np.char.decode(np.asarray(names), "utf-8")
        elif kind not in "OUTiu":
            return None
        try:
            array = pa.array(names)
        except pa.ArrowException:  # of several types
            return None
    else:
        return None
    is_type = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
    if array.null_count or not any(known(array.type) for known in is_type):
        return None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return pc.cast(array, pa.large_string())


def _objects(strings: pa.Array) -> NDArray[Any]:
    names: NDArray[Any] = strings.to_numpy(zero_copy_only=False)
    return names if names.dtype == object else names.astype(object)


def _hashes(strings: pa.Array) -> NDArray[np.uint64]:
    """Return a polynomial in each id's bytes, (n,), with its bits mixed."""
    _, ends, letters = strings.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[strings.offset :][: len(strings) + 1]
    text = np.frombuffer(letters or b"", dtype=np.uint8)
    out = np.zeros(len(strings), dtype=np.uint64)
    for first in range(0, len(strings), _CHUNK):
        at = offsets[first : first + _CHUNK + 1]
        lengths = np.diff(at)
        filled = lengths > 0
        if not filled.any():
            continue
        longest = int(lengths.max())
        powers = np.multiply.accumulate(np.full(longest, _FACTOR))
        digits = text[at[0] : at[-1]].astype(np.uint64) + np.uint64(1)
        if lengths.min() == longest:  # as most surveys name their objects; three times as quick
            out[first : first + _CHUNK] = digits.reshape(-1, longest) @ powers
            continue
        starts = at[:-1] - at[0]
        place = np.arange(at[-1] - at[0]) - np.repeat(starts, lengths)
        out[first : first + _CHUNK][filled] = np.add.reduceat(
            digits * powers[place], starts[filled]
        )
    out ^= out >> _HALF
    out *= _FACTOR
    return out
