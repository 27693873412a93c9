"""The docs build without a warning, leave out no public name, and say nothing that does not run."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from PIL import Image

import astronomaly_widgets as aw
from astronomaly_widgets import cli

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?:\]\(|\bsrc=\"|\bsrcset=\")(?!https?://|#)([^)#\"]+)")
SHOWN = {"bash", "python", "text", "bibtex"}  # languages of code; other fences are directives


def blocks(page: Path, language: str) -> list[str]:
    return [
        code for name, code in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language
    ]


def pages_with(language: str) -> pytest.MarkDecorator:
    pages = [page for page in PAGES if blocks(page, language)]
    names = [page.relative_to(REPOSITORY).as_posix() for page in pages]
    return pytest.mark.parametrize("page", pages, ids=names)


# -- code --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The files that the pages speak of."""
    folder = tmp_path_factory.mktemp("example")
    survey = aw.simulation.make_galaxies(n=36, size=64)
    ids = [f"object-{k:02d}" for k in range(36)]
    (folder / "cutouts").mkdir()
    for name, image in zip(ids, survey.images, strict=True):
        Image.fromarray(image).save(folder / "cutouts" / f"{name}.png")
    np.save(folder / "stack.npy", survey.images)
    catalog = survey.catalog.set_axis(pd.Index(ids, name="object_id"))
    catalog[["ra", "dec", "redshift"]].to_csv(folder / "catalog.csv")
    catalog["score"].to_csv(folder / "labels.csv")
    values = np.random.default_rng(0).normal(size=(36, 3))
    features = pd.DataFrame(values, index=catalog.index, columns=["size", "color", "asymmetry"])
    features.to_csv(folder / "features.csv")
    (folder / "astronomaly_output").mkdir()
    features.rename_axis(None).to_parquet(
        folder / "astronomaly_output" / "FeatureScaler_output.parquet"
    )
    scores = pd.DataFrame({"score": np.linspace(0, 5, 36), "human_label": -1}, index=ids)
    scores.loc["object-05", "human_label"] = 4
    scores.to_csv(folder / "astronomaly_output" / "ml_scores.csv")
    rng = np.random.default_rng(0)
    x, y = rng.uniform(20, 280, (2, 36))
    row, column = np.indices((300, 300))
    sky = rng.normal(0, 1, (300, 300)).astype(np.float32)
    for center in zip(x, y, strict=True):
        sky += 60 * np.exp(-((column - center[0]) ** 2 + (row - center[1]) ** 2) / 12)
    fits.writeto(folder / "mosaic.fits", sky)
    pd.DataFrame({"object_id": ids, "x": x, "y": y}).to_csv(folder / "positions.csv", index=False)
    days = np.sort(rng.uniform(0, 100, (36, 40)))
    magnitude = 15 + rng.uniform(0.1, 0.6, (36, 1)) * np.sin(days) + rng.normal(0, 0.02, (36, 40))
    curves = {"object_id": np.repeat(ids, 40), "mjd": days.ravel(), "mag": magnitude.ravel()}
    pd.DataFrame(curves).assign(magerr=0.02).to_csv(folder / "light_curves.csv", index=False)
    match = pd.DataFrame({"filename": ["object-01.png", "object-02.png"]})
    match.assign(label=["anomaly", "normal"]).to_csv(folder / "labeled_data.csv", index=False)
    return folder


@pytest.fixture
def at_the_example(example, tmp_path, monkeypatch):
    folder = tmp_path / "here"
    shutil.copytree(example, folder)
    monkeypatch.chdir(folder)
    return folder


@pages_with("python")
def test_every_block_of_python_runs(page, at_the_example):
    # as in a notebook, so that classes defined here can go to other processes
    names = {"__name__": "__main__"}
    try:
        for code in blocks(page, "python"):
            exec(compile(code, str(page), "exec"), names)  # noqa: S102 - our own pages
    finally:
        for session in [value for value in names.values() if isinstance(value, aw.Session)]:
            session.close()


def test_the_first_five_minutes_need_no_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = DOCS / "quickstart.md"
    assert "make_galaxies(n=500)" in page.read_text(encoding="utf-8")
    code = "".join(blocks(page, "python"))
    code = code.replace('"cutouts/"', "aw.simulation.make_galaxies(n=60, size=48)")
    names = {}
    exec(compile(code, str(page), "exec"), names)  # noqa: S102 - our own page
    assert names["session"].n_labeled == 2
    names["session"].close()


