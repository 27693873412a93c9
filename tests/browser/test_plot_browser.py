"""The inspector's plot of a light curve or a spectrum, without a server and without a kernel."""

import base64
import json

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.session import Session
from astronomaly_widgets.sources import LightCurves, Spectra
from astronomaly_widgets.widgets import Inspector

KERNEL = """
window.sent = [];
window.listeners = {};
const decoded = (plot) => plot && Object.fromEntries(Object.entries(plot).map(([name, value]) => {
  if (!["x", "y", "error", "band"].includes(name)) return [name, value];
  const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  return [name, new DataView(bytes.buffer)];
}));
window.state = {
  record: null,
  label: { object_id: "a", score: null, tags: [], comment: "" },
  neighbors: { object_id: "a", objects: [] },
};
const model = {
  get: (name) => window.state[name],
  on: (name, listener) => { window.listeners[name] = listener; },
  off: () => {},
  send: (message) => { if (message.type !== "hello") window.sent.push(message); },
};
window.put = (record) => {
  window.state.record = { ...record, plot: decoded(record.plot) };
  window.listeners["change:record"]?.();
};
window.put(RECORD);
render({ model, el: document.querySelector(".aw-inspector") });
"""


def record_of(source, object_id="a", catalog=None):
    """What an inspector sends of an object, its bytes as text."""
    X = np.random.default_rng(0).normal(size=(len(source), 3))
    session = Session(X, list(source.object_ids), source=source, catalog=catalog)
    inspector = Inspector(session)
    session.current_id = object_id
    inspector._refresher.flush()
    record = dict(inspector.record)
    inspector.close()
    session.close()
    record["plot"] = {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in record["plot"].items()
    }
    return record


def stars(**options):
    """A sine of 2.5 days in two bands, and an object b."""
    time = np.sort(np.random.default_rng(0).uniform(0, 60, 80))
    table = pd.DataFrame(
        {
            "id": "a",
            "mjd": time,
            "mag": 18 + np.sin(2 * np.pi * time / 2.5),
            "magerr": 0.1,
            "band": ["g", "r"] * 40,
        }
    )
    return LightCurves(pd.concat([table, table.assign(id="b")]), **options)


@pytest.fixture
def show(browser):
    """Open a large inspector of a record; the page must end without an error."""
    context = browser.new_context(viewport={"width": 1000, "height": 720})
    errors = []

    def opened(record):
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content('<div class="aw-inspector aw-panel"></div>')
        page.add_style_tag(content=Inspector._css)
        script = Inspector._esm.replace("export default { render };", "")
        page.add_script_tag(
            content=f"{{ const RECORD = {json.dumps(record)}; {script}\n{KERNEL} }}"
        )
        page.locator(".aw-inspector-enlarge").click()
        page.wait_for_timeout(100)
        return page

    yield opened
    context.close()
    assert errors == []


def drawn(page):
    """The picture on the canvas, as text."""
    page.wait_for_timeout(60)
    return page.locator(".aw-plot-canvas").evaluate("(canvas) => canvas.toDataURL()")


def colored(page, color):
    """How many pixels have a color, and the mean of their columns, 0 to 1."""
    page.wait_for_timeout(60)
    return page.locator(".aw-plot-canvas").evaluate(
        """(canvas, color) => {
          const wanted = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let n = 0, sum = 0;
          for (let k = 0; k < data.length; k += 4) {
            const near = wanted.every((value, c) => Math.abs(data[k + c] - value) < 12);
            if (near) { n += 1; sum += (k / 4) % canvas.width / canvas.width; }
          }
          return [n, sum / n];
        }""",
        color,
    )


def nothing_sent(page):
    page.wait_for_timeout(120)
    return page.evaluate("() => window.sent") == []


def test_a_light_curve_is_drawn_in_the_colors_of_its_bands(show):
    record = record_of(stars())
    page = show(record)
    assert page.locator(".aw-inspector-picture").is_hidden()
    assert page.locator(".aw-plot-canvas").get_attribute("aria-label") == (
        "light curve of a: 80 points"
    )
    for color in record["plot"]["colors"]:
        assert colored(page, color)[0] > 200


def test_a_band_can_be_hidden_and_stays_hidden_for_the_next_object(show):
    record = record_of(stars())
    page = show(record)
    page.locator(".aw-plot-band[data-band=g]").click()
    blue, red = record["plot"]["colors"]
    assert colored(page, blue)[0] < 40  # its button has the color, not the canvas
    assert colored(page, red)[0] > 200
    page.evaluate("(record) => window.put(record)", {**record, "key": 99, "object_id": "b"})
    assert page.locator(".aw-plot-band[data-band=g]").get_attribute("aria-pressed") == "false"
    assert colored(page, blue)[0] < 40
    assert nothing_sent(page)


