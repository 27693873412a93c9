"""How a project finds cut-outs again: everything that they were made of, in JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ._mosaic import is_remote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._positions import Positions


def describe(  # noqa: PLR0917 - each is a part of the recipe
    mosaics: Any,
    catalog: Any,
    positions: Positions,
    side: NDArray[np.int64],
    settings: dict[str, Any],
    given: dict[str, Any],
) -> dict[str, Any]:
    """Return the `spec` of a :class:`FITSCutouts`.

    Parameters
    ----------
    mosaics, catalog
        As they were given; a catalog that is no file is written out, position by position.
    positions : Positions
    side : ndarray, shape (n,), int64
    settings : dict
        Arguments that always hold; ``size`` among them.
    given : dict
        Arguments that tell how to read the catalog.
    """
    if isinstance(mosaics, Mapping):
        mosaics = {str(band): _absolute(files) for band, files in mosaics.items()}
    else:
        mosaics = _absolute(mosaics)
    size = settings["size"]
    on_disk = isinstance(catalog, str | os.PathLike)
    if on_disk and (size is None or isinstance(size, str | int)):
        arguments = {"catalog": str(Path(catalog).expanduser().absolute()), **given}
        if given["columns"] is not None:
            arguments["columns"] = list(given["columns"])
    else:
        first, second = ("x", "y") if positions.pixels else ("ra", "dec")
        columns = {
            "object_id": positions.ids.tolist(),
            first: _or_none(positions.first),
            second: _or_none(positions.second),
            "side": side.tolist(),
        }
        arguments = {"catalog": columns, "pixels": positions.pixels}
        settings = settings | {"size": "side"}
    arguments = {"mosaics": mosaics, **arguments, **settings}
    return {"room": "sources", "name": "FITSCutouts", "arguments": arguments}


def _absolute(files: Any) -> Any:
    if not isinstance(files, str | os.PathLike):
        return [_absolute(file) for file in files]
    name = os.fspath(files)
    return name if is_remote(name) else str(Path(name).expanduser().absolute())


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
