"""A search among light curves in a real JupyterLab: seen in the gallery, folded, scored."""

import pytest
from lab_driver import LabPage

SETUP = """
import json
import numpy as np
import pandas as pd
import astronomaly_widgets as aw
rng = np.random.default_rng(0)
time = np.sort(rng.uniform(0, 60, (30, 50)))
mag = 18 + rng.normal(0, 0.05, time.shape) + 0.5 * np.sin(2 * np.pi * time / 2.5)
table = pd.DataFrame({"id": np.repeat([f"star-{k:02d}" for k in range(30)], 50),
                      "mjd": time.ravel(), "mag": mag.ravel(), "magerr": 0.05,
                      "band": rng.choice(["g", "r"], time.size)})
session = aw.explore(table, n_jobs=1, progress=False)
dashboard = aw.Dashboard(session)
"""
DUMP = "print(json.dumps(session.labels['score'].to_dict()))"
PAINTED = """(n) => {
  const images = [...document.querySelectorAll('.aw-object img')];
  return images.length === n && images.every((i) => i.complete && i.naturalWidth > 100);
}"""
PLOTTED = """() => {
  const canvas = document.querySelector('.aw-inspector-large .aw-plot-canvas');
  if (!canvas?.width) return false;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data).size > 50;
}"""


@pytest.fixture
def shown(browser, server):
    page = LabPage(browser, server)
    page.open("curves", [SETUP, "dashboard", DUMP])
    page.run(0)
    page.run(1)
    page.scroll_to(1)
    page.wait_for(PAINTED, 24)
    yield page
    page.close()
    assert page.errors == []
    assert page.external == []


def test_light_curves_are_seen_folded_and_scored(shown):
    page = shown.page
    first = page.locator(".aw-object").first
    name = first.get_attribute("data-object-id")
    first.click()
    page.locator(".aw-gallery").first.focus()
    page.keyboard.press("Space")
    shown.wait_for(PLOTTED)
    dialog = page.locator(".aw-inspector-large")
    assert dialog.locator(".aw-plot-band").all_inner_texts() == ["g", "r"]
    page.keyboard.press("f")
    period = float(dialog.locator(".aw-plot-period").input_value())
    assert period == pytest.approx(2.5, rel=0.01)
    shown.screenshot("light_curve_folded")
    page.keyboard.press("5")
    shown.wait_for(
        "(name) => document.querySelector('.aw-inspector-id').textContent !== name", name
    )
    page.keyboard.press("Escape")
    shown.wait_for("() => document.querySelectorAll('.aw-object[data-state=stored]').length === 1")
    assert shown.json(2) == {name: 5.0}
