"""The inspector's fields, its keys, and where the focus goes; no server needed."""

import pytest
from inspector_page import enlarge, inspector_page, labeled, press_key, sent

from astronomaly_widgets.widgets import Gallery


@pytest.fixture
def page(browser):
    with inspector_page(browser) as page:
        yield page


@pytest.fixture
def scored(page):
    """A page that shows object-1, which was scored 2 before."""
    page.evaluate("""() => {
      window.state.label = { ...window.state.label, score: 2 };
      window.listeners["change:label"]();
    }""")
    return page


def test_a_tag_without_enter_is_stored_when_its_field_is_left(scored):
    scored.locator(".aw-inspector-new-tag").press_sequentially("merger")
    scored.locator(".aw-inspector-id").click()
    assert labeled(scored) == [("object-1", 2, ["merger"], "")]
    assert scored.locator(".aw-inspector-new-tag").input_value() == ""


def test_what_is_being_typed_stays_with_its_object(scored):
    scored.locator(".aw-inspector-new-tag").press_sequentially("merger")
    scored.evaluate("() => window.next()")
    scored.locator(".aw-inspector-comment").press_sequentially("two cores")
    scored.evaluate("() => window.next()")
    assert scored.locator(".aw-inspector-new-tag").input_value() == ""
    assert scored.locator(".aw-inspector-comment").input_value() == ""
    scored.locator(".aw-score[data-score='4']").click()
    assert labeled(scored) == [
        ("object-1", 2, ["merger"], ""),
        ("object-2", 2, [], "two cores"),
        ("object-3", 4, [], ""),
    ]


def test_a_second_tag_can_be_typed_while_the_first_is_stored(scored):
    field = scored.locator(".aw-inspector-new-tag")
    field.press_sequentially("ring")
    field.press("Enter")
    scored.evaluate("""() => {
      window.state.label = { ...window.state.label, tags: ["ring"] };
      window.listeners["change:label"]();
    }""")
    scored.keyboard.type("merger")
    scored.keyboard.press("Enter")
    assert [tags for _, _, tags, _ in labeled(scored)] == [["ring"], ["ring", "merger"]]


def test_number_pad_arrows_step_and_do_not_score(page):
    enlarge(page)
    press_key(page, key="ArrowLeft", code="Numpad4")  # NumLock is off
    assert [(message["type"], message.get("by")) for message in sent(page)] == [("step", -1)]
    press_key(page, key="4", code="Numpad4")
    assert [score for _, score, _, _ in labeled(page)] == [4]


def test_a_key_that_is_held_down_scores_one_object(page):
    enlarge(page)
    press_key(page, key="3", code="Digit3")
    for _ in range(3):
        page.evaluate("() => window.next()")
        press_key(page, key="3", code="Digit3", repeat=True)
    assert [object_id for object_id, *_ in labeled(page)] == ["object-1"]


def press_band(page):
    page.evaluate("""() => {
      window.state.record = { ...window.state.record, key: 2, bands: ["g", "r"], band: null };
      window.listeners["change:record"]();
    }""")
    page.locator(".aw-inspector-band", has_text="r").click()
    page.evaluate("""() => {
      window.state.record = { ...window.state.record, key: 3, band: 1 };
      window.listeners["change:record"]();
    }""")


def press_neighbor(page):
    page.evaluate("""() => {
      const picture = new DataView(new ArrayBuffer(1));
      const objects = [{ object_id: "object-2", score: null, picture }];
      window.state.neighbors = { object_id: "object-1", objects };
      window.listeners["change:neighbors"]();
    }""")
    page.locator(".aw-neighbor").click()
    page.evaluate("""() => {
      window.next();
      window.state.neighbors = { object_id: "object-2", objects: [] };
      window.listeners["change:neighbors"]();
    }""")


def remove_tag(page):
    page.evaluate("""() => {
      window.state.label = { ...window.state.label, tags: ["arc"] };
      window.listeners["change:label"]();
    }""")
    page.locator("[aria-label='remove the tag arc']").click()


