"""The command line: what it says, what it writes, and how it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
from jupyterlab_server.config import get_page_config

import astronomaly_widgets as aw
from astronomaly_widgets import _replay_command, cli


@pytest.fixture
def survey(tmp_path):
    """A table of 200 objects with 18-digit ids, and the scores of a person who likes 12 of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    X[:12] += 5
    ids = [str(587733080813011000 + i) for i in range(200)]
    data = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    data.insert(0, "object_id", ids)
    data.to_csv(tmp_path / "survey.csv", index=False)
    scores = pd.DataFrame(
        {"object_id": ids, "score": [5] * 12 + [0] * 188, "yes": [1] * 12 + [0] * 188}
    )
    scores.to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path


def replay(survey, *more):
    words = ["replay", str(survey / "survey.csv"), "--scores", str(survey / "scores.csv")]
    return cli.main([*words, "--n-labels", "30", "--batch", "10", *more])


def rows_of(table):
    lines = table.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["labels"])
    return [[float(word) for word in line.split()] for line in lines[start + 1 :]]


def test_replay_compares_learner_detector_and_chance(survey, capsys):
    assert replay(survey) == 0
    table = capsys.readouterr().out
    assert table.startswith("12 of 200 objects are interesting (score >= 4)\n")
    rows = rows_of(table)
    assert [row[0] for row in rows] == [10, 20, 30]
    assert [row[3] for row in rows] == [0.6, 1.2, 1.8]
    assert rows[0][1] <= rows[0][2], "the first batch shows other kinds than the top, too"
    assert rows[-1][1] == 12


def test_replay_is_deterministic(survey, capsys):
    replay(survey, "--seed", "3")
    first = capsys.readouterr().out
    replay(survey, "--seed", "3")
    assert capsys.readouterr().out == first


def test_replay_ends_with_an_incomplete_batch(survey, capsys):
    assert replay(survey, "--n-labels", "25") == 0
    assert [row[0] for row in rows_of(capsys.readouterr().out)] == [10, 20, 25]


def test_replay_takes_a_column_of_yes_and_no(survey, capsys):
    assert replay(survey, "--score-column", "yes") == 0
    assert capsys.readouterr().out.startswith("12 of 200 objects are interesting")


def test_replay_keeps_its_labels_in_a_project_that_export_writes(survey, capsys):
    assert replay(survey, "--project", str(survey / "kept")) == 0
    assert cli.main(["export", str(survey / "kept"), str(survey / "out.csv")]) == 0
    table = pd.read_csv(survey / "out.csv", dtype={"object_id": str})
    assert len(table) == 200
    assert table["score"].notna().sum() == 30
    assert "587733080813011007" in set(table["object_id"])


def test_replay_does_not_mix_its_labels_with_those_of_a_person(survey, capsys):
    project = survey / "mine"
    with closing(aw.explore(survey / "survey.csv", project=project)) as session:
        assert replay(survey, "--project", str(project)) == 0, "nothing was labeled there"
        session.refresh_labels()
        before = session.labels
    assert replay(survey, "--project", str(project), "--learner", "random") == 1
    assert "has labels already" in capsys.readouterr().err
    with closing(aw.Session.open(project)) as session:
        pd.testing.assert_frame_equal(session.labels, before)
        assert session.learner == "auto"


@pytest.mark.parametrize("name", ["SOURCE_ID", "designation", "whatever comes first"])
def test_replay_finds_the_column_of_ids(survey, name):
    scores = pd.read_csv(survey / "scores.csv", dtype=str).rename(columns={"object_id": name})
    columns = ["score", name] if "first" not in name else [name, "score"]
    scores[columns].to_csv(survey / "scores.csv", index=False)
    assert replay(survey) == 0


