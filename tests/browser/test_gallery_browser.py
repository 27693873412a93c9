"""The gallery in a real JupyterLab: what a person sees and what is stored."""

import pytest
from lab_driver import LabPage

SETUP = """
import json, time
import numpy as np
import pandas as pd
import astronomaly_widgets as aw
rng = np.random.default_rng(0)
n = 80
names = [f"obj-{i:03d}" for i in range(n)]
names[:2] = ["<script>document.body.dataset.hacked=1</script>", "two 'words' \\"&"]
names[2:4] = ["\U0001f30c", "x" * 200]
images = rng.integers(0, 255, (n, 48, 48, 3), dtype="u1")
source = aw.sources.ImageStack(images, object_ids=names)
catalog = pd.DataFrame({"what": ["long words"] * n, "how": 0.1234})
session = aw.Session(rng.normal(size=(n, 3)), names, anomaly_score=np.linspace(5, 0, n),
                     source=source, catalog=catalog, title="Noise & <b>noise</b>")
gallery = aw.Gallery(session)
"""
SHOW = "gallery"
DUMP = """
print(json.dumps({"scores": session.labels["score"].to_dict(), "events": len(session.events),
                  "page": gallery.page["number"], "error": repr(session.last_error),
                  "current": session.current_id, "names": names,
                  "seconds": session.events["seconds"].dropna().tolist()}))
"""
# of so few objects all would be scored at once
EARLY = """
import threading
from astronomaly_widgets.session import _early
usual = _early._MANY, _early._N_LISTED
_early._MANY, _early._N_LISTED = 50, 60
go = threading.Event()
class Waiting(aw.learners.NeighborScore):
    def score(self, X, anomaly_score):
        go.wait(60)
        return super().score(X, anomaly_score)
session.learner = Waiting()
"""
GO = """
_early._MANY, _early._N_LISTED = usual
go.set()
"""
BUSY = "busy = True\nuntil = time.time() + 4\nwhile time.time() < until: pass\nbusy = False"

PAINTED = """(n) => {
  const images = [...document.querySelectorAll('.aw-object img')];
  return images.length === n && images.every((i) => i.complete && i.naturalWidth)
    && !document.querySelector('.aw-waiting');
}"""
STORED = "(n) => document.querySelectorAll('.aw-object[data-state=stored]').length === n"
FIRST = "() => document.querySelector('.aw-object').dataset.objectId"
BEGINS_WITH = "(id) => document.querySelector('.aw-object').dataset.objectId === id"
CELLS = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"


@pytest.fixture(scope="module")
def notebook(browser, server):
    """One notebook for all tests of this module; each runs its cells anew."""
    page = LabPage(browser, server)
    cells = [SETUP, SHOW, DUMP, BUSY, "aw.Gallery(session)", "# to be left alone", EARLY, GO]
    page.open("gallery", cells)
    yield page
    page.close()


@pytest.fixture
def shown(notebook):
    """A gallery of a new session, in the second cell."""
    notebook.command("notebook:clear-all-cell-outputs")
    notebook.run(0)
    notebook.run(1)
    notebook.scroll_to(1)
    notebook.wait_for(PAINTED, 24)
    yield notebook
    assert notebook.errors == []
    assert notebook.external == []


def status(shown):
    return shown.page.locator(".aw-status").inner_text()


def test_labels_by_mouse_and_by_key_typed_fast(shown):
    page = shown.page
    tiles = page.locator(".aw-object")
    tiles.nth(4).locator(".aw-score[data-score='3']").click()
    assert tiles.nth(4).get_attribute("data-score") == "3"
    assert tiles.nth(5).get_attribute("aria-current") == "true"
    page.keyboard.type("0512")
    shown.wait_for(STORED, 5)
    state = shown.json_when(2, {"current": "obj-009"})
    assert state["scores"] == dict(zip(state["names"][4:9], [3, 0, 5, 1, 2], strict=True))
    assert state["events"] == 5
    assert all(0 < seconds < 60 for seconds in state["seconds"])
    assert "5 labeled, 1 interesting" in status(shown)
    assert "all stored" in status(shown)


def test_a_key_that_is_held_down_scores_one_object(shown):
    page = shown.page
    page.locator(".aw-object").nth(4).locator("img").click()
    for _ in range(5):
        page.keyboard.down("3")  # the second and later ones are repeats
    page.keyboard.up("3")
    page.keyboard.type("0")
    shown.wait_for(STORED, 2)
    assert list(shown.json_when(2, {"events": 2})["scores"].values()) == [3, 0]


