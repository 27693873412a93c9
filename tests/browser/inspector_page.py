"""A page with an inspector, whose kernel takes everything; no server needed."""

from __future__ import annotations

import base64
import io
from contextlib import contextmanager

import numpy as np
from bare_page import bare_page
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
window.close_view = window.open_view(document.querySelector(".aw-inspector"));
"""


def ramp():
    """A picture that rises from black at the left to white at the right."""
    levels = np.tile(np.arange(SIDE, dtype=np.uint8) * 2, (SIDE, 1))
    file = io.BytesIO()
    Image.fromarray(np.dstack([levels] * 3)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@contextmanager
def inspector_page(browser):
    """Open a page that must end without an error."""
    content = '<div class="aw-inspector aw-panel"></div>'
    script = f'const PICTURE = "{ramp()}"; {SCRIPTS}\n{KERNEL}'
    with bare_page(browser, content, SHEETS, script, width=900) as page:
        page.wait_for_function("() => document.querySelector('.aw-inspector-picture img').complete")
        yield page


def enlarge(page):
    """Show the inspector large; the dialog opens after the click has been dealt with."""
    page.locator(".aw-inspector-enlarge").click()
    page.get_by_role("dialog", name="inspector").wait_for()


def sent(page):
    """What the kernel got."""
    page.wait_for_timeout(120)  # messages leave after a frame
    return page.evaluate("() => window.sent")


def labeled(page):
    """Object, score, tags and comment of the labels that were sent, in order."""
    return [
        (message["object_id"], message["score"], message["tags"], message["comment"])
        for message in sent(page)
        if message["type"] == "label"
    ]


def press_key(page, **event):
    page.locator(".aw-inspector-body").evaluate(
        "(body, event) => body.dispatchEvent(new KeyboardEvent('keydown', "
        "{ ...event, bubbles: true, cancelable: true }))",
        event,
    )
