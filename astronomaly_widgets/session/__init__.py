"""The in-kernel state of one search, and the only door for labels."""

from ._session import Session

__all__ = ["Session"]
