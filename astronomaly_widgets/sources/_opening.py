"""What something that was given holds, told by what it is and by a look into it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._protocols import Source
from ..exceptions import SourceError
from ._folders import are_files, is_pattern, matching
from ._images import image_stem
from .feature_table import FeatureTable
from .fits_cutouts import FITSCutouts
from .image_folder import ImageFolder
from .image_stack import ImageStack
from .light_curves import LightCurves
from .spectra import Spectra
from .tar_shards import TarShards

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STACKS = (".h5", ".hdf5", ".zarr")
_KNOWN = (
    "a folder of images, or a list of image files; FITS mosaics (a file, a list of them, or a "
    "mapping of band to file) with or without a catalog of positions, or a folder of them with "
    "one; a stack of images as .npy, .h5, .zarr or array (n, height, width[, bands]), a list of "
    "arrays or a mapping of id to array; images in .tar files (one, a list, a folder); light "
    "curves as a long table (object, time, magnitude or flux, ...) in a file, DataFrame or "
    "TimeSeries, as a folder or list of tables, or as a mapping of id to table; spectra as a "
    "folder or list of files, an .npz of flux and wavelength, or a list of Spectrum objects; a "
    "table of features as .csv or other text, .parquet, .fits, .ecsv, .vot, .npy, a list of these, "
    "DataFrame, astropy Table or array (n, d); a pattern such as cutouts/*.png in place of a list "
    "of files; or any object with object_ids, fingerprints, catalog and read"
)


def open_source(source: Any, *, catalog: Any = None) -> Source:
    """Recognize what was given and open it.

    Parameters
    ----------
    source : object
        As of :func:`astronomaly_widgets.explore`.
    catalog : path, DataFrame, Table or mapping of columns, optional
        What is known of the objects; with mosaics, their positions.

    Raises
    ------
    SourceError
        If it is none of what we know; the message lists what we do.
    """
    extra = {} if catalog is None else {"catalog": catalog}
    if isinstance(source, Source):
        if extra:
            raise SourceError(f"a {type(source).__name__} has its own catalog: give it there")
        return source
    source = _listed(source)
    if _are_mosaics(source, catalog):
        return FITSCutouts(source, **extra)
    for kind in (TarShards, Spectra, LightCurves):
        if kind.recognizes(source):
            return kind(source, **extra)
    if are_files(source):
        return _open_files(source, extra)
    if isinstance(source, str | Path):
        return _open_path(Path(source).expanduser(), extra)
    return _open_in_memory(source, extra)


def _open_in_memory(source: Any, extra: dict[str, Any]) -> Source:
    import pandas as pd  # here, for every worker that measures imports this file

    if isinstance(source, list | tuple | Mapping):
        images = list(source.values()) if isinstance(source, Mapping) else list(source)
        if images and all(isinstance(x, np.ndarray) and x.ndim in (2, 3) for x in images):
            names = list(source) if isinstance(source, Mapping) else None
            return ImageStack(_stacked(images), object_ids=names, **extra)
    if isinstance(source, pd.DataFrame) or hasattr(source, "to_pandas"):
        return _table(source, extra)
    if isinstance(source, np.ndarray):
        ndim = source.ndim if source.dtype.names is None else 2  # rows of named columns
        return _open_array(source, ndim, extra)
    raise SourceError(f"a {type(source).__name__} is not a source; known are: {_KNOWN}")


def _stacked(images: list[NDArray[Any]]) -> NDArray[Any]:
    shapes = sorted({image.shape for image in images})
    if len(shapes) > 1:
        raise SourceError(
            f"the images are of {len(shapes)} different shapes, such as {shapes[0]} and "
            f"{shapes[-1]}; wanted one shape, or each image in a file of its own"
        )
    return np.stack(images)


def _listed(source: Any) -> Any:
    """Put the files that a pattern fits, or a generator gives, into a list."""
    if isinstance(source, Iterator):  # what Path.glob gives
        return list(source)
    if not isinstance(source, str | os.PathLike) or not is_pattern(source):
        return source
    if TarShards.recognizes(source):  # which keeps the pattern
        return source
    files = matching(os.fspath(source))
    if not files and "*" in os.fspath(source):  # "file.fits[1]" is none
        raise SourceError(f"no file fits the pattern {str(source)!r} (in the folder {Path.cwd()})")
    return files or source


def _are_mosaics(source: Any, catalog: Any = None) -> bool:
    """Whether this is a FITS image, a folder of them, or several as a list or by band."""
    if isinstance(source, Mapping):
        files = list(source.values())
        return bool(files) and all(_are_mosaics(file) for file in files)
    if isinstance(source, list | tuple):
        return are_files(source) and FITSCutouts.recognizes(source, catalog)
    return isinstance(source, str | Path) and FITSCutouts.recognizes(source, catalog)


def _open_files(files: Any, extra: dict[str, Any]) -> Source:
    names = [os.fspath(file) for file in files]
    if FeatureTable.recognizes(files):
        return _table(files, extra)
    if any(image_stem(name) is not None for name in names):
        return ImageFolder(files, **extra)
    raise SourceError(
        f"the {len(names)} files (such as {Path(names[0]).name!r}) are neither images, mosaics, "
        "spectra or light curves, of one object each, nor parts of a table with a column of object "
        "ids; give a source, such as aw.sources.LightCurves(files, time=..., magnitude=...)"
    )


def _open_path(path: Path, extra: dict[str, Any]) -> Source:
    name = path.name.lower()
    if not path.exists():
        raise SourceError(f"there is nothing at {str(path)!r} (in the folder {Path.cwd()})")
    if name.endswith(_STACKS):
        return ImageStack(path, **extra)
    if path.is_dir():
        return _table(path, extra) if FeatureTable.recognizes(path) else ImageFolder(path, **extra)
    if name.endswith(".npy"):
        try:
            ndim = np.load(path, mmap_mode="r", allow_pickle=False).ndim
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(f"{str(path)!r} is not an array file: {error}") from error
        return _open_array(path, ndim, extra)
    if extra and ".fit" in name:  # it was not recognized, and says why
        return FITSCutouts(path, **extra)
    if FeatureTable.recognizes(path):
        return _table(path, extra)
    raise SourceError(f"{path.name!r} is not a kind of file we know; known are: {_KNOWN}")


def _open_array(array: Any, ndim: int, extra: dict[str, Any]) -> Source:
    if ndim == 2:
        return _table(array, extra)
    if ndim in (3, 4):
        return ImageStack(array, **extra)
    raise SourceError(f"an array of {ndim} dimensions is not a source; known are: {_KNOWN}")


def _table(table: Any, extra: dict[str, Any]) -> Source:
    if extra:
        raise SourceError("a table is its own catalog: join the two before exploring them")
    return FeatureTable(table)
