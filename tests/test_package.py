"""What a user installs: light to import, complete, documented, and silent about our machines."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import hypothesis
import pytest

import astronomaly_widgets as aw

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "astronomaly_widgets"
HEAVY = {
    *("anywidget", "astropy", "bqplot", "cv2", "dask", "IPython", "ipywidgets", "joblib"),
    *("matplotlib", "pandas", "pyarrow", "scipy", "skimage", "sklearn", "sqlalchemy"),
    *("torch", "umap"),
}
# a folder of a machine, an address of one's own network
MACHINE = re.compile(r"/(?:home|Users|root|mnt|farm|work)/\w|\b(?:10|192\.168)\.\d+\.\d+\.\d+\b")


def in_a_fresh_python(code: str) -> str:
    """Return what the code writes in a process of its own, started outside the checkout."""
    home = str(Path(aw.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(sys.prefix),
        env=os.environ | {"PYTHONPATH": home},
    )
    return done.stdout.strip()


def tracked_files() -> list[Path]:
    """Files that git tracks; in an unpacked source archive, all files."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - whichever git the person has
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        return [path for path in REPOSITORY.rglob("*") if path.is_file()]
    return [REPOSITORY / name for name in listed if name and (REPOSITORY / name).is_file()]


@pytest.mark.skipif(
    "ASTRONOMALY_WIDGETS_TEST_INSTALLED" not in os.environ, reason="only claimed by make test"
)
def test_the_installed_package_is_tested_not_the_checkout():
    assert "site-packages" in Path(aw.__file__).parts
    found = subprocess.run(
        [sys.executable, "-c", "import astronomaly_widgets as aw; print(aw.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    ).stdout.strip()
    assert found == aw.__file__


def test_import_loads_nothing_heavy():
    loaded = in_a_fresh_python("import sys, astronomaly_widgets; print(*sys.modules)").split()
    assert "astronomaly_widgets" in loaded
    assert not {name.split(".")[0] for name in loaded} & HEAVY


def test_import_loads_few_modules():
    code = (
        "import sys; n = len(sys.modules); import astronomaly_widgets; print(len(sys.modules) - n)"
    )
    assert int(in_a_fresh_python(code)) < 40


def test_a_worker_that_measures_images_starts_without_pandas():
    """Its import takes as long as all else that such a process needs."""
    code = "import sys; from astronomaly_widgets import features, sources; print(*sys.modules)"
    assert "pandas" not in in_a_fresh_python(code).split()


def test_exported_names_are_sorted_and_all_there():
    assert list(aw.__all__) == sorted(aw.__all__)
    assert set(dir(aw)) == set(aw.__all__)
    for name in aw.__all__:
        assert getattr(aw, name) is not None


def test_exported_names_are_those_that_type_checkers_see():
    """The lazy door has two lists: one for Python, one for type checkers."""
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.asname or alias.name
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == set(aw.__all__) - {"__version__"}


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        aw.no_such_thing  # noqa: B018 - the access is the test


ROOMS = sorted(
    name for name in aw.__all__ if importlib.util.find_spec(f"astronomaly_widgets.{name}")
)
each_room = pytest.mark.parametrize("room", ROOMS)


@each_room
def test_every_room_says_what_is_public(room):
    """Or `help`, `import *` and completion offer np, field and dataclass, too."""
    module = getattr(aw, room)
    for name in module.__all__:
        home = getattr(getattr(module, name), "__module__", module.__name__)
        assert home.startswith((aw.__name__, "typing")), f"{room}.{name} is of {home}"


@each_room
def test_what_a_room_returns_or_takes_can_be_imported(room):
    """Who writes types, or asks for help, needs the names."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    ours = set(re.findall(r"^class ([A-Z]\w+)", source, re.MULTILINE))
    public = {name for each in ROOMS for name in getattr(aw, each).__all__} | set(aw.__all__)
    module = getattr(aw, room)
    for name in module.__all__:
        if inspect.isfunction(getattr(module, name)):
            words = set(re.findall(r"\w+", str(inspect.signature(getattr(module, name)))))
            assert not words & ours - public, f"{room}.{name}"


@each_room
def test_every_room_documents_its_public_names(room):
    module = getattr(aw, room)
    assert module.__doc__
    for name in module.__all__:
        value = getattr(module, name)
        home = getattr(value, "__module__", "")
        if not callable(value) or not home.startswith(module.__name__):
            continue
        assert inspect.getdoc(value), f"{room}.{name}"
        if inspect.isclass(value):
            for method, function in vars(value).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    assert inspect.getdoc(getattr(value, method)), f"{room}.{name}.{method}"


@pytest.mark.parametrize(
    "name", ["Dashboard", "FeatureMap", "Gallery", "Inspector", "RecallPanel", "Session", "explore"]
)
def test_every_exported_name_is_documented(name):
    value = getattr(aw, name)
    assert value.__doc__
    if inspect.isclass(value):
        public = [m for m, f in vars(value).items() if inspect.isfunction(f) and m[0] != "_"]
        for method in public:
            assert inspect.getdoc(getattr(value, method)), f"{name}.{method}"


def test_version_has_one_home():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert f"## {aw.__version__}" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {aw.__version__}" in (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    if "site-packages" in Path(aw.__file__).parts:
        assert importlib.metadata.version("astronomaly-widgets") == aw.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names in a wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_wheel_carries_front_end_files_notebook_and_types(wheel):
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in wanted if name.endswith((".js", ".css"))}
    assert wanted <= wheel
    assert "astronomaly_widgets/py.typed" in wheel
    assert "astronomaly_widgets/notebooks/01_tour.ipynb" in wheel


def test_wheel_carries_nothing_else(wheel):
    strangers = {name for name in wheel if name.split("/")[0] != "astronomaly_widgets"}
    assert all(".dist-info/" in name for name in strangers)


def test_the_source_archive_has_all_that_is_tracked():
    """Its README leads to pages, and its tests read them."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    packed = {*project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]}
    packed |= {"README.md", "LICENSE", "pyproject.toml"}  # of themselves
    roots = {path.relative_to(REPOSITORY).parts[0] for path in tracked_files()}
    assert roots - packed <= {".gitignore", ".gitattributes", ".github", "PKG-INFO"}


def test_the_oldest_versions_that_are_tried_are_the_lower_bounds():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = dict(
        re.match(r"([\w-]+)>=([\d.]+)", line).groups() for line in project["dependencies"]
    )
    tried = (REPOSITORY / "constraints" / "oldest.txt").read_text(encoding="utf-8")
    oldest = dict(re.findall(r"^([\w-]+)==([\d.]+)$", tried, re.MULTILINE))
    assert oldest.keys() == bounds.keys()
    for name, version in oldest.items():
        assert f"{version}.".startswith(f"{bounds[name]}."), f"{name} {version}, {bounds[name]}"


def test_no_property_must_hold_within_a_time():
    assert hypothesis.settings.default.deadline is None


def test_no_file_names_a_machine():
    for path in tracked_files():
        if path == Path(__file__) or path.suffix in {".png", ".jpeg", ".fits", ".npz"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found = MACHINE.search(text)
        assert found is None, f"{path.relative_to(REPOSITORY)}: {found.group()}"
