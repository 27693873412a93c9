"""Flux against wavelength: the spectra of a survey, from arrays, files or Spectrum objects."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ReadError, SourceError
from ._catalogs import as_text, match_objects, unique_ids
from ._folders import absolute, are_files, files_in, is_folder_or_files
from ._spectrum_files import SUFFIXES, RawSpectrum, are_spectra, from_npz, from_object
from ._tables import read_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Spectra:
    """Spectra, one object each, with an axis for all or one for each.

    Parameters
    ----------
    flux : array, path, sequence or mapping
        Fluxes of shape (n, n_wavelengths), plain or as a Quantity; or a file: ``.npz`` with arrays
        called flux, wavelength, and perhaps error and id. Or one spectrum per object: a folder or
        list of files (FITS tables and images, CSV, text, ...), whose names are the ids; a sequence
        of Spectrum objects (specutils), or a single one that holds many; or a mapping from object
        id to a file, a Spectrum, a table, or (wavelength, flux[, error]).
    wavelength : array, optional
        Shape (n_wavelengths,) or (n, n_wavelengths), plain or as a Quantity: wavelength, frequency
        or energy. Needed for an array of fluxes. It may decrease; objects are turned.
    error : array, optional
        Standard deviations of the fluxes, of the same shape.
    object_ids : sequence of str, optional
        Names, (n,). By default what the file, folder, list or mapping calls them, else
        ``object-0``, ``object-1``, ...
    unit : str
        The unit of wavelength that objects are read in, and what a plain axis is in.
    redshift : str or array, optional
        A column of the catalog, or (n,) redshifts: objects are then read at rest wavelengths.
    catalog : path, DataFrame or Table, optional
        One row per object, matched by a column of object ids if there is one, else row by row.

    Attributes
    ----------
    wavelength_unit, value_unit : str
        Of the wavelengths, and of the fluxes where that is known, else "".
    axis_name : str
        ``"wavelength"`` or ``"rest wavelength"``.
    spec : dict or None
        How a project finds this source again, if it lies on disk; JSON-ready.

    Raises
    ------
    SourceError
        Not spectra, shapes that do not fit, or units that do not convert to a wavelength.

    Notes
    -----
    Zeros at either end of a spectrum are how files fill what was not observed, and are read as NaN.
    A unit in brackets behind the name of a column is heeded.
    """

    kind = "spectrum"

    def __init__(
        self,
        flux: Any,
        wavelength: Any = None,
        *,
        error: Any = None,
        object_ids: Sequence[str] | None = None,
        unit: str = "Angstrom",
        redshift: Any = None,
        catalog: Any = None,
    ) -> None:
        self.wavelength_unit = _length(unit)
        self.value_unit = ""
        self.spec = _describe(flux, object_ids, unit, redshift, catalog)
        names: Any = None
        if is_folder_or_files(flux):
            flux = files_in(flux, SUFFIXES, "spectra")
        elif isinstance(flux, str | os.PathLike):
            flux, wavelength, error, names = from_npz(Path(flux).expanduser())
        if isinstance(flux, Mapping):
            names, flux = list(flux), list(flux.values())
        raw = from_object(flux) if hasattr(flux, "spectral_axis") else None
        if raw is not None:
            flux, wavelength, error = raw.flux, flux.spectral_axis, raw.error
        self._things: list[Any] | None = None
        self._flux: NDArray[Any] = np.empty((0, 0))
        if isinstance(flux, Sequence) and not all(isinstance(x, list | np.ndarray) for x in flux):
            self._things = list(flux)
            n = len(flux)
            with suppress(ReadError):
                self.value_unit = self._raw(0).flux_unit
        else:
            n = self._take_arrays(flux, wavelength, error)
            self.value_unit = self.value_unit if raw is None else raw.flux_unit
        if not n:
            raise SourceError("there are no spectra")
        names = names if object_ids is None else object_ids
        names = [f"object-{k}" for k in range(n)] if names is None else names
        self._ids = unique_ids(as_text(list(names)), "object_ids")
        if len(self._ids) != n:
            raise SourceError(f"{len(self._ids)} object_ids for {n} spectra")
        self._rows = {i: row for row, i in enumerate(self._ids)}
        self._catalog = None if catalog is None else match_objects(read_table(catalog), self._ids)
        self._redshift = self._find_redshifts(redshift)
        self.axis_name = "wavelength" if redshift is None else "rest wavelength"

    def _take_arrays(self, flux: Any, wavelength: Any, error: Any) -> int:
        self.value_unit = str(getattr(flux, "unit", "") or "")
        self._flux = np.asarray(getattr(flux, "value", flux))
        if self._flux.ndim != 2 or self._flux.dtype.kind not in "fiu":
            raise SourceError(
                f"fluxes of shape {self._flux.shape} and type {self._flux.dtype} are not spectra; "
                "wanted numbers of shape (objects, wavelengths)"
            )
        if wavelength is None:
            raise SourceError("the fluxes have no wavelengths; give them as the second argument")
        given = str(getattr(wavelength, "unit", "") or "")
        axis = np.asarray(getattr(wavelength, "value", wavelength), dtype=float)
        if axis.shape not in {self._flux.shape, self._flux.shape[1:]}:
            raise SourceError(
                f"wavelengths of shape {axis.shape} do not fit fluxes of shape {self._flux.shape}"
            )
        self._wavelength = self._converted(axis, given)
        if axis.ndim == 1:
            try:
                _direction(self._wavelength)
            except ReadError as problem:
                raise SourceError(f"the axis cannot be used: {problem}") from problem
        self._error = None
        if error is not None:
            self._error = np.asarray(getattr(error, "value", error), dtype=float)
            if self._error.shape != self._flux.shape:
                raise SourceError(
                    f"errors of shape {self._error.shape} do not fit fluxes of shape "
                    f"{self._flux.shape}"
                )
        return len(self._flux)

    def _converted(self, axis: NDArray[Any], unit: str) -> NDArray[Any]:
        """Return wavelengths in the unit of the source."""
        if not unit or unit == self.wavelength_unit:
            return axis
        from astropy import units as u

        try:
            with np.errstate(divide="ignore"):
                return np.asarray(
                    (axis * u.Unit(unit)).to_value(self.wavelength_unit, u.spectral()), dtype=float
                )
        except (u.UnitConversionError, ValueError) as error:
            raise SourceError(
                f"an axis in {unit!r} does not convert to {self.wavelength_unit!r}"
            ) from error

    def _find_redshifts(self, redshift: Any) -> NDArray[Any] | None:
        import pandas as pd

        if redshift is None:
            return None
        if isinstance(redshift, str):
            if self._catalog is None or redshift not in self._catalog.columns:
                columns = () if self._catalog is None else self._catalog.columns
                raise SourceError(
                    f"there is no column {redshift!r} of redshifts in the catalog; there are "
                    f"{', '.join(map(str, columns)) or 'none'}"
                )
            redshift = self._catalog[redshift]
        numbers = pd.to_numeric(pd.Series(redshift), errors="coerce")
        z: NDArray[Any] = numbers.to_numpy(dtype=float, na_value=np.nan)
        if z.shape != (len(self),):
            raise SourceError(f"{len(z)} redshifts for {len(self)} spectra")
        return z

    @staticmethod
    def recognizes(flux: Any) -> bool:
        """Whether something is spectra: by its arrays, or by the first of its objects.

        Parameters
        ----------
        flux : object
            Anything. A plain array is not known for spectra: it may be a table.
        """
        return are_spectra(flux)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<Spectra: {len(self)} objects>"

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names of the objects, (n,) object array of str."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Size and time of each file, or a digest of what is in memory; (n,) object array."""
        return np.array([self._mark(row) for row in range(len(self))], dtype=object)

    def _mark(self, row: int) -> str:
        z = "" if self._redshift is None else f"-{self._redshift[row]}"
        thing = None if self._things is None else self._things[row]
        if isinstance(thing, str | os.PathLike):
            try:
                status = Path(thing).expanduser().stat()
            except OSError:
                return "missing"
            return f"{status.st_size}-{status.st_mtime_ns}{z}"
        digest = hashlib.blake2b(digest_size=8)
        try:
            raw = self._raw(row)
        except ReadError as error:
            digest.update(str(error).encode())
        else:
            for array in (raw.wavelength, raw.flux, raw.error):
                if array is not None:
                    digest.update(np.ascontiguousarray(array, dtype=float).data)
        return digest.hexdigest() + z

    @property
    def catalog(self) -> pd.DataFrame | None:
        """What the catalog says of each object, indexed by object id, or None."""
        return self._catalog

    def read(self, object_id: str) -> NDArray[Any]:
        """Read one spectrum.

        Returns
        -------
        ndarray, shape (n_wavelengths,)
            With the fields ``wavelength`` (increasing, in `wavelength_unit`), ``flux`` (NaN where
            there are no data) and ``error`` (NaN where it is not known), all float64.

        Raises
        ------
        ReadError
            It cannot be read, has no finite flux, negative errors, or wavelengths in no order.
        KeyError
            There is no such object.
        """
        row = self._rows[object_id]
        raw = self._raw(row)
        try:
            axis = self._converted(np.asarray(raw.wavelength, dtype=float), raw.wavelength_unit)
        except SourceError as error:
            raise ReadError(str(error)) from error
        if self._redshift is not None:
            if not self._redshift[row] > -1:
                raise ReadError(f"its redshift is {self._redshift[row]}")
            axis = axis / (1 + self._redshift[row])
        return _checked(axis, raw.flux, raw.error)

    def _raw(self, row: int) -> RawSpectrum:
        if self._things is not None:
            return from_object(self._things[row])
        axis = self._wavelength if self._wavelength.ndim == 1 else self._wavelength[row]
        return RawSpectrum(axis, self._flux[row], None if self._error is None else self._error[row])


