"""The first pages of a new ranking are suggested while the rest is still being scored."""

import threading
import time

import numpy as np
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets import compute
from astronomaly_widgets._protocols import LearnerScores
from astronomaly_widgets.session import _early

N = 3000


class Gated:
    """Likes what is near the liked; says so of some at once, of all when it is let go."""

    def __init__(self):
        self.go = threading.Event()
        self.points = np.zeros((0, 3))

    def fit(self, X, rows, y, anomaly_score):
        self.points = X[np.asarray(rows)[np.asarray(y) >= 4]]
        return self

    def score_some(self, X, anomaly_score):
        distance = np.full(len(X), 9.0)
        for point in self.points:
            distance = np.minimum(distance, np.linalg.norm(X - point, axis=1))
        worth = (5 * np.exp(-distance)).astype(np.float32)
        return LearnerScores(worth, worth, np.zeros_like(worth), worth)

    def score(self, X, anomaly_score):
        while not self.go.wait(0.005):
            compute.report(0.5)
        return self.score_some(X, anomaly_score)


class ScoresAll:
    """The same, but it has to be asked of all."""

    def fit(self, X, rows, y, anomaly_score):
        self.of_some = Gated().fit(X, rows, y, anomaly_score)
        return self

    def score(self, X, anomaly_score):
        return self.of_some.score_some(X, anomaly_score)


class FailsLater(Gated):
    def score(self, X, anomaly_score):
        super().score(X, anomaly_score)
        raise ZeroDivisionError("half way")


class FailsAtOnce(Gated):
    def score_some(self, X, anomaly_score):
        raise ZeroDivisionError("at once")


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(_early, "_MANY", 1000)
    monkeypatch.setattr(_early, "_N_LISTED", 400)


def survey():
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, 3)).astype(np.float32), rng.uniform(0, 5, N).astype(np.float32)


def new_session(learner, **options):
    X, S = survey()
    session = aw.Session(X, anomaly_score=S, learner=learner, **options)
    session.strategy = "top"
    session.label(str(int(np.argmin(S))), 5)  # liked, and the last that the detector would show
    session.label("7", 0)
    return session


@pytest.fixture
def session(few):
    made = new_session(Gated())
    yield made
    made.learner.go.set()
    made.close()


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def half_way(session):
    """Retrain until the first pages are suggested; return the future."""
    future = session.retrain()
    until(lambda: session.early_revision > session.score_revision)
    return future


def test_first_pages_are_those_of_the_whole_ranking(session):
    before = session.ranking()
    future = half_way(session)
    early = session.ranking()
    session.learner.go.set()
    future.result(20)
    whole = session.ranking()
    assert early[:24].tolist() == whole[:24].tolist() != before[:24].tolist()


def test_an_early_ranking_has_every_object_once(session):
    half_way(session)
    assert sorted(session.ranking()) == sorted(session.object_ids)


def test_scores_stay_as_they_were_until_all_is_scored(session):
    before = session.trained_score.copy(), session.ranking("trained_score")
    future = half_way(session)
    np.testing.assert_array_equal(session.trained_score, before[0])
    assert session.ranking("trained_score").tolist() == before[1].tolist()
    first = session.ranking()[0]
    early = session.scores_of(first)
    session.learner.go.set()
    future.result(20)
    assert session.scores_of(first) == early
    assert early["trained_score"] == session.trained_score[session.row_of(first)]


def test_whoever_is_not_on_the_first_pages_keeps_the_scores_there_were(session):
    half_way(session)
    rows = session._early.rows
    other = int(np.setdiff1d(np.arange(N), rows)[0])
    known = session.scores_of(str(other))
    assert known["trained_score"] == session.trained_score[other]
    assert np.isnan(known["relevance"])


def test_revisions_say_what_is_early_and_what_is_whole(session):
    seen = []
    session.observe(
        lambda change: seen.append((change["name"], change["new"])),
        ["early_revision", "score_revision"],
    )
    future = half_way(session)
    assert "first pages" in session.status
    assert session.ranking_revision == session.early_revision
    session.learner.go.set()
    future.result(20)
    revision = session.score_revision
    assert seen == [("early_revision", revision), ("score_revision", revision)]
    assert session.ranking_revision == revision


def test_the_ranking_in_the_end_knows_nothing_of_its_first_pages(session, monkeypatch):
    session.learner.go.set()
    session.retrain().result(20)
    monkeypatch.setattr(_early, "_MANY", N + 1)
    plain = new_session(session.learner)
    plain.retrain().result(20)
    assert plain.early_revision == 0 < session.early_revision
    assert plain.ranking().tolist() == session.ranking().tolist()
    plain.close()


def test_first_pages_that_were_cancelled_are_withdrawn(session):
    before = session.ranking().tolist()
    future = half_way(session)
    assert future.cancel()
    until(lambda: not session.retraining)
    assert session.early_revision == 0
    assert session.ranking().tolist() == before


def test_first_pages_of_a_learner_that_fails_are_withdrawn(session):
    session.learner = FailsLater()
    before = session.ranking().tolist()
    future = half_way(session)
    session.learner.go.set()
    with pytest.raises(ZeroDivisionError, match="half way"):
        future.result(20)
    until(lambda: not session.retraining)
    assert (session.early_revision, session.ranking().tolist()) == (0, before)
    assert "the ranking is as it was" in session.status


