"""The command line: ``astronomaly-widgets demo | app | replay | export``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._names import ID_NAMES
from ._optional import require
from .exceptions import AstronomalyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from .session import Session

TOUR = "01_tour.ipynb"
DEMO_FOLDER = "astronomaly-demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words of the command line, by default those of this process.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error, which is said in one line on stderr.
    """
    options, others = _parser().parse_known_args(arguments)
    if others and options.command not in (_demo, _app):
        _parser().error(f"unrecognized arguments: {' '.join(others)}")
    options.others = others
    try:
        options.command(options)
    except (AstronomalyError, OSError, ValueError, KeyError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        sys.stderr.write(f"astronomaly-widgets: {text}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="astronomaly-widgets", description="Active anomaly discovery for astronomy."
    )
    version = sys.modules["astronomaly_widgets"].__version__
    parser.add_argument("--version", action="version", version=f"astronomaly_widgets {version}")
    commands = parser.add_subparsers(required=True, metavar="command")

    demo = commands.add_parser(
        "demo",
        help="open JupyterLab on the tour notebook",
        description="Open JupyterLab on the tour notebook. Options that are not listed here go to "
        "JupyterLab.",
    )
    demo.add_argument("--no-browser", action="store_true", help="only say the address")
    demo.add_argument("--port", type=int, help="port to listen on (JupyterLab's choice)")
    demo.set_defaults(command=_demo)

    app = commands.add_parser(
        "app",
        help="label DATA on a page of its own, without code",
        description="Explore DATA, or open a project, and show its dashboard as a page in the "
        "browser. Options that are not listed here go to Voila.",
    )
    app.add_argument("data", metavar="DATA", help="what aw.explore takes as a path, or a project")
    app.add_argument("--project", help="folder to keep features and labels in (DATA-search)")
    app.add_argument("--features", nargs="+", help="one or more extractors")
    app.add_argument("--dark", action="store_true", help="light on dark")
    app.add_argument("--no-browser", action="store_true", help="only say the address")
    app.add_argument("--port", type=int, help="port to listen on (Voila's choice)")
    app.set_defaults(command=_app)

    replay = commands.add_parser(
        "replay",
        help="search without a person: known scores instead",
        description="Explore DATA, let known scores label it, and compare what was found with the "
        "detector alone and with chance.",
    )
    replay.add_argument("data", metavar="DATA", help="anything that aw.explore takes as a path")
    replay.add_argument(
        "--scores",
        required=True,
        help="CSV file of ids and scores 0..5; a column of only 0 and 1 means no and yes",
    )
    replay.add_argument(
        "--id-column", help="by default what is called object_id, id, name or the like"
    )
    replay.add_argument("--score-column", default="score", help="(%(default)s)")
    replay.add_argument("--features", nargs="+", help="one or more extractors")
    replay.add_argument("--detector", default="isolation_forest", help="(%(default)s)")
    replay.add_argument("--learner", default="auto", help="(%(default)s)")
    replay.add_argument("--n-labels", type=_positive, default=200, help="(%(default)s)")
    replay.add_argument(
        "--batch", type=_positive, default=20, help="labels between retrains (%(default)s)"
    )
    replay.add_argument(
        "--error", type=float, default=0.0, help="how often a score is a point off (%(default)s)"
    )
    replay.add_argument("--project", help="folder of its own to keep features and labels in")
    replay.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    replay.set_defaults(command=_replay)

    export = commands.add_parser("export", help="write a project's results to one file")
    export.add_argument("project", metavar="PROJECT", help="folder of the project")
    export.add_argument("out", metavar="OUT", help="file: .csv, .ecsv, .vot, .fits or .parquet")
    export.set_defaults(command=_export)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a positive number")
    return number


# -- demo ------------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> None:
    lab = require("jupyterlab.labapp", extra="demo")
    notebook = tour_notebook(Path.cwd())
    # an address, not a file: it is what is said, too, where no browser is opened
    words = [
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{notebook.name}",
    ]
    if options.no_browser:
        words.append("--no-browser")
    if options.port is not None:
        words.append(f"--port={options.port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")  # a container: whoever is root there has decided so
    sys.stdout.write(f"The tour: {notebook}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="astronomaly-lab-") as config:
        _without_news(Path(config))
        lab.LabApp.launch_instance([*words, *options.others])


def _without_news(config: Path) -> None:
    """Have JupyterLab ask for no leave to fetch news: its question would cover the dashboard."""
    (config / "labconfig").mkdir()
    (config / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(config), others]))


