"""Optional packages, imported by the function that needs them."""

import importlib
from types import ModuleType

from .exceptions import MissingDependencyError


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional module, or say which extra brings it.

    Parameters
    ----------
    module : str
        Name of the module, as in ``import module``.
    extra : str
        The extra of this package that installs it.

    Raises
    ------
    MissingDependencyError
        If the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        wanted = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != wanted:
            raise
        raise MissingDependencyError(
            f"{wanted} is not installed; it comes with: pip install 'astronomaly-widgets[{extra}]'"
        ) from error