def test_replay_reads_scores_that_a_spreadsheet_saved(survey, capsys):
    replay(survey)
    plain = capsys.readouterr().out
    scores = pd.read_csv(survey / "scores.csv", dtype={"object_id": str})
    scores["score"] -= 0.5 * (scores["score"] > 0)
    scores.to_csv(survey / "scores.csv", index=False, sep=";", decimal=",")
    assert "4,5" in (survey / "scores.csv").read_text()
    assert replay(survey) == 0
    assert capsys.readouterr().out.splitlines()[0] == plain.splitlines()[0]


def test_an_object_called_na_keeps_its_score(survey, capsys):
    for path in (survey / "survey.csv", survey / "scores.csv"):
        path.write_text(path.read_text().replace("587733080813011000", "NA"))
    assert replay(survey) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("12 of 200 objects are interesting")
    assert "no score" not in captured.err


def test_objects_without_a_score_are_counted_and_uninteresting(survey, capsys):
    scores = pd.read_csv(survey / "scores.csv", dtype=str).iloc[:150]
    scores.to_csv(survey / "scores.csv", index=False)
    assert replay(survey) == 0
    assert "50 of 200 objects have no score" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(score=7), "scores are 0..5"),
        (
            lambda t: t.rename(columns={"score": "mark"}),
            "no column 'score'; it has object_id, mark",
        ),
        (lambda t: pd.concat([t, t.iloc[:1]]), "more than one score for '587733080813011000'"),
        (lambda t: t.assign(object_id=[f"x{i}" for i in range(200)]), "no object of"),
    ],
    ids=["out of range", "no such column", "duplicate", "other ids"],
)
def test_unusable_scores_are_refused_in_words(survey, capsys, change, words):
    table = pd.read_csv(survey / "scores.csv", dtype={"object_id": str})
    change(table).to_csv(survey / "scores.csv", index=False)
    assert replay(survey) == 1
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1 or "measur" in error