@pytest.mark.parametrize("press", [press_band, press_neighbor, remove_tag])
def test_a_digit_scores_after_a_button_was_pressed_that_goes(page, press):
    enlarge(page)
    press(page)
    page.keyboard.press("3")
    assert [score for _, score, _, _ in labeled(page)] == [3]


def test_a_late_answer_takes_back_that_there_was_none(page):
    page.locator(".aw-score[data-score='3']").click()
    status = page.locator(".aw-inspector-status")
    status.filter(has_text="1 not stored yet").wait_for(timeout=10_000)
    page.evaluate("""() => {
      const { client, seq } = window.sent.at(-1);
      window.listeners["msg:custom"]({ type: "ack", client, seq }, []);
    }""")
    assert status.inner_text() == ""


def test_only_one_view_that_is_seen_is_enlarged(page):
    page.evaluate("""() => {
      const first = document.querySelector(".aw-inspector");
      window.views = [window.listeners["msg:custom"]];
      for (let k = 0; k < 2; k++) {
        const el = document.createElement("div");
        el.className = "aw-inspector aw-panel";
        document.body.append(el);
        window.open_view(el);
        window.views.push(window.listeners["msg:custom"]);
      }
      first.style.display = "none"; // its tab lies behind another
      for (const receive of window.views) receive({ type: "enlarge" }, []);
    }""")
    opened = page.locator(".aw-inspector").evaluate_all(
        "(all) => all.map((el) => el.querySelector('dialog').open)"
    )
    assert opened == [False, True, False]
    page.keyboard.press("3")
    assert [score for _, score, _, _ in labeled(page)] == [3]


def test_the_focus_comes_back_to_the_button_that_enlarged(page):
    button = page.locator(".aw-inspector-enlarge")
    button.press("Enter")
    page.get_by_role("dialog", name="inspector").wait_for()
    assert button.get_attribute("aria-label") == "close (Escape)"
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.className === 'aw-inspector-enlarge'")
    assert button.get_attribute("aria-label") == "show large"


def test_what_takes_the_focus_of_a_click_has_it_again_after_escape(page):
    page.evaluate("""() => {
      const beside = document.createElement("div");
      beside.tabIndex = 0;
      document.body.append(beside);
      document.addEventListener("click", () => beside.focus()); // as the gallery of a dashboard
      window.beside = beside;
    }""")
    enlarge(page)
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement === window.beside")


@pytest.mark.parametrize("told", [{"isComposing": True}, {"keyCode": 229}])
def test_enter_that_ends_a_composed_word_does_not_end_the_tag(page, told):
    tag = page.locator(".aw-inspector-new-tag")
    tag.fill("にほ")
    tag.evaluate(
        "(field, told) => field.dispatchEvent("
        "new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, ...told }))",
        told,
    )
    assert tag.input_value() == "にほ"
    tag.press("Enter")
    assert tag.input_value() == ""


def test_enter_that_ends_a_composed_word_does_not_search_in_the_gallery(browser):
    page = browser.new_page()
    script = Gallery._esm.replace("export default { render };", "")
    page.add_script_tag(
        content=f"""{{ {script}
          window.found = [];
          const head = makeHead({{ find: (text) => window.found.push(text) }});
          document.body.append(head.root);
          for (const isComposing of [true, false]) {{
            head.find.value = isComposing ? "NG" : "NGC 1300";
            const enter = {{ key: "Enter", isComposing }};
            head.find.dispatchEvent(new KeyboardEvent("keydown", enter));
          }}
        }}"""
    )
    assert page.evaluate("() => window.found") == ["NGC 1300"]
    page.close()


def test_a_comment_that_is_being_typed_is_kept_when_its_tab_is_left_or_closed(scored):
    scored.locator(".aw-inspector-comment").press_sequentially("two cores")
    scored.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    assert labeled(scored) == [("object-1", 2, [], "two cores")]


def test_a_comment_that_is_being_typed_is_kept_when_the_output_is_cleared(scored):
    scored.locator(".aw-inspector-comment").press_sequentially("a ring")
    scored.evaluate("() => window.close_view()")
    assert labeled(scored) == [("object-1", 2, [], "a ring")]
