from concurrent.futures import Future

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets import Session
from astronomaly_widgets.simulation import Oracle, label_with

IDS = [f"o{i}" for i in range(4000)]


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_an_oracle_without_error_gives_the_score_it_knows(kind):
    oracle = Oracle(kind({"a": 5, "b": 0.5}))
    assert oracle.score("a") == 5
    assert oracle.score("b") == 0.5
    assert isinstance(oracle.score("a"), float)


def test_slips_are_one_point_and_as_often_as_asked():
    oracle = Oracle(dict.fromkeys(IDS, 3.0), error=0.1)
    given = np.array([oracle.score(i) for i in IDS])
    assert set(given) == {2.0, 3.0, 4.0}
    assert 0.08 < (given != 3).mean() < 0.12
    assert 0.4 < (given[given != 3] > 3).mean() < 0.6


def test_scores_stay_on_the_scale():
    for edge, neighbor in ((0.0, 1.0), (5.0, 4.0)):
        oracle = Oracle(dict.fromkeys(IDS, edge), error=1.0)
        given = [oracle.score(i) for i in IDS]
        assert set(given) == {edge, neighbor}
        assert 0.4 < np.mean(np.array(given) == neighbor) < 0.6


def test_a_slip_belongs_to_the_object_not_to_the_moment():
    first = Oracle(dict.fromkeys(IDS, 3.0), error=0.5, random_state=1)
    second = Oracle(dict.fromkeys(IDS, 3.0), error=0.5, random_state=1)
    assert [first.score(i) for i in IDS] == [second.score(i) for i in reversed(IDS)][::-1]
    other = Oracle(dict.fromkeys(IDS, 3.0), error=0.5, random_state=2)
    assert [first.score(i) for i in IDS] != [other.score(i) for i in IDS]


def test_an_unknown_object_is_a_key_error():
    with pytest.raises(KeyError, match="nowhere"):
        Oracle({"a": 1.0}).score("nowhere")


@pytest.mark.parametrize("error", [-0.1, 1.1, np.nan])
def test_an_error_that_is_no_probability_is_refused(error):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Oracle({}, error=error)


def survey():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).astype("float32")
    X[:10] += 6
    X[10:20] -= 6
    ids = np.array([f"s{i:03d}" for i in range(200)])
    return X, ids, dict(zip(ids, np.r_[np.full(10, 5.0), np.zeros(190)], strict=True))


def test_the_oracle_labels_what_is_suggested_and_counts_what_it_found():
    X, ids, scores = survey()
    session = Session(X, ids, learner="neighbor_score")
    expected = list(session.ranking("suggested")[:10])
    frame = label_with(session, Oracle(scores), n_labels=25, batch_size=10)
    assert list(frame.columns) == ["object_id", "score", "found"]
    assert list(frame["object_id"][:10]) == expected
    assert frame["object_id"].is_unique
    assert len(frame) == len(session.labels) == 25
    assert frame["score"].tolist() == [scores[i] for i in frame["object_id"]]
    assert frame["found"].tolist() == (frame["score"] >= 4).cumsum().tolist()
    assert len(session.history) == 3  # two whole batches and the rest


def test_labeling_goes_on_where_it_stopped_and_ends_with_the_objects():
    X, ids, scores = survey()
    session = Session(X, ids)
    session.label(ids[3], 2)
    frame = label_with(session, Oracle(scores), n_labels=1000, batch_size=150)
    assert sorted([*frame["object_id"], ids[3]]) == sorted(ids)
    assert session.score_of(ids[3]) == 2


def test_no_labels_are_asked_for_none_is_given():
    X, ids, scores = survey()
    session = Session(X, ids)
    frame = label_with(session, Oracle(scores), n_labels=0)
    assert frame.empty
    assert list(frame.columns) == ["object_id", "score", "found"]
    assert len(session.labels) == 0


@pytest.mark.parametrize(("n_labels", "batch_size"), [(-1, 10), (10, 0)])
def test_counts_that_make_no_sense_are_refused(n_labels, batch_size):
    X, ids, scores = survey()
    with pytest.raises(ValueError, match="n_labels >= 0 and batch_size >= 1"):
        label_with(Session(X, ids), Oracle(scores), n_labels, batch_size)


def test_an_object_the_oracle_does_not_know_is_a_key_error():
    X, ids, _ = survey()
    with pytest.raises(KeyError):
        label_with(Session(X, ids), Oracle({}), n_labels=5)


def test_a_failed_retrain_is_not_passed_over():
    X, ids, scores = survey()
    session = Session(X, ids)
    failed = Future()
    failed.set_exception(MemoryError("no room"))
    session.retrain = lambda: failed
    with pytest.raises(MemoryError, match="no room"):
        label_with(session, Oracle(scores), n_labels=5)
