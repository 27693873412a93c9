"""What one person did, as a JSON-ready record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import ProjectError
from ..session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "astronomaly-widgets hand-in 1"


def hand_in_of(session: Session, name: str | None = None) -> dict[str, Any]:
    """Return the labels of a session in order, with the seconds each took (None: not known)."""
    ids, scores = session.label_sequence()
    events = session.events
    given = events[events["kind"] == "label"]
    together = given.groupby("step")["step"].transform("size")  # one look was at all of them
    timed = given.assign(seconds=given["seconds"] / together).dropna(subset="seconds")
    timed = timed.drop_duplicates("object_id", keep="first")
    seconds = timed.set_index("object_id")["seconds"]
    labels = session.labels
    annotator = str(labels["annotator"].mode().iloc[0]) if len(labels) else ""
    return {
        "format": FORMAT,
        "name": name or annotator,
        "exercise": session.title,
        "n_objects": session.n_objects,
        "interesting_from": session.interesting_from,
        "labels": [
            {
                "object_id": str(object_id),
                "score": float(score),
                "seconds": float(seconds[object_id]) if object_id in seconds.index else None,
            }
            for object_id, score in zip(ids, scores, strict=True)
        ],
    }


def read_folder(folder: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the record of every hand-in (.json) and project in a folder, by name, with its file.

    What begins with a dot is passed over: a Mac leaves such files beside others.

    Raises
    ------
    ProjectError
        If there is no such folder, or a file in it is not a hand-in.
    """
    place = Path(folder)
    if not place.is_dir():
        raise ProjectError(f"{place} is not a folder: give the one that holds the hand-ins")
    for path in sorted(place.iterdir()):
        if path.name.startswith("."):
            continue
        if (path / "manifest.json").is_file():
            session = Session.open(path)
            try:
                yield hand_in_of(session, path.name) | {"file": path.name}
            finally:
                session.close()
        elif path.suffix == ".json":
            yield _read(path) | {"file": path.name}


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8-sig"))  # as some editors save it
    except (OSError, ValueError) as error:
        raise ProjectError(f"{path} cannot be read as a hand-in ({error})") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ProjectError(
            f"{path} is no hand-in: Exercise.hand_in writes them; move other files elsewhere"
        )
    return record
