import sqlite3
import time
from contextlib import closing
from threading import Event
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.labels import Entry
from astronomaly_widgets.learners import NeighborScore
from astronomaly_widgets.session import Session, _early
from astronomaly_widgets.widgets import _listing
from astronomaly_widgets.widgets import gallery as gallery_module
from astronomaly_widgets.widgets.gallery import Gallery

ODD = ["<script>alert(1)</script>", "two words", "'\"&", "\U0001f30c", "x" * 200, "__proto__"]


@pytest.fixture
def session():
    rng = np.random.default_rng(0)
    ids = [f"obj-{i:03d}" for i in range(100 - len(ODD))] + ODD
    score = np.linspace(5, 0, 100)
    catalog = pd.DataFrame({"redshift": rng.random(100)}, index=ids)
    made = Session(rng.normal(size=(100, 4)), ids, anomaly_score=score, catalog=catalog)
    yield made
    made.close()


@pytest.fixture
def gallery(session):
    return Gallery(session, per_page=10)


@pytest.fixture
def view(gallery, view_of):
    view = view_of(gallery)
    view.hello()
    settle(gallery)
    return view


def settle(gallery):
    """Wait until the worker has nothing to do; what it does may give it more to do."""
    for _ in range(4):
        gallery._viewer._worker.submit(int).result(20)


def ids(gallery):
    return [record["object_id"] for record in gallery.page["records"]]


def turn(view, gallery, to, n=[0]):  # noqa: B006 - a running number
    n[0] += 1
    view.send("turn", to=to, turn=n[0])
    settle(gallery)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


# -- what is shown -------------------------------------------------------------------------


def test_the_first_message_carries_pages_and_pictures(gallery):
    opening = gallery.comm.sent[0]
    assert opening["method"] == "open"
    assert len(opening["buffers"]) == 10
    assert all(bytes(picture).startswith(b"\xff\xd8") for picture in opening["buffers"])
    page = gallery.page
    assert (page["number"], page["n_pages"], page["has_previous"]) == (1, 10, False)
    assert ids(gallery) == [f"obj-{i:03d}" for i in range(10)]


def test_the_first_object_becomes_current(gallery, session):
    assert session.current_id == gallery.page["current"] == "obj-000"


class Unsteady:
    """A source of small images that may lose some of them for a while."""

    kind = "image"
    catalog = None

    def __init__(self, n):
        self.object_ids = self.fingerprints = np.array([f"o{i}" for i in range(n)], dtype=object)
        self.lost = set()

    def read(self, object_id):
        if object_id in self.lost:
            raise RuntimeError("no connection")
        return np.full((8, 8, 3), 100 + 10 * int(object_id[1:]), dtype=np.uint8)


@pytest.fixture
def unsteady():
    source = Unsteady(9)
    score = np.linspace(5, 0, 9)
    made = Session(np.eye(9), source.object_ids, anomaly_score=score, source=source)
    yield made
    made.close()


def test_an_object_whose_source_fails_is_shown_and_tried_again(unsteady, view_of):
    unsteady.source.lost = {"o4"}
    gallery = Gallery(unsteady, per_page=3)
    view = view_of(gallery)
    turn(view, gallery, "next")
    assert ids(gallery) == ["o3", "o4", "o5"]
    assert unsteady.last_error is None
    before = gallery.page["thumbnails"]
    unsteady.source.lost = set()
    turn(view, gallery, "next")
    turn(view, gallery, "previous")
    after = gallery.page["thumbnails"]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_a_page_that_cannot_be_composed_is_not_skipped(unsteady, view_of, monkeypatch):
    gallery = Gallery(unsteady, per_page=3)
    view = view_of(gallery)
    compose = gallery._viewer._composer.compose
    monkeypatch.setattr(gallery._viewer._composer, "compose", lambda *_: 1 / 0)
    turn(view, gallery, "next")
    assert isinstance(unsteady.last_error, ZeroDivisionError)
    assert ids(gallery) == ["o0", "o1", "o2"]
    monkeypatch.setattr(gallery._viewer._composer, "compose", compose)
    turn(view, gallery, "next")
    assert ids(gallery) == ["o3", "o4", "o5"]


