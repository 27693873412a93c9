"""Messages between a widget's front end and the kernel: none lost, none handled twice.

Traits coalesce, messages do not; but a message can be lost with a connection, can come twice when
it is sent again, and can overtake another when ipykernel moves a comm from one (sub)shell to
another. So every view numbers what it sends (``static/channel.js``), and this side insists on the
order: a message that was handled is answered again, a message from the future is answered with
the number that is missing, and the view then sends everything from there again.

==================  ============================================================================
browser -> kernel   ``{type, client, seq, oldest, ...}``: ``client`` names the view, ``seq`` is 1,
                    2, ...; ``oldest`` is the first message the view still wants an answer to
kernel -> browser   ``{type: "ack", client, seq, ...}``, ``{type: "nack", client, seq, error}``,
                    ``{type: "gap", client, expected}``, or what :meth:`Channel.push` sends
outside the order   ``{type: "hello", client}``, answered with ``{type: "hello", client, ...}``
                    when a view is drawn, and ``{type: "bye", client}`` when it goes
decisions           unanswered, they are kept by the browser; a later view sends them on as
                    ``{type: "kept", decisions: [{..., event_id, time}]}``, see ``_kept.py``
==================  ============================================================================

No message has a field ``id``: ipykernel 7.4 takes that as its own.
"""

from __future__ import annotations

import logging
import sys
from collections import OrderedDict
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

from ._kept import clock, shelf_of, still_to_store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import ipywidgets

    from astronomaly_widgets.session import Session

_CLIENTS_REMEMBERED = 32
_REPLIES_REMEMBERED = 256

# seconds a busy thread keeps the interpreter when another wants it; Python's own is 5 ms. A label
# takes it a dozen times on its way, so that 5 ms are felt while a cell computes
_SWITCH_INTERVAL = 1e-3

_log = logging.getLogger(__name__)


@dataclass
class _Client:
    expected: int = 1
    replies: OrderedDict[int, dict[str, Any]] = field(default_factory=OrderedDict)


def in_words(error: BaseException) -> str:
    """Say an error in one line, for the person who sees it on the screen."""
    # str(KeyError("x")) is "'x'": the message itself is what is wanted
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text or type(error).__name__


