"""The map's pointer, without a server and without a kernel."""

import pytest
from bare_page import bare_page

from astronomaly_widgets.widgets._map_view import MODES, MapView

KERNEL = """
window.sent = [];
const state = {
  head: { embedding: "PCA", colors: [["label", "label", ""]], color_by: "label", modes: MODES,
    legend: { scale: null, kinds: [], says: "" }, mode: "point", n_selected: 0,
    palette: ["#000", "#fff"], limits: [0, 5], canvas: true },
  frame: [-1, 1, -1, 1], picture: {}, marks: {},
};
const model = {
  get: (name) => state[name],
  on: (name, listener) => { if (name === "msg:custom") window.receive = listener; },
  off: () => {},
  send(message) {
    window.sent.push(message);
    const answer = { type: "ack", client: message.client, seq: message.seq, found: false };
    if (message.seq) setTimeout(() => window.receive(answer, []));
  },
};
render({ model, el: document.querySelector(".aw-map-view") });
"""


@pytest.fixture
def page(browser):
    content = '<div class="aw-feature-map aw-panel"><div class="aw-map-view"></div></div>'
    script = f"const MODES = {list(MODES)}; {MapView._esm}\n{KERNEL}"
    with bare_page(browser, content, MapView._css, script) as page:
        page.wait_for_timeout(100)
        yield page


def sent(page, kind):
    page.wait_for_timeout(120)  # messages leave after a frame
    return [message for message in page.evaluate("() => window.sent") if message["type"] == kind]


def test_the_map_tells_what_the_pointer_is_over_after_a_drag_that_ended_beside_it(page):
    box = page.locator(".aw-feature-map canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] + 200)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] + 200, steps=4)
    page.mouse.up()
    before = len(sent(page, "hover"))
    page.mouse.move(x + 40, y, steps=3)
    assert len(sent(page, "hover")) > before > 0
    assert sent(page, "click") == []
