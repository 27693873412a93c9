"""Label files: our own results, Astronomaly's ml_scores.csv, AnomalyMatch's labeled_data.csv."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from .._names import NO_SCORE, id_columns
from .._text_tables import TEXT, layout, read_text
from ..exceptions import SourceError
from ..export import split_tags

if TYPE_CHECKING:
    from ..session import Session

FORMATS = ("astronomaly", "anomalymatch")
_WORDS = {"normal": 0.0, "anomaly": 5.0}  # AnomalyMatch knows no degrees
_UNLABELED = -1  # in Astronomaly
_OURS = {"object_id", "score", "tags", "comment"}  # beside which a catalog may have a "label"


class ImportedLabels(NamedTuple):
    """What became of the labels of a file; each a tuple of object ids.

    Attributes
    ----------
    stored : tuple of str
        Objects that now have the label of the file.
    kept : tuple of str
        Objects that had been decided on in the session already, and were left as they are.
    absent : tuple of str
        Names in the file that no object of the session has.
    """

    stored: tuple[str, ...]
    kept: tuple[str, ...]
    absent: tuple[str, ...]

    def __repr__(self) -> str:
        said = ", ".join(f"{len(ids)} {name}" for name, ids in self._asdict().items())
        return f"<ImportedLabels: {said}>"


def read_labels(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the labels of a file; its format is seen from its columns.

    =======================  ======================================================================
    written by               columns
    =======================  ======================================================================
    ``session.export``       ``object_id``, ``score`` (0..5, empty if unlabeled), ``tags``,
                             ``comment``, and others, which are not looked at; for ``object_id``
                             also ``id``, ``name``, ``filename`` or the like
    Astronomaly              the index, ``human_label`` (0..5, -1 if unlabeled), and others
    AnomalyMatch             ``filename``, ``label`` ("normal", which becomes 0, or "anomaly": 5)
    =======================  ======================================================================

    Parameters
    ----------
    path : path-like
        A CSV file, also one that a spreadsheet saved with semicolons and decimal commas. Names of
        objects are read as text, so that every digit and every leading zero stays.

    Returns
    -------
    DataFrame
        By name of the object, labeled objects only: score (float, 0..5), tags (tuple of str),
        comment (str).

    Raises
    ------
    SourceError
        If the file cannot be read, is none of these, has a label outside its scale, or has two
        rows for one object.
    """
    path = Path(path).expanduser()
    frame = _read_csv(path)
    names, scores = _names_and_scores(frame, path)
    labeled = ~np.isnan(scores)
    table = pd.DataFrame({"score": scores[labeled]}, index=names[labeled])
    for name in ("tags", "comment"):
        table[name] = frame[name][labeled].to_numpy(dtype=object) if name in frame else ""
    table["tags"] = [split_tags(text) for text in table["tags"]]
    wrong = table["score"][~table["score"].between(0, 5)]
    if len(wrong):
        raise SourceError(
            f"{path.name} labels {wrong.index[0]!r} with {wrong.iloc[0]:g}; labels are 0..5"
        )
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise SourceError(f"{path.name} has two rows for {twice!r}: keep one")
    return table


def import_labels(
    session: Session, path: str | os.PathLike[str], *, overwrite: bool = False
) -> ImportedLabels:
    """Label the objects of a session as they are labeled in a file.

    Everything goes through the session's log, under its annotator, and can be undone there: one
    step per score, and one per object that comes with tags or a comment. Where the file has
    neither, those there are here stay. An object is found by its id, or by the name of its file,
    with or without folder and suffix.

    Parameters
    ----------
    session : Session
    path : path-like
        A CSV file, as :func:`read_labels` reads it.
    overwrite : bool
        Whether the file also decides on objects that were labeled in the session, now or at any
        time. By default they are left alone, so that a cell may be run again without taking back
        what was done since.

    Returns
    -------
    ImportedLabels

    Raises
    ------
    SourceError
        As :func:`read_labels`, or if two rows of the file are about the same object. Nothing is
        stored then.
    ReadOnlyProjectError, ProjectError
        If labels cannot be stored.
    """
    labels = read_labels(path)
    found = {name: _object_id(session, name) for name in labels.index}
    absent = tuple(name for name, object_id in found.items() if object_id is None)
    labels = labels.drop(index=list(absent))
    labels.index = pd.Index([found[name] for name in labels.index], dtype=object)
    if not labels.index.is_unique:
        twice = labels.index[labels.index.duplicated()][0]
        names = [name for name, object_id in found.items() if object_id == twice]
        raise SourceError(f"{' and '.join(map(repr, names))} are both the object {twice!r}")
    decided = set() if overwrite else set(session.events["object_id"].dropna())
    kept = tuple(name for name in labels.index if name in decided)
    new = labels.drop(index=list(kept))
    plain = (new["tags"].map(len) == 0) & (new["comment"] == "")
    for _, group in new[plain].groupby("score"):
        session.label_many(group.index, float(group["score"].iloc[0]))
    for object_id, row in new[~plain].iterrows():
        session.label(str(object_id), row["score"], row["tags"], row["comment"])
    return ImportedLabels(tuple(new.index), kept, absent)