def test_odd_ids_travel_as_they_are(session):
    gallery = Gallery(session, per_page=10, order="original")
    session.current_id = ODD[0]
    settle(gallery)
    assert set(ODD) <= set(ids(gallery))


def test_a_picture_and_its_id_travel_in_one_message(gallery, view):
    turn(view, gallery, "next")
    updates = [sent for sent in gallery.comm.sent if "page" in sent.get("state", {})]
    assert [record["object_id"] for record in updates[-1]["state"]["page"]["records"]] == [
        f"obj-{i:03d}" for i in range(10, 20)
    ]
    assert len(updates[-1]["buffers"]) == 10


@pytest.mark.parametrize("per_page", [0, 101, 2.5, "24"])
def test_an_impossible_page_size_is_refused(session, per_page):
    with pytest.raises(ValueError, match=r"per_page must be an integer in 1\.\.100"):
        Gallery(session, per_page=per_page)


def test_an_unknown_order_is_refused_with_the_known_ones(session, view, gallery):
    with pytest.raises(ValueError, match=r"'best'.*suggested.*redshift"):
        Gallery(session, order="best")
    assert "'best'" in view.send("order", order="best")["error"]


# -- labels --------------------------------------------------------------------------------


def test_a_score_is_stored_before_it_is_confirmed(view, session):
    reply = view.send("score", object_id="obj-003", score=4, seconds=1.5)
    assert reply["type"] == "ack"
    assert reply["labels"] == [("obj-003", 4)]
    with closing(sqlite3.connect(session.project.path / "labels.sqlite")) as log:
        assert log.execute("SELECT object_id, score, seconds FROM events").fetchall() == [
            ("obj-003", 4, 1.5)
        ]


def test_fast_typing_loses_no_score(view, gallery, session):
    for k in range(10):
        view.send("score", object_id=f"obj-{k:03d}", score=k % 6)
    assert [session.score_of(f"obj-{k:03d}") for k in range(10)] == [k % 6 for k in range(10)]
    settle(gallery)
    assert gallery.state["n_labeled"] == 10
    assert gallery.state["n_found"] == 2


def test_a_score_that_comes_twice_is_stored_once(view, gallery, session):
    view.send("score", object_id="obj-003", score=4)
    gallery.comm.receive(
        type="score", client=view.client, seq=view.seq, oldest=1, object_id="obj-003", score=4
    )
    assert len(session.events) == 1


@pytest.mark.parametrize(
    ("object_id", "score", "words"),
    [("nobody", 3, "nobody"), ("obj-001", 9, "from 0 to 5"), ("obj-001", "3", "from 0 to 5")],
)
def test_a_bad_score_is_refused_in_words(view, session, object_id, score, words):
    reply = view.send("score", object_id=object_id, score=score)
    assert reply["type"] == "nack"
    assert words in reply["error"]
    assert session.n_labeled == 0


def test_what_cannot_be_stored_is_not_confirmed(view, gallery, session, monkeypatch):
    def no_space(*_args, **_kwargs):
        raise OSError("no space left on the device")

    monkeypatch.setattr(session, "label_many", no_space)
    reply = view.send("score", object_id="obj-003", score=4)
    assert (reply["type"], reply["error"]) == ("nack", "no space left on the device")
    settle(gallery)
    assert gallery.state["error"] == "no space left on the device"
    view.send("dismiss")
    settle(gallery)
    assert gallery.state["error"] == ""


def test_a_new_score_keeps_tags_and_comment(view, session):
    session.label("obj-003", 4, tags=("merger",), comment="tail")
    view.send("score", object_id="obj-003", score=5)
    label = session.label_of("obj-003")
    assert (label.score, label.tags, label.comment) == (5, ("merger",), "tail")


