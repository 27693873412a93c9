"""The notebooks run from top to bottom without a warning, and are committed without outputs."""

import os
import re
from pathlib import Path

import numpy as np
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


def execute(stem, folder):
    """A notebook after it ran, in a folder of its own; as in a plain kernel."""
    path = next(path for path in NOTEBOOKS if path.stem == stem)
    return run(nbformat.read(path, as_version=4), folder)


def run(notebook, folder):
    client = nbclient.NotebookClient(
        notebook, timeout=400, resources={"metadata": {"path": str(folder)}}
    )
    # the kernel is to import the package that is tested, be it installed or a checkout
    where = Path(astronomaly_widgets.__file__).parents[1]
    search = os.pathsep.join(filter(None, [str(where), os.environ.get("PYTHONPATH")]))
    client.execute(env={**os.environ, "PYTHONPATH": search})
    notebook.folder = list(folder.iterdir())
    return notebook


def streams(notebook, name):
    outputs = [out for cell in code_cells(notebook) for out in cell.outputs]
    return [out.text for out in outputs if out.output_type == "stream" and out.name == name]


@each_notebook
def test_every_picture_and_page_that_is_shown_is_there(path):
    for cell in nbformat.read(path, as_version=4).cells:
        # the tour is installed without the docs, and carries its picture with it: as data, because
        # Lab asks the network for an attachment before it looks into the cell
        for link in re.findall(r"\]\((?!https?:|data:image/)([^)]+)\)", cell.source):
            assert (path.parent / link).is_file(), link


def test_each_notebook_is_run_here():
    run = re.findall(r'execute\("(\w+)"', Path(__file__).read_text(encoding="utf-8"))
    assert sorted(run) == [path.stem for path in NOTEBOOKS]


# -- 01 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    pytest.importorskip("sep")
    pytest.importorskip("skimage")
    return execute("01_tour", tmp_path_factory.mktemp("tour"))


def test_the_tour_runs_without_a_word_of_warning(tour):
    for cell in code_cells(tour):
        words = [out.text for out in cell.outputs if out.output_type == "stream"]
        assert words == []


def shown(cell):
    """The name of the widget that the last line of a cell shows."""
    data = cell.outputs[-1].data
    assert WIDGET in data
    return re.match(r"<?(\w+)", data["text/plain"])[1]


def test_the_first_two_searches_end_in_a_dashboard(tour):
    assert [shown(cell) for cell in code_cells(tour)[:2]] == ["Dashboard", "Dashboard"]


def test_the_simulated_person_finds_more_than_chance(tour):
    *_, panel, table = code_cells(tour)
    assert shown(panel) == "RecallPanel"
    found = int(table.outputs[0].data["text/plain"].split()[-1])
    assert found > 25  # chance finds ten of two hundred


def test_the_tour_leaves_no_file_behind(tour):
    assert tour.folder == []


# -- 02 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_images(tmp_path_factory):
    return execute("02_your_own_images", tmp_path_factory.mktemp("own_images"))


def test_own_images_are_shown_and_searched_without_a_warning(own_images):
    assert streams(own_images, "stderr") == []
    assert "Dashboard" in [
        shown(cell)
        for cell in code_cells(own_images)
        if cell.outputs and WIDGET in cell.outputs[-1].get("data", {})
    ]
    found, total = re.search(r"(\d+) of (\d+) found", streams(own_images, "stdout")[0]).groups()
    assert int(found) > int(total) / 2  # chance finds a quarter


def test_the_broken_picture_is_set_aside_with_a_reason(own_images):
    tables = [
        cell.outputs[0].data["text/plain"]
        for cell in code_cells(own_images)
        if cell.source == "session.set_aside"
    ]
    assert re.search(r"galaxy-broken +read +not a PNG", tables[0])


def test_the_results_of_own_images_are_on_disk(own_images):
    names = {path.name for path in own_images.folder}
    assert names == {"my-images", "my-catalog.csv", "my-search", "my-results.vot"}


# -- 03 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    pytest.importorskip("matplotlib")
    return execute("03_astronomaly_simulation", tmp_path_factory.mktemp("simulation"))


