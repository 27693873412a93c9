"""What a page that went, or a kernel that died, had not yet settled."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from astronomaly_widgets import Gallery, Inspector, Session

IDS = [f"g{k}" for k in range(6)]
NOW = datetime.now(UTC)


def at(seconds):
    """Return a time of the browser, in milliseconds, so long after the test began."""
    return (NOW + timedelta(seconds=seconds)).timestamp() * 1000


def kept(number, kind="score", seconds=3600, **fields):
    """Return a decision as keeper.js keeps it; by default it is later than any label."""
    return {
        "type": kind,
        "event_id": f"lost-{number}",
        "seq": number,
        "time": at(seconds),
        "next": "g5",
        **fields,
    }


def score(number, object_id, value, **fields):
    return kept(number, object_id=object_id, object_ids=[object_id], score=value, **fields)


@pytest.fixture
def session(tmp_path):
    session = Session(np.eye(6), IDS, anomaly_score=np.arange(6.0), project=tmp_path / "p")
    yield session
    session.close()


@pytest.fixture
def view(session, view_of):
    gallery = Gallery(session)
    yield view_of(gallery)
    gallery.close()


def tell(view, *decisions):
    return view.send("kept", decisions=list(decisions))["type"]


def test_what_was_not_told_is_stored_and_said(session, view):
    assert tell(view, score(1, "g1", 4), score(2, "g2", 0)) == "ack"
    assert session.labels["score"].to_dict() == {"g1": 4.0, "g2": 0.0}
    assert session.notice == "what was not stored of 2 objects when a page was left is stored"


def test_the_last_word_on_an_object_stands(session, view):
    tell(view, score(1, "g1", 4), score(2, "g1", 2), kept(3, "unlabel", object_id="g1"))
    assert session.n_labeled == 0
    session.undo()
    assert session.score_of("g1") == 2


def test_what_was_stored_after_all_is_not_stored_twice(session, view):
    session.label("g1", 4, event_id="lost-1")
    tell(view, score(1, "g1", 4))
    assert len(session.events) == 1


def test_a_label_given_since_is_not_overwritten(session, view):
    session.label("g1", 5)
    tell(view, score(1, "g1", 0, seconds=-60))
    assert session.score_of("g1") == 5
    assert session.notice == ""


def test_of_the_rest_of_a_page_only_what_is_open_is_scored(session, view):
    session.label("g1", 5)
    ids = ["g0", "g1", "gone", "g2"]
    tell(view, kept(1, "rest", object_ids=ids, score=0, seconds=-60))
    assert session.labels["score"].to_dict() == {"g1": 5.0, "g0": 0.0, "g2": 0.0}


def test_nobody_is_moved_to_where_someone_was_going_then(session, view):
    before = session.current_id
    tell(view, score(1, "g1", 4))
    assert session.current_id == before


def test_only_decisions_are_taken(session, view):
    tell(view, kept(1, "retrain", object_ids=["g1"]))
    assert not session.retraining


def test_a_message_that_cannot_be_stored_stays_with_the_browser(session, view):
    assert tell(view, score(1, "g1", 9)) == "nack"
    assert session.n_labeled == 0


def test_tags_and_comments_of_the_inspector_come_back(session, view_of):
    inspector = Inspector(session)
    words = {"tags": ["ring"], "comment": "faint"}
    told = kept(1, "label", object_id="g3", score=5, **words)
    assert tell(view_of(inspector), told) == "ack"
    label = session.label_of("g3")
    assert (label.score, label.tags, label.comment) == (5.0, ("ring",), "faint")
    inspector.close()


def test_a_browser_is_told_the_kernel_s_time(view):
    before = datetime.now(UTC)
    told = datetime.fromtimestamp(view.hello()["time"] / 1000, UTC)
    assert before - timedelta(milliseconds=1) <= told <= datetime.now(UTC)


def test_the_shelf_is_the_project_s_and_the_widget_s_own(session, view, view_of, tmp_path):
    shelf = view.hello()["shelf"]
    assert str(tmp_path) not in shelf
    inspector = Inspector(session)
    assert view_of(inspector).hello()["shelf"] != shelf
    inspector.close()
    session.close()
    again = Session.open(tmp_path / "p")
    gallery = Gallery(again)
    assert view_of(gallery).hello()["shelf"] == shelf
    gallery.close()
    again.close()