def test_the_rest_of_a_page_is_one_step_to_undo(view, gallery, session):
    view.send("rest", object_ids=ids(gallery)[3:], score=0)
    assert session.n_labeled == 7
    reply = view.send("undo")
    assert session.n_labeled == 0
    assert reply["touched"] == 7
    view.send("redo")
    assert session.n_labeled == 7


def test_all_that_a_filter_shows_are_scored_in_one_step(view, gallery, session):
    chosen = tuple(session.object_ids[20:45])
    session.selected_ids = chosen
    settle(gallery)
    answer = view.send("all", score=2)
    assert [score for _, score in answer["labels"]] == [2] * 10
    assert session.labels["score"].to_dict() == dict.fromkeys(chosen, 2.0)
    assert session.notice == "25 scored 2; undo takes it back"
    session.undo()
    assert session.n_labeled == 0


def test_all_is_refused_without_a_filter_and_for_too_many(view, gallery, session, monkeypatch):
    answer = view.send("all", score=2)
    assert "no filter is set" in answer["error"]
    monkeypatch.setattr(gallery_module, "_MOST_AT_ONCE", 20)
    session.selected_ids = tuple(session.object_ids[:25])
    settle(gallery)
    answer = view.send("all", score=2)
    assert "25 objects are shown; at most 20" in answer["error"]
    assert session.n_labeled == 0


def test_undo_restores_the_earlier_score_and_shows_it(view, gallery, session):
    view.send("score", object_id="obj-003", score=4)
    turn(view, gallery, "next")
    assert "obj-003" not in ids(gallery)
    assert view.send("undo")["labels"] == [("obj-003", None)]
    settle(gallery)
    assert "obj-003" in ids(gallery)
    assert session.current_id == "obj-003"


def test_undo_shows_what_is_on_no_page_by_itself_so_that_no_key_scores_another(session, view_of):
    session.label("obj-042", 3)
    session.label_many(["obj-043", "obj-044"], 1)
    gallery = Gallery(session, per_page=10)
    view = view_of(gallery)
    for changed in (["obj-043", "obj-044"], ["obj-042"]):
        view.send("undo")
        settle(gallery)
        assert ids(gallery) == changed
        assert session.current_id == gallery.page["current"] == changed[0]
    assert gallery.state["filter"]["kind"] == "changed"
    view.send("clear")
    settle(gallery)
    assert ids(gallery)[0] == "obj-000"


def test_undo_of_an_object_that_is_gone_stays_where_it_is(view, gallery, session):
    session._store.append([Entry("gone", 5.0)])  # in an earlier state of the data
    assert view.send("undo")["touched"] == 1
    settle(gallery)
    assert session.current_id == "obj-000"
    assert session.last_error is None
    assert "gone was changed" in gallery.comm.messages("note")[-1]["text"]
    assert len(ids(gallery)) == 10


def test_an_object_that_there_is_not_is_not_shown(gallery, session):
    with pytest.raises(KeyError, match="no object 'gone'"):
        session.current_id = "gone"
    settle(gallery)
    assert len(ids(gallery)) == 10


def test_nothing_to_undo_is_no_error(view):
    assert view.send("undo")["touched"] == 0


def test_a_label_is_taken_away(view, session):
    view.send("score", object_id="obj-003", score=4)
    assert view.send("unlabel", object_id="obj-003")["labels"] == [("obj-003", None)]
    assert session.n_labeled == 0


def test_scoring_moves_on(view, gallery, session):
    view.send("score", object_id="obj-000", score=1, next="obj-001")
    settle(gallery)
    assert session.current_id == "obj-001"


# -- pages ---------------------------------------------------------------------------------


def test_labeled_objects_stay_until_the_page_is_turned(view, gallery):
    view.send("score", object_id="obj-003", score=4)
    settle(gallery)
    assert "obj-003" in ids(gallery)
    turn(view, gallery, "next")
    turn(view, gallery, "previous")
    assert "obj-003" not in ids(gallery)


