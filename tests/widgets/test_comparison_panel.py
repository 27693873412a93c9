import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.validation import FeatureComparison
from astronomaly_widgets.widgets import comparison_panel
from astronomaly_widgets.widgets.comparison_panel import ComparisonPanel

LABELS = (10, 100)


def make_comparison(names=("ellipse", "cnn"), classifiers=("neighbors", "logistic")):
    rows = [
        (name, classifier, m, 0.5 + 0.1 * k + 0.01 * j + m / 1000, 0.4 + 0.1 * k, 0.75, 0.25)
        for j, classifier in enumerate(classifiers)
        for m in LABELS
        for k, name in enumerate(names)
    ]
    columns = ["features", "classifier", "n_labels", "accuracy", "low", "high", "chance"]
    return FeatureComparison(pd.DataFrame(rows, columns=columns), 400, 4, True, 30)


@pytest.fixture
def panel():
    made = ComparisonPanel(make_comparison())
    yield made
    made.close()


def test_every_feature_set_has_a_curve_for_every_classifier(panel):
    table = make_comparison().table
    assert len(panel.figures) == 2
    assert [figure.title for figure in panel.figures] == [
        "nearest neighbors",
        "logistic regression",
    ]
    for (classifier, name), mark in panel.curves.items():
        part = table[(table.features == name) & (table.classifier == classifier)]
        np.testing.assert_array_equal(mark.x, LABELS)
        np.testing.assert_array_equal(mark.y, part["accuracy"])
    assert len(panel.curves) == 4


def test_bands_and_chance_are_drawn_on_axes_that_all_share(panel):
    bands = [mark for mark in panel.figures[1].marks if mark.fill == "between"]
    np.testing.assert_allclose([band.y[0] for band in bands], [[0.4] * 2, [0.5] * 2])
    np.testing.assert_allclose([band.y[1] for band in bands], 0.75)
    (chance,) = (mark for mark in panel.figures[0].marks if mark.line_style == "dashed")
    np.testing.assert_array_equal(chance.y, 0.25)
    scales = {axis.scale for figure in panel.figures for axis in figure.axes}
    assert len(scales) == 2
    assert (panel.figures[0].axes[1].scale.min, panel.figures[0].axes[1].scale.max) == (0.2, 0.8)


def test_each_feature_set_is_told_in_numbers(panel):
    entries = {entry["name"]: entry for entry in panel.key.entries}
    assert entries["ellipse"]["note"] == "0.61 (0.40 to 0.75)"
    assert entries["cnn"]["note"] == "0.71 (0.50 to 0.75)"
    assert entries["chance"]["note"] == "0.25"
    assert panel.key.title == "2 feature sets: 400 objects of 4 classes"
    assert panel.key.caveat.startswith(make_comparison().caption)
    assert panel.key.caveat.endswith("with 100 labels, by the classifier that is better.")


def test_many_sets_are_told_apart_by_color_and_line():
    panel = ComparisonPanel(make_comparison([f"set {k}" for k in range(9)], ["neighbors"]))
    looks = {(mark.colors[0], mark.line_style) for mark in panel.curves.values()}
    assert len(looks) == 9
    panel.close()


def test_one_call_compares_and_plots():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    found = aw.validation.compare_features(
        {"good": rng.normal(size=(60, 2)) + 3 * y[:, None]}, y, n_labels=(10,), n_draws=2
    )
    shown = found._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in (
        shown[0] if isinstance(shown, tuple) else shown
    )


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.9), (0.3, 0.8), (0.0, 1.0), (0.9, 1.0)])
def test_the_axis_of_accuracy_says_what_its_lines_are(low, high):
    values = comparison_panel._tenths(low, high)
    assert [float(f"{value:.1f}") for value in values] == values.tolist()
    assert len(values) >= 2
    assert low <= values[0] <= values[-1] <= high
    assert len(set(np.diff(values).round(3))) == 1
