"""The command ``astronomaly-widgets replay``: a search with known scores in a person's place."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._names import NO_SCORE, id_columns
from ._text_tables import layout, read_text
from .evaluation import recall_curve
from .exceptions import AstronomalyError
from .pipeline import explore
from .session import Session
from .simulation import Oracle, label_with

if TYPE_CHECKING:
    import argparse

    import pandas as pd


def replay(options: argparse.Namespace) -> None:
    """Search `options.data`, known scores being the person; write a table of what was found.

    Raises
    ------
    AstronomalyError
        If the scores cannot be read or are of other objects, or the project has labels.
    """
    scores = _read_scores(Path(options.scores), options.id_column, options.score_column)
    _check_without_labels(options.project)
    session = explore(
        options.data,
        features=options.features,
        detector=options.detector,
        learner=options.learner,
        project=options.project,
        random_state=options.seed,
    )
    known = scores.reindex(session.object_ids)
    if known.isna().all():
        raise AstronomalyError(
            f"no object of {options.data} has a score in {options.scores}: ids there look like "
            f"{scores.index[0]!r}, those of the data like {session.object_ids[0]!r}"
        )
    unknown = int(known.isna().sum())
    if unknown:
        sys.stderr.write(f"{unknown} of {session.n_objects} objects have no score: counted as 0\n")
    oracle = Oracle(known.fillna(0.0), options.error, options.seed)
    given = label_with(session, oracle, options.n_labels, options.batch)
    sys.stdout.write(recall_table(session, known, given, options.batch))


def _check_without_labels(project: str | None) -> None:
    """Refuse to put known scores among the labels of a person."""
    if project is None or not Path(project, "manifest.json").is_file():
        return
    with closing(Session.open(project)) as session:
        if len(session.events):
            raise AstronomalyError(
                f"{project} has labels already, among which those of a replay would be lost; give "
                "--project a folder of its own"
            )


def _read_scores(path: Path, id_column: str | None, score_column: str) -> pd.Series[float]:
    """Read scores by object id; ids stay words, so that 18 digits survive."""
    how = layout(path)
    columns = list(read_text(path, how, nrows=0).columns)
    if id_column is None:
        id_column = [*id_columns(columns), columns[0]][0]
    for name in (id_column, score_column):
        if name not in columns:
            raise AstronomalyError(
                f"{path.name} has no column {name!r}; it has {', '.join(columns)}. "
                "Choose with --id-column and --score-column."
            )
    table = read_text(
        path,
        how,
        usecols=[id_column, score_column],
        dtype={id_column: str},
        keep_default_na=False,  # an object may be called NA
        na_values={score_column: NO_SCORE},
    )
    scores = table.set_index(id_column)[score_column].astype(float).dropna()
    if scores.index.has_duplicates:
        twice = scores.index[scores.index.duplicated()][0]
        raise AstronomalyError(f"{path.name} has more than one score for {twice!r}")
    if not scores.between(0, 5).all():
        wrong = scores[~scores.between(0, 5)]
        raise AstronomalyError(
            f"{path.name} scores {wrong.index[0]!r} {wrong.iloc[0]:g}; scores are 0..5"
        )
    return scores * 5 if set(scores) <= {0.0, 1.0} else scores


def recall_table(
    session: Session, scores: pd.Series[float], given: pd.DataFrame, batch: int
) -> str:
    """Compare the labels that were given with the detector's order and with chance.

    Parameters
    ----------
    session : Session
    scores : Series
        True score of every object of the session, by object id; NaN is not interesting.
    given : DataFrame
        What :func:`astronomaly_widgets.simulation.label_with` returned.
    batch : int
        Labels between two lines of the table.

    Returns
    -------
    str
        One line per `batch` labels: how many interesting objects were among them, how many among
        as many of the highest anomaly scores, and how many are expected among as many at random.
    """
    interesting = set(scores.index[scores >= session.interesting_from])
    order: Any = session.ranking("anomaly_score", unlabeled_first=False)
    detector = recall_curve(interesting, order)
    learner = recall_curve(interesting, given["object_id"].to_numpy())
    steps = [*range(batch, len(given), batch), len(given)] if len(given) else []
    threshold = f"{session.interesting_from:g}"
    lines = [
        f"{len(interesting)} of {session.n_objects} objects are interesting (score >= {threshold})",
        "",
        f"{'labels':>8}{'learner':>10}{'detector':>10}{'random':>10}",
    ]
    for k in steps:
        chance = k * len(interesting) / session.n_objects
        lines.append(f"{k:8d}{learner[k - 1]:10d}{detector[k - 1]:10d}{chance:10.1f}")
    return "\n".join(lines) + "\n"