def export_labels(session: Session, path: str | os.PathLike[str], format: str) -> Path:  # noqa: A002 - pandas and astropy call it so
    """Write the labels of a session as another program wants them.

    ``session.export`` writes everything there is; this writes what the other program can read.

    Parameters
    ----------
    session : Session
    path : path-like
        A CSV file; an existing one is replaced at once.
    format : {"astronomaly", "anomalymatch"}
        "astronomaly": its ``ml_scores.csv``, one row per object: index, score (the anomaly score),
        human_label (-1 = unlabeled; Astronomaly knows integers only, halves are rounded up).
        "anomalymatch": its ``labeled_data.csv``, one row per labeled object: filename, label
        ("anomaly" from ``session.interesting_from`` on, else "normal").

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If the format is neither.
    """
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}; wanted {' or '.join(map(repr, FORMATS))}")
    scores = session.labels["score"]
    if format == "astronomaly":
        whole = np.floor(scores.reindex(session.object_ids).to_numpy(dtype=float) + 0.5)
        table = pd.DataFrame(
            {
                "score": session.anomaly_score,
                "human_label": np.where(np.isnan(whole), _UNLABELED, whole).astype(int),
            },
            index=session.object_ids,
        )
        text = table.to_csv()
    else:
        words = np.where(scores >= session.interesting_from, "anomaly", "normal")
        names = [_file_name(session, object_id) for object_id in scores.index]
        text = pd.DataFrame({"filename": names, "label": words}).to_csv(index=False)
    path = Path(path).expanduser()
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


# -- inside --------------------------------------------------------------------------------------


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file whose names stay text."""
    if not path.is_file():
        raise SourceError(f"there is no file {str(path)!r}")
    if path.suffix and not path.name.lower().endswith(TEXT):
        raise SourceError(
            f"{path.name!r} is no file of text; wanted labels as CSV, as "
            "session.export('labels.csv') writes them"
        )
    try:
        with warnings.catch_warnings():
            # rows with a field too many: pandas would take the first for an index, or drop the last
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = read_text(
                path,
                layout(path) | {"skipinitialspace": False},  # every blank of a comment stays
                dtype=str,
                index_col=False,
                # an object may be called NA, and a comment may say None
                keep_default_na=False,
                na_values=dict.fromkeys(("score", "human_label", "label"), NO_SCORE),
            )
    except pd.errors.ParserWarning as error:
        raise SourceError(
            f"{str(path)!r} has more fields in a row than names in its first line; is a comma in a "
            "name or a comment not quoted?"
        ) from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{str(path)!r} cannot be read as CSV: {error}") from error
    return frame


def _names_and_scores(frame: pd.DataFrame, path: Path) -> tuple[Any, Any]:
    """Return names (str) and scores (float, NaN = unlabeled), (n,) each."""
    called = id_columns(frame, "filename")
    if set(frame) >= _OURS:
        names, scores = frame["object_id"], _numbers(frame["score"], path)
    elif "human_label" in frame:
        names, given = frame.iloc[:, 0], _numbers(frame["human_label"], path)
        scores = given.where(given != _UNLABELED)
    elif {"filename", "label"} <= set(frame):
        names, words = frame["filename"], frame["label"].dropna().astype(str)
        strange = words[~words.isin(_WORDS)]
        if len(strange):
            raise SourceError(
                f"{path.name} labels {names[strange.index[0]]!r} as {strange.iloc[0]!r}; "
                f"wanted {' or '.join(_WORDS)}"
            )
        scores = words.map(_WORDS).reindex(frame.index)
    elif called and "score" in frame:
        names, scores = frame[called[0]], _numbers(frame["score"], path)
    else:
        raise SourceError(
            f"{path.name} has the columns {', '.join(map(str, frame.columns))}; wanted object_id "
            "and score, or an index and human_label (Astronomaly), or filename and label "
            "(AnomalyMatch)"
        )
    n_nameless = int((names == "").sum())
    if n_nameless:
        raise SourceError(f"{path.name} has {n_nameless} rows without a name")
    return names.to_numpy(dtype=object), scores.to_numpy(dtype=float)


def _numbers(column: pd.Series[Any], path: Path) -> pd.Series[float]:
    try:
        # some spreadsheets write 2,5
        return pd.to_numeric(column.str.replace(",", ".", regex=False)).astype(float)
    except (ValueError, TypeError) as error:
        raise SourceError(f"{path.name}: {column.name} is not a number everywhere: {error}") from (
            error
        )


def _object_id(session: Session, name: str) -> str | None:
    """Return the id of the object that a file calls by this name, or None."""
    base = name.replace("\\", "/").rpartition("/")[2]
    stem, _, suffix = base.removesuffix(".gz").rpartition(".")
    for candidate in (name, base, name if suffix.isdigit() else stem):  # 12.7 is no file of 12
        if _is_object(session, candidate):
            return candidate
    return None


def _is_object(session: Session, name: str) -> bool:
    try:
        session.row_of(name)
    except KeyError:
        return False
    return True


def _file_name(session: Session, object_id: str) -> str:
    path_of: Any = getattr(session.source, "path_of", None)
    return object_id if path_of is None else str(path_of(object_id).name)
