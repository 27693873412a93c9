"""A session that retrains by itself, every so many labels."""

import threading

import numpy as np
import pytest

from astronomaly_widgets import Session
from astronomaly_widgets.learners import NeighborScore


@pytest.fixture
def make_session(tmp_path):
    made = []

    def make(learner="neighbor_score", **options):
        X = np.random.default_rng(0).normal(size=(200, 3))
        made.append(Session(X, anomaly_score=np.linspace(5, 0, 200), learner=learner, **options))
        return made[-1]

    yield make
    for session in made:
        session.close()


class Held(NeighborScore):
    """A learner that waits until it may."""

    def __init__(self):
        super().__init__()
        self.begun, self.may_go = threading.Event(), threading.Event()
        self.n_fits = 0

    def fit(self, X, rows, y, anomaly_score):
        self.n_fits += 1
        self.begun.set()
        self.may_go.wait(30)
        return super().fit(X, rows, y, anomaly_score)


def learned_from(session):
    """Wait for the retrain that was started last, and say how many labels each learned from."""
    if session._last_retrain is not None:
        session._last_retrain.result(30)
    return session.history["n_labels"].tolist()


def label(session, first, last):
    for object_id in session.object_ids[first:last]:
        session.label(object_id, 1)


def test_nothing_is_learned_unless_asked(make_session):
    session = make_session()
    label(session, 0, 50)
    assert learned_from(session) == []


def test_a_retrain_starts_after_so_many_labels(make_session):
    session = make_session()
    session.retrain_every = 5
    label(session, 0, 4)
    assert learned_from(session) == []
    label(session, 4, 5)
    assert learned_from(session) == [5]
    label(session, 5, 9)
    assert learned_from(session) == [5]
    label(session, 9, 10)
    assert learned_from(session) == [5, 10]


def test_a_whole_page_at_once_is_one_retrain(make_session):
    session = make_session()
    session.retrain_every = 5
    session.label_many(session.object_ids[:23], 0)
    assert learned_from(session) == [23]


def test_a_retrain_by_hand_counts(make_session):
    session = make_session()
    session.retrain_every = 5
    label(session, 0, 3)
    session.retrain().result(30)
    label(session, 3, 7)
    assert learned_from(session) == [3]
    label(session, 7, 8)
    assert learned_from(session) == [3, 8]


def test_labels_that_come_during_a_retrain_are_learned_from_after_it(make_session):
    learner = Held()
    session = make_session(learner)
    session.retrain_every = 5
    label(session, 0, 5)
    assert learner.begun.wait(30)
    first = session._last_retrain
    label(session, 5, 17)
    assert session._last_retrain is first
    learner.may_go.set()
    first.result(30)
    for thread in session._threads:
        thread.join(30)
    assert learned_from(session) == [5, 17]


def test_a_retrain_that_fails_is_not_tried_again_at_once(make_session):
    class Broken(Held):
        def fit(self, X, rows, y, anomaly_score):
            self.n_fits += 1
            raise RuntimeError("no idea")

    learner = Broken()
    session = make_session(learner)
    session.retrain_every = 5
    label(session, 0, 5)
    assert isinstance(session._last_retrain.exception(30), RuntimeError)
    label(session, 5, 9)
    assert learner.n_fits == 1


def test_the_pace_is_kept_with_the_project(make_session, tmp_path):
    session = make_session(project=tmp_path / "p")
    session.retrain_every = 7
    label(session, 0, 6)
    session.close()
    again = Session.open(tmp_path / "p")
    assert again.retrain_every == 7
    assert learned_from(again) == []
    again.close()


def test_a_pace_that_makes_no_sense_is_refused(make_session):
    with pytest.raises(Exception, match="retrain_every"):
        make_session().retrain_every = -1
