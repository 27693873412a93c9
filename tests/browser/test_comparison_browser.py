"""A comparison of feature sets as a person meets it: the last line of a cell is a plot."""

from __future__ import annotations

import pytest

COMPARE = """
import numpy as np
import astronomaly_widgets as aw

rng = np.random.default_rng(0)
y = rng.integers(0, 3, 200)
good = rng.normal(size=(200, 4)) + 2 * np.eye(3, 4)[y]
sets = {"good": good, "fair": good + 2 * rng.normal(size=good.shape), "none": good[::-1]}
aw.validation.compare_features(sets, y, (10, 30, 100), n_draws=5)
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_comparison_is_one_call_and_a_plot_for_each_classifier(lab_page, theme):
    lab = lab_page.open(f"comparison_{theme}", [COMPARE], theme=theme)
    lab.run(0)
    panel = lab.page.locator(".aw-replay-panel")
    panel.wait_for()
    lab.wait_for(
        "() => document.querySelectorAll('.aw-comparison-plots .bqplot path.line').length >= 8"
    )
    text = panel.inner_text()
    assert "3 feature sets: 200 objects of 3 classes" in text
    assert "on the objects that were not labeled: mean of 5 draws" in text
    entries = panel.locator(".aw-replay-list li").all_inner_texts()
    assert [entry.split("\n")[0] for entry in entries] == ["good", "fair", "none", "chance"]
    box = panel.bounding_box()
    for plot in panel.locator(".bqplot").all():
        inside = plot.bounding_box()
        assert inside["height"] > 150
        assert inside["width"] > 200
        assert inside["x"] + inside["width"] <= box["x"] + box["width"] + 1
        assert inside["y"] + inside["height"] <= box["y"] + box["height"] + 1
    lab.screenshot(f"comparison_{theme}")
