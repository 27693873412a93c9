"""What is written of an object before it has a score."""

import numpy as np
import pytest

from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets.gallery import Gallery

WRITTEN = {"object_id": "obj-03", "tags": ["merger"], "comment": "a tail?"}


@pytest.fixture
def session():
    ids = [f"obj-{i:02d}" for i in range(36)]
    X = np.random.default_rng(0).normal(size=(36, 5))
    made = Session(X, ids, anomaly_score=np.linspace(5, 0, 36))
    yield made
    made.close()


@pytest.fixture
def write(inspector, view_of):
    """Write of an object in the inspector."""
    view = view_of(inspector)
    return lambda **words: view.send("draft", **{**WRITTEN, **words})


@pytest.fixture
def score(session, view_of):
    """Score an object in a gallery."""
    gallery = Gallery(session)
    view = view_of(gallery, "view-9")  # else its events have the names of the inspector's
    yield lambda value, name="obj-03": view.send("score", object_id=name, score=value, next=None)
    gallery.close()


def words_of(session, object_id="obj-03"):
    label = session.label_of(object_id)
    return label.score, label.tags, label.comment


def shown(inspector, object_id):
    inspector.session.current_id = object_id
    inspector._refresher.flush()
    label = inspector.label
    return label["score"], label["tags"], label["comment"]


def test_a_score_of_the_gallery_stores_what_was_written_in_the_inspector(session, write, score):
    write()
    assert session.n_labeled == 0
    score(4)
    assert words_of(session) == (4, ("merger",), "a tail?")


def test_what_was_written_waits_while_other_objects_are_looked_at(inspector, write):
    write()
    assert shown(inspector, "obj-04") == (None, [], "")
    assert shown(inspector, "obj-03") == (None, ["merger"], "a tail?")


def test_what_is_written_while_the_gallery_scores_is_stored(session, write, score):
    score(4)
    write()
    assert words_of(session) == (4, ("merger",), "a tail?")


def test_undo_of_the_score_leaves_what_was_written_for_the_next(session, write, score):
    write()
    score(3)
    session.undo()
    score(4)
    assert words_of(session) == (4, ("merger",), "a tail?")


def test_a_label_of_the_inspector_replaces_what_was_written(session, inspector, view_of, write):
    write()
    label = {"object_id": "obj-03", "score": 4, "tags": [], "comment": ""}
    view_of(inspector, "view-2").send("label", **label)
    session.undo()
    assert shown(inspector, "obj-03") == (None, [], "")


def test_a_label_that_is_taken_away_takes_its_words_along(
    session, inspector, view_of, write, score
):
    write()
    score(3)
    view_of(inspector, "view-2").send("unlabel", object_id="obj-03")
    score(4)
    assert words_of(session) == (4, (), "")


def test_what_is_written_of_no_object_is_refused(write):
    assert write(object_id="nobody")["type"] == "nack"


def test_scores_of_many_store_what_was_written_and_are_one_step(session, write, view_of):
    write()
    write(object_id="obj-05", tags=["\ud83c", "arc"])  # half an emoji
    session.label("obj-04", 2, ("ring",))
    view = view_of(gallery := Gallery(session), "view-9")
    view.send("rest", object_ids=["obj-03", "obj-04"], score=0)
    assert words_of(session) == (0, ("merger",), "a tail?")
    assert words_of(session, "obj-04") == (0, ("ring",), "")
    session.selected_ids = ("obj-05", "obj-06")
    gallery._viewer._worker.submit(int).result(20)
    view.send("all", score=1)
    assert words_of(session, "obj-05") == (1, ("?", "arc"), "a tail?")
    session.undo()
    session.undo()
    assert session.labels.index.tolist() == ["obj-04"]
    gallery.close()