def test_odd_names_are_shown_literally(shown):
    ids = shown.page.eval_on_selector_all(
        ".aw-object", "(all) => all.map((o) => o.dataset.objectId)"
    )
    names = shown.json(2)["names"]
    assert ids == names[:24]
    texts = shown.page.locator(".aw-object .aw-id").all_text_contents()
    assert texts[:4] == names[:4]
    assert shown.page.locator(".aw-title").text_content() == "Noise & <b>noise</b>"
    assert shown.page.evaluate("() => document.body.dataset.hacked") is None
    boxes = [shown.page.locator(".aw-object").nth(k).bounding_box() for k in (3, 4)]
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=1)


def test_what_the_order_goes_by_stands_beside_the_id_and_not_over_it(shown):
    page = shown.page
    page.locator(".aw-order").select_option("what")
    page.locator(".aw-value", has_text="long words").first.wait_for()
    places = """() => [...document.querySelectorAll('.aw-caption')].map((caption) =>
        ['.aw-id-tail', '.aw-value'].map((name) => caption.querySelector(name))
            .map((node) => node.getBoundingClientRect())
            .map((box, i) => (i ? box.left : box.right)))"""
    assert all(end <= start + 0.5 for end, start in page.evaluate(places))
    assert "what long words" in page.locator(".aw-object").first.get_attribute("title")
    page.locator(".aw-order").select_option("how")
    page.locator(".aw-value", has_text="0.1234").first.wait_for()
    values = "[...document.querySelectorAll('.aw-value')]"
    assert page.evaluate(f"{values}.every((one) => one.scrollWidth <= one.clientWidth)")


def test_undo_and_redo_by_key_and_by_button(shown):
    page = shown.page
    page.locator(".aw-object img").first.click()
    page.keyboard.type("34")
    shown.wait_for(STORED, 2)
    page.keyboard.press("u")
    shown.wait_for(STORED, 1)
    assert page.locator(".aw-object").nth(1).get_attribute("data-score") is None
    assert page.locator(".aw-object").nth(1).get_attribute("aria-current") == "true"
    page.keyboard.press("Control+z")
    shown.wait_for(STORED, 0)
    page.keyboard.press("Control+Shift+Z")
    shown.wait_for(STORED, 1)
    page.locator(".aw-redo").click()
    shown.wait_for(STORED, 2)
    page.locator(".aw-undo").click()
    shown.wait_for(STORED, 1)
    state = shown.json(2)
    assert state["scores"] == {state["names"][0]: 3}


def test_the_rest_of_the_page_is_scored_and_the_next_page_skips_nothing(shown):
    page = shown.page
    page.locator(".aw-object img").nth(2).click()
    page.keyboard.type("5")
    page.keyboard.press("Shift+Digit0")
    shown.wait_for(STORED, 24)
    assert page.locator(".aw-object[data-score='5']").count() == 1
    page.keyboard.type("3")  # past the end of the page: nothing unseen is scored
    page.keyboard.press("ArrowRight")
    shown.wait_for(BEGINS_WITH, "obj-024")
    shown.wait_for(PAINTED, 24)
    state = shown.json_when(2, {"page": 2})
    assert len(state["scores"]) == 24
    assert sorted(state["scores"].values()) == [0] * 23 + [5]
    page.locator(".aw-undo").click()
    page.keyboard.press("u")
    shown.wait_for("() => document.querySelector('.aw-status').innerText.includes('0 labeled')")


