"""A replay as a person meets it: the last line of a cell is a plot that says its bias."""

from __future__ import annotations

import pytest

SETUP = """
import numpy as np
import astronomaly_widgets as aw

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 3)).astype("float32")
X[:25] += [4, 0, 0]
s = aw.Session(X, anomaly_score=np.linspace(0, 5, 400))
for row in rng.permutation(400)[:160]:
    s.label(str(row), 5 if row < 25 else 0)
"""
PLAY = "aw.simulation.replay(s, batch_size=20, progress=False)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_replay_is_one_call_and_one_plot(lab_page, theme):
    lab = lab_page.open(f"replay_{theme}", [SETUP, PLAY], theme=theme)
    lab.run(0)
    lab.run(1)
    panel = lab.page.locator(".aw-replay-panel")
    panel.wait_for()
    lab.wait_for(
        "() => document.querySelectorAll('.aw-replay-panel .bqplot path.line').length >= 6"
    )
    assert "Only the 160 labeled objects can be shown again" in panel.inner_text()
    entries = panel.locator(".aw-replay-list li")
    assert [entry.split("\n")[0] for entry in entries.all_inner_texts()] == [
        "as it was", "auto", "neighbor_score", "direct_regression", "anomaly_score", "at random",
    ]  # fmt: skip
    box, plot = panel.bounding_box(), panel.locator(".bqplot").bounding_box()
    assert plot["height"] > 150
    assert plot["y"] + plot["height"] <= box["y"] + box["height"] + 1
    lab.screenshot(f"replay_{theme}")
