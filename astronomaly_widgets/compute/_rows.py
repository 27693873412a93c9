"""Matrices that are too large to be held, read from the first row to the last."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .._optional import require
from ..exceptions import SourceError
from ._task import report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import DTypeLike, NDArray


class Rows(Protocol):
    """A matrix that is read in one direction.

    Attributes
    ----------
    shape : tuple of int
        (n, d)
    travels : bool
        Whether another process, which sees the same files, can read them itself.
    """

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def travels(self) -> bool: ...

    def pieces(self, size: int, start: int, stop: int) -> Iterator[NDArray[Any]]:
        """Yield rows in order, in arrays (k, d) of about `size` rows, as is convenient."""
        ...


def open_rows(X: Any) -> Rows:
    """Return what reads the rows of a matrix, without reading it.

    Parameters
    ----------
    X : array or path
        An array, a memory map, a Zarr array or HDF5 dataset; or the path of a ``.npy`` file, a
        ``.zarr`` array, a Parquet file, or a folder of them (shards, in the order of their names).

    Raises
    ------
    SourceError
        If there is nothing, or nothing of that kind, at a path.
    ValueError
        If it is not a matrix with at least one row and one column.
    MissingDependencyError
        If a ``.zarr`` array is given and zarr is not installed.
    """
    if isinstance(X, str | os.PathLike):
        return _open_path(Path(X).expanduser().absolute())
    if isinstance(X, ParquetRows):
        return X
    # only what is stored in chunks would be read whole by NumPy
    return _ArrayRows(X if hasattr(X, "chunks") else np.asanyarray(X))


def blocks(
    rows: Rows,
    size: int,
    dtype: DTypeLike = np.float64,
    *,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield (part, block) from the first row to the last, reading one block ahead.

    All blocks but the last have `size` rows, however the matrix is stored, so that what is computed
    from them does not depend on that. A block is a new array (k, d) that may be written to.
    Reports to the running task before each one.

    Parameters
    ----------
    rows : Rows
    size : int
    dtype : dtype
    start, stop : int
        Rows to begin with and to end before; by default all.

    Raises
    ------
    SourceError
        If the rows cannot be read, or end early.
    concurrent.futures.CancelledError
        If the running task was cancelled.
    """
    n = rows.shape[0]
    stop = n if stop is None else stop
    cut = _cut(rows, size, dtype, start, stop)
    # on a thread, because reading and decompressing let the arithmetic run meanwhile
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(next, cut, None)
        while (block := ahead.result()) is not None:
            part, values = block
            report(part.start / n)
            ahead = reader.submit(next, cut, None)
            yield part, values
    report(stop / n)


def _cut(
    rows: Rows, size: int, dtype: DTypeLike, start: int, stop: int
) -> Iterator[tuple[slice, NDArray[Any]]]:
    n, d = rows.shape
    block, filled = np.empty((min(size, stop - start), d), dtype), 0
    for piece in rows.pieces(size, start, stop):
        taken = 0
        while taken < len(piece):
            k = min(len(piece) - taken, len(block) - filled)
            block[filled : filled + k] = piece[taken : taken + k]
            taken += k
            filled += k
            if filled == len(block):
                yield slice(start, start + filled), block
                start += filled
                block, filled = np.empty((min(size, stop - start), d), dtype), 0
    if start < stop:
        raise SourceError(f"only {start + filled} of the {n} rows that were announced came")


class _ArrayRows:
    """What can be sliced."""

    def __init__(self, array: Any, *, travels: bool = False) -> None:
        shape = tuple(array.shape)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(
                f"the features have shape {shape}; give a matrix (n_objects, n_features) "
                "with at least one of each"
            )
        self._array = array
        self.shape: tuple[int, int] = shape
        self.travels = travels

    def pieces(self, size: int, start: int, stop: int) -> Iterator[NDArray[Any]]:
        stored = getattr(self._array, "chunks", None)
        # in whole chunks, because part of one costs as much as all of it
        step = stored[0] if stored and isinstance(stored[0], int) else size
        while start < stop:
            end = min(stop, start + step - (start % step if stored else 0))
            piece = np.asanyarray(self._array[start:end])
            if isinstance(piece, np.ma.MaskedArray):  # what lies under a mask is no number
                piece = np.ma.filled(piece.astype(np.float64), np.nan)
            yield piece
            start = end


