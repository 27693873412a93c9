"""A project opens with the learner it was left with, or says which one is missing."""

import json

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from astronomaly_widgets import Session, learners
from astronomaly_widgets.learners import (
    AnomalyScore,
    DirectRegression,
    GuidedEnsemble,
    NeighborScore,
    PineForest,
)
from astronomaly_widgets.session._restoring import restore_learner, spec_of_learner


class Mine(AnomalyScore):
    """A learner that no project can make."""


@pytest.fixture
def new_session(tmp_path):
    def make(learner="auto"):
        X = np.random.default_rng(0).normal(size=(60, 3))
        return Session(X, learner=learner, project=tmp_path / "p")

    return make


@pytest.fixture
def reopened(tmp_path):
    def reopen(learner=None):
        session = Session.open(tmp_path / "p", learner=learner)
        session.close()
        return session.learner, session.status

    return reopen


@pytest.mark.parametrize(
    "learner",
    [
        "neighbor_score",
        AnomalyScore(),
        NeighborScore(alpha=2.0, regressor="ridge"),
        DirectRegression(xi=np.float64(0.25), cold_start="random"),
        GuidedEnsemble(random_state=np.int64(7)),
        PineForest(n_spare_trees=10),
    ],
)
def test_a_project_opens_with_the_learner_it_was_left_with(new_session, reopened, learner):
    new_session(learner).close()
    assert reopened() == (learner, "")


def test_a_project_is_left_with_the_learner_that_was_set_last(new_session, reopened):
    session = new_session()
    session.learner = NeighborScore(alpha=2.0)
    session.close()
    assert reopened() == (NeighborScore(alpha=2.0), "")
    assert reopened("random") == ("random", "")
    assert reopened() == ("random", "")


def test_a_project_is_left_with_what_learned_last(new_session, reopened):
    session = new_session(NeighborScore())
    session.label("3", 5)
    session.learner.alpha = 3.0
    session.retrain().result(60)
    session.close()
    assert reopened() == (NeighborScore(alpha=3.0), "")


def test_a_project_of_before_says_it_in_the_manifest(new_session, reopened, tmp_path):
    new_session().close()
    (tmp_path / "p" / "view" / "learner.json").unlink()
    path = tmp_path / "p" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["session"]["learner"] = "direct_regression"
    path.write_text(json.dumps(manifest))
    assert reopened() == ("direct_regression", "")


def test_a_saved_session_keeps_its_learner(tmp_path, reopened):
    session = Session(np.eye(20), learner=NeighborScore(alpha=2.0))
    session.save(tmp_path / "p")
    session.close()
    assert reopened() == (NeighborScore(alpha=2.0), "")


@pytest.mark.parametrize(
    ("learner", "name"),
    [(Mine(), "Mine"), (NeighborScore(regressor=KNeighborsRegressor()), "NeighborScore")],
)
def test_a_learner_that_cannot_be_kept_is_named_until_it_is_given(
    new_session, reopened, learner, name
):
    new_session(learner).close()
    for _ in range(2):
        found, status = reopened()
        assert found == "auto"
        assert name in status
        assert "learner=..." in status
    assert reopened(learner) == (learner, "")


def test_who_goes_on_with_the_default_is_asked_no_more(new_session, reopened, tmp_path):
    new_session(Mine()).close()
    session = Session.open(tmp_path / "p")
    session.label("3", 5)
    session.retrain().result(60)
    session.close()
    assert reopened() == ("auto", "")


@pytest.mark.parametrize(
    "told",
    [
        {"name": "by_name", "arguments": {"learner": "auto"}},
        {"name": "LearnerScores", "arguments": {}},
        {"name": "require", "arguments": {"module": "os"}},
        {"name": "NeighborScore", "arguments": {"_model": 1}},
        {"name": ["NeighborScore"], "arguments": {}},
        "no such learner",
        3,
    ],
)
def test_a_project_makes_no_learner_but_ours(new_session, reopened, tmp_path, told):
    new_session().close()
    (tmp_path / "p" / "view" / "learner.json").write_text(json.dumps(told))
    found, status = reopened()
    assert found == "auto"
    assert "cannot" in status


def test_every_learner_that_has_a_name_can_be_kept():
    """Whoever adds one, or an argument, finds out here."""
    for name in learners.NAMES:
        learner = learners.by_name(name)
        assert restore_learner(json.loads(json.dumps(spec_of_learner(learner)))) == learner
