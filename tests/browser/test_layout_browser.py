"""Nothing is cut, nothing overlaps and nothing jumps, however wide the window is."""

from __future__ import annotations

import pytest
from lab_driver import LabPage

SETUP = """
import numpy as np
import astronomaly_widgets as aw

n = 1218
rng = np.random.default_rng(0)
s = aw.Session(
    rng.normal(size=(n, 4)).astype("float32"),
    [f"obj-{i:05d}" for i in range(n)],
    anomaly_score=np.linspace(5, 0, n).astype("float32"),
    title="Hubble eXtreme Deep Field",
)
s.max_embedded = 0  # the map stays what it is: UMAP takes half a minute of every core
"""
NOTE = "last 20: 4 found · about 51 left (90%: 0-75) · random sample: 0-1,101 left"
MANY = "s.selected_ids = tuple(s.object_ids[:1200])"
FEW = "s.selected_ids = tuple(s.object_ids[:3])"
SHOWN = "() => document.querySelectorAll('.aw-object:not([hidden])').length >= 24"
# what is cut off, and what lies outside of what holds it
AMISS = """() => {
    const amiss = [];
    const name = (node) => `${node.className || node.tagName} "${node.textContent.slice(0, 40)}"`;
    const heads = '.aw-head *, .aw-panel-head *, .aw-map-legend *';
    for (const node of document.querySelectorAll(heads)) {
        if (!node.checkVisibility() || node instanceof SVGElement) continue;
        const [own, around] = [node, node.parentElement].map((one) => one.getBoundingClientRect());
        if (!own.width || node.tagName === 'OPTION') continue;
        if (own.left < around.left - 0.5 || own.right > around.right + 0.5) {
            amiss.push(`${name(node)} leaves ${name(node.parentElement)}`);
        }
        const cut = getComputedStyle(node).overflowX !== 'visible';
        if (cut && node.clientWidth && node.scrollWidth > node.clientWidth + 1) {
            amiss.push(`${name(node)} is cut`);
        }
    }
    const tools = document.querySelectorAll('.aw-toolbar :is(button, label, input, .aw-title)');
    const boxes = [...tools].filter((node) => node.checkVisibility())
        .map((node) => [node, node.getBoundingClientRect()]);
    for (const [one, a] of boxes) {
        for (const [other, b] of boxes) {
            const apart = a.right <= b.left + 0.5 || b.right <= a.left + 0.5
                || a.bottom <= b.top + 0.5 || b.bottom <= a.top + 0.5;
            if (!apart && one !== other && !one.contains(other) && !other.contains(one)) {
                amiss.push(`${name(one)} lies over ${name(other)}`);
            }
        }
    }
    return amiss;
}"""
PLACES = """() => ['.aw-toolbar', '.aw-under', '.aw-next-page', '.aw-retrain', '.aw-object']
    .map((name) => document.querySelector(name).getBoundingClientRect())
    .map((box) => [box.x, box.y].map(Math.round))"""


# of a text that may end in an ellipsis: how wide it is, and how much of that is seen
WIDTHS = """(node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [range, node].map((one) => one.getBoundingClientRect().width);
}"""


@pytest.fixture(scope="module")
def notebook(browser, server):
    """One notebook for all tests of this module, with the file browser open beside it."""
    page = LabPage(browser, server)
    tell = f"d.recall_panel._head.note = {NOTE!r}"
    cells = [SETUP, "d = aw.Dashboard(s); d", "done = s.retrain().result()", FEW, MANY, tell]
    page.open("layout", cells)
    page.command("application:toggle-left-area")
    yield page
    page.close()


@pytest.fixture
def shown(notebook):
    """A dashboard of a new session."""
    notebook.page.set_viewport_size({"width": 1440, "height": 900})
    notebook.command("notebook:clear-all-cell-outputs")
    notebook.run(0)
    notebook.run(1)
    notebook.wait_for(SHOWN)
    yield notebook
    assert notebook.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 1280, 1440, 1920])
def test_nothing_of_the_heads_is_cut_or_overlaps(shown, width, theme):
    shown.page.set_viewport_size({"width": width, "height": 900})
    shown.theme(theme)
    shown.page.wait_for_timeout(500)  # the panels lay themselves out
    shown.page.evaluate("() => document.querySelector('.aw-dashboard').scrollIntoView()")
    shown.screenshot(f"layout_{theme}_{width}")
    assert shown.page.evaluate(AMISS) == []


