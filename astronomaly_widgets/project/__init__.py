"""The project folder: everything of one search that outlives the kernel."""

from ._fingerprint import fingerprint
from ._project import Project

__all__ = ["Project", "fingerprint"]
