"""A stand-in for the browser's end of a widget: no kernel, no browser."""

from contextlib import suppress

import ipywidgets.widgets.widget as ipywidgets_widget
import pytest

from astronomaly_widgets.widgets import feature_map
from astronomaly_widgets.widgets.inspector import Inspector


class FakeComm:
    """Keeps what a widget sends; has no `kernel` attribute, or ipywidgets would send nothing."""

    comm_id = "fake"

    def __init__(self, **opening):
        self.sent = [{"method": "open", **opening["data"], "buffers": opening.get("buffers")}]
        self._receive = None

    def send(self, data=None, metadata=None, buffers=None):
        self.sent.append({**data, "buffers": buffers})

    def on_msg(self, callback):
        self._receive = callback

    def on_close(self, callback):
        pass

    def close(self, *args, **kwargs):
        pass

    def receive(self, **content):
        """What a browser's ``model.send(content)`` does."""
        self._receive(
            {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        )

    def messages(self, kind=None):
        """Contents of the custom messages sent so far, oldest first."""
        contents = [sent["content"] for sent in self.sent if sent["method"] == "custom"]
        return [content for content in contents if kind in (None, content["type"])]


class View:
    """A well-behaved view: numbers its messages as channel.js does, and expects an answer."""

    def __init__(self, comm, client="view-1"):
        self.comm, self.client, self.seq = comm, client, 0

    def hello(self):
        self.comm.receive(type="hello", client=self.client, oldest=self.seq + 1)
        return self.comm.messages("hello")[-1]

    def send(self, kind, **fields):
        self.seq += 1
        self.comm.receive(type=kind, client=self.client, seq=self.seq, oldest=self.seq, **fields)
        return self.answer(self.seq)

    def answer(self, seq):
        answers = [
            message
            for message in self.comm.messages()
            if message.get("client") == self.client and message.get("seq") == seq
        ]
        return answers[-1] if answers else None


@pytest.fixture(autouse=True)
def _no_kernel(monkeypatch):
    monkeypatch.setattr(ipywidgets_widget.comm, "create_comm", FakeComm)
    yield
    for widget in list(ipywidgets_widget._instances.values()):
        with suppress(AttributeError):
            widget.close()


@pytest.fixture
def view_of():
    """Open a view on a widget: ``view_of(widget).send("score", ...)``."""
    return lambda widget, client="view-1": View(widget.comm, client)


# maps of a test file's own `session`


@pytest.fixture(params=["marks", "canvas"])
def any_map(request, session, monkeypatch):
    """Both renderers, on the same objects: one behavior."""
    monkeypatch.setattr(feature_map, "MOST_MARKS", 5_000 if request.param == "marks" else 10)
    made = feature_map.FeatureMap(session)
    yield made
    made.close()


@pytest.fixture
def marks_map(session):
    made = feature_map.FeatureMap(session)
    yield made
    made.close()


@pytest.fixture
def canvas_map(session, monkeypatch):
    monkeypatch.setattr(feature_map, "MOST_MARKS", 10)
    made = feature_map.FeatureMap(session)
    yield made
    made.close()


@pytest.fixture
def inspector(session):
    """The inspector of a module's own session."""
    made = Inspector(session)
    yield made
    made.close()