def _checked(axis: NDArray[Any], flux: Any, error: Any) -> NDArray[Any]:
    """Put a spectrum into the form that is promised, or say why it cannot be."""
    values: NDArray[Any] = np.ma.filled(np.ma.asarray(flux, dtype=float), np.nan)
    if values.ndim != 1 or axis.shape != values.shape:
        raise ReadError(f"{axis.shape} wavelengths do not fit fluxes of shape {values.shape}")
    data = np.empty(len(axis), [("wavelength", "f8"), ("flux", "f8"), ("error", "f8")])
    data["wavelength"], data["flux"], data["error"] = axis, values, np.nan
    if error is not None:
        spread: NDArray[Any] = np.ma.filled(np.ma.asarray(error, dtype=float), np.nan)
        if spread.shape != values.shape:
            raise ReadError(f"errors of shape {spread.shape} for fluxes of shape {values.shape}")
        data["error"] = np.where(np.isinf(spread), np.nan, spread)
    data = data[np.isfinite(axis)]
    n_negative = int((data["error"] < 0).sum())
    if n_negative:
        raise ReadError(f"{n_negative} of its {len(data)} errors are negative")
    if _direction(data["wavelength"]) < 0:
        data = np.ascontiguousarray(data[::-1])
    flux = data["flux"]
    seen = np.flatnonzero(np.isfinite(flux) & (flux != 0))
    if len(seen) < 2:
        raise ReadError(f"{len(seen)} of its {len(data)} fluxes are finite and not 0; wanted 2")
    flux[: seen[0]] = flux[seen[-1] + 1 :] = np.nan
    flux[np.isinf(flux)] = np.nan
    return data


