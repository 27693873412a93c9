"""The notebooks run from top to bottom without a warning, and are committed without outputs."""

import os
from pathlib import Path

import pytest

import astronomaly_widgets

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

WIDGET = "application/vnd.jupyter.widget-view+json"


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_tour():
    assert "01_tour" in [path.stem for path in NOTEBOOKS]


@each_notebook
def test_no_output_is_committed(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        assert cell.outputs == []
        assert cell.execution_count is None


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The tour after it ran, in a folder of its own; as in a plain kernel."""
    pytest.importorskip("sep")
    pytest.importorskip("skimage")
    path = next(path for path in NOTEBOOKS if path.stem == "01_tour")
    notebook = nbformat.read(path, as_version=4)
    folder = tmp_path_factory.mktemp("tour")
    client = nbclient.NotebookClient(
        notebook, timeout=150, resources={"metadata": {"path": str(folder)}}
    )
    # the kernel is to import the package that is tested, be it installed or a checkout
    where = Path(astronomaly_widgets.__file__).parents[1]
    search = os.pathsep.join(filter(None, [str(where), os.environ.get("PYTHONPATH")]))
    client.execute(env={**os.environ, "PYTHONPATH": search})
    notebook.folder = list(folder.iterdir())
    return notebook


def test_the_tour_runs_without_a_word_of_warning(tour):
    for cell in code_cells(tour):
        words = [out.text for out in cell.outputs if out.output_type == "stream"]
        assert words == []


def shown(cell):
    """The name of the widget that the last line of a cell shows."""
    data = cell.outputs[-1].data
    assert WIDGET in data
    return data["text/plain"].partition("(")[0]


def test_the_first_two_searches_end_in_a_dashboard(tour):
    assert [shown(cell) for cell in code_cells(tour)[:2]] == ["Dashboard", "Dashboard"]


def test_the_simulated_person_finds_more_than_chance(tour):
    *_, panel, table = code_cells(tour)
    assert shown(panel) == "RecallPanel"
    found = int(table.outputs[0].data["text/plain"].split()[-1])
    assert found > 25  # chance finds ten of two hundred


def test_the_tour_leaves_no_file_behind(tour):
    assert tour.folder == []