def test_a_tile_keeps_its_size_when_few_objects_are_shown(shown):
    page = shown.page
    width = "() => document.querySelector('.aw-object').offsetWidth"
    page.wait_for_timeout(500)  # the panels lay themselves out
    before = page.evaluate(width)
    shown.run(3)
    shown.wait_for("() => document.querySelectorAll('.aw-object').length === 3")
    page.wait_for_timeout(500)
    assert page.evaluate(width) == pytest.approx(before, rel=0.2)


@pytest.mark.parametrize("width", [1100, 1440, 1920])
def test_the_head_stands_still_whatever_it_says(shown, width):
    page = shown.page
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    gallery = page.locator(".aw-gallery")

    def places():
        page.evaluate("() => document.querySelector('.aw-dashboard').scrollIntoView()")
        return page.evaluate(PLACES)

    before = places()
    gallery.focus()
    page.keyboard.type("05")
    shown.wait_for("() => document.querySelector('.aw-status').innerText.includes('all stored')")
    assert places() == before
    for _ in range(9):  # to the first page whose number has two digits
        page.keyboard.press("PageDown")
        page.wait_for_timeout(100)
    shown.wait_for("() => document.querySelector('.aw-pager b').textContent === '10'")
    assert places() == before
    shown.run(2)
    page.locator(".aw-offer").wait_for(state="visible")
    assert places() == before
    assert page.evaluate(AMISS) == []
    page.locator(".aw-find").fill("obj-0011")
    page.keyboard.press("Enter")
    page.locator(".aw-filter").wait_for(state="visible")
    assert places() == before
    clear, line = (page.locator(name).bounding_box() for name in (".aw-clear", ".aw-line"))
    assert clear["x"] + clear["width"] <= line["x"] + line["width"] + 0.5


def test_a_retrain_before_the_first_score_moves_nothing_and_says_why(shown):
    page = shown.page
    page.wait_for_timeout(500)
    page.evaluate("() => document.querySelector('.aw-dashboard').scrollIntoView()")
    before = page.evaluate(PLACES)
    page.locator(".aw-retrain").click()
    page.locator(".aw-note", has_text="score some objects first").wait_for()
    said, seen = page.locator(".aw-note").evaluate(WIDTHS)
    assert said <= seen + 0.01
    assert page.evaluate(PLACES) == before


@pytest.mark.parametrize("width", [1440, 1720, 1920])
def test_what_was_just_done_is_said_before_what_is_shown(shown, width):
    page = shown.page
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    shown.run(4)
    page.locator(".aw-filter").wait_for(state="visible")
    page.locator(".aw-find").fill("name-of-nobody")
    page.keyboard.press("Enter")
    page.locator(".aw-note", has_text="no object id contains").wait_for()
    said, seen = page.locator(".aw-note").evaluate(WIDTHS)
    room = page.locator(".aw-filter-text").bounding_box()["width"]
    assert said <= seen + 0.01 or room < 30


def test_numbers_are_written_alike_everywhere(shown):
    page = shown.page
    assert "1,218 objects" in page.locator(".aw-toolbar").inner_text()
    shown.run(4)
    page.locator(".aw-filter", has_text="showing 1,200 selected").wait_for()
    page.locator(".aw-feature-map", has_text="1,200 selected").wait_for()


@pytest.mark.parametrize("width", [1280, 1440])
def test_all_that_is_said_of_what_is_left_is_seen(shown, width):
    page = shown.page
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    shown.run(5)
    note = page.locator(".aw-recall-panel .aw-panel-note")
    note.filter(has_text="0-1,101 left").wait_for()
    page.wait_for_timeout(500)  # the plot lays itself out
    page.evaluate("() => document.querySelector('.aw-dashboard').scrollIntoView()")
    shown.screenshot(f"layout_left_{width}")
    assert page.evaluate(AMISS) == []
    frame, axis = (
        page.locator(f".aw-recall-panel{name}").bounding_box()
        for name in ("", " .axislabel >> nth=0")
    )
    assert axis["y"] + axis["height"] <= frame["y"] + frame["height"]