def test_the_end_of_a_page_is_told_no_more_on_the_next(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("Shift+Digit0")
    page.keyboard.press("3")
    note = page.locator(".aw-note")
    note.filter(has_text="end of the page").wait_for()
    page.keyboard.press("ArrowRight")
    shown.wait_for("() => document.querySelector('.aw-pager b').textContent === '2'")
    assert not note.is_visible()


def test_pages_turn_by_key_and_by_button(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    for how, first in [
        ("PageDown", "obj-024"),
        (".aw-next-page", "obj-048"),
        ("PageUp", "obj-024"),
        (".aw-previous-page", "<script>document.body.dataset.hacked=1</script>"),
    ]:
        if how.startswith("."):
            page.locator(how).click()
        else:
            page.keyboard.press(how)
        shown.wait_for(BEGINS_WITH, first)
        shown.wait_for(PAINTED, 24)
    assert "page 1 of 4" in page.locator(".aw-pager").inner_text()
    assert page.locator(".aw-previous-page").is_disabled()


def test_scores_are_seen_at_once_and_stored_while_a_cell_runs(shown):
    page = shown.page
    shown.run(3, wait=False)
    shown.scroll_to(1)
    page.locator(".aw-object img").nth(6).click()
    page.keyboard.type("42")
    scores = [page.locator(".aw-object").nth(k).get_attribute("data-score") for k in (6, 7)]
    assert scores == ["4", "2"]
    shown.wait_for(STORED, 2, timeout=15)
    page.keyboard.press("PageDown")
    shown.wait_for(BEGINS_WITH, "obj-024")
    state = shown.json(2, timeout=20)
    assert sorted(state["scores"].values()) == [2, 4]


def test_no_key_reaches_the_notebook(shown):
    page = shown.page
    before = page.evaluate(CELLS)
    page.locator(".aw-gallery").focus()
    for key in ["0", "0", "1", "2", "3", "a", "b", "d", "d", "x", "y", "m", "i", "i", "r", "j"]:
        page.keyboard.press(key)
    page.locator(".aw-find").focus()
    page.keyboard.type("a0b1")
    assert page.locator(".aw-find").input_value() == "a0b1"
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    shown.wait_for(STORED, 6)
    assert page.evaluate(CELLS) == before
    assert page.locator(".jp-Dialog").count() == 0
    types = page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map((w) => w.model.type)"
    )
    assert set(types) == {"code"}


def test_a_reload_shows_the_page_and_its_labels(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("PageDown")
    shown.wait_for(BEGINS_WITH, "obj-024")
    shown.wait_for(PAINTED, 24)
    page.keyboard.type("35")
    shown.wait_for(STORED, 2)
    shown.reload()
    shown.scroll_to(1)
    shown.wait_for(PAINTED, 24)
    shown.wait_for(STORED, 2)
    assert page.evaluate(FIRST) == "obj-024"
    page.locator(".aw-gallery").focus()
    page.keyboard.type("1")
    shown.wait_for(STORED, 3)
    assert shown.json(2)["scores"]["obj-026"] == 1


def test_a_new_ranking_is_offered_and_taken_by_click(shown):
    page = shown.page
    page.locator(".aw-object img").first.click()
    page.keyboard.type("50")
    shown.wait_for(STORED, 2)
    before = page.eval_on_selector_all(".aw-object", "(all) => all.map((o) => o.dataset.objectId)")
    page.locator(".aw-retrain").click()
    offer = page.locator(".aw-offer")
    offer.wait_for(state="visible", timeout=60_000)
    after = page.eval_on_selector_all(".aw-object", "(all) => all.map((o) => o.dataset.objectId)")
    assert after == before
    offer.click()
    offer.wait_for(state="hidden")
    shown.wait_for(STORED, 0)
    assert page.locator(".aw-object").count() == 24


def test_first_pages_are_taken_while_the_rest_is_scored_and_stay(shown):
    page = shown.page
    ids = "(all) => all.map((o) => o.dataset.objectId)"
    page.locator(".aw-object img").first.click()
    page.keyboard.type("50")
    shown.wait_for(STORED, 2)
    shown.run(6)
    shown.scroll_to(1)
    page.locator(".aw-retrain").click()
    offer = page.locator(".aw-offer", has_text="first pages ready, the rest is being scored")
    offer.wait_for(state="visible", timeout=60_000)
    before = page.eval_on_selector_all(".aw-object", ids)
    offer.click()
    page.locator(".aw-offer").wait_for(state="hidden")
    first = page.eval_on_selector_all(".aw-object", ids)
    assert first != before
    assert page.locator(".aw-cancel").is_visible()  # it is still at work
    shown.run(7)
    shown.scroll_to(1)
    page.locator(".aw-cancel").wait_for(state="hidden", timeout=60_000)
    assert page.eval_on_selector_all(".aw-object", ids) == first
    assert page.locator(".aw-offer").is_hidden()
    page.locator(".aw-next-page").click()
    shown.wait_for("(id) => document.querySelector('.aw-object').dataset.objectId !== id", first[0])
    assert not set(first) & set(page.eval_on_selector_all(".aw-object", ids))


def test_a_retrain_starts_by_itself_and_moves_nothing_under_the_pointer(shown):
    page = shown.page
    page.locator(".aw-pace").select_option("10")
    shown.wait_for("() => document.activeElement.matches('.aw-gallery')")
    before = page.eval_on_selector_all(".aw-object", "(all) => all.map((o) => o.dataset.objectId)")
    page.keyboard.type("0500005000")
    page.locator(".aw-offer").wait_for(state="visible", timeout=60_000)
    after = page.eval_on_selector_all(".aw-object", "(all) => all.map((o) => o.dataset.objectId)")
    assert after == before
    page.keyboard.press("PageDown")  # it takes the new ranking
    page.locator(".aw-offer").wait_for(state="hidden")


def test_a_random_sample_is_scored_and_left(shown):
    page = shown.page
    page.locator(".aw-audit").click()
    page.locator(".aw-filter", has_text="showing a random sample of 50").wait_for()
    page.keyboard.type("012")
    shown.wait_for(STORED, 3)
    page.locator(".aw-clear").click()
    page.locator(".aw-filter").wait_for(state="hidden")


def test_two_galleries_stay_in_step(shown):
    shown.run(4)
    shown.wait_for("() => document.querySelectorAll('.aw-gallery').length === 2")
    first, second = (shown.page.locator(".aw-gallery").nth(k) for k in (0, 1))
    first.locator(".aw-object img").nth(3).click()
    shown.page.keyboard.type("4")
    second.locator(".aw-object").nth(3).locator(".aw-badge", has_text="4").wait_for()
    second.locator(".aw-undo").click()
    first.locator(".aw-object").nth(3).locator(".aw-badge").wait_for(state="hidden")


def test_find_jumps_to_an_object_and_a_part_shows_all_that_match(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("/")
    page.keyboard.type("obj-070")
    page.keyboard.press("Enter")
    page.locator(".aw-object[data-object-id='obj-070'][aria-current=true]").wait_for()
    page.locator(".aw-find").fill("j-05")
    page.locator(".aw-find").press("Enter")
    shown.wait_for(PAINTED, 10)
    page.locator(".aw-status", has_text="showing 10 with").wait_for()
    page.locator(".aw-clear").click()
    shown.wait_for("() => document.querySelectorAll('.aw-object').length !== 10")


def test_what_was_found_is_scored_and_left_by_keys_alone(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.type("/j-05")
    page.keyboard.press("Enter")
    page.locator(".aw-status", has_text="showing 10 with").wait_for()
    page.keyboard.type("4")
    shown.wait_for(STORED, 1)
    page.keyboard.press("Escape")
    page.locator(".aw-filter").wait_for(state="hidden")
    shown.wait_for(PAINTED, 24)
    assert shown.json(2)["scores"] == {"obj-050": 4}


def test_the_list_of_keys_is_seen_wherever_the_gallery_is_scrolled_to(shown):
    page = shown.page
    usual = page.viewport_size
    page.set_viewport_size({"width": 700, "height": 500})  # a laptop's, magnified twice
    page.locator(".aw-gallery").focus()
    page.keyboard.press("End")
    page.keyboard.press("?")
    box = page.get_by_role("dialog").bounding_box()
    page.keyboard.press("Escape")
    page.set_viewport_size(usual)
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 500


def test_the_list_of_keys_opens_and_closes(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("3")  # does not score behind the dialog
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("4")
    shown.wait_for(STORED, 1)
    assert list(shown.json(2)["scores"].values()) == [4]


def test_a_dead_kernel_shows_what_is_not_stored(lab_page):
    lab_page.open("dead", [SETUP, SHOW])
    lab_page.run(0)
    lab_page.run(1)
    lab_page.wait_for(PAINTED, 24)
    page = lab_page.page
    lab_page.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.locator(".aw-object img").first.click()
    page.keyboard.type("34")
    lab_page.wait_for(
        "() => document.querySelector('.aw-status').innerText.includes('2 not stored')", timeout=15
    )
    assert page.locator(".aw-object .aw-mark:visible").count() == 2


def test_a_search_that_found_nothing_is_there_to_be_changed(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.type("/obj-0701")
    page.keyboard.press("Enter")
    page.locator(".aw-note", has_text="no object id contains").wait_for()
    page.keyboard.press("/")
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    page.locator(".aw-object[data-object-id='obj-070'][aria-current=true]").wait_for()
    page.keyboard.type("/j-05")  # typed over it
    page.keyboard.press("Enter")
    page.locator(".aw-status", has_text="showing 10 with \u201cj-05\u201d").wait_for()


def test_a_list_of_the_toolbar_keeps_the_focus_while_it_is_gone_through_by_key(shown):
    page = shown.page
    focused = "() => document.activeElement.className"
    page.locator(".aw-per-page").focus()
    before = page.locator(".aw-per-page").input_value()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(200)
        assert page.evaluate(focused) == "aw-per-page"
    assert page.locator(".aw-per-page").input_value() != before
    page.keyboard.press("Escape")
    assert page.evaluate(focused).startswith("aw-gallery")


def test_a_key_that_passes_a_score_for_all_scores_nothing_before_enter(shown):
    page = shown.page
    page.locator(".aw-gallery").focus()
    page.keyboard.type("/j-05")
    page.keyboard.press("Enter")
    page.locator(".aw-status", has_text="showing 10 with").wait_for()
    page.locator(".aw-all").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    assert shown.json(2)["scores"] == {}
    page.locator(".aw-all").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".aw-note", has_text="10 scored 1").wait_for()
    assert set(shown.json(2)["scores"].values()) == {1}
    page.locator(".aw-gallery").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.locator(".aw-foot", has_text="Esc shows all objects again").wait_for()
