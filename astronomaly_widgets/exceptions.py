"""Every error of our own, as one small tree.

* AstronomalyError

  * ReadError: one object cannot be read; it is set aside
  * MeasurementError: one object cannot be measured; it is set aside
  * SourceError (also ValueError): a whole source cannot be opened or recognized
  * ProjectError: a project folder cannot be used

    * ProjectVersionError: it was written by a newer version
    * ReadOnlyProjectError: it can be read but not written

  * MissingDependencyError (also ImportError): an optional package is needed
"""

__all__ = [
    "AstronomalyError",
    "MeasurementError",
    "MissingDependencyError",
    "ProjectError",
    "ProjectVersionError",
    "ReadError",
    "ReadOnlyProjectError",
    "SourceError",
]


class AstronomalyError(Exception):
    """Base of every error this package raises on its own account."""


class ReadError(AstronomalyError):
    """One object cannot be read. Its message becomes the reason in ``session.set_aside``."""


class MeasurementError(AstronomalyError):
    """One object cannot be measured. Its message becomes the reason in ``session.set_aside``."""


class SourceError(AstronomalyError, ValueError):
    """A source cannot be opened, or what was given is not a source we know."""


class ProjectError(AstronomalyError):
    """A project folder cannot be used as it is."""


class ProjectVersionError(ProjectError):
    """The project was written with a newer schema than this version understands."""


class ReadOnlyProjectError(ProjectError):
    """The project can be looked at, but nothing can be stored in it."""


class MissingDependencyError(AstronomalyError, ImportError):
    """An optional package is not installed."""