def test_a_learner_that_fails_at_once_says_so(session):
    session.learner = FailsAtOnce()
    with pytest.raises(ZeroDivisionError, match="at once"):
        session.retrain().result(20)
    assert session.early_revision == 0


def test_nothing_early_is_on_disk(few, tmp_path):
    session = new_session(Gated(), project=tmp_path / "p")
    before = session.project.load_arrays("scores")["trained_score"]
    half_way(session)
    np.testing.assert_array_equal(session.project.load_arrays("scores")["trained_score"], before)
    assert "trained_score" in session.results()
    np.testing.assert_array_equal(session.results()["trained_score"], before)
    session.close()
    again = aw.Session.open(tmp_path / "p")
    np.testing.assert_array_equal(again.trained_score, before)
    assert len(again.history) == 0
    assert again.n_labeled == 2
    again.close()


def test_a_second_retrain_waits_and_makes_first_pages_of_its_own(session):
    first = half_way(session)
    early = session.early_revision
    second = session.retrain()
    session.label("11", 5)
    session.learner.go.set()
    assert (first.result(20)["n_labels"], second.result(20)["n_labels"]) == (2, 3)
    assert session.early_revision == session.score_revision > early


def test_an_object_labeled_meanwhile_is_in_no_batch(session):
    future = half_way(session)
    ranked = session.ranking()
    session.label(ranked[0], 3)
    assert session.ranking()[0] == ranked[1]
    session.learner.go.set()
    future.result(20)


def test_few_objects_are_scored_at_once(few, monkeypatch):
    monkeypatch.setattr(_early, "_MANY", N + 1)
    session = new_session(Gated())
    session.learner.go.set()
    session.retrain().result(20)
    assert session.early_revision == 0
    session.close()


def test_a_learner_that_cannot_score_some_scores_all(few):
    session = new_session(ScoresAll())
    session.retrain().result(20)
    assert session.early_revision == 0
    assert session.score_revision > 0
    session.close()


def test_the_default_learner_suggests_early_what_it_suggests_in_the_end(few, monkeypatch):
    session = new_session("auto")
    for name in session.ranking()[:40]:
        session.label(name, 1)
    early = []
    session.observe(lambda change: early.append(session.ranking()), "early_revision")
    session.retrain().result(60)
    found = np.isin(session.ranking()[:20], early[0][:20]).mean()
    assert found >= 0.9
    session.close()


# -- what is scored first ------------------------------------------------------------------


def scores_of_a_survey():
    X, S = survey()
    rng = np.random.default_rng(1)
    names = ("acquisition", "exploration")
    return X, {"anomaly_score": S, **{name: rng.random(N).astype("float32") for name in names}}


def test_the_best_of_each_score_and_all_labels_are_listed(few):
    X, scores = scores_of_a_survey()
    labeled = np.array([5, 17, 2000])
    rows = _early.shortlist(X, scores, labeled, labeled[:0])
    assert (np.diff(rows) > 0).all()
    assert np.isin(labeled, rows).all()
    assert len(rows) <= 400 + len(labeled)
    for name, share in _early._BEST.items():
        assert np.isin(np.argsort(-scores[name])[: int(share * 400)], rows).all(), name


def test_what_is_near_the_first_liked_object_is_listed(few):
    X, scores = scores_of_a_survey()
    liked = int(np.argmin(scores["acquisition"] + scores["anomaly_score"]))
    near = np.argsort(np.linalg.norm(X - X[liked], axis=1))[:12]
    labeled = np.array([5, 17, liked])
    without = _early.shortlist(X, scores, labeled, labeled[:0])
    rows = _early.shortlist(X, scores, labeled, labeled[2:])
    assert np.isin(near, rows).mean() > 0.9 > np.isin(near, without).mean()


def test_what_is_as_near_to_what_is_not_liked_is_left_out(few):
    X = np.zeros((N, 2), dtype=np.float32)
    X[:, 0] = np.linspace(-1, 1, N)
    labeled = np.array([1500, 1490])
    near = np.setdiff1d(_early._attracted(X, labeled[:1], labeled[1:]), labeled)
    assert (near > 1494).all()


def test_far_away_from_zero_what_is_near_is_still_found(few):
    X, _ = survey()
    near = _early._attracted(X + np.float32(1000), np.array([3]), np.array([9]))
    assert set(near) >= set(_early._attracted(X, np.array([3]), np.array([9]))[:40])


def test_while_nothing_is_found_the_kinds_are_those_of_everything(few, monkeypatch):
    monkeypatch.setattr(_early, "_N_LISTED", 2000)
    session = new_session("auto")
    session.undo()
    session.undo()
    session.strategy = "auto"
    for name in session.ranking("anomaly_score")[:20]:
        session.label(name, 0)
    seen = []

    def look(_):
        seen.extend((name, session.reason_of(name)) for name in session.ranking()[:50])

    session.observe(look, "early_revision")
    session.retrain().result(60)
    diverse = [name for name, why in seen if why == "diverse"]
    assert len(diverse) >= 30
    drawn = np.isin(session.rows_of(diverse), _early._of_everything(N))
    assert drawn.mean() > 0.5
    session.close()
