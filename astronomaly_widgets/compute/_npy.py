"""A ``.npy`` file that is written row by row."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import DTypeLike, NDArray


@contextmanager
def npy_writer(
    path: str | os.PathLike[str], shape: tuple[int, ...], dtype: DTypeLike
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Write an array to a file, in order, and let it appear under its name when it is complete.

    Written, not memory-mapped: a full disk is then an error, not the end of the process.

    Parameters
    ----------
    path : path
        A file that is there already stays until the new one takes its place.
    shape : tuple of int
        Of the whole.
    dtype : dtype

    Yields
    ------
    callable
        Takes the next rows.

    Raises
    ------
    OSError
        If the disk is full; what was there before is intact.
    ValueError
        If there were not as many rows as announced; likewise.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    dtype = np.dtype(dtype)
    header = {"shape": shape, "fortran_order": False, "descr": np.lib.format.dtype_to_descr(dtype)}
    try:
        with draft.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            end = file.tell() + dtype.itemsize * math.prod(shape)

            def write(rows: NDArray[Any]) -> None:
                file.write(np.ascontiguousarray(rows, dtype=dtype).data)

            yield write
            if file.tell() != end:
                raise ValueError(f"{path.name!r} was to have the shape {shape}, other rows came")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