def test_a_labeled_page_hides_nothing_of_the_next(view, gallery):
    seen = []
    for _ in range(10):
        seen += ids(gallery)
        view.send("rest", object_ids=ids(gallery), score=0)
        turn(view, gallery, "next")
    assert len(seen) == len(set(seen)) == 100


def test_labeled_objects_can_be_shown(view, gallery, session):
    session.label("obj-003", 4)
    view.send("hide", hide=False)
    settle(gallery)
    assert gallery.page["records"][3]["score"] == 4
    view.send("hide", hide=True)
    settle(gallery)
    assert "obj-003" not in ids(gallery)


def test_quick_turns_are_answered_by_the_last_page(view, gallery):
    for k in range(1, 6):
        view.send("turn", to="next", turn=k)
    settle(gallery)
    assert gallery.page["number"] == 6
    assert gallery.page["turned"] == {view.client: 5}


def test_turning_past_the_end_is_answered_with_the_last_page(view, gallery):
    turn(view, gallery, "previous")
    assert gallery.page["number"] == 1
    assert gallery.page["turned"][view.client] > 0


def test_the_neighbors_are_sent_ahead_with_their_pictures(view, gallery):
    wait_until(lambda: gallery.comm.messages("ahead"))
    (ahead,) = gallery.comm.messages("ahead")
    assert ahead["direction"] == "next"
    assert ahead["of"] == gallery.page["key"]
    (sent,) = [s for s in gallery.comm.sent if s.get("content") == ahead]
    assert len(sent["buffers"]) == 10
    turn(view, gallery, "next")
    assert gallery.page["key"] == ahead["page"]["key"]
    assert gallery.page["records"] == ahead["page"]["records"]


def test_nothing_is_sent_ahead_where_nobody_looks(gallery):
    gallery._viewer.send_ahead()
    settle(gallery)
    assert gallery.comm.messages("ahead") == []


def test_the_page_size_changes_around_the_current_object(view, gallery, session):
    turn(view, gallery, "next")
    session.current_id = "obj-015"
    view.send("per_page", per_page=24)
    settle(gallery)
    assert len(ids(gallery)) == 24
    assert "obj-015" in ids(gallery)


def test_another_order_begins_at_its_first_page(view, gallery, session):
    turn(view, gallery, "next")
    view.send("order", order="redshift")
    settle(gallery)
    assert ids(gallery) == list(session.ranking("redshift")[:10])


def test_an_error_while_turning_is_shown_and_the_page_answers(view, gallery, session, monkeypatch):
    def fail(_positions):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(gallery._viewer.listing.pages, "after", fail)
    view.send("turn", to="next", turn=7)
    settle(gallery)
    assert "the disk is gone" in str(session.last_error)
    assert gallery.page["turned"] == {view.client: 7}


# -- rankings and filters ------------------------------------------------------------------


def retrained(session, view, gallery):
    """Make the last objects the most promising."""
    session.learner = SimpleNamespace(
        fit=lambda *_: session.learner,
        score=lambda X, _: SimpleNamespace(
            **dict.fromkeys(
                ("trained_score", "relevance", "uncertainty", "acquisition"),
                np.linspace(0, 5, len(X)),
            )
        ),
    )
    session.label("obj-050", 5)
    session.retrain().result(20)
    settle(gallery)


def test_a_new_ranking_is_offered_and_changes_nothing(view, gallery, session):
    before = ids(gallery)
    retrained(session, view, gallery)
    assert gallery.state["offers"]
    assert ids(gallery) == before


def test_an_offered_ranking_is_taken_on_demand(view, gallery, session):
    retrained(session, view, gallery)
    view.send("take")
    settle(gallery)
    assert ids(gallery) == list(session.ranking("suggested")[:10])
    assert not gallery.state["offers"]


