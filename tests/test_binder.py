"""Binder installs what the notebooks need, in the versions that are tested, and opens the tour.

``make binder`` builds the environment itself; that takes minutes, and stands apart from the tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
BINDER = REPOSITORY / "binder"
TOUR = REPOSITORY / "notebooks" / "01_tour.ipynb"
THERE = {"ipywidgets", "jupyterlab", "traitlets"}  # in Binder's own environment


def pins(path: Path) -> dict[str, str]:
    """Versions by normalized name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("#")[0].split("==") for line in lines if "==" in line]
    return {normal(name): version.strip() for name, version in pairs}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def named(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[<>=!~ \[;]", text)[0]) for text in requirements}


@pytest.fixture(scope="module")
def project():
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


def test_binder_installs_all_that_the_package_and_the_demo_need_and_no_torch(project):
    wanted = named([*project["dependencies"], *project["optional-dependencies"]["demo"]])
    there = set(pins(BINDER / "requirements.txt"))
    assert wanted - THERE <= there
    assert "torch" not in there


def test_what_binder_installs_is_what_is_tested():
    tested = pins(REPOSITORY / "constraints" / "py311.txt")
    for name, version in pins(BINDER / "requirements.txt").items():
        assert tested[name] == version, name


def test_what_binder_has_already_is_in_the_range_that_is_supported(project):
    base = pins(BINDER / "base.txt")
    demands = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    for requirement in map(Requirement, demands):
        if normal(requirement.name) in base:
            version = base[normal(requirement.name)]
            assert requirement.specifier.contains(version), requirement
    assert base["jupyterlab"].startswith("4.4.")


def test_the_version_of_python_is_said(project):
    assert (BINDER / "runtime.txt").read_text(encoding="utf-8") == "python-3.11\n"
    assert project["requires-python"] == ">=3.11"


def test_what_runs_after_the_installation_can_be_run():
    assert os.access(BINDER / "postBuild", os.X_OK)
    assert (BINDER / "postBuild").read_text(encoding="utf-8").startswith("#!")


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_search_of_the_tour_is_kept_where_it_was_computed(tmp_path):
    copy = shutil.copy(TOUR, tmp_path)
    prepare = load(BINDER / "prepare.py")
    code = prepare.keep_first_search(Path(copy))
    assert 'aw.explore(hubble, project="hubble-deep-field", ' in code
    cells = json.loads(Path(copy).read_text(encoding="utf-8"))["cells"]
    before = json.loads(TOUR.read_text(encoding="utf-8"))["cells"]
    changed = [k for k, (a, b) in enumerate(zip(cells, before, strict=True)) if a != b]
    assert changed == [1]
    assert prepare.keep_first_search(Path(copy)) == code  # a second build changes nothing


def test_a_tour_that_begins_otherwise_is_noticed(tmp_path):
    notebook = tmp_path / "tour.ipynb"
    notebook.write_text('{"cells": [{"cell_type": "code", "source": ["1 + 1"]}]}')
    with pytest.raises(SystemExit, match="first cell of tour"):
        load(BINDER / "prepare.py").keep_first_search(notebook)


def test_the_addresses_of_binder_and_colab_name_notebooks_that_are_there():
    text = (REPOSITORY / "docs" / "notebooks.md").read_text(encoding="utf-8")
    linked = re.findall(
        r"(?:mybinder|colab)[^)\s]*?(notebooks/\w+\.ipynb)", text.replace("%2F", "/")
    )
    assert len(linked) >= 2
    for name in linked:
        assert (REPOSITORY / name).is_file(), name