def test_a_missing_project_is_said_in_one_line(tmp_path, capsys):
    assert cli.main(["export", str(tmp_path / "nothing"), str(tmp_path / "out.csv")]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("astronomaly-widgets: ")
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("words", [[], ["replay", "x"], ["export", "a", "b", "--fast"], ["fly"]])
def test_unknown_words_are_refused(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("demo", "app", "replay", "export"))


def test_the_version_is_said(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"astronomaly_widgets {aw.__version__}\n"


def test_the_package_is_a_command_too():
    home = str(Path(aw.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "astronomaly_widgets", "export", "--help"],
        env=os.environ | {"PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: astronomaly-widgets export")


class FakeLab:
    """Takes the place of JupyterLab's own launcher."""

    def __init__(self, monkeypatch):
        self.words = self.page = None
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
        monkeypatch.setattr(cli, "require", lambda module, extra: SimpleNamespace(LabApp=self))

    def launch_instance(self, words):
        self.words = words
        self.page = get_page_config([])


def test_demo_opens_an_editable_copy_of_the_tour(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    lab = FakeLab(monkeypatch)
    assert cli.main(["demo", "--no-browser", "--port", "8899", "--ServerApp.token=x"]) == 0
    copy = tmp_path / "astronomaly-demo" / "01_tour.ipynb"
    assert copy.is_file()
    assert f"--ServerApp.root_dir={copy.parent}" in lab.words
    assert "--LabApp.default_url=/lab/tree/01_tour.ipynb" in lab.words
    assert {"--no-browser", "--port=8899", "--ServerApp.token=x"} <= set(lab.words)
    assert str(copy) in capsys.readouterr().out


def test_in_the_demo_no_question_about_news_covers_the_dashboard(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    lab = FakeLab(monkeypatch)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    cli.main(["demo"])
    assert "@jupyterlab/apputils-extension:announcements" in lab.page["disabledExtensions"]
    assert os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)[1:] == ["/mine"]


def test_demo_leaves_an_earlier_copy_alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    FakeLab(monkeypatch)
    cli.main(["demo"])
    copy = tmp_path / "astronomaly-demo" / "01_tour.ipynb"
    copy.write_text("mine")
    cli.main(["demo"])
    assert copy.read_text() == "mine"


def test_demo_in_a_checkout_opens_the_notebook_of_the_checkout(monkeypatch, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_tour.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    lab = FakeLab(monkeypatch)
    cli.main(["demo"])
    assert f"--ServerApp.root_dir={tmp_path / 'notebooks'}" in lab.words
    assert not (tmp_path / "astronomaly-demo").exists()


def test_demo_without_jupyterlab_names_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    assert cli.main(["demo"]) == 1
    assert "astronomaly-widgets[demo]" in capsys.readouterr().err


class FakeVoila:
    """Takes the place of Voila's own launcher; keeps the page it was given."""

    def __init__(self, monkeypatch):
        self.words, self.code = None, None
        monkeypatch.setattr(cli, "require", lambda module, extra: SimpleNamespace(Voila=self))

    def launch_instance(self, words):
        self.words = words
        self.page = get_page_config([])
        page = nbformat.read(words[0], as_version=4)
        nbformat.validate(page)
        self.code = page.cells[0].source


def test_app_explores_data_and_shows_the_project_to_go_on_in(survey, monkeypatch, capsys):
    monkeypatch.chdir(survey)
    voila = FakeVoila(monkeypatch)
    options = ["--dark", "--no-browser", "--port", "8901", "--Voila.ip=0.0.0.0"]
    assert cli.main(["app", "survey.csv", *options]) == 0
    project = survey / "survey-search"
    assert voila.code.splitlines()[-1] == f"aw.Session.open({str(project)!r})"
    assert {"--theme=dark", "--no-browser", "--port=8901", "--Voila.ip=0.0.0.0"} <= {*voila.words}
    assert str(project) in capsys.readouterr().out
    assert aw.Session.open(project).n_objects == 200


@pytest.mark.parametrize(
    ("data", "project"),
    [("run.1", "run.1-search"), ("run.2/", "run.2-search"), ("a.v2.csv.gz", "a.v2-search")],
)
def test_app_keeps_data_of_like_names_in_projects_of_their_own(
    tmp_path, monkeypatch, data, project
):
    made = []
    monkeypatch.chdir(tmp_path)
    for folder in ("run.1", "run.2"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(
        aw.pipeline,
        "explore",
        lambda *_, project, **__: made.append(project) or SimpleNamespace(close=lambda: None),
    )
    FakeVoila(monkeypatch)
    assert cli.main(["app", data]) == 0
    assert made == [tmp_path / project]


def test_ctrl_c_stops_without_a_traceback(monkeypatch, capsys):
    def interrupted(_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_replay", interrupted)
    assert cli.main(["replay", "survey.csv", "--scores", "scores.csv"]) == 130
    assert capsys.readouterr().err.strip() == "astronomaly-widgets: stopped"


def test_app_opens_a_project_as_it_is(survey, monkeypatch):
    aw.explore(survey / "survey.csv", project=survey / "mine").close()
    voila = FakeVoila(monkeypatch)
    assert cli.main(["app", str(survey / "mine")]) == 0
    assert str(survey / "mine") in voila.code
    assert "--theme=light" in voila.words
    assert sorted(path.name for path in survey.iterdir()) == ["mine", "scores.csv", "survey.csv"]


def test_app_without_voila_names_the_extra(survey, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    assert cli.main(["app", str(survey / "survey.csv")]) == 1
    assert "astronomaly-widgets[app]" in capsys.readouterr().err


def test_recall_table_of_no_labels_has_no_rows(survey):
    session = aw.Session(np.random.default_rng(0).normal(size=(20, 3)))
    scores = pd.Series(5.0, index=session.object_ids)
    given = pd.DataFrame({"object_id": [], "score": [], "found": []})
    assert rows_of(_replay_command.recall_table(session, scores, given, batch=10)) == []