@pages_with("bash")
def test_every_command_exists(page, at_the_example):
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    targets = re.findall(
        r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for line in "".join(blocks(page, "bash")).splitlines():
        program, *words = line.partition("#")[0].replace('"', "").replace("'", "").split() or [""]
        if program == "make":
            assert next(word for word in words if "=" not in word) in targets
        elif program == "pip":
            wanted = re.findall(r"\[(.*)\]", line)[0].split(",")
            assert set(wanted) <= set(extras["project"]["optional-dependencies"])
        elif program == "astronomaly-widgets" and words[0] in {"app", "demo"}:  # would stay open
            cli._parser().parse_args(words)
        elif program == "astronomaly-widgets":
            if words[0] == "export":
                aw.explore("cutouts/", project=words[1], progress=False).close()
            assert cli.main(words) == 0
        else:
            assert program in {"", "git", "cd"}, line


def test_every_key_of_the_gallery_is_explained_in_its_own_words():
    static = Path(aw.__file__).parent / "widgets" / "static"
    script = (static / "gallery_head.js").read_text(encoding="utf-8")
    keys = re.search(r"^const KEYS = (\[.*?^\]);", script, re.MULTILINE | re.DOTALL)[1]
    does = re.findall(r'^  \[".*?", "(.*)"\],$', keys, re.MULTILINE)
    page = (DOCS / "howto" / "keyboard.md").read_text(encoding="utf-8")
    assert len(does) > 10
    assert re.findall(r"^\| .* \| (.*) \|$", page, re.MULTILINE)[2 : 2 + len(does)] == does


def test_every_extra_is_explained():
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    table = (DOCS / "install.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(explained) == sorted(extras)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_code_says_what_language_it_is(page):
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert all(fence in SHOWN or fence[0] == "{" for fence in fences[::2])
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_to_a_file_leads_to_one(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def numbers(text: str) -> list[list[float]]:
    """Rows of the tables of a text, each with the numbers of its cells but the first."""
    rows = [line.replace("*", "").split("|")[2:-1] for line in text.splitlines() if line[:1] == "|"]
    return [[float(word) for word in re.findall(r"\d+\.?\d*", " ".join(row))] for row in rows]


def test_what_the_readme_says_of_real_surveys_is_what_was_measured():
    measured = (REPOSITORY / "benchmarks" / "README.md").read_text(encoding="utf-8")
    _, _, measured = measured.partition("## Real surveys")
    said = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    said = said.partition("in real surveys")[2].partition("Beside the published")[0]
    known = {(row[3], row[1]): row[4:] for row in numbers(measured) if len(row) == 7}
    rows = [row for row in numbers(said) if len(row) == 5]
    assert len(rows) > 4
    for interesting, of_all, *found in rows:
        wanted = known[interesting, of_all]
        same = all(abs(a - b) <= 0.5 for a, b in zip(found, wanted, strict=True))
        assert same, f"the README says {found}, benchmarks/README.md {wanted}"


def test_what_the_readme_says_of_speed_is_what_was_measured():
    pages = [REPOSITORY / "benchmarks" / "README.md", DOCS / "performance.md"]
    measured = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    measured = {word for row in numbers(measured.replace(",", "")) for word in row}
    said = (REPOSITORY / "README.md").read_text(encoding="utf-8").replace(",", "")
    said = said.partition("## What it takes")[2].partition("\n## ")[0]
    rows = [row for row in numbers(said) if row]
    assert len(rows) > 4
    for row in rows:
        assert set(row) - {2.0} <= measured, row  # the 2 of Cutout2D


def load_badges():
    spec = importlib.util.spec_from_file_location("badges", DOCS / "badges.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_badges_of_the_readme_are_those_for_the_address_of_the_repository():
    badges = load_badges()
    wanted = badges.badges(badges.address())
    assert wanted in (REPOSITORY / "README.md").read_text(encoding="utf-8"), (
        "python docs/badges.py writes them"
    )


def test_badges_open_the_tour_of_the_repository_or_say_how():
    badges = load_badges()
    assert badges.badges().count("](docs/notebooks.md#in-a-browser)") == 2
    assert "\n## In a browser\n" in (DOCS / "notebooks.md").read_text(encoding="utf-8")
    assert (REPOSITORY / badges.TOUR).is_file()
    both = badges.badges("https://github.com/someone/search")
    binder = "https://mybinder.org/v2/gh/someone/search/HEAD"
    assert f"]({binder}?urlpath=lab%2Ftree%2Fnotebooks%2F01_tour.ipynb)\n" in both
    colab = "https://colab.research.google.com/github/someone/search/blob/HEAD"
    assert f"]({colab}/notebooks/01_tour.ipynb)\n" in both
    with pytest.raises(SystemExit, match="OWNER/NAME"):
        badges.badges("someone/search")


def test_badges_are_written_where_the_old_ones_stand(tmp_path, monkeypatch):
    badges = load_badges()
    monkeypatch.setattr(badges, "HOME", tmp_path)
    project = '[project.urls]\nRepository = "https://github.com/someone/search.git"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / "README.md").write_text(f"# Title\n\n{badges.badges()}\nText\n")
    badges.main()
    wanted = f"# Title\n\n{badges.badges('https://github.com/someone/search')}\nText\n"
    assert (tmp_path / "README.md").read_text() == wanted


def test_every_notebook_is_on_the_page_of_notebooks():
    page = (DOCS / "notebooks.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+\.ipynb)` \|", page, re.MULTILINE)
    assert named == sorted(path.name for path in (REPOSITORY / "notebooks").glob("*.ipynb"))


def test_every_example_of_a_docstring_says_what_comes_out(at_the_example):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    words, run = [], set()
    for found in pkgutil.walk_packages(aw.__path__, f"{aw.__name__}."):
        if found.name.endswith("__main__"):  # the command
            continue
        for test in doctest.DocTestFinder().find(importlib.import_module(found.name)):
            runner.run(test, out=words.append)
            run |= {test.name.rpartition(".")[2]} if test.examples else set()
    assert not words, "".join(words)
    assert {"explore", "Session", "recall_curve", "rank_weighted_score", "Selection"} <= run


# -- pages -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of pages, after a build in which any warning is an error."""
    pytest.importorskip("sphinx")
    folder = tmp_path_factory.mktemp("html")
    home = str(Path(aw.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-qW", "--keep-going", DOCS, folder / "html"],
        env=os.environ | {"PYTHONPATH": home},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def documented(html):
    """Python names in the docs."""
    from sphinx.util.inventory import InventoryFile

    inventory = InventoryFile.loads((html / "objects.inv").read_bytes(), uri="")
    data = getattr(inventory, "data", inventory)
    return {name for kind in data if kind.startswith("py:") for name in data[kind]}


def is_from(value: object, home: str) -> bool:
    """Whether it is a class or function that was defined in a module or below it."""
    defined = inspect.isclass(value) or inspect.isroutine(value)
    return defined and f"{value.__module__}.".startswith(f"{home}.")


def public_names() -> set[str]:
    """Dotted names of classes and functions that are there to be used."""
    found = set()
    for name in aw.__all__:
        value = getattr(aw, name)
        if isinstance(value, types.ModuleType):
            own = [key for key, each in vars(value).items() if is_from(each, value.__name__)]
            members = getattr(value, "__all__", None) or [key for key in own if key[0] != "_"]
            found |= {
                f"{value.__name__}.{key}"
                for key in members
                if is_from(getattr(value, key), aw.__name__)
            }
        elif is_from(value, aw.__name__):
            found.add(f"{aw.__name__}.{name}")
    for name, _ in inspect.getmembers(aw.Session):
        home = next((base for base in aw.Session.__mro__ if name in vars(base)), object)
        if name[0] != "_" and home.__module__.startswith(f"{aw.__name__}.session"):
            function = vars(home)[name]
            if inspect.isfunction(function) or isinstance(function, property | classmethod):
                found.add(f"{aw.__name__}.Session.{name}")
    return found


def test_every_public_name_is_in_the_docs(documented):
    names = public_names()
    assert {"astronomaly_widgets.explore", "astronomaly_widgets.Session.label"} <= names
    missing = names - documented
    assert not missing, f"add them, or their room, to a page in docs/api: {sorted(missing)}"


def test_every_name_that_is_linked_leads_somewhere(html):
    """But to those of other packages, which a build without the network cannot know."""
    link = re.compile(r'(<a [^>]*>)?<code class="xref py[^"]*"><span class="pre">([^<]*)')
    dead = [
        f"{page.name}: {name}"
        for page in html.rglob("*.html")
        for around, name in link.findall(page.read_text(encoding="utf-8"))
        if not around and not name.startswith("astropy.")
    ]
    assert not dead


def contents(page: Path) -> set[str]:
    """Names that the lists at the beginnings of rooms and classes lead to."""
    tables = re.findall(
        r'<table class="autosummary.*?</table>', page.read_text(encoding="utf-8"), re.DOTALL
    )
    return {name for table in tables for name in re.findall(r'href="#([\w.]+)"', table)}


def test_a_room_and_the_session_begin_with_a_list_of_what_is_in_them(html):
    for page, room in [("features", "features"), ("numbers", "learners"), ("search", "Session")]:
        home = f"{aw.__name__}.{room}."
        wanted = {name for name in public_names() if name.startswith(home)}
        assert len(wanted) > 5
        assert wanted <= contents(html / "api" / f"{page}.html")


def test_a_rendered_notebook_has_its_outputs_its_pictures_and_a_word_for_each_widget(
    tmp_path, monkeypatch
):
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbconvert")
    monkeypatch.syspath_prepend(DOCS)
    render = importlib.import_module("render")
    (tmp_path / "notebooks").mkdir()
    cells = [
        nbformat.v4.new_markdown_cell("![seen](../docs/_static/dashboard.webp)"),
        nbformat.v4.new_markdown_cell("[said](../docs/concepts/recall.md)"),
        nbformat.v4.new_code_cell("import ipywidgets\nipywidgets.IntSlider(value=3)"),
        nbformat.v4.new_code_cell("6 * 7"),
        nbformat.v4.new_code_cell("from tqdm.notebook import tqdm\nlist(tqdm([1], 'Measuring'))"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "notebooks" / "small.ipynb")
    monkeypatch.setattr(render, "NOTEBOOKS", tmp_path / "notebooks")
    render.render(tmp_path / "html" / "notebooks")
    html = (tmp_path / "html" / "notebooks" / "small.html").read_text(encoding="utf-8")
    assert 'src="../_static/dashboard.webp"' in html
    assert 'href="../concepts/recall.html"' in html
    assert "<em>IntSlider: open the notebook to see and use it</em>" in html
    assert "<pre>42</pre>" in html
    assert "<pre>[1]</pre>" in html
    assert "Measuring:" not in html
    assert 'href="../notebooks.html"' in html