def table(cell):
    """Numbers of the table that a cell shows, row by row."""
    lines = cell.outputs[-1].data["text/plain"].splitlines()
    numbers = [re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", line) for line in lines]
    return [[float(n) for n in row] for row in numbers if len(row) > 1]


def test_the_simulation_draws_its_figures_without_a_warning(simulation):
    assert streams(simulation, "stderr") == []
    outputs = [out for cell in code_cells(simulation) for out in cell.outputs]
    assert sum("image/png" in out.get("data", {}) for out in outputs) == 5


def test_the_interesting_class_comes_up_and_the_boring_one_goes_down(simulation):
    """As in figure 7b of the paper."""
    (cell,) = [cell for cell in code_cells(simulation) if cell.source.startswith("share = ")]
    (_, _, boring_0, liked_0), *_, (_, _, boring_100, liked_100) = table(cell)
    assert liked_100 > 1.5 * liked_0
    assert boring_100 < boring_0 / 2


def test_the_default_learner_finds_more_than_the_neighbor_score(simulation):
    *_, neighbor, auto = table(code_cells(simulation)[-1])[0]
    assert auto > neighbor


# -- 04 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def at_scale(tmp_path_factory):
    pytest.importorskip("matplotlib")
    return execute("04_at_scale", tmp_path_factory.mktemp("at_scale"))


def cell_with(notebook, words):
    """The one code cell that has these words in its source."""
    (cell,) = [cell for cell in code_cells(notebook) if words in cell.source]
    return cell


def test_the_search_at_scale_draws_its_figures_without_a_warning(at_scale):
    assert streams(at_scale, "stderr") == []
    assert at_scale.folder == []
    outputs = [out for cell in code_cells(at_scale) for out in cell.outputs]
    assert sum("image/png" in out.get("data", {}) for out in outputs) == 3


def test_labels_bring_up_what_the_isolation_forest_does_not(at_scale):
    n_labels, forest, neighbor, direct, auto = table(cell_with(at_scale, "top = "))[-1]
    assert n_labels == 300
    assert auto > neighbor > forest
    assert direct > forest


def test_what_was_learned_holds_where_nobody_looked(at_scale):
    said = cell_with(at_scale, "compare_rankings").outputs[-1].data["text/plain"]
    at_a_quarter = dict(re.findall(r"^(\w+(?: \w+)?) +([\d.]+) \(", said, re.MULTILINE)[:5])
    assert list(at_a_quarter)[-1] == "supervised"
    assert float(at_a_quarter["our default"]) > 1.5 * float(at_a_quarter["isolation forest"])


def test_the_rare_are_found_among_a_million(at_scale):
    said = " ".join(streams(at_scale, "stdout"))
    found, alone = re.search(r"(\d+) found among 200 objects, (\d+) by", said).groups()
    assert int(found) > 3 * int(alone)
    steps = cell_with(at_scale, "seconds, name=").outputs[-1].data["text/plain"]
    assert len(re.findall(r" \d+\.\d$", steps, re.MULTILINE)) == 6


# -- 05 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    pytest.importorskip("light_curve")
    pytest.importorskip("matplotlib")
    return execute("05_light_curves_and_spectra", tmp_path_factory.mktemp("series"))


def test_light_curves_and_spectra_end_in_a_dashboard_each_without_a_warning(series):
    assert streams(series, "stderr") == []
    assert series.folder == []
    shows = [cell for cell in code_cells(series) if "aw.explore(" in cell.source.split("#")[0]]
    assert [shown(cell) for cell in shows] == ["Dashboard", "Dashboard"]


def test_nearly_every_period_is_right(series):
    said = " ".join(streams(series, "stdout"))
    right, stars = re.search(r"right for (\d+) of (\d+) stars", said).groups()
    assert int(right) > 0.95 * int(stars)


def test_the_rare_are_found_in_both_surveys(series):
    said = " ".join(streams(series, "stdout"))
    counts = re.findall(r"(\d+) of (\d+) found with 100 labels", said)
    assert len(counts) == 2
    for found, wanted in counts:
        assert int(found) > 0.75 * int(wanted)  # chance finds a fifth


# -- 06 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    return execute("06_learned_features", tmp_path_factory.mktemp("learned"))


def test_features_are_learned_and_shown_without_a_warning(learned):
    assert streams(learned, "stderr") == []
    assert learned.folder == []
    assert shown(cell_with(learned, "compare_features")) == "ComparisonPanel"
    assert shown(cell_with(learned, "aw.explore(")) == "Dashboard"


def test_what_was_learned_adds_to_the_ellipse_features(learned):
    said = cell_with(learned, "compare_features").outputs[0].text
    accuracy = {
        name.strip(): np.mean([float(number) for number in numbers.split()])
        for name, numbers in re.findall(
            r"^(?:logistic)? +([a-z+ ]+?) +([\d. ]+)$", said, re.MULTILINE
        )
    }
    chance = float(re.search(r"chance ([\d.]+)", said).group(1))
    assert accuracy["ellipse + byol"] > accuracy["ellipse"] > 2 * chance
    assert accuracy["byol"] > 2 * chance


def test_clusters_are_kinds_of_galaxies(learned):
    rows = table(cell_with(learned, "clustering.cluster("))
    counts = np.array(rows)[:, 1:]
    assert len(counts) > 3
    most_common = counts.sum(axis=0).max() / counts.sum()
    assert counts.max(axis=1).sum() / counts.sum() > most_common + 0.1


def test_mergers_are_found_with_what_was_learned(learned):
    said = " ".join(streams(learned, "stdout"))
    found, mergers = re.search(r"(\d+) of (\d+) mergers found", said).groups()
    assert int(found) > int(mergers) / 2  # chance finds one in seven


# -- 07 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exercise(tmp_path_factory):
    pytest.importorskip("matplotlib")
    return execute("07_find_the_lenses", tmp_path_factory.mktemp("class"))


def test_the_exercise_opens_a_classroom_without_a_warning(exercise):
    assert streams(exercise, "stderr") == []
    assert shown(code_cells(exercise)[0]) == "Classroom"


def test_the_class_report_tells_what_each_simulated_student_got_wrong(exercise):
    (cell,) = [cell for cell in code_cells(exercise) if cell.source.startswith("report = ")]
    names = re.findall(r"^(\w+) +\d", cell.outputs[-1].data["text/plain"], re.MULTILINE)
    assert names == ["Ann", "Bob", "Cleo", "Dan"]
    ann, bob, cleo, dan = table(cell)
    n_labels, found, missed, false_alarms = 0, 1, 3, 4
    assert ann[found] > cleo[found] > dan[found]
    assert bob[missed] > ann[missed]  # rings taken for spirals
    assert cleo[false_alarms] > ann[false_alarms]  # trails taken for arcs
    assert dan[n_labels] == 40


def test_a_bar_of_progress_leaves_no_widget_in_the_notebook(tmp_path):
    code = (
        "from astronomaly_widgets.compute import map_objects\n"
        "found = list(map_objects(abs, range(5), n_jobs=1, progress='Counting'))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    outputs = run(notebook, tmp_path).cells[0].outputs
    assert [dict(out.data) for out in outputs] == [{"text/html": ""}]
