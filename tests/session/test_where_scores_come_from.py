"""Scores of a project are taken again as long as they come from the same: data, detector, seed."""

from __future__ import annotations

from threading import Lock

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

import astronomaly_widgets as aw
from astronomaly_widgets import detectors

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
X.setflags(write=False)
CHANGED = "the detector, its seed or the score given has changed"


class Distance:
    """Has neither a repr of its own nor a way to say its parameters, and keeps what it fitted."""

    def __init__(self, power=2.0, center=()):
        self._power, self._center = power, np.array(center or np.zeros(3))

    def fit(self, X):
        self.mean = X.mean(axis=0) + self._center
        return self

    def score_samples(self, X):
        return -(np.abs(X - self.mean) ** self._power).sum(axis=1)


class Holding(Distance):
    """Holds what nothing can be said of."""

    def __init__(self):
        super().__init__()
        self._lock = Lock()


def defined(formula):
    """Define a detector as the cell of a notebook does, always under one name."""
    lines = [
        "class Mine:",
        "    def fit(self, X): return self",
        f"    def score_samples(self, X): return {formula}",
    ]
    context = {"__name__": "__main__"}
    exec("\n".join(lines), context)  # noqa: S102 - a fresh definition each time
    return context["Mine"]()


def forest(n, seed=0):
    return IsolationForest(n_estimators=n, random_state=seed)


def session_of(project, **given):
    return aw.Session(X, project=project, learner="neighbor_score", **given)


def trained(session):
    session.label("3", 5)
    session.retrain().result(60)
    session._threads[-1].join()
    return session.trained_score


def assert_kept(project, score, **given):
    session = session_of(project, **given)
    assert session.status == ""
    np.testing.assert_array_equal(session.trained_score, score)
    session.close()


def assert_anew(project, **given):
    session = session_of(project, **given)
    assert CHANGED in session.status
    assert np.isnan(session.relevance).all()
    alone = aw.Session(X, **given)
    np.testing.assert_array_equal(session.anomaly_score, alone.anomaly_score)
    session.close()


@pytest.mark.parametrize(
    "make",
    [
        Distance,
        lambda: Distance(1.0, (1, 2, 3)),
        lambda: forest(5),
        lambda: detectors.IsolationForest(n_estimators=5),
        lambda: defined("-X[:, 0]"),
        lambda: "local_outlier_factor",
    ],
    ids=["plain", "parameters", "scikit-learn", "dataclass", "notebook", "name"],
)
def test_an_equal_detector_finds_the_trained_ranking_again(tmp_path, make):
    score = trained(session_of(tmp_path / "p", detector=make()))
    assert_kept(tmp_path / "p", score, detector=make())


@pytest.mark.parametrize("kind", [IsolationForest, detectors.IsolationForest])
def test_a_detector_that_says_its_parameters_may_be_fitted_already(tmp_path, kind):
    detector = kind(n_estimators=5, random_state=0)
    score = trained(session_of(tmp_path / "p", detector=detector))
    assert_kept(tmp_path / "p", score, detector=detector)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Distance(2.0), Distance(1.0)),
        (Distance(center=(0, 0, 1)), Distance(center=(0, 0, 2))),
        (defined("-X[:, 0]"), defined("-X[:, 1]")),
        (forest(5), forest(6)),
        (forest(5), forest(5, seed=1)),
        (Holding(), Holding()),
    ],
    ids=["parameter", "array", "code", "trees", "seed", "unknown"],
)
def test_another_detector_scores_anew_and_it_is_said(tmp_path, one, other):
    trained(session_of(tmp_path / "p", detector=one))
    assert_anew(tmp_path / "p", detector=other)


def test_another_score_that_is_given_is_taken_and_it_is_said(tmp_path):
    trained(session_of(tmp_path / "p", anomaly_score=np.linspace(0, 5, 60)))
    assert_anew(tmp_path / "p", anomaly_score=np.linspace(5, 0, 60))
    assert_anew(tmp_path / "p")


@pytest.mark.parametrize(
    "given",
    [
        dict,
        lambda: {"detector": Distance()},
        lambda: {"anomaly_score": np.linspace(0, 5, 60)},
        lambda: {"random_state": 3},
    ],
    ids=["default", "object", "score", "seed"],
)
def test_a_saved_session_goes_on_where_it_stopped(tmp_path, given):
    session = aw.Session(X, learner="neighbor_score", **given())
    score = trained(session)
    session.save(tmp_path / "p")
    session.close()
    assert_kept(tmp_path / "p", score, **given())


def test_exploring_again_what_was_saved_keeps_the_trained_ranking(tmp_path):
    session = aw.explore(X, progress=False)
    session.label("object-3", 5)
    session.retrain().result(60)
    session.save(tmp_path / "p")
    session.close()
    again = aw.explore(X, project=tmp_path / "p", progress=False)
    assert "changed" not in again.status
    np.testing.assert_array_equal(again.trained_score, session.trained_score)
    again.close()
