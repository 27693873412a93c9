"""Every module knows its room: who may import whom, and who may not.

Data flow one way: source, preprocess, features, reduction, detector, learner, session, widgets.
Widgets never compute, the session never draws, nothing below the session knows a person.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "astronomaly_widgets"
ROOT = Path(__file__).parents[1] / PACKAGE

# room -> rooms it may import, besides itself; every room of the package stands here
GROUND = {"exceptions", "_digest", "_names", "_optional", "_progress", "_protocols", "_sky"}
GROUND |= {"_bytes", "_text_tables"}
MAY_IMPORT: dict[str, set[str]] = {
    # level 0: what everyone may rely on
    "exceptions": set(),
    "_optional": {"exceptions"},
    "_protocols": {"exceptions", "_optional"},
    "_bytes": set(),
    "_digest": set(),
    "_display": set(),
    "_names": set(),
    "_progress": set(),
    "_sky": set(),
    "_text_tables": set(),
    # level 1: objects
    "sources": GROUND,
    "preprocess": GROUND,
    "compute": GROUND,
    "selection": GROUND,
    # level 2: numbers, and what is kept on disk
    "features": GROUND | {"sources", "preprocess", "compute"},
    "reduction": GROUND | {"compute"},
    "embedding": GROUND | {"compute"},
    "detectors": GROUND | {"compute"},
    "learners": GROUND | {"compute"},
    "batches": GROUND | {"compute"},
    "remaining": GROUND,
    "evaluation": GROUND | {"remaining"},
    "clustering": GROUND | {"compute"},
    "validation": GROUND | {"_display", "compute"},
    "density": GROUND | {"compute"},
    "labels": GROUND,
    "project": GROUND,
    "export": GROUND,
    # level 3: one search, and pictures
    "session": GROUND
    | {"_display", "compute", "reduction", "embedding", "detectors", "learners", "batches"}
    | {"clustering", "evaluation", "labels", "project", "export"},
    "render": GROUND | {"sources", "preprocess"},
    # level 4: ready-made searches
    "pipeline": GROUND
    | {"sources", "preprocess", "compute", "features", "reduction", "embedding", "detectors"}
    | {"learners", "evaluation", "labels", "project", "session"},
    "simulation": GROUND | {"_display", "sources", "learners", "batches", "session", "evaluation"},
    "demos": GROUND | {"sources", "preprocess", "simulation"},
    "teaching": GROUND | {"_display", "session", "simulation"},
    "exchange": GROUND | {"sources", "reduction", "detectors", "export", "pipeline", "session"},
    # level 5: what a person sees
    "widgets": GROUND | {"session", "render", "evaluation", "density"},
    # level 6: the doors
    "_replay_command": GROUND | {"pipeline", "session", "simulation", "evaluation"},
    "cli": GROUND | {"_replay_command", "pipeline", "session"},
    "__main__": {"cli"},
}
DRAWING = {"anywidget", "bqplot", "ipywidgets", "IPython", "matplotlib"}
COMPUTING = {"astropy", "coniferest", "cv2", "joblib", "scipy", "sep", "skimage", "sklearn"}
COMPUTING |= {"torch", "umap"}
OPTIONAL = {"coniferest", "h5py", "jupyterlab", "light_curve", "safetensors", "sep"}
OPTIONAL |= {"dask", "distributed", "fsspec", "ipyaladin", "pyvo", "pywt", "skimage", "torch"}
OPTIONAL |= {"onnxruntime", "umap", "zarr"}
LONGEST = 400  # lines; past 350 a file wants to be two

MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def is_module(*parts: str) -> bool:
    path = ROOT.parent.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def walk(node: ast.AST, where: str = "top") -> Iterator[tuple[ast.AST, str]]:
    """Yield each node with where it runs: "top" of the module, in a "function", for "types"."""
    for child in ast.iter_child_nodes(node):
        inner = where
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = "function"
        elif is_for_types_only(child):
            inner = "types"
        yield child, inner
        yield from walk(child, inner)


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (absolute module name, where) of every import in a file."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts
    for node, where in walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: -node.level]] if node.level else []
            base += node.module.split(".") if node.module else []
            names = [
                ".".join([*base, alias.name] if is_module(*base, alias.name) else base)
                for alias in node.names
            ]
        else:
            continue
        for name in names:
            yield name, where


def our_imports(path: Path) -> set[str]:
    """Return the names below the package that a file imports at run time."""
    return {
        name.partition(".")[2]
        for name, where in imports(path)
        if name.split(".")[0] == PACKAGE and where != "types"
    }


def foreign_imports(path: Path) -> dict[str, set[str]]:
    """Map each top-level package of others to the places where a file imports it."""
    found: dict[str, set[str]] = {}
    for name, where in imports(path):
        if name.split(".")[0] != PACKAGE:
            found.setdefault(name.split(".")[0], set()).add(where)
    return found


def test_every_room_is_known_and_none_is_empty():
    rooms = {room_of(path) for path in MODULES}
    assert rooms == set(MAY_IMPORT)
    for room in rooms:
        files = [path for path in MODULES if room_of(path) == room]
        assert any(path.read_text(encoding="utf-8").strip() for path in files), room


def test_rooms_have_no_cycle():
    left = dict(MAY_IMPORT)
    while left:
        free = [room for room, needs in left.items() if not needs & left.keys()]
        assert free, f"cycle among {sorted(left)}"
        for room in free:
            del left[room]


@each_module
def test_module_imports_only_the_rooms_below_it(path):
    room = room_of(path)
    for name in our_imports(path):
        assert name, "import the room, not the package"
        other = name.split(".")[0]
        assert other == room or other in MAY_IMPORT[room], f"{room} imports {other}"


@each_module
def test_module_imports_its_sibling_never_its_own_package(path):
    room = room_of(path)
    if path.name != "__init__.py" and (ROOT / room).is_dir():
        assert room not in our_imports(path)


def test_modules_have_no_cycle():
    """The order of the rooms does not see two siblings that import each other."""

    def dotted(path: Path) -> str:
        return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    names = {dotted(path) for path in MODULES}
    left = {dotted(path): our_imports(path) & names - {dotted(path)} for path in MODULES}
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        assert free, f"cycle among {sorted(left)}"
        for name in free:
            del left[name]


@each_module
def test_only_widgets_draw_and_widgets_never_compute(path):
    heads = foreign_imports(path).keys()
    if room_of(path) == "widgets":
        assert not heads & COMPUTING
    else:
        assert not heads & DRAWING


@each_module
def test_only_session_and_widgets_are_observable(path):
    if room_of(path) not in {"session", "widgets"}:
        assert "traitlets" not in foreign_imports(path)


@each_module
def test_optional_packages_are_imported_where_they_are_needed(path):
    heads = {name for name, where in foreign_imports(path).items() if "top" in where}
    assert not heads & OPTIONAL


@each_module
def test_nothing_is_pickled_but_what_goes_to_our_own_child_processes(path):
    if room_of(path) != "compute":
        heads = foreign_imports(path).keys()
        assert not heads & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}


@each_module
def test_no_file_has_grown_past_one_thought(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
