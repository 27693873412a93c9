"""One spectrum, from a file of any common layout or from what a program holds."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._text_tables import TEXT, layout
from ..exceptions import ReadError, SourceError
from ._column_names import plain_name, unit_of_name
from ._folders import are_files, are_mostly, is_folder_or_files
from ._images import parts
from ._long_tables import are_days
from ._tables import read_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_FITS_SUFFIXES = (".fits.gz", ".fits", ".fit")
SUFFIXES = (*_FITS_SUFFIXES, *TEXT, ".ecsv", ".parquet", ".vot", ".vot.gz", ".xml", ".tbl")

# what arrays and columns are called, in order of preference, by their plain names
_WAVELENGTHS = ("wavelength", "wavelengths", "wave", "lambda", "lam", "wl", "spectralaxis", "awav")
_LOG_WAVELENGTHS = ("loglam", "loglambda", "logwave")
_FLUXES = ("flux", "fluxes", "fluxdensity", "flam", "spec", "spectrum", "intensity")
_ERRORS = ("error", "err", "sigma", "fluxerr", "fluxerror", "eflux", "uncertainty", "noise", "std")
_IDS = ("id", "ids", "objectid", "objectids", "name", "names")
_INVERSE_VARIANCES = ("ivar", "fluxivar", "invvar", "inversevariance")

_BROKEN = (OSError, ValueError, TypeError, LookupError, EOFError)


class RawSpectrum(NamedTuple):
    """A spectrum as it was found; units are "" where nothing says them."""

    wavelength: NDArray[Any]
    flux: NDArray[Any]
    error: NDArray[Any] | None
    wavelength_unit: str = ""
    flux_unit: str = ""


def _named(columns: Any) -> dict[str, Any]:
    """Map plain names to what they stand for."""
    return {plain_name(name): name for name in reversed(list(columns))}


def _first_of(plain: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return what the first known of some names stands for, or None."""
    return next((plain[name] for name in names if name in plain), None)


def from_object(thing: Any) -> RawSpectrum:
    """Take a spectrum out of a Spectrum object, a table, or a tuple of arrays.

    Raises
    ------
    ReadError
        It is none of these, or has no wavelengths or fluxes.
    """
    if isinstance(thing, str | os.PathLike):
        return _from_file(Path(thing).expanduser())
    if hasattr(thing, "spectral_axis") and hasattr(thing, "flux"):
        uncertainty = getattr(thing, "uncertainty", None)
        error = None
        if uncertainty is not None:
            spread = uncertainty.represent_as(_standard_deviation()).array
            error = np.asarray(spread, dtype=float)
        axis, flux = thing.spectral_axis, _plain(thing.flux)
        mask = getattr(thing, "mask", None)
        if mask is not None:
            flux = np.where(mask, np.nan, flux)
        return RawSpectrum(_plain(axis), flux, error, _unit(axis), _unit(thing.flux))
    if isinstance(thing, tuple | list) and len(thing) in (2, 3):
        error = _plain(thing[2]) if len(thing) == 3 else None
        return RawSpectrum(
            _plain(thing[0]), _plain(thing[1]), error, _unit(thing[0]), _unit(thing[1])
        )
    if hasattr(thing, "columns"):
        return _from_columns(thing)
    raise ReadError(
        f"a {type(thing).__name__} is not a spectrum; wanted a Spectrum, a table, a file, or "
        "(wavelength, flux) or (wavelength, flux, error)"
    )


def _from_file(path: Path) -> RawSpectrum:
    """Read the spectrum in a file: FITS (table or image), or a table of text or Parquet.

    Raises
    ------
    ReadError
        It cannot be read, or holds no spectrum.
    """
    name = path.name.lower()
    try:
        if name.endswith(_FITS_SUFFIXES):
            return _from_fits(path)
        table = read_table(path)
        if name.endswith(TEXT) and layout(path).get("header", 0) is None:
            return _from_places(table)
        return _from_columns(table)
    except SourceError as error:
        raise ReadError(str(error)) from error
    except _BROKEN as error:
        raise ReadError(f"{path.name!r} cannot be read: {error}") from error


