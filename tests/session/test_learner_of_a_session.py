"""Which learner a session asks, and what it keeps."""

from dataclasses import replace

import numpy as np
import pytest

from astronomaly_widgets import Session, embedding, learners, simulation
from astronomaly_widgets._protocols import LearnerScores
from astronomaly_widgets.session import _learning


@pytest.fixture(name="session")
def one_session():
    X = np.random.default_rng(0).normal(size=(200, 3))
    session = Session(X, anomaly_score=np.linspace(5, 0, 200), learner="neighbor_score")
    for row, score in [(0, 5), (1, 0), (9, 3)]:
        session.label(str(row), score)
    yield session
    session.close()


def test_by_name_it_is_made_once_so_that_it_may_keep_what_it_knows(session, monkeypatch):
    made = []
    by_name = learners.by_name
    monkeypatch.setattr(_learning, "by_name", lambda *name: made.append(name) or by_name(*name))
    first = session.retrain().result(60)
    session.label("7", 5)
    assert session.retrain().result(60)["n_labels"] == 4
    assert made == [("neighbor_score", 0, 4.0)]
    session.learner = "direct_regression"
    assert session.retrain().result(60)["learner"] == "DirectRegression"
    session.random_state = 5
    session.retrain().result(60)
    session.interesting_from = 3.0
    session.retrain().result(60)
    settings = [(0, 4.0), (5, 4.0), (5, 3.0)]
    assert made[1:] == [("direct_regression", *these) for these in settings]
    assert first["learner"] == "NeighborScore"


def test_what_it_says_is_what_a_new_one_would_say(session):
    session.retrain().result(60)
    session.label("7", 5)
    session.unlabel("1")
    session.retrain().result(60)
    rows, y = [0, 7, 9], [5, 5, 3]
    X, S = session.features, session.anomaly_score
    fresh = learners.NeighborScore().fit(X, rows, y, S).score(X, S)
    np.testing.assert_allclose(session.trained_score, fresh.trained_score, rtol=1e-6)


def test_a_learner_that_was_given_is_the_one_that_is_asked(session):
    session.learner = mine = learners.NeighborScore(alpha=2.0)
    session.retrain().result(60)
    assert mine._model is not None


@pytest.mark.parametrize("learner", ["auto", "neighbor_score", "direct_regression"])
def test_the_same_labels_give_the_same_ranking_in_whatever_order_they_were_given(learner):
    rng = np.random.default_rng(0)
    X, S = rng.normal(size=(300, 4)), rng.uniform(0, 5, 300)
    labels = [(str(row), float(rng.integers(6))) for row in rng.permutation(300)[:30]]
    said = []
    for given in (labels, labels[::-1], sorted(labels, key=lambda label: label[1])):
        session = Session(X, anomaly_score=S, learner=learner)
        for object_id, score in given:
            session.label(object_id, score)
        session.retrain().result(60)
        said.append(session.results()[["trained_score", "relevance", "uncertainty"]])
        session.close()
    assert said[0].equals(said[1])
    assert said[0].equals(said[2])


def test_what_is_said_of_each_label_comes_back_in_the_order_of_labeling():
    """Of that order is the yield, which tells how many are left."""

    class Sayer:
        def fit(self, X, rows, y, anomaly_score):
            self.rows = np.asarray(rows)
            return self

        def score(self, X, anomaly_score):
            S, left_out = np.asarray(anomaly_score), self.rows.astype(np.float32)
            return LearnerScores(S, S, S, S, left_out=left_out)

    session = Session(np.zeros((20, 2)), anomaly_score=np.ones(20), learner=Sayer())
    for row in (9, 2, 15, 0, 4):
        session.label(str(row), 1)
    session.retrain().result(60)
    assert session.learner.rows.tolist() == [0, 2, 4, 9, 15]
    assert session._scores["rows"].tolist() == [9, 2, 15, 0, 4]
    assert session._scores["left_out"].tolist() == [9, 2, 15, 0, 4]
    session.close()