def tour_notebook(folder: Path) -> Path:
    """Find the tour notebook, or lay a copy where it can be edited.

    In a checkout it is the notebook of the checkout; elsewhere a copy of the installed one in
    ``astronomaly-demo``, which is left alone if it is already there. Where `folder` cannot be
    written, the copy goes to a new temporary folder.
    """
    here = folder / "notebooks" / TOUR
    if here.is_file() and os.access(here, os.W_OK):
        return here
    if os.access(folder, os.W_OK):
        copy = folder / DEMO_FOLDER / TOUR
    else:
        copy = Path(tempfile.mkdtemp(prefix=f"{DEMO_FOLDER}-")) / TOUR
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(_installed_tour(), copy)
    return copy


def _installed_tour() -> Path:
    package = Path(__file__).parent
    for folder in (package, package.parent):  # a wheel carries it inside, a checkout beside
        path = folder / "notebooks" / TOUR
        if path.is_file():
            return path
    raise AstronomalyError(f"{TOUR} is not part of this installation: reinstall the package")


# -- app -------------------------------------------------------------------------------------


def _app(options: argparse.Namespace) -> None:
    voila = require("voila.app", extra="app")
    project = _explored(options)
    cell = f"import astronomaly_widgets as aw\naw.Session.open({str(project)!r})"
    with tempfile.TemporaryDirectory(prefix="astronomaly-app-") as folder:
        page = Path(folder, f"{project.name}.ipynb")
        page.write_text(json.dumps(_notebook(cell)), encoding="utf-8")
        words = [str(page), "--VoilaConfiguration.show_tracebacks=True"]
        words.append(f"--theme={'dark' if options.dark else 'light'}")
        if options.no_browser:
            words.append("--no-browser")
        if options.port is not None:
            words.append(f"--port={options.port}")
        sys.stdout.write(f"The project: {project}\n")
        sys.stdout.flush()
        voila.Voila.launch_instance([*words, *options.others])


def _explored(options: argparse.Namespace) -> Path:
    """Return the project to show, made from the data if these are no project already.

    Measured here, where the progress can be seen: a page stays blank until its code has run.
    """
    data = Path(options.data)
    if (data / "manifest.json").is_file():
        return data.absolute()
    from .pipeline import explore

    project = Path(options.project or f"{data.absolute().name.split('.')[0]}-search").absolute()
    explore(options.data, features=options.features, project=project).close()
    return project


def _notebook(code: str) -> dict[str, Any]:
    """Return a notebook of one cell, ready for JSON."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "dashboard",
        "metadata": {},
        "outputs": [],
        "source": code,
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [cell],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


# -- replay ----------------------------------------------------------------------------------


def _replay(options: argparse.Namespace) -> None:
    from .pipeline import explore
    from .simulation import Oracle, label_with

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
    from .session import Session

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
    import pandas as pd

    columns = list(pd.read_csv(path, nrows=0).columns)
    if id_column is None:
        lower = {name.lower(): name for name in columns}
        id_column = next((lower[name] for name in ID_NAMES if name in lower), columns[0])
    for name in (id_column, score_column):
        if name not in columns:
            raise AstronomalyError(
                f"{path.name} has no column {name!r}; it has {', '.join(columns)}. "
                "Choose with --id-column and --score-column."
            )
    table = pd.read_csv(path, usecols=[id_column, score_column], dtype={id_column: str})
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
    from .evaluation import recall_curve

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


# -- export ----------------------------------------------------------------------------------


def _export(options: argparse.Namespace) -> None:
    from .session import Session

    Session.open(options.project).export(options.out)
    sys.stdout.write(f"{options.out}\n")