def _from_places(table: pd.DataFrame) -> RawSpectrum:
    """Take a spectrum out of text: what its names say, else wavelength, flux and perhaps error.

    Raises
    ------
    ReadError
        There is one column.
    """
    plain = _named(table.columns)
    has_axis = _first_of(plain, (*_WAVELENGTHS, *_LOG_WAVELENGTHS)) is not None
    if has_axis and _first_of(plain, _FLUXES) is not None:
        return _from_columns(table)
    if len(table.columns) < 2:
        raise ReadError("its text has one column; wanted wavelength and flux")
    columns = [_column(table[name]) for name in table.columns[:3]]
    return RawSpectrum(columns[0], columns[1], columns[2] if len(columns) > 2 else None)


def _from_columns(table: Any) -> RawSpectrum:
    """Take a spectrum out of a table with one row per wavelength, or one row of vectors.

    Raises
    ------
    ReadError
        There are no columns of wavelength and flux.
    """
    columns = list(getattr(table, "colnames", table.columns))
    plain = _named(columns)
    axis, log_axis = _first_of(plain, _WAVELENGTHS), _first_of(plain, _LOG_WAVELENGTHS)
    flux = _first_of(plain, _FLUXES)
    if flux is None or (axis is None and log_axis is None):
        raise ReadError(
            f"no columns are called like a wavelength and a flux; there are "
            f"{', '.join(map(str, columns))}"
        )
    chosen = log_axis if axis is None else axis
    wavelength = _column(table[chosen])
    if axis is None:
        wavelength = 10**wavelength
    error, weight = _first_of(plain, _ERRORS), _first_of(plain, _INVERSE_VARIANCES)
    spread = None if error is None else _column(table[error])
    values = _column(table[flux])
    if error is None and weight is not None:
        values, spread = _from_inverse_variance(values, _column(table[weight]))
    written = getattr(table, "attrs", {}).get("units", {})  # of a file that was an astropy Table

    def unit_of(name: Any) -> str:
        return _unit(table[name]) or written.get(name) or unit_of_name(name)

    unit = "" if axis is None else unit_of(chosen)
    return RawSpectrum(wavelength, values, spread, unit, unit_of(flux))


