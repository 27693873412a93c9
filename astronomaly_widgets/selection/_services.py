"""Catalogs asked over the network, by the Table Access Protocol (TAP) of the IVOA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._optional import require
from ..exceptions import SourceError
from ._matching import _positions, cross_match

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SIMBAD = "https://simbad.cds.unistra.fr/simbad/sim-tap"

_NEAR = (
    "SELECT DISTINCT basic.main_id, basic.otype, basic.ra, basic.dec "
    "FROM basic JOIN TAP_UPLOAD.mine AS mine "
    "ON 1 = CONTAINS(POINT('ICRS', basic.ra, basic.dec), "
    "CIRCLE('ICRS', mine.mine_ra, mine.mine_dec, {degrees!r}))"
)


def query(
    adql: str,
    service: str,
    *,
    uploads: Mapping[str, Any] | None = None,
    max_rows: int | None = None,
    wait: bool = True,
) -> Any:
    """Send a query to a TAP service, and return what it answers.

    Parameters
    ----------
    adql : str
        Such as :meth:`Selection.adql` writes it.
    service : str
        Address of the service, such as ``"https://datalab.noirlab.edu/tap"``.
    uploads : mapping of str to Table, optional
        Tables that the query calls ``TAP_UPLOAD.name``.
    max_rows : int, optional
        The service stops there, and pyvo warns if there would be more.
    wait : bool, optional
        Ask for the answer at once, which services allow for a minute or so. False sends a job,
        and waits until it is done: for large answers.

    Returns
    -------
    astropy.table.Table

    Raises
    ------
    MissingDependencyError
        pyvo is not installed (extra ``survey``).
    SourceError
        The service cannot be reached, or refuses the query; the message is what it says.
    """
    pyvo = require("pyvo", extra="survey")
    given = {} if uploads is None else {"uploads": dict(uploads)}
    try:
        with pyvo.utils.http.create_session() as session:
            tap = pyvo.dal.TAPService(service, session=session)
            run = tap.run_sync if wait else tap.run_async
            return run(adql, maxrec=max_rows, **given).to_table()
    except pyvo.dal.DALAccessError as error:
        raise SourceError(f"the service at {service!r} says: {error}") from error


def known_classes(
    catalog: Any,
    *,
    radius: float = 10.0,
    columns: tuple[str, str] | None = None,
    service: str = SIMBAD,
) -> pd.DataFrame:
    """Look up in SIMBAD what is known at the positions of a catalog.

    Parameters
    ----------
    catalog : DataFrame or Table
        As for :func:`cross_match`; such as the objects that were found interesting.
    radius : float
        Arcsec.
    columns : (str, str), optional
        The columns of the positions.
    service : str
        A TAP service with SIMBAD's table ``basic``.

    Returns
    -------
    DataFrame
        One row per row of `catalog`: ``name`` and ``object_type`` of the nearest object in SIMBAD
        (missing if there is none within the radius), ``separation`` (arcsec) and ``n_within``.

    Raises
    ------
    MissingDependencyError, SourceError
        As :func:`query`.

    References
    ----------
    Wenger et al. 2000, A&AS 143, 9.
    """
    from astropy.table import Table

    if not radius > 0:
        raise ValueError(f"radius is {radius!r}; wanted a positive number of arcsec")
    places = _positions(catalog, columns)
    known = np.flatnonzero(np.isfinite(places[:, 0]))
    ra, dec = places[known].T
    mine = Table({"row_number": known, "mine_ra": ra, "mine_dec": dec})
    adql = _NEAR.format(degrees=radius / 3600)
    found = query(adql, service, uploads={"mine": mine})
    matched = cross_match(catalog, found, radius, columns=columns)
    result = matched[["separation"]].assign(n_within=matched[f"n_within_{float(radius):g}"])
    some = matched["match"].notna().to_numpy()
    for name, column in (("object_type", "otype"), ("name", "main_id")):
        values = np.full(len(matched), None, dtype=object)
        values[some] = [str(found[column][row]) for row in matched["match"][some]]
        result.insert(0, name, values)
    return result
