"""Work in chunks that can be watched, cancelled and spread over cores."""

from ._map import map_objects
from ._task import Task, chunks, report, running

__all__ = ["Task", "chunks", "map_objects", "report", "running"]