def test_a_ranking_that_is_taken_is_looked_at_from_its_beginning(view, gallery, session):
    retrained(session, view, gallery)
    session.current_id = session.ranking("suggested")[7]
    view.send("take")
    settle(gallery)
    assert gallery.page["current"] == session.current_id == session.ranking("suggested")[0]


def test_an_offered_ranking_is_taken_at_the_next_page(view, gallery, session):
    turn(view, gallery, "next")
    retrained(session, view, gallery)
    turn(view, gallery, "next")
    assert ids(gallery) == list(session.ranking("suggested")[:10])
    assert gallery.page["number"] == 1


def test_going_back_takes_no_new_ranking(view, gallery, session):
    turn(view, gallery, "next")
    retrained(session, view, gallery)
    turn(view, gallery, "previous")
    assert ids(gallery)[0] == "obj-000"
    assert gallery.state["offers"]


def test_first_pages_that_were_taken_stay_when_the_rest_is_scored(
    view, gallery, session, monkeypatch
):
    monkeypatch.setattr(_early, "_MANY", 50)
    monkeypatch.setattr(_early, "_N_LISTED", 60)
    go = Event()

    class Waiting(NeighborScore):
        def score(self, X, anomaly_score):
            go.wait(20)
            return super().score(X, anomaly_score)

    session.learner = Waiting()
    session.label("obj-000", 0)
    session.label("obj-001", 5)
    future = session.retrain()
    wait_until(lambda: gallery.state["offers"] == "early")
    view.send("take")
    settle(gallery)
    first = ids(gallery)
    assert "obj-000" not in first
    assert all(record["relevance"] is not None for record in gallery.page["records"])
    assert np.isnan(session.relevance).all()  # all at once, in the end
    go.set()
    future.result(20)
    wait_until(lambda: not gallery.state["retraining"])
    settle(gallery)
    assert ids(gallery) == first
    assert not gallery.state["offers"]
    turn(view, gallery, "next")
    turn(view, gallery, "next")
    expected = [name for name in session.ranking("suggested") if name not in first]
    assert ids(gallery) == expected[10:20]


@pytest.mark.parametrize(
    ("name", "value"),
    [("interesting_from", 5.0), ("batch_size", 7), ("explore", 0.5), ("strategy", "diverse")],
)
def test_another_way_to_choose_is_offered_at_once(view, gallery, session, name, value):
    """As a retrain is: what counts as found is what is looked for."""
    retrained(session, view, gallery)
    view.send("take")
    settle(gallery)
    before, old = ids(gallery), getattr(session, name)
    setattr(session, name, value)
    settle(gallery)
    assert gallery.state["offers"] == "new"
    assert ids(gallery) == before
    setattr(session, name, old)
    settle(gallery)
    assert gallery.state["offers"] == ""
    setattr(session, name, value)
    turn(view, gallery, "next")
    assert ids(gallery) == list(session.ranking("suggested")[:10])
    assert gallery.state["offers"] == ""


def test_only_what_is_suggested_changes_with_the_way_to_choose(session):
    gallery = Gallery(session, per_page=10, order="trained_score")
    session.interesting_from = 3.0
    settle(gallery)
    assert gallery.state["offers"] == ""


def test_orders_that_learn_nothing_offer_nothing(session, view_of):
    gallery = Gallery(session, per_page=10, order="redshift")
    retrained(session, view_of(gallery), gallery)
    assert not gallery.state["offers"]


def test_below_a_picture_stands_what_the_order_goes_by(gallery, view, session):
    assert "value" not in gallery.page["records"][0]
    view.send("order", order="redshift")
    settle(gallery)
    told = {record["object_id"]: record["value"] for record in gallery.page["records"]}
    assert told == {name: f"{session.catalog['redshift'][name]:.4g}" for name in ids(gallery)}


