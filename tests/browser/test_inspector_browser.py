"""The inspector's stretch: what the screen shows, and that no kernel is asked; no server needed."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from astronomaly_widgets.widgets import Inspector

SCRIPTS, SHEETS = Inspector._esm, Inspector._css
SIDE = 128
# a model whose kernel takes everything; window.sent is what it got
KERNEL = """
window.sent = [];
window.listeners = {};
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const shows = (key) => ({
  key, object_id: `object-${key}`, picture: bytes(PICTURE), mime: "image/png", sky: null,
  facts: [], catalog: [], features: [], n_features: 0,
});
window.state = {
  record: shows(1),
  label: { object_id: "object-1", score: null, tags: [], comment: "" },
  neighbors: { object_id: "object-1", objects: [] },
};
const model = {
  get: (name) => state[name],
  on: (name, listener) => { window.listeners[name] = listener; },
  off: () => {},
  send: (message) => { if (message.type !== "hello") window.sent.push(message); },
};
window.next = () => {
  state.record = shows(state.record.key + 1);
  state.label = { ...state.label, object_id: state.record.object_id };
  window.listeners["change:record"]();
};
window.open_view = (el) => render({ model, el });
window.open_view(document.querySelector(".aw-inspector"));
"""


def ramp():
    """A picture that rises from black at the left to white at the right."""
    levels = np.tile(np.arange(SIDE, dtype=np.uint8) * 2, (SIDE, 1))
    file = io.BytesIO()
    Image.fromarray(np.dstack([levels] * 3)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 900, "height": 700})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content('<div class="aw-inspector aw-panel"></div>')
    page.add_style_tag(content=SHEETS)
    script = SCRIPTS.replace("export default { render };", "")
    page.add_script_tag(content=f'{{ const PICTURE = "{ramp()}"; {script}\n{KERNEL} }}')
    page.wait_for_function("() => document.querySelector('.aw-inspector-picture img').complete")
    yield page
    context.close()
    assert errors == []


def open_panel(page):
    page.locator(".aw-inspector-picture").hover()
    page.locator(".aw-stretch-open").click()


def slide(page, **values):
    for name, value in values.items():
        page.locator(f"input[data-name={name}]").evaluate(
            "(slider, value) => { slider.value = value;"
            "slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            value,
        )


def seen(page):
    """Levels on the screen, 0 to 1, along the upper edge of the picture."""
    box = page.locator(".aw-inspector-picture").bounding_box()
    shot = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("L")
    row = np.asarray(shot, float)[4] / 255
    at = (np.arange(len(row)) + 0.5) / len(row) * SIDE
    return np.interp(np.arange(SIDE) + 0.5, at, row)[4:-4]


LEVELS = (np.arange(SIDE) * 2 / 255)[4:-4]


def press(page, words):
    """Press a button, also one that is for large pictures only."""
    page.locator(f"[aria-label='{words}']").evaluate("(button) => button.click()")


def filter_of(page):
    return page.locator(".aw-inspector-picture img").evaluate("(image) => image.style.filter")


def sent(page):
    page.wait_for_timeout(120)  # messages leave after a frame
    return page.evaluate("() => window.sent")


def test_a_picture_is_shown_as_it_came_until_it_is_stretched(page):
    assert filter_of(page) == ""
    np.testing.assert_allclose(seen(page), LEVELS, atol=0.02)
    open_panel(page)
    assert filter_of(page) == ""


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"black": 0.3}, lambda x: (x - 0.3) / 0.7),
        ({"white": 0.5}, lambda x: x / 0.5),
        ({"black": 0.2, "white": 0.6}, lambda x: (x - 0.2) / 0.4),
        ({"curve": 0.5}, lambda x: np.arcsinh(np.expm1(3.5) * x) / np.arcsinh(np.expm1(3.5))),
        ({"curve": -0.3}, lambda x: np.sinh(np.arcsinh(np.expm1(2.1)) * x) / np.expm1(2.1)),
        ({"black": 0.9, "white": 0.1}, lambda x: x > 0.9),
    ],
)
def test_the_screen_shows_the_curve(page, values, wanted):
    open_panel(page)
    slide(page, **values)
    shown = np.clip(wanted(LEVELS), 0, 1)
    steep = np.convolve(np.abs(np.gradient(shown)) > 0.1, np.ones(3), "same") > 0
    np.testing.assert_allclose(seen(page)[~steep], shown[~steep], atol=0.05)


def test_inverted_is_dark_on_bright(page):
    open_panel(page)
    press(page, "dark on bright")
    np.testing.assert_allclose(seen(page), 1 - LEVELS, atol=0.02)


def test_the_kernel_is_not_asked_while_sliders_move(page):
    open_panel(page)
    for step in np.linspace(0, 0.9, 40):
        slide(page, black=step, curve=step)
    page.get_by_role("button", name="show it as it came").click()
    assert sent(page) == []


def test_reset_shows_it_as_it_came(page):
    open_panel(page)
    slide(page, black=0.3, white=0.7, curve=0.5)
    press(page, "dark on bright")
    page.get_by_role("button", name="show it as it came").click()
    assert filter_of(page) == ""
    assert [page.locator(f"input[data-name={n}]").input_value() for n in ("black", "white")] == [
        "0", "1",
    ]  # fmt: skip
    np.testing.assert_allclose(seen(page), LEVELS, atol=0.02)


def test_the_next_object_is_stretched_alike(page):
    open_panel(page)
    slide(page, white=0.5)
    page.evaluate("() => window.next()")
    page.wait_for_function("() => document.querySelector('.aw-inspector-picture img').complete")
    assert page.locator(".aw-inspector-id").inner_text() == "object-2"
    np.testing.assert_allclose(seen(page), np.clip(2 * LEVELS, 0, 1), atol=0.05)


def test_the_keys_score_again_after_the_mouse_has_let_go(page):
    page.locator(".aw-inspector-enlarge").click()
    open_panel(page)
    slider = page.locator("input[data-name=curve]").bounding_box()
    page.mouse.move(slider["x"] + slider["width"] / 2, slider["y"] + slider["height"] / 2)
    page.mouse.down()
    page.mouse.move(slider["x"] + slider["width"] * 0.8, slider["y"] + slider["height"] / 2)
    page.mouse.up()
    assert float(page.locator("input[data-name=curve]").input_value()) > 0.4
    assert sent(page) == []
    page.keyboard.press("3")
    assert [(message["type"], message.get("score")) for message in sent(page)][:1] == [("label", 3)]


def test_a_slider_with_the_focus_has_the_arrow_keys(page):
    page.locator(".aw-inspector-enlarge").click()
    open_panel(page)
    page.locator("input[data-name=black]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.locator("input[data-name=black]").input_value() == "0.05"
    assert sent(page) == []


def test_a_wheel_over_the_sliders_does_not_zoom(page):
    open_panel(page)
    place = page.locator(".aw-stretch-panel").bounding_box()
    page.mouse.move(place["x"] + 20, place["y"] + 10)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    zoomed = page.locator(".aw-inspector-picture").get_attribute("class")
    assert "aw-zoomed" not in zoomed


def test_a_band_is_asked_for_and_its_picture_keeps_the_place(page):
    page.evaluate("""() => {
      window.state.record = { ...window.state.record, key: 50, bands: ["g", "r"], band: null };
      window.state.record.object_id = "object-50";
      window.listeners["change:record"]();
    }""")
    page.locator(".aw-inspector-enlarge").click()
    page.keyboard.press("+")
    place = page.locator(".aw-inspector-picture img").evaluate("(image) => image.style.transform")
    page.locator(".aw-inspector-band", has_text="r").click()
    page.wait_for_timeout(120)
    (message,) = page.evaluate("() => window.sent")
    assert (message["type"], message["band"]) == ("band", 1)
    page.evaluate("""() => {
      window.state.record = { ...window.state.record, key: 51, band: 1 };
      window.listeners["change:record"]();
    }""")
    image = page.locator(".aw-inspector-picture img")
    assert image.get_attribute("alt") == "picture of object-50, band r"
    assert image.evaluate("(image) => image.style.transform") == place
    pressed = page.locator(".aw-inspector-band[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["r"]


def test_a_position_is_there_in_degrees_and_sexagesimal_and_can_be_copied(page):
    page.evaluate(
        """() => {
          const sky = { ra: "150.1234567", dec: "-2.2057831", copy: "150.1234567 -2.2057831",
            sexagesimal: "10:00:29.629608 -02:12:20.81916",
            links: [["Archive", "https://example.org/?ra=150.1234567"]] };
          window.state.record = { ...window.state.record, key: 9, sky };
          window.listeners["change:record"]();
          Object.defineProperty(navigator, "clipboard", { configurable: true,
            value: { writeText: (text) => { window.copied = text; return Promise.resolve(); } } });
        }"""
    )
    sky = page.locator(".aw-inspector-sky")
    assert sky.locator(".aw-inspector-where").all_inner_texts() == [
        "RA 150.1234567° Dec -2.2057831°",
        "10:00:29.629608 -02:12:20.81916",
    ]
    page.locator(".aw-inspector-copy").click()
    assert page.evaluate("() => window.copied") == "150.1234567 -2.2057831"
    link = page.locator(".aw-inspector-links a")
    assert (link.get_attribute("href"), link.get_attribute("target")) == (
        "https://example.org/?ra=150.1234567",
        "_blank",
    )


def test_without_a_clipboard_the_position_is_selected_to_be_copied_by_hand(page):
    page.evaluate(
        """() => {
          const sky = { ra: "1.5", dec: "+2.5", copy: "1.5 2.5", sexagesimal: "", links: [] };
          window.state.record = { ...window.state.record, key: 9, sky };
          window.listeners["change:record"]();
          Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
        }"""
    )
    page.locator(".aw-inspector-copy").click()
    assert page.evaluate("() => getSelection().toString()") == "RA 1.5° Dec +2.5°"


def labeled(page):
    """Object, score, tags and comment of the labels that were sent, in order."""
    return [
        (message["object_id"], message["score"], message["tags"], message["comment"])
        for message in sent(page)
        if message["type"] == "label"
    ]


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


def press_key(page, **event):
    page.locator(".aw-inspector-body").evaluate(
        "(body, event) => body.dispatchEvent(new KeyboardEvent('keydown', "
        "{ ...event, bubbles: true, cancelable: true }))",
        event,
    )


def test_number_pad_arrows_step_and_do_not_score(page):
    page.locator(".aw-inspector-enlarge").click()
    press_key(page, key="ArrowLeft", code="Numpad4")  # NumLock is off
    assert [(message["type"], message.get("by")) for message in sent(page)] == [("step", -1)]
    press_key(page, key="4", code="Numpad4")
    assert [score for _, score, _, _ in labeled(page)] == [4]


def test_a_key_that_is_held_down_scores_one_object(page):
    page.locator(".aw-inspector-enlarge").click()
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
    page.locator(".aw-inspector-enlarge").click()
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
    enlarge = page.locator(".aw-inspector-enlarge")
    enlarge.press("Enter")
    page.get_by_role("dialog", name="inspector").wait_for()
    assert enlarge.get_attribute("aria-label") == "close (Escape)"
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.className === 'aw-inspector-enlarge'")
    assert enlarge.get_attribute("aria-label") == "show large"


def test_what_takes_the_focus_of_a_click_has_it_again_after_escape(page):
    page.evaluate("""() => {
      const beside = document.createElement("div");
      beside.tabIndex = 0;
      document.body.append(beside);
      document.addEventListener("click", () => beside.focus()); // as the gallery of a dashboard
      window.beside = beside;
    }""")
    page.locator(".aw-inspector-enlarge").click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement === window.beside")