class Channel:
    """Takes the messages of one widget's views, and is the one door for what is sent to them.

    Everything that reaches the browser goes through :meth:`push` or :meth:`run`, whatever the
    thread: one at a time, and in the context of the last message that came. ipykernel >= 7.4
    sends a comm's messages to the (sub)shell that last spoke on it; a worker or a cell that spoke
    in its own context would tie the views to the main shell, where they would wait for the
    running cell.

    Parameters
    ----------
    widget : ipywidgets.Widget
        Whose messages to take.
    session : Session
        What goes wrong is kept in its ``last_error``.
    handlers : mapping of str to callable
        Message type -> ``handler(message)``. What it returns (dict or None) goes into the answer.
        ``message`` is the dict that came, with ``event_id`` (str, unique, the same when the
        message comes again) added. A handler returns within 20 ms and leaves the rest to a
        worker, because all widgets share one thread. If it raises, the view is told so.
    hello : callable, optional
        Called without arguments when a view is drawn; what it returns goes into the answer.
    decisions : collection of str
        Types of messages that hold what a person decided of ``object_id`` or ``object_ids``. None
        of them is lost with a page or a kernel that goes before it is answered.

    Attributes
    ----------
    clients : tuple of str
        Views that said hello and not yet bye. A view that was lost with its page stays.
    """

    def __init__(
        self,
        widget: ipywidgets.Widget,
        session: Session,
        handlers: Mapping[str, Callable[[dict[str, Any]], dict[str, Any] | None]],
        *,
        hello: Callable[[], dict[str, Any]] | None = None,
        decisions: Collection[str] = (),
    ) -> None:
        self._widget = widget
        self._session = session
        self._handlers = {**handlers, "kept": self._take_kept} if decisions else dict(handlers)
        self._hello = hello
        self._decisions = tuple(decisions)
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._context = copy_context()
        # two locks: what speaks must never wait for a handler, which may wait for the session
        self._handling = RLock()
        self._speaking = RLock()
        widget.on_msg(self._receive)
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL))

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(self._clients)

    def push(
        self, kind: str, fields: Mapping[str, Any], buffers: list[bytes] | None = None
    ) -> None:
        """Send a message of our own accord to every view.

        Parameters
        ----------
        kind : str
            Becomes its ``type``.
        fields : mapping
            JSON-ready; no field may be called ``id``.
        buffers : list of bytes, optional
            Travel beside it as binary.
        """
        self.run(self._widget.send, {"type": kind, **fields}, buffers)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that sets synced traits; safe on any thread."""
        with self._speaking:
            # a context can be entered once at a time, a copy of it always
            return self._context.copy().run(function, *args)

    def close(self) -> None:
        """Take no more messages."""
        self._widget.on_msg(self._receive, remove=True)
        self._clients.clear()

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        kind, name, seq = content.get("type"), content.get("client"), content.get("seq")
        if not isinstance(name, str):
            _log.warning("A message without the name of its view was ignored: type %r", kind)
            return
        with self._handling:
            self._context = copy_context()
            if kind == "hello":
                self._client(name)
                more = self._hello() if self._hello else {}
                self.push("hello", {"client": name, **more, **self._about_decisions()})
            elif kind == "bye":
                self._clients.pop(name, None)
            elif isinstance(seq, int):
                self._in_order(self._client(name), {**content, "event_id": f"{name}-{seq}"})

    def _client(self, name: str) -> _Client:
        client = self._clients.setdefault(name, _Client())
        self._clients.move_to_end(name)
        if len(self._clients) > _CLIENTS_REMEMBERED:
            self._clients.popitem(last=False)
        return client

    def _in_order(self, client: _Client, message: dict[str, Any]) -> None:
        seq = message["seq"]
        # what the view no longer asks about was answered, even if that is forgotten here
        client.expected = max(client.expected, message.get("oldest", 1))
        if seq > client.expected:
            self.push("gap", {"client": message["client"], "expected": client.expected})
            return
        if seq == client.expected:
            client.expected += 1
            client.replies[seq] = self._handle(message)
            if len(client.replies) > _REPLIES_REMEMBERED:
                client.replies.popitem(last=False)
        reply = client.replies.get(seq, {"type": "ack"})
        self.push(reply["type"], {**reply, "client": message["client"], "seq": seq})

    def _handle(self, message: dict[str, Any]) -> dict[str, Any]:
        handler = self._handlers.get(message["type"])
        if handler is None:
            return {"type": "nack", "error": f"this kernel knows no message {message['type']!r}"}
        try:
            return {"type": "ack", **(handler(message) or {})}
        except Exception as error:  # noqa: BLE001 - the last stop: it is shown, kept and logged
            _log.warning("The message %r failed", message["type"], exc_info=error)
            self._session.last_error = error
            return {"type": "nack", "error": in_words(error)}

    def _about_decisions(self) -> dict[str, Any]:
        if not self._decisions:
            return {}
        shelf = shelf_of(self._session, type(self._widget).__name__)
        return {"shelf": shelf, "decisions": self._decisions, "time": clock()}

    def _take_kept(self, message: dict[str, Any]) -> None:
        """Store what earlier views could not tell and what has not been settled since."""
        # all are looked at before the first is stored: one may follow another on the same object
        open_ones = [still_to_store(self._session, kept) for kept in message["decisions"]]
        decisions = [kept for kept in open_ones if kept and kept["type"] in self._decisions]
        for kept in decisions:
            self._handlers[kept["type"]](kept)
        if decisions:
            n = len({name for kept in decisions for name in kept["object_ids"]})
            these = "1 object" if n == 1 else f"{n:,} objects"
            self._session.notice = f"what was not stored of {these} when a page was left is stored"
