"""Searches for the class room: known truth, immediate feedback, and a look at the whole class."""

from .class_report import ClassReport, compare
from .exercise import Exercise

__all__ = ["ClassReport", "Exercise", "compare"]
