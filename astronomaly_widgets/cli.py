"""The command line: ``astronomaly-widgets demo | app | replay | export``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._optional import require
from .exceptions import AstronomalyError

if TYPE_CHECKING:
    from collections.abc import Sequence

TOUR = "01_tour.ipynb"
DEMO_FOLDER = "astronomaly-demo"
_STOPPED = 130  # as shells say it of SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words of the command line, by default those of this process.

    Returns
    -------
    int
        Exit status: 0; 1 after an error, which is said in one line on stderr; 130 after Ctrl C.
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
    except KeyboardInterrupt:
        sys.stderr.write("\nastronomaly-widgets: stopped\n")
        return _STOPPED
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

    # "run.1" and "run.2" are folders, whose objects are often called alike
    name = data.absolute().name
    stem = name if data.is_dir() else Path(name.removesuffix(".gz")).stem
    project = Path(options.project or f"{stem}-search").absolute()
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
    from ._replay_command import replay  # here: it takes a second that the other commands save

    replay(options)


# -- export ----------------------------------------------------------------------------------


def _export(options: argparse.Namespace) -> None:
    from .session import Session

    Session.open(options.project).export(options.out)
    sys.stdout.write(f"{options.out}\n")
