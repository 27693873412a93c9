"""What every learner owes, whoever wrote it."""

import importlib.util
import sys
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from astronomaly_widgets import compute, learners
from astronomaly_widgets._protocols import EarlyLearner
from astronomaly_widgets.exceptions import MissingDependencyError
from astronomaly_widgets.learners import _inputs

FIELDS = ("trained_score", "relevance", "uncertainty", "acquisition")
FORESTS = {"aad_forest", "pine_forest"}  # they order objects, and predict no score
TURNS = {"guided_ensemble"}  # its best are dealt out among those that are there
BASELINES = {"anomaly_score", "random"}
HAS_CONIFEREST = importlib.util.find_spec("coniferest") is not None
NAMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in FORESTS and not HAS_CONIFEREST, reason="coniferest is not installed"
        ),
    )
    for name in learners.NAMES
    if name != "auto"
]


def survey(n=300, d=4, seed=0):
    """Two tight groups apart: rows 0 to 9 will be liked, 10 to 19, more anomalous, will not."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).astype("float32")
    X[:20] /= 10
    X[:10] += 7
    X[10:20] -= 7
    S = rng.uniform(0, 2, n).astype("float32")
    S[:20] = np.linspace(4, 5, 20)
    return X, S


def some_labels():
    rows = np.r_[0:6, 10:16, 100:110]
    return rows, np.r_[np.full(6, 5.0), np.zeros(6), np.ones(10)]


def assert_sensible(scores, n):
    for name in FIELDS:
        values = getattr(scores, name)
        assert values.shape == (n,)
        assert values.dtype == np.float32
        assert not np.isinf(values).any()
    assert ((scores.trained_score >= 0) & (scores.trained_score <= 5)).all()
    assert not np.isnan(scores.acquisition).any()
    known = scores.relevance[~np.isnan(scores.relevance)]
    assert ((known >= 0) & (known <= 5)).all()
    assert not (scores.uncertainty < 0).any()


@pytest.mark.parametrize("name", NAMES)
class TestEveryLearner:
    def test_scores_are_in_range_and_keep_their_promises(self, name):
        X, S = survey()
        learner = learners.by_name(name)
        assert isinstance(learner, learners.Learner)
        assert learner.fit(X, *some_labels(), S) is learner
        scores = learner.score(X, S)
        assert_sensible(scores, 300)
        predicts_nothing = name in FORESTS | BASELINES
        assert (np.isnan(scores.relevance) == predicts_nothing).all()

    def test_what_is_left_out_is_a_score_for_each_label(self, name):
        X, S = survey()
        rows, y = some_labels()
        left_out = learners.by_name(name).fit(X, rows, y, S).score(X, S).left_out
        if left_out is not None:
            assert left_out.shape == rows.shape
            known = left_out[~np.isnan(left_out)]
            assert ((known >= 0) & (known <= 5)).all()
            assert np.nanmean(left_out[:6]) > np.nanmean(left_out[6:12])  # liked, not liked

    def test_without_labels_the_trained_score_is_the_anomaly_score(self, name):
        X, S = survey()
        untrained = learners.by_name(name)
        emptied = learners.by_name(name).fit(X, *some_labels(), S).fit(X, [], [], S)
        for learner in (untrained, emptied):
            scores = learner.score(X, S)
            np.testing.assert_array_equal(scores.trained_score, S)
            if name != "random":
                np.testing.assert_array_equal(np.argsort(scores.acquisition), np.argsort(S))
            assert np.isnan(scores.relevance).all()
            assert np.isnan(scores.uncertainty).all()

    def test_neighbors_of_what_is_liked_come_before_neighbors_of_what_is_not(self, name):
        if name in BASELINES:
            pytest.skip("a baseline does not listen")
        X, S = survey()
        scores = learners.by_name(name).fit(X, *some_labels(), S).score(X, S)
        liked, disliked = slice(6, 10), slice(16, 20)
        for values in (scores.trained_score, scores.relevance, scores.acquisition):
            if values is not scores.relevance or name not in FORESTS:
                assert values[liked].min() > values[disliked].max()

    def test_some_objects_are_scored_as_among_all(self, name):
        X, S = survey()
        learner = learners.by_name(name)
        if not isinstance(learner, EarlyLearner):
            pytest.skip("a baseline is done at once")
        assert learner.score_some(X, S) is None  # nothing was learned yet
        learner.fit(X, *some_labels(), S)
        some = np.r_[0:20, 40:300:3]
        got, among_all = learner.score_some(X[some], S[some]), learner.score(X, S)
        assert_sensible(got, len(some))
        unlabeled = ~np.isin(some, some_labels()[0])
        for field in FIELDS:
            values, wanted = getattr(got, field), getattr(among_all, field)[some]
            if field == "acquisition" and name in TURNS:
                assert np.argmax(values[unlabeled]) == np.argmax(wanted[unlabeled])
                continue
            order = np.argsort(wanted, kind="stable")
            assert not (np.diff(values[order]) < -1e-5).any(), field
            if field == "relevance":
                np.testing.assert_allclose(values, wanted, atol=1e-5)

    def test_scoring_some_changes_nothing_of_all(self, name):
        X, S = survey()
        learner = learners.by_name(name).fit(X, *some_labels(), S)
        if not isinstance(learner, EarlyLearner):
            pytest.skip("a baseline is done at once")
        before = learner.score(X, S)
        learner.score_some(X[50:], S[50:])
        after = learner.score(X, S)
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(after, field), getattr(before, field))

    def test_the_same_seed_gives_the_same_scores(self, name):
        X, S = survey()
        first, second = (
            learners.by_name(name, random_state=3).fit(X, *some_labels(), S).score(X, S)
            for _ in range(2)
        )
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(first, field), getattr(second, field))

    def test_learning_again_forgets_what_was_learned_before(self, name):
        X, S = survey()
        rows, y = some_labels()
        again = learners.by_name(name).fit(X, rows, 5 - y, S).fit(X, rows, y, S).score(X, S)
        fresh = learners.by_name(name).fit(X, rows, y, S).score(X, S)
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(again, field), getattr(fresh, field))

    @pytest.mark.parametrize("numbers", [30, 500, 10_000])
    def test_the_size_of_the_chunks_does_not_show(self, name, numbers, monkeypatch):
        X, S = survey()
        learner = learners.by_name(name).fit(X, *some_labels(), S)
        want = learner.score(X, S)
        monkeypatch.setattr(_inputs, "_NUMBERS_PER_CHUNK", numbers)
        got = learner.score(X, S)
        for field in FIELDS:
            np.testing.assert_allclose(getattr(got, field), getattr(want, field), rtol=1e-6)

    def test_the_inputs_stay_as_they_are(self, name):
        X, S = survey()
        before = X.copy(), S.copy()
        scores = learners.by_name(name).fit(X, *some_labels(), S).score(X, S)
        scores.trained_score[:] = -1  # the answer is the caller's own
        learners.by_name(name).score(X, S).trained_score[:] = -1
        np.testing.assert_array_equal(X, before[0])
        np.testing.assert_array_equal(S, before[1])

    def test_a_memory_mapped_matrix_will_do(self, name, tmp_path):
        X, S = survey()
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        got = learners.by_name(name).fit(mapped, *some_labels(), S).score(mapped, S)
        want = learners.by_name(name).fit(X, *some_labels(), S).score(X, S)
        np.testing.assert_array_equal(got.trained_score, want.trained_score)

    @pytest.mark.parametrize("score", [0.0, 3.0, 5.0])
    @pytest.mark.parametrize("n_labels", [1, 20])
    def test_equal_labels_give_a_sensible_ranking(self, name, score, n_labels):
        X, S = survey()
        learner = learners.by_name(name)
        scores = learner.fit(X, np.arange(n_labels), np.full(n_labels, score), S).score(X, S)
        assert_sensible(scores, 300)
        if name not in FORESTS | BASELINES:
            np.testing.assert_allclose(scores.relevance, score)
        assert np.ptp(scores.acquisition) > 0

    @pytest.mark.parametrize(
        "X",
        [
            np.zeros((30, 3)),
            np.full((30, 3), 0.1),
            np.arange(30.0)[:, None],
            np.repeat(np.eye(3), 10, axis=0),
            np.eye(30)[:, :2] * 1e30,
            np.eye(30)[:, :2] * 1e-30,
            np.random.default_rng(0).normal(size=(30, 2000)),
            np.random.default_rng(0).normal(size=(30, 3)) + 1e8,
        ],
        ids=[
            "zeros",
            "constant",
            "one feature",
            "duplicates",
            "huge",
            "tiny",
            "2000 features",
            "offset",
        ],
    )
    def test_poor_features_give_finite_scores(self, name, X):
        S = np.linspace(0, 5, 30)
        scores = learners.by_name(name).fit(X, [0, 1, 29], [5, 0, 3], S).score(X, S)
        assert_sensible(scores, 30)

    @pytest.mark.parametrize("n", [1, 2])
    def test_everything_labeled_is_no_trouble(self, name, n):
        S = np.linspace(1, 5, n)
        X = np.arange(2.0 * n).reshape(n, 2)
        scores = learners.by_name(name).fit(X, np.arange(n), np.arange(n), S).score(X, S)
        assert_sensible(scores, n)

    def test_an_anomaly_score_of_zero_everywhere_is_no_trouble(self, name):
        X, _ = survey()
        S = np.zeros(300)
        assert_sensible(learners.by_name(name).fit(X, *some_labels(), S).score(X, S), 300)

    def test_objects_labeled_twice_over_agree_to_disagree(self, name):
        X, S = survey()
        X[1], S[1] = X[0], S[0]
        scores = learners.by_name(name).fit(X, [0, 1, 50], [5, 0, 1], S).score(X, S)
        assert_sensible(scores, 300)
        assert scores.relevance[0] == pytest.approx(scores.relevance[1], nan_ok=True)

    @pytest.mark.parametrize(
        ("rows", "y", "message"),
        [
            ([0, 1], [3], "one score per labeled row"),
            ([[0]], [[3]], "one score per labeled row"),
            ([0, 1], [3, 5.5], "a label is 5.5; scores are 0 to 5"),
            ([0, 1], [-1, 5], "a label is -1.0"),
            ([0, 1], [np.nan, 5], "a label is nan"),
        ],
    )
    def test_wrong_labels_are_refused(self, name, rows, y, message):
        X, S = survey()
        with pytest.raises(ValueError, match=message):
            learners.by_name(name).fit(X, rows, y, S)

    def test_a_row_that_does_not_exist_is_refused(self, name):
        X, S = survey()
        with pytest.raises(IndexError):
            learners.by_name(name).fit(X, [300], [5], S)

    def test_an_anomaly_score_of_other_length_is_refused(self, name):
        X, S = survey()
        learner = learners.by_name(name)
        with pytest.raises(ValueError, match="300 objects need"):
            learner.fit(X, *some_labels(), S[:-1])
        with pytest.raises(ValueError, match="300 objects need"):
            learner.score(X, S[:-1])

    @pytest.mark.parametrize("row", [0, 200])
    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_features_that_are_not_finite_are_refused(self, name, row, bad):
        if name in BASELINES:
            pytest.skip("a baseline does not read the features")
        X, S = survey()
        broken = X.copy()
        broken[row, 1] = bad
        learner = learners.by_name(name).fit(X, *some_labels(), S)
        with pytest.raises(ValueError, match="NaN or infinite"):
            learner.score(broken, S)
        with pytest.raises(ValueError, match="NaN or infinite"):
            learner.fit(broken, *some_labels(), S).score(broken, S)

    def test_a_vector_of_features_is_refused(self, name):
        with pytest.raises(ValueError, match="n_objects, n_features"):
            learners.by_name(name).score(np.zeros(7), np.zeros(7))

    def test_scoring_reports_progress_and_can_be_cancelled(self, name, monkeypatch):
        if name in BASELINES:
            pytest.skip("a baseline is done at once")
        X, S = survey()
        monkeypatch.setattr(_inputs, "_NUMBERS_PER_CHUNK", 400)
        learner = learners.by_name(name).fit(X, *some_labels(), S)
        seen = []
        with compute.running(compute.Task(on_progress=seen.append)):
            learner.score(X, S)
        assert seen == sorted(seen)
        assert len(seen) > 2
        assert seen[-1] == 1
        cancel = threading.Event()
        task = compute.Task(on_progress=lambda _: cancel.set(), cancel=cancel)
        with compute.running(task), pytest.raises(CancelledError):
            learner.score(X, S)


def test_auto_is_our_own():
    assert learners.by_name("auto", random_state=3) == learners.GuidedEnsemble(random_state=3)


def test_an_instance_comes_back_as_it_is():
    learner = learners.DirectRegression(xi=3)
    assert learners.by_name(learner) is learner


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_reaches_the_learner(name):
    if name != "anomaly_score":  # nothing is drawn there
        assert learners.by_name(name, random_state=7).random_state == 7


@pytest.mark.parametrize("name", sorted(FORESTS))
def test_a_missing_package_is_told_at_once_with_its_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "coniferest", None)
    with pytest.raises(MissingDependencyError, match=r"astronomaly-widgets\[forests\]"):
        learners.by_name(name)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="auto, guided_ensemble, neighbor_score"):
        learners.by_name("svm")


@pytest.mark.parametrize("wrong", [None, 3, learners.NeighborScore])
def test_what_cannot_learn_is_refused_with_advice(wrong):
    with pytest.raises(TypeError, match="is not a learner; give one of"):
        learners.by_name(wrong)


def test_learners_are_equal_by_their_settings_fitted_or_not():
    X, S = survey()
    fitted = learners.NeighborScore(alpha=2.0).fit(X, *some_labels(), S)
    assert fitted == learners.NeighborScore(alpha=2.0).fit(X, [1, 2], [0, 5], S)
    assert fitted != learners.NeighborScore()
    assert repr(fitted) == (
        "NeighborScore(alpha=2.0, n_estimators=100, random_state=0, regressor='random_forest')"
    )
