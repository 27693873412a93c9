"""Work in chunks that can be watched, cancelled and spread over cores."""

from ._compiled import compiled
from ._evenly import evenly
from ._map import map_objects
from ._npy import npy_writer
from ._rows import ParquetRows, Rows, blocks, open_rows
from ._selection import descending, largest, ranks
from ._spread import elsewhere, map_blocks
from ._task import Task, chunks, report, running
from ._threads import map_chunks
from ._trees import PackedTrees

__all__ = [
    "PackedTrees",
    "ParquetRows",
    "Rows",
    "Task",
    "blocks",
    "chunks",
    "compiled",
    "descending",
    "elsewhere",
    "evenly",
    "largest",
    "map_blocks",
    "map_chunks",
    "map_objects",
    "npy_writer",
    "open_rows",
    "ranks",
    "report",
    "running",
]
