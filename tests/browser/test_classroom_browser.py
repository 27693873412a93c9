"""An exercise as a student meets it: gold, score board, hint and hand-in."""

from __future__ import annotations

import json

import pytest
from lab_driver import LabPage

SETUP = """
import json
import numpy as np, pandas as pd
import astronomaly_widgets as aw
rng = np.random.default_rng(0)
images = rng.integers(0, 255, (96, 48, 48, 3), dtype="u1")
names = [f"obj-{i:02d}" for i in range(96)]
source = aw.sources.ImageStack(images, object_ids=names)
X = rng.normal(size=(96, 3)).astype("float32")
X[:16] += 3
session = aw.Session(X, names, source=source, title="Find them", annotator="ann")
session.max_embedded = 0
scores = pd.Series(np.where(np.arange(96) < 16, 5.0, 0.0), index=names)
exercise = aw.teaching.Exercise(session, scores, every=3, n_expert=24)
"""
SHOW = "exercise"
TELL = """print(json.dumps({"gold": list(exercise.gold_ids), "first": list(session.ranking()[:6]),
                          "truth": scores.to_dict()}))"""
PAINTED = """(n) => {
  const images = [...document.querySelectorAll('.aw-object img')];
  return images.length === n && images.every((i) => i.complete && i.naturalWidth);
}"""
SAYS = "([part, text]) => document.querySelector(part).innerText.includes(text)"


@pytest.fixture
def notebook(browser, server):
    page = LabPage(browser, server)
    page.open("classroom", [SETUP, SHOW, TELL])
    page.run(0)
    page.run(1)
    page.wait_for(PAINTED, 24)
    yield page
    assert page.errors == []
    assert page.external == []
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_student_scores_gets_feedback_and_a_hint_and_hands_in(notebook, theme):
    notebook.theme(theme)
    page = notebook.page
    told = notebook.json(2)
    assert told["first"][2] == told["gold"][0]
    notebook.scroll_to(1)
    known = told["truth"][told["gold"][0]]
    page.locator(".aw-gallery").focus()
    page.keyboard.type(f"00{5 - known:g}")
    notebook.wait_for(SAYS, [".aw-board-feedback", f"gold, not quite: experts give {known:g}"])
    notebook.wait_for(SAYS, [".aw-score-board", "gold 0 of 1 right"])
    notebook.wait_for(SAYS, [".aw-score-board .aw-panel-title", "found of 16 after 3 labels"])
    notebook.wait_for("() => !document.querySelector('.aw-board-list').innerText.includes('…')")
    notebook.screenshot(f"classroom_{theme}")
    page.locator(".aw-board-hint").click()
    notebook.wait_for(PAINTED, 12)
    notebook.wait_for(SAYS, [".aw-score-board", "1 hint"])
    page.locator(".aw-board-hand-in").click()
    notebook.wait_for(SAYS, [".aw-status", "handed in as find-them-ann.json"])
    record = json.loads((notebook.root / "find-them-ann.json").read_text())
    assert [label["score"] for label in record["labels"]] == [0, 0, 5 - known]
    assert all(label["seconds"] > 0 for label in record["labels"])
    assert record["n_hints"] == 1
