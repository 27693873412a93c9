"""The inspector's stretch: what the screen shows, and that no kernel is asked; no server needed."""

import io

import numpy as np
import pytest
from inspector_page import SIDE, enlarge, inspector_page, sent
from PIL import Image


@pytest.fixture
def page(browser):
    with inspector_page(browser) as page:
        yield page


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
    enlarge(page)
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
    enlarge(page)
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
    enlarge(page)
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