def test_values_of_any_kind_have_room_below_a_picture():
    mixed = [0.123456, float("nan"), 2**62, "a long word indeed", None, True]
    catalog = pd.DataFrame({"what": pd.Series(mixed, dtype=object)})
    session = Session(np.random.default_rng(0).normal(size=(6, 3)), catalog=catalog)
    gallery = Gallery(session, order="what")
    told = {record["object_id"]: record["value"] for record in gallery.page["records"]}
    assert list(map(told.get, session.object_ids)) == [
        *("0.1235", "-", "4611686018…", "a long wor…", "-", "True"),
    ]
    gallery.close()
    session.close()


def test_a_selection_shows_just_its_objects_best_first(view, gallery, session):
    turn(view, gallery, "next")
    before = ids(gallery)
    session.label("obj-070", 3)
    session.selected_ids = ("obj-090", "obj-070", "obj-005")
    settle(gallery)
    assert ids(gallery) == ["obj-005", "obj-070", "obj-090"]
    assert gallery.state["filter"] == {"kind": "selected", "text": "", "n": 3}
    view.send("clear")
    settle(gallery)
    assert session.selected_ids == ()
    assert ids(gallery) == before
    assert gallery.state["filter"] is None


@pytest.mark.parametrize("wanted", ["obj-042", "OBJ-06"])
def test_who_leaves_what_was_found_is_where_they_were(session, view_of, wanted):
    session.label("obj-042", 3)
    gallery = Gallery(session, per_page=10)
    view = view_of(gallery)
    turn(view, gallery, "next")
    view.send("current", object_id="obj-017")
    view.send("find", text=wanted)
    settle(gallery)
    assert gallery.state["filter"] is not None
    view.send("current", object_id=ids(gallery)[-1])
    view.send("clear")
    settle(gallery)
    assert gallery.page["current"] == session.current_id == "obj-017"


def test_a_random_sample_is_shown_in_its_own_order(view, gallery, session):
    before = ids(gallery)
    view.send("audit")
    wait_until(lambda: gallery.state["filter"] is not None)
    settle(gallery)
    assert gallery.state["filter"]["kind"] == "audit"
    assert ids(gallery) == list(session.audit_ids[:10])
    assert ids(gallery) != sorted(ids(gallery), key=session.row_of)
    view.send("clear")
    settle(gallery)
    assert ids(gallery) == before


def test_where_no_random_sample_is_left_to_draw_it_is_said(view, gallery, session):
    session.label_many(session.object_ids, 1)
    view.send("audit")
    settle(gallery)
    assert "every object has a score" in gallery.comm.messages("note")[-1]["text"]


def test_a_reason_that_holds_for_all_is_said_once(view, gallery, session):
    view.send("audit")
    wait_until(lambda: gallery.state["filter"] is not None)
    settle(gallery)
    assert gallery.page["reason"] == "random sample"
    assert {record["reason"] for record in gallery.page["records"]} == {""}


def test_a_reason_that_holds_for_most_is_said_once_with_their_number(session, monkeypatch):
    reasons = {"obj-003": "diverse", "obj-004": ""}
    usual = "predicted interesting"
    monkeypatch.setattr(session, "reason_of", lambda object_id: reasons.get(object_id, usual))
    session.label("obj-005", 3)
    gallery = Gallery(session, per_page=10, order="anomaly_score")
    told = {record["object_id"]: record["reason"] for record in gallery.page["records"]}
    assert gallery.page["reason"] == f"8 of 10 {usual}"
    assert {name: word for name, word in told.items() if word} == {"obj-003": "diverse"}
    gallery.close()


def test_reasons_that_differ_stand_with_their_objects(gallery, session, monkeypatch):
    reasons = {"obj-003": "diverse", "obj-004": "anomalous"}
    monkeypatch.setattr(session, "reason_of", lambda object_id: reasons.get(object_id, ""))
    shown = Gallery(session, per_page=10).page
    assert shown["reason"] == ""
    told = {record["object_id"]: record["reason"] for record in shown["records"]}
    assert {name: word for name, word in told.items() if word} == reasons