def test_the_only_band_of_an_object_is_shown_though_it_was_hidden_before(show):
    record = record_of(stars())
    page = show(record)
    page.locator(".aw-plot-band[data-band=r]").click()
    table = pd.DataFrame({"id": "b", "mjd": np.arange(40.0), "mag": 18.0, "band": "r"})
    lone = record_of(LightCurves(pd.concat([table, table.assign(id="c")])), "b")
    page.evaluate("(record) => window.put(record)", {**lone, "key": 99})
    assert page.locator(".aw-plot-band").count() == 0
    assert colored(page, lone["plot"]["colors"][0])[0] > 200
    page.evaluate("(record) => window.put(record)", {**record, "key": 100})
    assert page.locator(".aw-plot-band[data-band=r]").get_attribute("aria-pressed") == "false"


def test_it_folds_at_the_period_of_the_catalog_without_asking_the_kernel(show):
    catalog = pd.DataFrame({"period": [2.5, 2.5]}, index=["a", "b"])
    page = show(record_of(stars(), catalog=catalog))
    period = page.locator(".aw-plot-period")
    assert period.is_hidden()
    flat = drawn(page)
    page.keyboard.press("f")
    assert drawn(page) != flat
    assert period.input_value() == "2.5"
    page.locator("[aria-label='twice the period']").click()
    assert period.input_value() == "5"
    period.fill("1.25")
    period.press("Enter")
    once = drawn(page)
    page.locator(".aw-plot-fine").evaluate(
        "(slider) => { slider.value = 0.5; slider.dispatchEvent(new Event('input')); }"
    )
    assert drawn(page) != once
    assert float(period.input_value()) == pytest.approx(1.25, rel=0.02)
    assert float(period.input_value()) != 1.25
    period.fill("nonsense")
    period.press("Enter")
    assert float(period.input_value()) == pytest.approx(1.25, rel=0.02)
    page.locator(".aw-plot-fold").click()
    assert drawn(page) == flat
    assert nothing_sent(page)


def test_what_the_source_knows_a_period_of_is_folded_at_once(show):
    page = show(record_of(stars(period={"a": 2.5})))
    assert page.locator(".aw-plot-fold").get_attribute("aria-pressed") == "true"
    assert page.locator(".aw-plot-period").input_value() == "2.5"
    page.locator(".aw-plot-fold").click()
    assert page.locator(".aw-plot-period").is_hidden()


def test_wheel_drag_and_double_click_zoom_move_and_reset(show):
    page = show(record_of(stars()))
    whole = drawn(page)
    box = page.locator(".aw-plot-canvas").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.wheel(0, -500)
    zoomed = drawn(page)
    assert zoomed != whole
    page.mouse.down()
    page.mouse.move(middle[0] + 80, middle[1] + 20)
    page.mouse.up()
    assert drawn(page) != zoomed
    page.mouse.dblclick(*middle)
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    assert drawn(page) == whole
    page.keyboard.press("+")
    assert drawn(page) != whole
    page.keyboard.press("-")
    assert drawn(page) == whole
    assert nothing_sent(page)


def test_the_point_under_the_pointer_is_told_with_its_error(show):
    table = pd.DataFrame(
        {"id": "a", "mjd": [1.0, 2, 3], "flux": [1.0, 2, 3], "error": [0.5, 0.25, 0.125]}
    )
    source = LightCurves(pd.concat([table, table.assign(id="b")]))
    page = show(record_of(source))
    box = page.locator(".aw-plot-canvas").bounding_box()
    x = box["x"] + (66 + box["width"] - 12) / 2
    y = box["y"] + (10 + box["height"] - 76) / 2
    page.mouse.move(x, y)
    assert page.locator(".aw-plot-readout").text_content() == "2  2 ± 0.25"
    page.mouse.move(x + 60, y)
    assert page.locator(".aw-plot-readout").text_content() == ""


def test_numbers_at_the_axes_are_what_they_say(show):
    page = show(record_of(stars()))
    wrong = page.evaluate(
        """() => {
          const wrong = [];
          for (let span = 0.013; span < 9e4; span *= 1.17) {
            for (const low of [0, -0.4 * span, 17.23]) {
              const { ticks, step } = plotTicks(low, low + span, 9);
              for (const value of ticks) {
                const text = plotNumber(value, step);
                if (Math.abs(Number(text) - value) > 1e-6 * step) wrong.push([text, value]);
              }
            }
          }
          return wrong;
        }"""
    )
    assert wrong == []


def test_a_spectrum_is_a_line_with_its_wavelengths(show):
    axis = np.linspace(4000, 7000, 300)
    source = Spectra({name: (axis, 1 + (axis > 5500), np.full(300, 0.1)) for name in "ab"})
    record = record_of(source)
    page = show(record)
    assert page.locator(".aw-plot-fold").is_hidden()
    assert colored(page, record["plot"]["colors"][0])[0] > 300
    page.keyboard.press("f")
    box = page.locator(".aw-plot-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    words = page.locator(".aw-plot-readout").text_content()
    assert 5300 < float(words.split()[0]) < 5700
    assert words.endswith("± 0.10")


def test_the_compact_plot_fits_its_place(show):
    page = show(record_of(stars()))
    page.keyboard.press("Escape")
    page.wait_for_timeout(100)
    box = page.locator(".aw-plot").bounding_box()
    assert (round(box["width"]), round(box["height"])) == (132, 132)
    assert page.locator(".aw-plot-fold").is_hidden()
    assert colored(page, "#56b4e9")[0] > 20