def _direction(axis: NDArray[Any]) -> int:
    """Return 1 if wavelengths increase, -1 if they decrease."""
    axis = axis[np.isfinite(axis)]
    if len(axis) < 2:
        raise ReadError(f"{len(axis)} finite wavelengths; wanted at least 2")
    if axis.min() <= 0:
        raise ReadError(f"a wavelength is {axis.min():g}; wanted them above 0")
    steps = np.diff(axis)
    n_up, n_down = int((steps > 0).sum()), int((steps < 0).sum())
    if max(n_up, n_down) < len(steps):
        raise ReadError(
            f"its wavelengths are in no order: {n_up} steps go up, {n_down} down, "
            f"{len(steps) - n_up - n_down} repeat; merge its orders and sort it first"
        )
    return 1 if n_up else -1


def _length(unit: str) -> str:
    from astropy import units as u

    try:
        known = u.Unit(unit)
    except ValueError as error:
        raise SourceError(f"{unit!r} is not a unit: {error}") from error
    if not known.is_equivalent(u.m):
        raise SourceError(f"the unit of wavelength is {unit!r}; wanted a length, such as 'nm'")
    return str(known)


def _describe(
    flux: Any, object_ids: Any, unit: str, redshift: Any, catalog: Any
) -> dict[str, Any] | None:
    if not isinstance(flux, str | os.PathLike) and not are_files(flux):
        return None
    if catalog is not None and not isinstance(catalog, str | os.PathLike):
        if isinstance(redshift, str):
            return None  # the redshifts cannot be found again
        catalog = None  # a project keeps the catalog itself
    arguments = {
        "flux": absolute(flux),
        "object_ids": None if object_ids is None else as_text(list(object_ids)),
        "unit": unit,
        "redshift": redshift if isinstance(redshift, str | None) else np.asarray(redshift).tolist(),
        "catalog": None if catalog is None else absolute(catalog),
    }
    return {"room": "sources", "name": "Spectra", "arguments": arguments}