def test_an_object_outside_the_selection_ends_it(gallery, session):
    session.selected_ids = ("obj-005", "obj-006")
    settle(gallery)
    session.current_id = "obj-042"
    settle(gallery)
    assert "obj-042" in ids(gallery)
    assert session.selected_ids == ()
    assert gallery.state["filter"] is None


def test_a_ranking_taken_behind_a_selection_is_there_when_it_is_cleared(view, gallery, session):
    turn(view, gallery, "next")
    session.selected_ids = ("obj-005", "obj-006")
    settle(gallery)
    session.label_many(session.object_ids[:95], 0)
    view.send("order", order="original")
    settle(gallery)
    assert ids(gallery) == ["obj-005", "obj-006"]
    view.send("clear")
    settle(gallery)
    assert ids(gallery) == list(session.object_ids[95:])


def test_an_id_is_found_on_its_page(view, gallery, session):
    view.send("find", text="obj-042")
    settle(gallery)
    assert session.current_id == "obj-042"
    assert ids(gallery)[2] == "obj-042"
    assert gallery.page["number"] == 5


def test_a_labeled_object_is_found_though_it_is_hidden(session, view_of):
    session.label("obj-042", 3)
    gallery = Gallery(session, per_page=10)
    view_of(gallery).send("find", text="obj-042")
    settle(gallery)
    assert ids(gallery) == ["obj-042"]


def test_after_two_hidden_objects_were_found_the_page_before_is_shown_again(session, view_of):
    session.label_many(["obj-042", "obj-043"], 3)
    gallery = Gallery(session, per_page=10)
    view = view_of(gallery)
    turn(view, gallery, "next")
    before = ids(gallery)
    for name in ("obj-042", "obj-043"):
        view.send("find", text=name)
        settle(gallery)
        assert ids(gallery) == [name]
    view.send("clear")
    settle(gallery)
    assert ids(gallery) == before


def test_a_part_of_an_id_shows_all_that_have_it(view, gallery):
    view.send("find", text="OBJ-01")
    settle(gallery)
    assert ids(gallery) == [f"obj-{i:03d}" for i in range(10, 20)]
    assert gallery.state["filter"] == {"kind": "found", "text": "OBJ-01", "n": 10}


def test_of_more_ids_than_can_be_shown_it_is_said_which_are(view, gallery, monkeypatch):
    monkeypatch.setattr(_listing, "_MOST_FOUND", 5)
    view.send("find", text="OBJ-01")
    settle(gallery)
    assert ids(gallery) == [f"obj-{i:03d}" for i in range(10, 15)]
    assert "the first 5 of the data" in gallery.comm.messages("note")[-1]["text"]


def test_an_id_that_is_not_there_is_said(view, gallery):
    view.send("find", text="ngc")
    settle(gallery)
    assert "ngc" in gallery.comm.messages("note")[-1]["text"]
    assert gallery.state["error"] == ""


def test_an_object_set_aside_is_found_with_its_reason(view_of):
    features = np.vstack([np.random.default_rng(0).normal(size=(20, 3)), np.full(3, np.nan)])
    session = Session(features, [f"o{i}" for i in range(21)])
    gallery = Gallery(session)
    view_of(gallery).send("find", text="o20")
    settle(gallery)
    assert "o20 was set aside" in gallery.comm.messages("note")[-1]["text"]
    assert gallery.state["n_set_aside"] == 1
    session.close()


# -- in step -------------------------------------------------------------------------------


def test_two_galleries_of_one_session_stay_in_step(view, gallery, session):
    other = Gallery(session, per_page=10)
    view.send("score", object_id="obj-003", score=4)
    settle(other)
    assert other.comm.messages("labels")[-1]["labels"] == [("obj-003", 4)]
    assert other.page["records"][3]["score"] == 4
    assert other.state["n_labeled"] == 1