class _NpyRows:
    """What lies row after row in a file: read, because a map of it would count as memory."""

    travels = True

    def __init__(self, path: Path, mapped: NDArray[Any]) -> None:
        self.shape = _ArrayRows(mapped).shape
        self._path, self._offset, self._dtype = path, mapped.offset, mapped.dtype  # type: ignore[attr-defined]  # a memmap's own

    def pieces(self, size: int, start: int, stop: int) -> Iterator[NDArray[Any]]:
        d = self.shape[1]
        with self._path.open("rb") as file:
            file.seek(self._offset + start * d * self._dtype.itemsize)
            for begin in range(start, stop, size):
                numbers = np.fromfile(file, self._dtype, min(size, stop - begin) * d)
                yield numbers[: len(numbers) // d * d].reshape(-1, d)


class ParquetRows:
    """Numbers in a Parquet file, or in several that follow each other.

    Parameters
    ----------
    path : path or sequence of paths
        A file; a folder, whose ``.parquet`` files are taken in the order of their names; or files.
    columns : sequence of str, optional
        Which columns, in which order. By default all that hold numbers.

    Attributes
    ----------
    columns : tuple of str
        Their names, (d,).
    shape : tuple of int
        (n, d)

    Raises
    ------
    SourceError
        If a file is missing or cannot be read, or lacks one of the columns.
    """

    travels = True

    def __init__(
        self,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        columns: Sequence[str] | None = None,
    ) -> None:
        self._files = _shards(path)
        first = _open_shard(self._files[0])
        self.columns = tuple(_numeric(first) if columns is None else columns)
        if not self.columns:
            raise SourceError(f"{str(self._files[0])!r} has no column of numbers")
        self._lengths: list[int] = []
        for file in self._files:
            shard = _open_shard(file)
            lacking = [name for name in self.columns if name not in _numeric(shard)]
            if lacking:
                raise SourceError(
                    f"{str(file)!r} has no column {lacking[0]!r} of numbers "
                    f"({len(lacking)} of the {len(self.columns)} features are missing): "
                    "all files must have the same columns"
                )
            self._lengths.append(shard.metadata.num_rows)
        n = sum(self._lengths)
        if not n:
            raise SourceError(f"there are no rows in {str(self._files[0])!r}")
        self.shape = (n, len(self.columns))

    def pieces(self, size: int, start: int, stop: int) -> Iterator[NDArray[Any]]:
        """Yield rows in order, in arrays (k, d) of at most `size` rows; null is NaN."""
        first = 0
        for file, length in zip(self._files, self._lengths, strict=True):
            if first < stop and start < first + length:
                shard = _open_shard(file)
                if shard.metadata.num_rows != length:
                    raise SourceError(
                        f"{str(file)!r} has changed: {shard.metadata.num_rows} rows instead of "
                        f"{length}"
                    )
                yield from self._pieces_of(shard, file, size, start - first, stop - first)
            first += length

    def _pieces_of(
        self, shard: Any, file: Path, size: int, start: int, stop: int
    ) -> Iterator[NDArray[Any]]:
        """Yield the rows of one file that lie from `start` to `stop`, both counted in it."""
        import pyarrow as pa

        lengths = [shard.metadata.row_group(k).num_rows for k in range(shard.num_row_groups)]
        ends = np.cumsum(lengths)
        # whole groups of rows, because part of one cannot be read
        groups = [k for k, end in enumerate(ends) if end > start and end - lengths[k] < stop]
        here = int(ends[groups[0]]) - lengths[groups[0]] if groups else 0
        columns = list(self.columns)
        try:
            for batch in shard.iter_batches(size, row_groups=groups, columns=columns):
                values = [batch.column(name).to_numpy(zero_copy_only=False) for name in columns]
                piece = np.column_stack(values)[max(0, start - here) : max(0, stop - here)]
                here += batch.num_rows
                if len(piece):
                    yield piece
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{str(file)!r} cannot be read: {error}") from error


def _open_path(path: Path) -> Rows:
    if not path.exists():
        raise SourceError(f"there is nothing at {str(path)!r} (in the folder {Path.cwd()})")
    name = path.name.lower()
    if name.endswith(".npy"):
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(f"{str(path)!r} cannot be read: {error}") from error
        return _NpyRows(path, mapped) if mapped.flags.c_contiguous else _ArrayRows(mapped)
    if name.endswith(".zarr"):
        zarr = require("zarr", extra="scale")
        stored = zarr.open(path, mode="r")
        if not isinstance(stored, zarr.Array):
            raise SourceError(f"{str(path)!r} is a group: give the path of one array in it")
        return _ArrayRows(stored, travels=True)
    if name.endswith((".parquet", ".pq")) or path.is_dir():
        return ParquetRows(path)
    raise SourceError(
        f"{path.name!r} is not a kind of matrix we know; known are: .npy, .zarr, .parquet, "
        "a folder of .parquet files"
    )


def _shards(path: Any) -> list[Path]:
    if not isinstance(path, str | os.PathLike):
        return [Path(each).expanduser().absolute() for each in path]
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        return [folder]
    files = sorted(file for file in folder.iterdir() if file.name.endswith((".parquet", ".pq")))
    if not files:
        raise SourceError(f"there are no .parquet files in {str(folder)!r}")
    return files


def _open_shard(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # a buffer, so that a column of a large row group is not read at once
        return pq.ParquetFile(file, buffer_size=2**16, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{str(file)!r} cannot be read: {error}") from error


def _numeric(shard: Any) -> list[str]:
    import pyarrow as pa

    return [
        field.name
        for field in shard.schema_arrow
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    ]
