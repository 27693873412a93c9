"""The same widgets in Notebook 7 and in Voila."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lab_driver import Notebook7Page, VoilaPage, WatchedPage
from private_jupyter import AppServer

import astronomaly_widgets as aw

SETUP = """
import numpy as np
import astronomaly_widgets as aw

X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
ids = [f"object-{{i:02d}}" for i in range(60)]
session = aw.Session(X, ids, anomaly_score=np.linspace(5, 0, 60), project={project!r})
"""
PAINTED = """() => {
    const pictures = [...document.querySelectorAll('.aw-object img')];
    return pictures.length >= 24 && pictures.every((p) => p.complete && p.naturalWidth > 0)
        && ['.aw-feature-map', '.aw-recall-panel', '.aw-inspector']
            .every((part) => document.querySelector(`.aw-dashboard ${part}`));
}"""


@pytest.fixture
def page_of(browser, server):
    """Open a page of one of the hosts; it is closed at the end."""
    pages = []

    def make(kind: type[WatchedPage]) -> WatchedPage:
        pages.append(kind(browser, server))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


def score_first_object(watched: WatchedPage) -> None:
    watched.wait_for(PAINTED, timeout=60)
    watched.page.locator(".aw-gallery").focus()
    watched.page.keyboard.press("4")
    watched.page.wait_for_selector('.aw-object[data-object-id="object-00"][data-score="4"]')


def stored_scores(watched: WatchedPage, project: str) -> dict[str, float]:
    session = aw.Session.open(watched.root / project)
    try:
        return session.labels["score"].to_dict()
    finally:
        session.close()


def test_notebook_7_shows_the_dashboard_and_stores_a_score_by_key(page_of):
    page = page_of(Notebook7Page)
    page.open("notebook7", [SETUP.format(project="in-notebook7"), "session"])
    page.run(0)
    page.run(1)
    score_first_object(page)
    page.screenshot("notebook7")
    wait_until_stored(page, "in-notebook7")
    assert page.external == []


@pytest.mark.parametrize("focused", [".aw-gallery", ".aw-hide-labeled", ".aw-map-mode"])
def test_no_key_reaches_a_notebook_7_but_those_that_save_it(page_of, focused):
    page = page_of(Notebook7Page)
    page.open("notebook7-keys", [SETUP.format(project="keys-in-notebook7"), "session"])
    page.run(0)
    page.run(1)
    page.wait_for(PAINTED, timeout=60)
    page.page.evaluate(
        """() => window.jupyterapp.commands.commandExecuted.connect((_, { id }) => {
            (window.commands ??= []).push(id);
        })"""
    )
    page.page.locator(focused).first.focus()
    page.page.keyboard.type("krmb")
    page.page.keyboard.press("Control+s")
    page.wait_for("() => window.commands?.includes('docmanager:save')")
    assert not [
        name for name in page.page.evaluate("() => commands") if name.startswith("notebook:")
    ]


def test_voila_shows_the_dashboard_and_stores_a_score_by_key(page_of):
    page = page_of(VoilaPage)
    page.open("voila", [SETUP.format(project="in-voila"), "session"])
    score_first_object(page)
    page.screenshot("voila")
    wait_until_stored(page, "in-voila")


def test_the_app_shows_a_table_without_code_and_stores_a_score_by_key(browser, tmp_path):
    (tmp_path / "root").mkdir()
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)), columns=list("abcd"))
    table.insert(0, "object_id", [f"object-{i:02d}" for i in range(60)])
    table.to_csv(tmp_path / "root" / "survey.csv", index=False)
    with AppServer(tmp_path, "survey.csv") as app:
        page = VoilaPage(browser, app)
        page.page.goto(app.url, timeout=120_000)
        page.wait_for(PAINTED, timeout=60)
        first = page.page.locator(".aw-object").first.get_attribute("data-object-id")
        page.page.locator(".aw-gallery").focus()
        page.page.keyboard.press("4")
        page.page.wait_for_selector('.aw-object[data-state="stored"]')
        page.screenshot("app")
        assert "explore" not in page.page.locator("body").inner_text()
        page.close()
        assert stored_scores(page, "survey-search") == {first: 4.0}


def wait_until_stored(watched: WatchedPage, project: str) -> None:
    """Look into the project on disk until the score is there; fails after ten seconds."""
    for _ in range(100):
        if stored_scores(watched, project) == {"object-00": 4.0}:
            return
        watched.page.wait_for_timeout(100)
    raise AssertionError(f"stored is {stored_scores(watched, project)}")
