"""What a session suggests, why, and what it says is left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from astronomaly_widgets import Session, batches
from astronomaly_widgets.learners import DirectRegression, by_name
from astronomaly_widgets.simulation import Oracle, label_with


def survey(seed=0):
    """Four kinds of oddities, of which the least odd is liked."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 4)).astype("float32")
    kind = np.repeat([0, 1, 2, 3, -1], [40, 40, 40, 40, 440])
    centers = np.array([[15, 0, 0, 0], [0, 12, 0, 0], [0, 0, 9, 0], [0, 0, 0, 6]])
    odd = kind >= 0
    X[odd] = centers[kind[odd]] + rng.normal(size=(160, 4)) / 2
    ids = np.array([f"s{i:03d}" for i in range(600)], dtype=object)
    score = np.where(kind == 3, 5.0, np.where(kind == -1, 1.0, 0.0))
    S = (np.linalg.norm(X, axis=1) / 3.5).clip(0, 5)
    return X, ids, S, dict(zip(ids, score, strict=True)), kind


@pytest.fixture
def session():
    X, ids, S, _, _ = survey()
    with_end = Session(X, ids, anomaly_score=S)
    yield with_end
    with_end.close()


def test_labels_come_in_while_the_suggested_are_being_chosen(session, monkeypatch):
    choosing, go = threading.Event(), threading.Event()
    choose = batches.suggest

    def slowly(*given, **more):
        choosing.set()
        assert go.wait(60)
        return choose(*given, **more)

    def label():
        session.label_many(["s001", "s002"], 3)
        session.save_view_state(page=1)
        return session.n_labeled

    monkeypatch.setattr(batches, "suggest", slowly)
    with ThreadPoolExecutor() as pool:
        order = pool.submit(session.ranking)
        assert choosing.wait(60)
        try:
            assert pool.submit(label).result(60) == 2
        finally:
            go.set()
        assert len(order.result(60)) == 600


def test_the_first_batch_has_every_kind(session):
    kind = survey()[4]
    first = [session.row_of(i) for i in session.ranking("suggested")[:50]]
    assert set(kind[first]) >= {0, 1, 2, 3}
    assert set(kind[np.argsort(-session.anomaly_score)[:40]]) == {0}


def test_a_suggested_order_has_every_object_once(session):
    for unlabeled_first in (True, False):
        order = session.ranking("suggested", unlabeled_first=unlabeled_first)
        assert sorted(order) == sorted(session.object_ids)


def test_labels_move_nothing_until_the_next_retrain(session):
    before = list(session.ranking("suggested"))
    for object_id in before[:7]:
        session.label(object_id, 0)
    assert list(session.ranking("suggested")) == before[7:] + before[:7]
    session.retrain().result(60)
    assert set(before[:7]).isdisjoint(session.ranking("suggested")[:50])
    assert list(session.ranking("suggested")) == list(session.ranking("suggested"))


def test_another_batch_size_is_another_batch(session):
    session.batch_size = 5
    small = list(session.ranking("suggested")[:50])
    session.batch_size = 50
    assert list(session.ranking("suggested")[:50]) != small
    session.batch_size = 5
    assert list(session.ranking("suggested")[:50]) == small


def test_a_share_is_random_if_asked(session):
    session.batch_size, session.explore = 20, 0.5
    reasons = [session.reason_of(i) for i in session.ranking("suggested")[:20]]
    assert reasons.count("unexplored") == 10


def test_the_reason_says_why_an_object_is_there(session):
    _, _, _, scores, _ = survey()
    first = session.ranking("suggested")
    assert session.reason_of(first[0]) == "anomalous"
    assert {session.reason_of(i) for i in first[:10]} == {"anomalous", "diverse"}
    assert session.reason_of(first[-1]) == ""
    label_with(session, Oracle(scores), 40, batch_size=20)
    assert session.reason_of(session.ranking("suggested")[0]) == "predicted interesting"


def test_what_counts_as_found_is_what_is_looked_for():
    X, ids, S, scores, kind = survey()
    modest = {object_id: 0.6 * score for object_id, score in scores.items()}  # never more than 3
    seen = {}
    for threshold in (3.0, 4.0):
        with closing(Session(X, ids, anomaly_score=S)) as session:
            session.interesting_from = threshold
            label_with(session, Oracle(modest), 100, batch_size=20)
            seen[threshold] = (kind[session.rows_of(session.labels.index)] == 3).sum()
    assert seen[3.0] >= 38
    assert seen[4.0] < 30  # the learner goes on exploring


def test_another_threshold_is_another_batch(session):
    _, _, _, scores, _ = survey()
    modest = {object_id: 0.9 * score for object_id, score in scores.items()}
    label_with(session, Oracle(modest), 60, batch_size=20)
    before = list(session.ranking("suggested")[:50])
    session.interesting_from = 5.0  # nothing has been found
    assert list(session.ranking("suggested")[:50]) != before
    session.interesting_from = 4.0
    assert list(session.ranking("suggested")[:50]) == before


def test_what_is_left_is_said_after_a_retrain(session):
    _, _, _, scores, _ = survey()
    assert session.remaining() is None
    label_with(session, Oracle(scores), 100, batch_size=20)
    assert session.n_found >= 38
    left = session.remaining()
    assert left.low <= 40 - session.n_found <= left.high
    assert left.high < 120
    assert session.remaining(0.5).high <= left.high


@pytest.mark.parametrize("learner", ["random", DirectRegression(cold_start="random")])
def test_a_learner_that_begins_in_its_own_way_is_asked_for_the_first_batch(learner):
    X, ids, S, _, _ = survey()
    with closing(Session(X, ids, anomaly_score=S, learner=learner)) as session:
        own = by_name(learner).fit(X, [], [], S).score(X, S).acquisition
        first = session.ranking_rows("suggested")[:20]
    np.testing.assert_array_equal(first, np.argsort(-own, kind="stable")[:20])


def test_what_is_left_is_not_said_by_a_learner_that_cannot():
    X, ids, S, scores, _ = survey()
    session = Session(X, ids, anomaly_score=S, learner="aad_forest")
    label_with(session, Oracle(scores), 20, batch_size=20)
    assert session.remaining() is None
    session.close()


def test_a_reopened_project_suggests_the_same(tmp_path):
    X, ids, S, scores, _ = survey()
    session = Session(X, ids, anomaly_score=S, project=tmp_path / "p")
    label_with(session, Oracle(scores), 20, batch_size=20)
    before = list(session.ranking("suggested"))
    session.close()
    again = Session.open(tmp_path / "p")
    assert list(again.ranking("suggested")) == before
    again.close()


def test_labeling_with_an_oracle_leaves_the_batch_size_as_it_was(session):
    _, _, _, scores, _ = survey()
    session.batch_size = 7
    label_with(session, Oracle(scores), 20, batch_size=10)
    assert session.batch_size == 7