def test_what_does_not_fit_on_the_disk_is_said_and_what_was_learned_is_kept(tmp_path, monkeypatch):
    X = np.random.default_rng(0).normal(size=(200, 3))
    session = Session(X, learner="neighbor_score", project=tmp_path / "search")
    session.label("0", 5)
    session.retrain().result(60)
    on_disk = session.trained_score.copy()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        session.label("1", 0)
        row = session.retrain().result(60)
    assert row["n_labels"] == 2
    assert not np.array_equal(session.trained_score, on_disk)
    assert "learned from 2 labels" in session.status
    assert "not on disk" in session.status
    assert "No space left on device" in str(session.last_error)
    session.close()
    again = Session.open(tmp_path / "search")
    np.testing.assert_array_equal(again.trained_score, on_disk)  # as it was, whole
    assert again.n_labeled == 2  # labels are never lost
    assert again.retrain().result(60)["n_labels"] == 2
    again.close()


class Speaker:
    """Says what it was given to say, or raises it."""

    def __init__(self, says):
        self.says = says

    def fit(self, X, rows, y, anomaly_score):
        return self

    def score(self, X, anomaly_score):
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


@pytest.mark.parametrize(
    ("says", "came"),
    [
        (None, "a NoneType without trained_score"),
        (np.zeros(200), "a ndarray without trained_score"),
        ({"trained_score": np.zeros(200)}, "a dict without trained_score"),
        (LearnerScores(np.zeros(200), None, None, np.zeros(200)), "without relevance"),
    ],
)
def test_a_learner_that_does_not_say_what_it_should_has_not_learned(session, says, came):
    session.learner = Speaker(says)
    with pytest.raises(ValueError, match=rf"{came}: let it return LearnerScores"):
        session.retrain().result(60)
    assert session.status.startswith("retrain failed, the ranking is as it was")
    assert np.isnan(session.relevance).all()
    assert session.history.empty


class Forgetful(learners.AnomalyScore):
    """Does not return itself, as easily happens to who writes one; begins with the last object."""

    cold_start = "last"

    def fit(self, X, rows, y, anomaly_score):
        super().fit(X, rows, y, anomaly_score)

    def score(self, X, anomaly_score):
        return replace(super().score(X, anomaly_score), acquisition=np.arange(len(X)))


def test_a_learner_whose_fit_returns_nothing_is_asked_all_the_same(session):
    session.learner = Forgetful()
    session.strategy = "top"
    assert session.ranking("suggested")[0] == "199"
    assert session.retrain().result(60)["n_labels"] == 3
    assert simulation.replay(session, [Forgetful()], progress=False).n_labels == 3


def test_a_learner_that_exits_or_panics_leaves_nobody_waiting(session):
    session.learner = Speaker(SystemExit("no license"))
    with pytest.raises(SystemExit, match="no license"):
        session.retrain().result(60)
    assert session.status == "retrain failed, the ranking is as it was: no license"
    assert isinstance(session.last_error, SystemExit)
    session.learner = "neighbor_score"
    assert session.retrain().result(60)["n_labels"] == 3


def test_a_map_and_clusters_that_do_not_fit_on_the_disk_are_there_all_the_same(
    tmp_path, monkeypatch
):
    X = np.random.default_rng(0).normal(size=(200, 3))
    session = Session(X, learner="neighbor_score", project=tmp_path / "search")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    told = []
    session.observe(lambda change: told.append(change["new"]), "status")
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        patch.setattr(embedding, "compute", lambda X, **_: X[:, 1:3].copy())
        xy = session.start_embedding().result(60)
        found = session.find_clusters("kmeans", n_clusters=3).result(60)
        session._threads[-1].join()
    np.testing.assert_array_equal(session.best_embedding, xy)
    assert session.embedding_name == "UMAP"
    assert session.clusters is found
    assert session.cluster_revision > 0
    assert told[0].startswith("the map is ready, but not on disk: embedding.npz could not be")
    assert told[1].startswith("found 3 clusters, but not on disk: clusters.npz could not be")
    assert "No space left on device" in str(session.last_error)
    session.close()
