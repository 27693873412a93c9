"""Objects go to TOPCAT, Aladin and others that run beside the notebook, by SAMP."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import export
from .._optional import require
from ..exceptions import AstronomalyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..session import Session

_LOAD = "table.load.votable"
_FILE = "samp.vot"  # the other program reads it when it likes, so it stays until the next one


def send_to_samp(
    session: Session, object_ids: Iterable[str] | None = None, *, to: str | None = None
) -> tuple[str, ...]:
    """Send objects, with scores, labels and catalog, to programs on this computer.

    The table of ``session.results()`` goes as a VOTable to whoever at the SAMP hub loads tables.
    The kernel must run where they do; from a kernel elsewhere, ``session.export`` a file.

    Parameters
    ----------
    session : Session
    object_ids : iterable of str, optional
        By default what is selected on the map, or all objects if nothing is.
    to : str, optional
        Send it to the program of this name only, such as "topcat"; case does not matter.

    Returns
    -------
    tuple of str
        Names of the programs it was sent to.

    Raises
    ------
    KeyError
        If there is no such object.
    MissingDependencyError
        If pyvo is not installed.
    AstronomalyError
        If there is no hub, or nobody at it (of this name) who loads tables.

    References
    ----------
    IVOA Recommendation, Simple Application Messaging Protocol, version 1.3.
    """
    samp = require("pyvo.samp", extra="survey")

    names = list(session.selected_ids if object_ids is None else object_ids)
    for name in names:
        session.row_of(name)
    table = session.results()
    folder = tempfile.gettempdir() if session.read_only else session.project.path
    path = export.write(table.loc[names] if names else table, Path(folder) / _FILE)
    message = {
        "samp.mtype": _LOAD,
        "samp.params": {"url": path.as_uri(), "table-id": session.title, "name": session.title},
    }
    # it would ask a host in the internet whether there is one
    with samp.conf.set_temp("use_internet", False):
        client = samp.SAMPIntegratedClient("astronomaly_widgets", callable=False)
        try:
            client.connect()
        except samp.SAMPHubError as error:
            raise AstronomalyError(
                "no SAMP hub is running on this computer: start TOPCAT or Aladin and try again"
            ) from error
        try:
            found = _listeners(client, to)
            for key in found:
                client.notify(key, message)
        finally:
            client.disconnect()
    return tuple(found.values())


def _listeners(client: Any, to: str | None) -> dict[str, str]:
    """Return names by key of the programs that load tables."""
    named = {
        key: str(client.get_metadata(key).get("samp.name", key))
        for key in client.get_subscribed_clients(_LOAD)
    }
    found = {key: name for key, name in named.items() if to is None or name.lower() == to.lower()}
    if not found:
        there = ", ".join(sorted(named.values())) or "nobody"
        whom = "any program" if to is None else repr(to)
        raise AstronomalyError(f"{whom} that loads tables was wanted; at the SAMP hub: {there}")
    return found
