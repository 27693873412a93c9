import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.simulation import Replay
from astronomaly_widgets.widgets.replay_panel import ReplayPanel


def make_replay(n=40, interesting=10):
    as_it_was = np.minimum(np.arange(n + 1) // 2, interesting)
    curves = {
        "as it was": as_it_was,
        "auto": np.minimum(np.arange(n + 1), interesting),
        "neighbor_score": np.maximum(np.arange(n + 1) - (n - interesting), 0),
        "at random": np.linspace(0, interesting, n + 1),
    }
    return Replay(pd.DataFrame(curves).rename_axis("n_labels"), batch_size=5)


@pytest.fixture
def panel():
    made = ReplayPanel(make_replay())
    yield made
    made.close()


def test_every_learner_has_a_curve_of_what_it_found(panel):
    replay = make_replay()
    assert list(panel.curves) == list(replay.curves)
    assert [mark.y[-1] for mark in panel.figure.marks] == [10] * 4
    for name, mark in panel.curves.items():
        np.testing.assert_array_equal(mark.y, replay.curves[name])
        np.testing.assert_array_equal(mark.x, np.arange(41))


def test_learners_stand_out_from_what_they_are_compared_with(panel):
    colors = {name: mark.colors[0] for name, mark in panel.curves.items()}
    assert len(set(colors.values())) == 3  # the two references are alike, and differ in style
    assert colors["as it was"] == colors["at random"]
    assert panel.curves["at random"].line_style == "dashed"


def test_the_plot_ends_where_the_curves_do(panel):
    x, y = (axis.scale.max for axis in panel.figure.axes)
    assert (x, y) == (40, 10)
    for axis, end in zip(panel.figure.axes, (40, 10), strict=True):
        assert axis.tick_values[0] == 0
        assert end / 2 < axis.tick_values[-1] <= end


def test_the_bias_is_said_on_the_plot(panel):
    assert panel.key.caveat == make_replay().caveat
    assert "Only the 40 labeled objects can be shown again" in panel.key.caveat
    assert panel.key.title == "Replay: 10 interesting of 40 labeled, batches of 5"


def test_each_curve_is_told_in_numbers(panel):
    notes = {entry["name"]: entry["note"] for entry in panel.key.entries}
    assert notes["auto"] == "half by 5, 90% by 9"
    assert notes["as it was"] == "half by 10, 90% by 18"
    assert notes["neighbor_score"] == "half by 35, 90% by 39"


def test_a_search_without_a_find_is_drawn_without_numbers():
    panel = ReplayPanel(make_replay(interesting=0))
    assert {entry["note"] for entry in panel.key.entries} == {""}
    assert panel.figure.axes[1].scale.max >= 4
    panel.close()


def test_a_search_without_labels_is_drawn():
    curves = pd.DataFrame({"as it was": [0], "auto": [0], "at random": [0.0]})
    panel = ReplayPanel(Replay(curves.rename_axis("n_labels"), batch_size=5))
    assert panel.key.title == "Replay: 0 interesting of 0 labeled, batches of 5"
    panel.close()


def test_a_long_search_has_no_more_points_than_pixels():
    panel = ReplayPanel(make_replay(n=5000))
    assert all(len(mark.x) <= 400 for mark in panel.figure.marks)
    assert panel.curves["auto"].x[-1] == 5000
    panel.close()


def test_a_replay_is_drawn_where_it_ends_a_cell():
    bundle = make_replay()._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert aw.ReplayPanel is ReplayPanel
