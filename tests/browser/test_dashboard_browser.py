"""The panels beside the gallery, as a person meets them in JupyterLab."""

from __future__ import annotations

import math

import pytest
from lab_driver import LabPage

ODD = "<script>window.hacked = true</script>"
SETUP = """
import json
import numpy as np, pandas as pd
import time
import astronomaly_widgets as aw

if "d" in globals():
    d.close()
n, side = {n}, 48
rng = np.random.default_rng(0)
ids = [f"obj-{{i:05d}}" for i in range(n)]
ids[3] = {odd!r}
X = rng.normal(size=(n, 4)).astype("float32")
X[3] = [0, 9, 0, 0]  # far out on the map
source = None
if n <= 1000:
    pictures = rng.integers(0, 60, (n, side, side, 3)).astype("uint8")
    source = aw.sources.ImageStack(pictures, object_ids=ids)
catalog = pd.DataFrame({{"ra": rng.uniform(150, 151, n), "dec": rng.uniform(-2, 2, n)}}, index=ids)
catalog.loc[ids[0], "ra"] = 150.1234567
catalog[{odd!r}] = ["ring", {odd!r}, *["disk"] * (n // 2), *[None] * (n - n // 2 - 2)]
s = aw.Session(
    X, ids, anomaly_score=np.linspace(5, 0, n).astype("float32"), source=source, catalog=catalog,
    title="test",
)
s.max_embedded = 0  # the map stays what it is: UMAP takes half a minute of every core
"""
TELL = """
print(json.dumps({"current": s.current_id, "selected": list(s.selected_ids),
                  "labels": {k: float(v) for k, v in s.labels["score"].items()},
                  "error": repr(s.last_error)}))
"""
RETRAIN = "done = s.retrain().result()"
BUSY = """
seen = []
s.observe(lambda change: seen.append(time.time()), ["selected_ids", "current_id"])
for _ in range(40):
    time.sleep(0.1)
print(json.dumps(seen[0] < time.time() - 0.2 if seen else False))
"""
PAINTED = """() => {
    const pictures = [...document.querySelectorAll('.aw-object:not([hidden]) img')];
    return pictures.length >= 24 && pictures.every((p) => p.complete && p.naturalWidth > 0)
        && document.querySelectorAll('.aw-recall-panel .axis').length >= 2
        && document.querySelector('.aw-inspector img')?.naturalWidth > 0
        && document.querySelector('.aw-feature-map')?.dataset.mode;
}"""
# each object's place on the map, as parts of the plot
WHERE = """
w, xy = d.feature_map._renderer.window(), s.best_embedding
print(json.dumps(np.column_stack([(xy[:, 0] - w.x_min) / (w.x_max - w.x_min),
                                  (w.y_max - xy[:, 1]) / (w.y_max - w.y_min)]).tolist()))
"""
PLOT = """() => {
    const {x, y, width, height} =
        document.querySelector('.aw-feature-map .plotarea_background').getBoundingClientRect();
    return [x, y, width, height];
}"""
RING = """() => {
    const ring = document.querySelector('.aw-feature-map .dot');
    if (!ring?.getClientRects().length) return null;
    const box = ring.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""
DOTS = "document.querySelectorAll('.aw-feature-map .bqplot path.line')"
NOTEBOOK = """() => JSON.stringify([
    window.jupyterapp.shell.currentWidget.content.activeCellIndex,
    window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.type),
])"""
IN_GALLERY = "(all) => all.map((one) => one.dataset.objectId)"


@pytest.fixture(scope="module")
def notebook(browser, server):
    """One notebook for all tests of this module; each runs its cells anew."""
    page = LabPage(browser, server)
    small, large = (SETUP.format(n=n, odd=ODD) for n in (60, 6000))
    show, again = "d = aw.Dashboard(s); d", "d2 = aw.Dashboard(s); d2"
    page.open("dashboard", [small, show, TELL, RETRAIN, again, BUSY, large, WHERE])
    yield page
    page.close()


@pytest.fixture
def shown(notebook, request):
    """A dashboard of a new session with 60 objects, or with 6,000 if the test asks for that."""
    large = getattr(request, "param", 60) > 60
    notebook.page.set_viewport_size({"width": 1500, "height": 1100})
    notebook.command("notebook:clear-all-cell-outputs")
    notebook.theme("light")
    notebook.run(6 if large else 0)
    notebook.run(1)
    notebook.wait_for(PAINTED)
    if not large:
        notebook.wait_for(f"() => {DOTS}.length >= 16")
    bring_into_view(notebook)
    notebook.page.wait_for_timeout(400)  # bqplot lays itself out in steps
    yield notebook
    assert notebook.errors == []
    assert notebook.external == []


def bring_into_view(shown):
    shown.page.evaluate("() => document.querySelector('.aw-dashboard').scrollIntoView()")
    shown.page.wait_for_timeout(200)


def tell(shown, **has):
    state = shown.json_when(2, has)
    assert state["error"] == "None"
    bring_into_view(shown)
    return state


def on_map(shown, row):
    """Where an object is on the screen."""
    across, down = shown.json(7)[row]
    bring_into_view(shown)
    x, y, width, height = shown.page.evaluate(PLOT)
    return x + across * width, y + down * height


def wait_current(shown, object_id):
    """Wait until gallery and inspector both show this object."""
    shown.wait_for(
        """(name) => document.querySelector('.aw-object[aria-current]')?.dataset.objectId === name
            && document.querySelector('.aw-inspector-id').textContent === name""",
        object_id,
    )


def draw(shown, corners):
    """Draw with the mouse from corner to corner."""
    mouse = shown.page.mouse
    mouse.move(*corners[0])
    mouse.down()
    for corner in corners[1:]:
        mouse.move(*corner, steps=4)
    mouse.up()


def test_the_dashboard_paints_in_light_and_dark(shown):
    page = shown.page
    for theme in ("light", "dark"):
        shown.theme(theme)
        page.wait_for_timeout(300)
        shown.screenshot(f"dashboard_{theme}")
        ink, paper = page.evaluate(
            """() => {
                const style = getComputedStyle(document.querySelector('.aw-recall-panel'));
                const text = document.querySelector('.aw-recall-panel .axis text');
                const sum = (color) => color.match(/[\\d.]+/g).slice(0, 3)
                    .reduce((a, b) => a + Number(b) * (color.startsWith('color') ? 255 : 1), 0);
                return [sum(getComputedStyle(text).fill), sum(style.backgroundColor)];
            }"""
        )
        assert (ink < paper) == (theme == "light")
        assert abs(ink - paper) > 250  # of 765: legible on both
    body = page.locator(".aw-dashboard").bounding_box()
    for panel in (".aw-feature-map", ".aw-recall-panel", ".aw-inspector"):
        box = page.locator(panel).bounding_box()
        assert box["x"] >= body["x"] + body["width"] / 2
        assert box["x"] + box["width"] <= body["x"] + body["width"] + 1
        grid = page.locator(".aw-object").first.bounding_box()
        assert box["y"] >= grid["y"] - 12


def test_a_narrow_window_puts_the_panels_below(shown):
    shown.page.set_viewport_size({"width": 900, "height": 900})
    shown.wait_for(
        """() => {
            const bottom = (name) => document.querySelector(name).getBoundingClientRect().bottom;
            const top = (name) => document.querySelector(name).getBoundingClientRect().top;
            return top('.aw-feature-map') >= bottom('.aw-gallery') - 1;
        }"""
    )


def test_a_click_on_the_map_makes_the_object_current_everywhere(shown):
    x, y = on_map(shown, 3)
    shown.page.mouse.click(x, y)
    wait_current(shown, ODD)
    tell(shown, current=ODD)
    assert shown.page.evaluate("() => window.hacked") is None


@pytest.mark.parametrize(
    "beside",
    [
        ".aw-feature-map .plotarea_events",
        ".aw-map-mode",
        ".aw-recall-panel .aw-panel-title",
        ".aw-inspector-id",
        ".aw-inspector-picture",
    ],
)
def test_after_a_click_beside_the_gallery_its_keys_go_on_and_none_reaches_the_notebook(
    shown, beside
):
    page = shown.page
    before = page.evaluate(NOTEBOOK)
    page.locator(beside).first.click(position={"x": 3, "y": 3})
    page.keyboard.type("k4")
    shown.wait_for("() => document.querySelector('.aw-object[data-score=\"4\"]')")
    assert page.evaluate(NOTEBOOK) == before


def test_tag_and_comment_are_stored_with_a_score_that_is_clicked_in_the_gallery(shown):
    page = shown.page
    page.locator(".aw-inspector-new-tag").fill("merger")
    page.locator(".aw-inspector-comment").fill("a tail?")
    page.locator(".aw-object[data-object-id='obj-00000'] .aw-score[data-score='4']").click()
    wait_current(shown, "obj-00001")
    page.locator(".aw-object[data-object-id='obj-00000'] img").click()
    page.locator(".aw-inspector-tags .aw-chip", has_text="merger").wait_for()
    assert page.locator(".aw-inspector-comment").input_value() == "a tail?"
    tell(shown, labels={"obj-00000": 4.0})


@pytest.mark.parametrize("focused", [".aw-inspector-scores button", ".aw-map-mode", ".aw-map-aim"])
def test_no_key_reaches_the_notebook_from_what_the_tab_key_comes_to(shown, focused):
    page = shown.page
    before = page.evaluate(NOTEBOOK)
    page.locator(focused).first.focus()
    page.keyboard.type("kk")
    assert page.evaluate(NOTEBOOK) == before


@pytest.mark.parametrize("focused", [".aw-gallery", ".aw-inspector-comment", ".aw-map-aim"])
def test_the_keys_that_save_the_notebook_save_it_from_anywhere(shown, focused):
    page = shown.page
    page.evaluate(
        """() => {
            window.saved = 0;
            window.jupyterapp.commands.commandExecuted.connect((_, { id }) => {
                window.saved += id === 'docmanager:save';
            });
        }"""
    )
    page.locator(focused).focus()
    page.keyboard.press("Control+s")
    shown.wait_for("() => window.saved > 0")


@pytest.mark.parametrize("gesture", ["click", "lasso"])
def test_the_map_answers_while_a_cell_runs(shown, gesture):
    place = on_map(shown, 3)
    shown.run(5, wait=False)
    bring_into_view(shown)
    if gesture == "click":
        shown.page.mouse.click(*place)
        wait_current(shown, ODD)
    else:
        shown.page.locator(".aw-map-mode[data-mode=lasso]").click()
        box = shown.page.locator(".aw-map-lasso").bounding_box()
        left, top = box["x"] + 2, box["y"] + 2
        right, bottom = left + box["width"] - 4, top + box["height"] - 4
        draw(shown, [(left, top), (right, top), (right, bottom), (left, bottom)])
        shown.wait_for("() => document.querySelector('.aw-map-clear').textContent.startsWith('60')")
    shown.wait_for(
        f"() => {shown.PANEL}.content.widgets[5].model.outputs.toJSON()[0]?.text.includes('true')",
        timeout=10,
    )


def test_hovering_shows_picture_id_and_score(shown):
    x, y = on_map(shown, 3)
    shown.page.mouse.move(x - 30, y - 30)
    shown.page.mouse.move(x, y)
    card = shown.page.locator(".aw-map-card")
    card.wait_for(state="visible")
    assert card.locator("b").text_content() == ODD
    assert "trained score 4.7" in card.text_content()
    shown.wait_for("() => document.querySelector('.aw-map-card img').naturalWidth === 112")
    shown.page.mouse.move(x - 60, y - 60)
    card.wait_for(state="hidden")


def test_the_current_object_of_the_gallery_is_ringed_on_the_map(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_current(shown, ODD)
    want = on_map(shown, 3)
    shown.wait_for(
        f"""([x, y]) => {{
            const ring = ({RING})();
            return ring && Math.hypot(ring[0] - x, ring[1] - y) < 1;
        }}""",
        want,
    )


def aim(shown, at, place):
    """Move the crosshair of the map by its keys; return where it is, in parts of the plot."""
    keyboard = shown.page.keyboard
    for axis, keys in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
        steps = round((place[axis] - at[axis]) / 0.01)
        key = keys[steps > 0]
        for _ in range(abs(steps) // 4):
            keyboard.press(key)
        for _ in range(abs(steps) % 4):
            keyboard.press(f"Shift+{key}")
        at = [*at[:axis], at[axis] + steps * 0.01, *at[axis + 1 :]]
    return at


def test_the_map_is_read_chosen_from_and_selected_from_by_keyboard(shown):
    page = shown.page
    x, y = shown.json(7)[3]
    bring_into_view(shown)
    page.locator(".aw-map-reset").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "aw-map-aim"
    at = aim(shown, [0.5, 0.5], (x, y))
    card = page.locator(".aw-map-card")
    card.wait_for(state="visible")
    assert card.locator("b").text_content() == ODD
    shown.screenshot("map_keys")
    page.keyboard.press("Enter")
    wait_current(shown, ODD)
    at = aim(shown, at, (x - 0.03, y - 0.03))
    page.keyboard.press("s")
    aim(shown, at, (x + 0.03, y + 0.03))
    assert page.locator(".aw-map-area").bounding_box()["width"] > 10
    page.keyboard.press("s")
    shown.wait_for("() => document.querySelectorAll('.aw-object:not([hidden])').length === 1")
    assert tell(shown, selected=[ODD])
    page.locator(".aw-map-aim").focus()
    page.keyboard.press("Escape")
    shown.wait_for("() => document.querySelectorAll('.aw-object:not([hidden])').length === 24")


def test_the_map_is_magnified_by_keyboard(shown):
    page = shown.page
    dots = """() => Math.max(...[...document.querySelectorAll('.aw-feature-map .bqplot path.line')]
        .map((path) => path.getBoundingClientRect().width))"""
    page.locator(".aw-map-aim").focus()
    before = page.evaluate(dots)
    page.keyboard.press("+")
    shown.wait_for(f"(before) => ({dots})() > 1.3 * before", before)
    page.keyboard.press("0")
    shown.wait_for(f"(before) => Math.abs(({dots})() - before) < 3", before)


@pytest.mark.parametrize("mode", ["lasso", "rectangle"])
def test_an_area_of_the_map_filters_the_gallery(shown, mode):
    page = shown.page
    x, y = on_map(shown, 3)
    page.locator(f".aw-map-mode[data-mode={mode}]").click()
    if mode == "rectangle":
        draw(shown, [(x - 12, y - 12), (x, y), (x + 12, y + 12)])
    else:
        turns = [k * math.pi / 6 for k in range(12)]
        draw(shown, [(x + 12 * math.cos(t), y + 12 * math.sin(t)) for t in turns])
    shown.wait_for("() => document.querySelectorAll('.aw-object:not([hidden])').length === 1")
    assert page.locator(".aw-object:visible").evaluate_all(IN_GALLERY) == [ODD]
    shown.wait_for("() => document.querySelector('.aw-map-clear').textContent.startsWith('1 ')")
    assert tell(shown)["selected"] == [ODD]
    page.locator(".aw-map-clear").click()
    shown.wait_for("() => document.querySelectorAll('.aw-object:not([hidden])').length === 24")
    page.locator(".aw-map-clear").wait_for(state="hidden")
    assert tell(shown)["selected"] == []


@pytest.mark.parametrize("shown", [60, 6000], indirect=True, ids=["marks", "canvas"])
def test_a_whole_cluster_is_found_shown_and_scored(shown):
    page = shown.page
    page.select_option(".aw-map-color", "cluster")
    shown.wait_for("() => document.querySelectorAll('.aw-map-kind').length > 0", timeout=60)
    cluster = page.locator(".aw-map-kind").last
    size = int(cluster.get_attribute("title").split()[-2].replace(",", ""))
    cluster.click()
    shown.wait_for(
        "(n) => document.querySelector('.aw-filter span').innerText.replace(/[^0-9]/g, '') === n",
        str(size),
    )
    shown.screenshot("clusters")
    page.select_option(".aw-all", "1")
    says = "(words) => document.querySelector('.aw-status').innerText.includes(words)"
    shown.wait_for(says, f"{size:,} labeled")
    labels = tell(shown)["labels"]
    assert set(labels.values()) == {1.0}
    assert len(labels) == size
    page.locator(".aw-undo").click()
    shown.wait_for(says, "0 labeled")


def test_a_new_ranking_is_offered_and_the_map_recolors_at_once(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.type("05")
    shown.wait_for("() => document.querySelectorAll('.aw-object[data-state=stored]').length === 2")
    before = page.locator(".aw-object:visible").evaluate_all(IN_GALLERY)
    colors = f"() => [...{DOTS}].map((line) => line.getAttribute('d')?.length)"
    old = page.evaluate(colors)
    shown.run(3)
    page.locator(".aw-offer").wait_for(state="visible")
    assert page.locator(".aw-object:visible").evaluate_all(IN_GALLERY) == before
    shown.wait_for(f"(old) => JSON.stringify(({colors})()) !== JSON.stringify(old)", old)
    shown.wait_for("() => document.querySelector('.aw-recall-panel').textContent.includes('you 1')")


def test_the_inspector_opens_scores_and_closes_by_key(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("Space")
    dialog = page.locator(".aw-inspector-large")
    dialog.wait_for(state="visible")
    shown.screenshot("inspector_large")
    assert "150.1234567" in dialog.text_content()
    page.keyboard.press("4")
    wait_current(shown, "obj-00001")
    page.keyboard.press("ArrowRight")
    wait_current(shown, "obj-00002")
    page.keyboard.press("0")
    wait_current(shown, ODD)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    state = tell(shown)
    assert state["labels"] == {"obj-00000": 4.0, "obj-00002": 0.0}
    kinds = page.evaluate(f"() => {shown.PANEL}.content.widgets.map((cell) => cell.model.type)")
    assert kinds == ["code"] * 8  # no digit made a heading of a cell


def test_tags_and_comment_are_stored_with_the_score(shown):
    page = shown.page
    panel = page.locator(".aw-inspector")
    panel.locator(".aw-inspector-new-tag").fill("merger")
    page.keyboard.press("Enter")
    panel.locator(".aw-inspector-comment").fill("a <b>tail</b>")
    panel.locator(".aw-inspector-scores .aw-score[data-score='5']").click()
    shown.wait_for("() => document.querySelector('.aw-inspector-root').dataset.state === 'stored'")
    assert panel.locator(".aw-chip").text_content().startswith("merger")
    assert tell(shown)["labels"] == {"obj-00000": 5.0}


def test_the_picture_zooms_and_comes_back(shown):
    page = shown.page
    box = page.locator(".aw-inspector-picture").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, -400)
    shown.wait_for("() => document.querySelector('.aw-inspector-picture.aw-zoomed')")
    page.mouse.dblclick(box["x"] + 20, box["y"] + 20)
    shown.wait_for("() => !document.querySelector('.aw-inspector-picture.aw-zoomed')")


def test_a_neighbor_becomes_current_by_click(shown):
    page = shown.page
    shown.wait_for("() => document.querySelectorAll('.aw-neighbor').length === 12")
    neighbor = page.locator(".aw-neighbor").nth(2)
    name = neighbor.get_attribute("data-object-id")
    neighbor.click()
    shown.wait_for(
        "(name) => document.querySelector('.aw-inspector-id').textContent === name", name
    )
    tell(shown, current=name)


def test_two_dashboards_of_one_session_are_in_step(shown):
    shown.run(4)
    page = shown.page
    shown.wait_for(
        "() => document.querySelectorAll('.aw-inspector-root[data-object-id]').length === 2"
    )
    page.locator(".aw-gallery").first.focus()
    page.keyboard.type("3")
    shown.wait_for(
        """() => [...document.querySelectorAll('.aw-gallery')].every((gallery) =>
            gallery.querySelector('[data-object-id="obj-00000"]').dataset.score === '3')"""
    )
    shown.wait_for(
        """() => [...document.querySelectorAll('.aw-inspector-root')].every((root) =>
            root.dataset.objectId === 'obj-00001')"""
    )


def test_a_reloaded_page_shows_the_same_map(shown):
    page = shown.page
    x, y = on_map(shown, 3)
    page.mouse.click(x, y)
    wait_current(shown, ODD)
    shown.reload()
    shown.wait_for(f"() => {DOTS}.length >= 16")
    shown.wait_for(f"() => ({RING})() !== null")
    page.evaluate("() => document.querySelector('.aw-dashboard').scrollIntoView()")
    page.wait_for_timeout(500)
    page.mouse.click(*on_map(shown, 10))
    wait_current(shown, "obj-00010")


@pytest.mark.parametrize("shown", [60, 6000], indirect=True, ids=["marks", "canvas"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_map_is_colored_by_a_column_of_the_catalog(shown, theme):
    page = shown.page
    shown.theme(theme)
    page.select_option(".aw-map-color", "ra")
    shown.wait_for("() => document.querySelector('.aw-map-low').innerText.includes('150')")
    scale = page.locator(".aw-map-scale").bounding_box()
    assert scale["y"] + scale["height"] <= bottom(page, ".aw-feature-map.aw-panel")
    shown.screenshot(f"map_numbers_{theme}")
    page.select_option(".aw-map-color", ODD)
    shown.wait_for("() => document.querySelectorAll('.aw-map-kind').length === 4")
    page.wait_for_timeout(500)  # the plot makes room for the legend
    shown.screenshot(f"map_kinds_{theme}")
    plot = "canvas" if page.locator(".aw-feature-map canvas").count() else ".bqplot"
    legend = page.locator(".aw-map-legend").bounding_box()
    assert bottom(page, f".aw-feature-map {plot}") <= legend["y"]
    texts = page.locator(".aw-map-kind").all_text_contents()
    assert (texts[0], texts[-1]) == ("disk", "no value")
    assert sorted(texts[1:3]) == sorted(["ring", ODD])
    page.locator(".aw-map-kind").nth(texts.index(ODD)).click()
    shown.wait_for("() => document.querySelector('.aw-map-clear').textContent.startsWith('1 ')")
    assert page.evaluate("() => window.hacked") is None
    assert tell(shown)["error"] == "None"


def bottom(page, name):
    box = page.locator(name).first.bounding_box()
    return box["y"] + box["height"]


@pytest.mark.parametrize("shown", [6000], indirect=True)
def test_a_large_map_is_a_canvas_that_behaves_alike(shown):
    page = shown.page
    canvas = page.locator(".aw-feature-map canvas")
    lit = """() => {
        const canvas = document.querySelector('.aw-feature-map canvas');
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let n = 0;
        for (let i = 3; i < pixels.length; i += 4) n += pixels[i] > 0;
        return n;
    }"""
    shown.wait_for(f"() => ({lit})() > 2000")
    shown.screenshot("map_canvas")
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.locator(".aw-map-card").wait_for(state="visible")
    page.mouse.click(x, y)
    shown.wait_for(
        "() => document.querySelector('.aw-object[aria-current]').dataset.objectId !== 'obj-00000'"
    )
    page.locator(".aw-map-mode[data-mode=pan]").click()
    page.mouse.move(x, y)
    before = page.evaluate(lit)
    for _ in range(4):
        page.mouse.wheel(0, 300)
    shown.wait_for(f"(before) => ({lit})() < 0.8 * before", before)
    page.locator(".aw-map-reset").click()
    shown.wait_for(f"(before) => Math.abs(({lit})() - before) < 0.1 * before", before)
    page.locator(".aw-map-aim").focus()
    for _ in range(4):
        page.keyboard.press("-")
    shown.wait_for(f"(before) => ({lit})() < 0.8 * before", before)
    page.keyboard.press("0")
    shown.wait_for(f"(before) => Math.abs(({lit})() - before) < 0.1 * before", before)
    page.locator(".aw-map-mode[data-mode=rectangle]").click()
    draw(shown, [(x - 30, y - 30), (x, y), (x + 30, y + 30)])
    page.locator(".aw-map-clear").wait_for(state="visible")
    selected = len(tell(shown)["selected"])
    assert 20 < selected < 4000
    text = page.locator(".aw-map-clear").text_content()
    assert text.replace(",", "").startswith(f"{selected} ")
