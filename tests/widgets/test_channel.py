import sys
import threading
from contextvars import ContextVar
from types import SimpleNamespace

import ipywidgets
import pytest

from astronomaly_widgets.widgets._channel import Channel, in_words
from astronomaly_widgets.widgets._static import bundle


@pytest.fixture
def session():
    return SimpleNamespace(last_error=None)


@pytest.fixture
def widget():
    return ipywidgets.DOMWidget()


@pytest.fixture
def heard():
    return []


@pytest.fixture
def channel(widget, session, heard):
    def note(message):
        heard.append(message["word"])
        return {"echo": message["word"], "event_id": message["event_id"]}

    def fail(_message):
        raise KeyError("no object called 'x'")

    return Channel(widget, session, {"note": note, "fail": fail}, hello=lambda: {"n": len(heard)})


def test_a_message_is_handled_and_answered(channel, widget, view_of, heard):
    reply = view_of(widget).send("note", word="a")
    assert heard == ["a"]
    assert (reply["type"], reply["echo"], reply["event_id"]) == ("ack", "a", "view-1-1")


def test_a_computing_cell_hands_the_interpreter_over_in_a_millisecond(channel):
    assert sys.getswitchinterval() <= 1e-3


def test_a_message_sent_again_is_answered_again_but_handled_once(channel, widget, view_of, heard):
    view = view_of(widget)
    first = view.send("note", word="a")
    widget.comm.receive(type="note", client="view-1", seq=1, oldest=1, word="a")
    assert heard == ["a"]
    assert widget.comm.messages("ack") == [first, first]


def test_a_message_that_overtook_a_lost_one_waits_for_it(channel, widget, heard):
    comm = widget.comm
    comm.receive(type="note", client="v", seq=2, oldest=1, word="b")
    assert heard == []
    assert comm.messages() == [{"type": "gap", "client": "v", "expected": 1}]
    comm.receive(type="note", client="v", seq=1, oldest=1, word="a")
    comm.receive(type="note", client="v", seq=2, oldest=1, word="b")
    assert heard == ["a", "b"]


def test_a_view_that_was_forgotten_goes_on_where_it_is(channel, widget, heard):
    widget.comm.receive(type="note", client="v", seq=40, oldest=39, word="later")
    assert heard == []
    widget.comm.receive(type="note", client="v", seq=39, oldest=39, word="now")
    assert heard == ["now"]


def test_views_are_numbered_apart(channel, widget, view_of, heard):
    view_of(widget, "one").send("note", word="a")
    view_of(widget, "two").send("note", word="b")
    assert heard == ["a", "b"]


def test_an_error_is_said_in_words_and_kept(channel, widget, session, view_of):
    reply = view_of(widget).send("fail")
    assert reply["type"] == "nack"
    assert reply["error"] == "no object called 'x'"
    assert isinstance(session.last_error, KeyError)


def test_after_an_error_the_next_message_is_handled(channel, widget, view_of, heard):
    view = view_of(widget)
    view.send("fail")
    assert view.send("note", word="on")["type"] == "ack"
    assert heard == ["on"]


def test_an_unknown_message_is_refused_by_name(channel, widget, view_of):
    assert "'dance'" in view_of(widget).send("dance")["error"]


def test_a_message_without_its_view_is_ignored(channel, widget, heard):
    widget.comm.receive(type="note", seq=1, word="a")
    assert heard == []
    assert widget.comm.messages() == []


def test_hello_is_answered_to_the_view_that_said_it(channel, widget, view_of):
    assert view_of(widget, "me").hello() == {"type": "hello", "client": "me", "n": 0}
    assert channel.clients == ("me",)
    widget.comm.receive(type="bye", client="me")
    assert channel.clients == ()


def test_a_worker_speaks_in_the_context_of_the_last_message(channel, widget, view_of):
    shell = ContextVar("shell", default="main")
    said = []
    token = shell.set("subshell")
    view_of(widget).send("note", word="a")
    shell.reset(token)
    worker = threading.Thread(target=channel.run, args=(lambda: said.append(shell.get()),))
    worker.start()
    worker.join()
    channel.run(lambda: said.append(shell.get()))
    assert said == ["subshell", "subshell"]


def test_a_closed_channel_handles_nothing(channel, widget, heard):
    channel.close()
    widget.comm.receive(type="note", client="v", seq=1, oldest=1, word="a")
    assert heard == []


def test_an_error_without_words_is_called_by_its_name():
    assert in_words(ValueError()) == "ValueError"
    assert in_words(KeyError("x")) == "x"


def test_a_bundle_keeps_the_order_of_its_files():
    text = bundle("channel.js", "channel.js")
    assert text.index("function openChannel") < text.rindex("function openChannel")
