"""What happens between kernel and page when one of them goes, or is busy."""

from __future__ import annotations

import os
import signal

import astronomaly_widgets as aw

SETUP = """
import numpy as np
import astronomaly_widgets as aw

rng = np.random.default_rng(0)
n = {n}
ids = [f"object-{{i:06d}}" for i in range(n)]
session = aw.Session(
    rng.normal(size=(n, 6)), ids, anomaly_score=np.linspace(5, 0, n), project={project!r}
)
"""
OPEN = "import astronomaly_widgets as aw\nsession = aw.Session.open({project!r})"
SHOW = "aw.Dashboard(session)"
PID = "import os\nprint(os.getpid())"
SCORES = "import json\nprint(json.dumps(session.labels['score'].to_dict()))"
PAINTED = """() => {
    const pictures = [...document.querySelectorAll('.aw-object:not([hidden]) img')];
    return pictures.length >= 24 && pictures.every((p) => p.complete && p.naturalWidth > 0);
}"""
STORED = """(n) => document.querySelectorAll('.aw-object[data-state="stored"]').length === n"""


def show(lab_page, setup, name):
    """Open a notebook (cells: set up, show, tell scores, tell the process); run the first two."""
    lab_page.open(name, [setup, SHOW, SCORES, PID])
    lab_page.run(0)
    lab_page.run(1)
    lab_page.wait_for(PAINTED)
    lab_page.page.locator(".aw-gallery").focus()


def type_scores(lab_page, digits, expected=None):
    """Type digits at full speed and wait until all are confirmed."""
    lab_page.page.locator(".aw-gallery").focus()
    lab_page.page.keyboard.type(digits)
    lab_page.wait_for(STORED, expected or len(digits))


def objects_on_page(lab_page):
    ids = "(all) => all.map((one) => one.dataset.objectId)"
    return lab_page.page.locator(".aw-object:visible").evaluate_all(ids)


def first_objects(digits):
    return {f"object-{i:06d}": float(digit) for i, digit in enumerate(digits)}


def test_kernels_use_the_package_under_test(lab_page):
    lab_page.open(
        "which", ["import json, astronomaly_widgets as aw\nprint(json.dumps(aw.__file__))"]
    )
    assert lab_page.json(0) == aw.__file__


def test_a_restarted_kernel_opens_the_project_with_every_label(lab_page):
    show(lab_page, SETUP.format(n=60, project="restarted"), "restarted")
    type_scores(lab_page, "3150")
    lab_page.restart_kernel()
    lab_page.open("restarted-again", [OPEN.format(project="restarted"), SHOW, SCORES])
    lab_page.run(0)
    lab_page.run(1)
    lab_page.wait_for(PAINTED)
    assert lab_page.json(2) == first_objects("3150")
    lab_page.wait_for("() => document.querySelector('.aw-status').textContent.includes('4')")


def test_a_killed_kernel_loses_no_confirmed_label(lab_page):
    show(lab_page, SETUP.format(n=60, project="killed"), "killed")
    type_scores(lab_page, "52")
    os.kill(lab_page.json(3), signal.SIGKILL)
    session = aw.Session.open(lab_page.root / "killed")
    try:
        assert session.labels["score"].to_dict() == first_objects("52")
    finally:
        session.close()


def test_a_reloaded_page_shows_the_labels_and_goes_on(lab_page):
    show(lab_page, SETUP.format(n=60, project="reloaded"), "reloaded")
    type_scores(lab_page, "415")
    lab_page.reload()
    lab_page.scroll_to(1)
    lab_page.wait_for(PAINTED)
    lab_page.wait_for(STORED, 3)
    first = lab_page.page.locator('.aw-object[data-object-id="object-000000"]')
    assert first.get_attribute("data-score") == "4"
    lab_page.page.locator('.aw-object[data-object-id="object-000003"] img').click()
    type_scores(lab_page, "2", expected=4)
    assert lab_page.json(2) == first_objects("4152")


def test_labels_given_during_a_retrain_are_all_kept(lab_page):
    show(lab_page, SETUP.format(n=200_000, project="retrained"), "retrained")
    type_scores(lab_page, "50")
    shown = objects_on_page(lab_page)
    lab_page.page.locator(".aw-retrain").click()
    lab_page.page.wait_for_selector(".aw-cancel:visible, .aw-offer:visible")
    type_scores(lab_page, "31425", expected=7)
    lab_page.page.wait_for_selector(".aw-offer:visible", timeout=60_000)
    assert objects_on_page(lab_page) == shown, "a new ranking is offered, not forced"
    assert lab_page.json(2) == dict(zip(shown, map(float, "5031425"), strict=False))


def test_a_cell_run_again_leaves_two_dashboards_that_agree(lab_page):
    """The usual slip: the same project is opened twice in one kernel."""
    show(lab_page, SETUP.format(n=60, project="twice"), "twice")
    type_scores(lab_page, "4")
    lab_page.run(0)
    lab_page.run(1)
    lab_page.wait_for(PAINTED)
    lab_page.page.locator('.aw-object[data-object-id="object-000001"] img').click()
    lab_page.page.keyboard.press("1")
    lab_page.page.wait_for_selector(
        '.aw-object[data-object-id="object-000001"][data-state="stored"]'
    )
    assert lab_page.json(2) == first_objects("41")


def test_scores_given_to_a_kernel_that_dies_are_stored_by_the_next(lab_page):
    show(lab_page, SETUP.format(n=60, project="died"), "died")
    type_scores(lab_page, "52")
    kernel = lab_page.json(3)
    os.kill(kernel, signal.SIGSTOP)
    lab_page.page.locator(".aw-gallery").focus()
    lab_page.page.keyboard.type("314")
    lab_page.wait_for("() => /3 not stored/.test(document.querySelector('.aw-status').textContent)")
    os.kill(kernel, signal.SIGKILL)
    lab_page.page.on("dialog", lambda dialog: dialog.accept())
    lab_page.page.reload()
    lab_page.wait_for_kernel()
    lab_page.run(0)
    lab_page.run(1)
    lab_page.wait_for(PAINTED)
    told = "what was not stored of 3 objects when a page was left is stored"
    lab_page.page.get_by_text(told).wait_for()
    assert lab_page.json_when(2, first_objects("52314")) == first_objects("52314")