def test_one_gallery_does_not_turn_the_pages_of_another(view, gallery, session):
    other = Gallery(session, per_page=10)
    turn(view, gallery, "next")
    settle(other)
    assert session.current_id == "obj-010"
    assert ids(other)[0] == "obj-000"


def test_a_gallery_turns_to_the_object_chosen_on_the_map(gallery, session):
    session.current_id = "obj-042"
    settle(gallery)
    assert "obj-042" in ids(gallery)
    session.current_id = "obj-043"
    settle(gallery)
    assert gallery.comm.messages("current")[-1]["object_id"] == "obj-043"


def test_a_reloaded_view_learns_labels_and_place_of_now(view_of, gallery, session):
    session.label("obj-002", 3)
    session.current_id = "obj-003"
    reply = view_of(gallery, "reloaded").hello()
    assert ("obj-002", 3) in reply["labels"]
    assert reply["current"] == "obj-003"


def test_the_inspector_is_asked_for(view, gallery, session):
    asked = []
    gallery.on_inspect(asked.append)
    view.send("inspect", object_id="obj-004")
    assert asked == [session.current_id] == ["obj-004"]
    assert view.send("inspect", object_id="nobody")["type"] == "nack"


def test_a_retrain_of_nothing_is_answered_by_a_note_that_does_not_stay(view, gallery, session):
    for n in (1, 2):
        view.send("retrain")
        settle(gallery)
        notes = gallery.comm.messages("note")
        assert len(notes) == n
        assert "score some objects first" in notes[-1]["text"]
    assert session.last_error is None
    assert gallery.state["error"] == ""
    assert not session.retraining


def test_labels_that_were_taken_away_are_learned(view, gallery, session):
    session.label("obj-003", 4)
    session.retrain().result()
    session.unlabel("obj-003")
    view.send("retrain")
    wait_until(lambda: len(session.history) == 2)


def test_retraining_is_asked_for_and_seen(view, gallery, session):
    session.label("obj-003", 4)
    view.send("retrain")
    wait_until(lambda: len(session.history) == 1)
    wait_until(lambda: gallery.state["offers"])


def test_the_pace_of_retraining_is_set_and_shown(view, gallery, session):
    assert gallery.state["paces"] == [0, 10, 20, 50]
    view.send("pace", every=20)
    settle(gallery)
    assert session.retrain_every == gallery.state["retrain_every"] == 20
    session.retrain_every = 7
    settle(gallery)
    assert gallery.state["paces"] == [0, 7, 10, 20, 50]


def test_the_way_of_looking_survives_the_project(tmp_path, session):
    features, names = session.features, session.object_ids
    first = Session(features, names, project=tmp_path / "search")
    gallery = Gallery(first)
    gallery._viewer.change(order="anomaly_score")
    gallery._viewer.change(per_page=48)
    gallery._viewer.change(hide_labeled=False)
    gallery._viewer.find("obj-060")
    settle(gallery)
    first.close()
    again = Session.open(tmp_path / "search")
    gallery = Gallery(again)
    assert gallery.state["order"] == "anomaly_score"
    assert (gallery.state["per_page"], gallery.state["hide_labeled"]) == (48, False)
    assert gallery.page["current"] == again.current_id == "obj-060"
    again.close()


def test_a_broken_memory_of_the_view_falls_back(session):
    session.save_view_state(gallery={"order": "gone", "per_page": "many", "zoom": -1})
    state = Gallery(session).state
    assert (state["order"], state["per_page"], state["zoom"]) == ("suggested", 24, 1.0)


def test_everything_labeled_leaves_an_empty_page(session):
    session.label_many(session.object_ids, 0)
    gallery = Gallery(session)
    assert gallery.page["records"] == []
    assert gallery.page["current"] is None


def test_a_closed_gallery_lets_go_of_the_session(gallery, session):
    gallery.close()
    session.label("obj-003", 4)
    session.current_id = "obj-050"
    assert gallery.page["records"][3]["score"] is None
    assert session.last_error is None