def _from_inverse_variance(
    flux: NDArray[Any], inverse: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return flux and standard deviation; no flux where the inverse variance is 0."""
    good = inverse > 0
    error = 1 / np.sqrt(np.where(good, inverse, 1))
    return np.where(good, flux, np.nan), np.where(good, error, np.nan)


def from_npz(path: Path) -> tuple[Any, Any, Any, Any]:
    """Return flux, wavelength, error and ids (None where there are none) of a file of arrays."""
    if not path.is_file():
        raise SourceError(f"there is no file {str(path)!r}")
    if path.suffix.lower() != ".npz":
        raise SourceError(
            f"{path.name!r} holds one spectrum at most; wanted an .npz of arrays, or the folder of "
            "all spectra"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError) as problem:
        raise SourceError(f"{str(path)!r} cannot be read: {problem}") from problem
    plain = _named(arrays)
    flux, axis = _first_of(plain, _FLUXES), _first_of(plain, _WAVELENGTHS)
    log_axis = _first_of(plain, _LOG_WAVELENGTHS)
    if flux is None or (axis is None and log_axis is None):
        raise SourceError(
            f"{path.name!r} has no arrays called flux and wavelength; it has {', '.join(arrays)}"
        )
    error, weight = _first_of(plain, _ERRORS), _first_of(plain, _INVERSE_VARIANCES)
    fluxes, spread = arrays[flux], None if error is None else arrays[error]
    if error is None and weight is not None:
        fluxes, spread = _from_inverse_variance(fluxes, arrays[weight])
    ids = _first_of(plain, _IDS)
    wavelength = 10 ** arrays[log_axis] if axis is None else arrays[axis]
    return fluxes, wavelength, spread, None if ids is None else arrays[ids]


def are_spectra(thing: Any) -> bool:
    """Whether something holds spectra, by its arrays or by the first of its objects."""
    if isinstance(thing, Mapping):
        return bool(thing) and is_spectrum(next(iter(thing.values())))
    if isinstance(thing, list | tuple) and not are_files(thing):
        return bool(thing) and all(hasattr(each, "spectral_axis") for each in thing)
    if not isinstance(thing, list | tuple | str | os.PathLike):
        return hasattr(thing, "spectral_axis") and np.ndim(thing.flux) == 2
    try:
        if is_folder_or_files(thing):
            return are_mostly(thing, SUFFIXES, is_spectrum)
        return _is_npz_of_spectra(Path(os.fspath(thing)).expanduser())  # type: ignore[arg-type]
    except (SourceError, *_BROKEN):
        return False


def _is_npz_of_spectra(path: Path) -> bool:
    if not path.is_file() or path.suffix.lower() != ".npz":
        return False
    with np.load(path, allow_pickle=False) as file:
        plain = _named(file.files)
    axis = _first_of(plain, (*_WAVELENGTHS, *_LOG_WAVELENGTHS))
    return axis is not None and _first_of(plain, _FLUXES) is not None


def is_spectrum(thing: Any) -> bool:
    """Whether this is one spectrum: a file, a table, a Spectrum or arrays.

    Text against Julian days is a light curve.
    """
    try:
        raw = from_object(thing)
    except ReadError:
        return False
    is_text = isinstance(thing, str | os.PathLike) and str(thing).lower().endswith(TEXT)
    return raw.wavelength.shape == raw.flux.shape and not (is_text and are_days(raw.wavelength))


def _from_fits(path: Path) -> RawSpectrum:
    from astropy.io import fits
    from astropy.table import Table
    from astropy.utils.exceptions import AstropyWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        with fits.open(path, memmap=False) as hdus:
            for hdu in parts(hdus):
                if isinstance(hdu, fits.BinTableHDU | fits.TableHDU):
                    plain = _named(hdu.columns.names)
                    if _first_of(plain, _FLUXES) is not None:
                        return _from_columns(Table.read(hdu))
            for hdu in hdus:
                if hdu.is_image and is_line(hdu.shape):  # a mosaic is not even read
                    return _from_image(hdu)
    raise ReadError(f"{path.name!r} holds neither a table with a flux nor a one-dimensional image")


def is_line(shape: tuple[int, ...]) -> bool:
    """Whether an image is a spectrum, perhaps with rows of its errors, visits and the like."""
    n_most = max(8, min(64, shape[-1] // 64)) if shape else 0
    return n_most > 0 and shape[-1] >= 16 and int(np.prod(shape[:-1])) <= n_most


def _from_image(hdu: Any) -> RawSpectrum:
    """Read a spectrum whose axis is told by the header; rows but the first are left out."""
    head = hdu.header
    flux = np.asarray(hdu.data, dtype=float).reshape(-1, hdu.shape[-1])[0]
    step = head.get("CDELT1", head.get("CD1_1"))
    if "CRVAL1" not in head or not step:
        raise ReadError("its header does not tell the wavelengths (CRVAL1, CDELT1)")
    pixel = np.arange(len(flux)) + 1 - head.get("CRPIX1", 1)
    wavelength = head["CRVAL1"] + step * pixel
    kind = str(head.get("CTYPE1", "")).upper()
    if head.get("DC-FLAG", 0) == 1 or kind.startswith(("LOG", "WAVE-LOG10")):
        wavelength = 10**wavelength
    elif kind.startswith(("WAVE-LOG", "AWAV-LOG")):  # FITS paper III, eq. 5
        wavelength = head["CRVAL1"] * np.exp(step * pixel / head["CRVAL1"])
    unit = str(head.get("CUNIT1", "")).strip()
    return RawSpectrum(wavelength, flux, None, unit, str(head.get("BUNIT", "")).strip())


def _column(column: Any) -> NDArray[np.float64]:
    """Return a column as float64; missing values are NaN, and a single row of vectors is one."""
    if hasattr(column, "to_numpy"):
        values = column.to_numpy(dtype=float, na_value=np.nan)
    else:
        values = np.ma.filled(np.ma.asarray(_plain(column), dtype=float), np.nan)
    flat: NDArray[np.float64] = np.asarray(values, dtype=float).reshape(-1)
    return flat


def _plain(values: Any) -> NDArray[Any]:
    return (
        np.ma.asarray(getattr(values, "value", values))
        if np.ma.isMaskedArray(values)
        else np.asarray(getattr(values, "value", values))
    )


def _unit(values: Any) -> str:
    unit = getattr(values, "unit", None)
    return "" if unit is None else str(unit)


def _standard_deviation() -> Any:
    from astropy.nddata import StdDevUncertainty

    return StdDevUncertainty
