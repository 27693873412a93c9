import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.ensemble import RandomForestRegressor

from astronomaly_widgets.learners import NeighborScore, _nearest, neighbor_score
from astronomaly_widgets.learners.neighbor_score import combine, nearest_distance

YARDSTICK = Path(__file__).parents[2].parent / "shared" / "reference" / "paper_methods.py"


def survey(n=400, d=5, n_labels=40):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype("float32")
    S = rng.uniform(0, 5, n).astype("float32")
    rows = np.argsort(-S)[:n_labels]
    return X, S, rows, (np.arange(n_labels) % 6).astype(float)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("n_labels", [1, 2, 40])
def test_scores_follow_equations_1_to_3(n_labels, alpha):
    X, S, rows, y = survey(n_labels=n_labels)
    scores = NeighborScore(alpha=alpha).fit(X, rows, y, S).score(X, S)
    forest = RandomForestRegressor(n_estimators=100, random_state=0).fit(X[rows], y)
    U = forest.predict(X)
    d = cdist(X.astype(float), X[rows].astype(float)).min(axis=1)
    delta = np.exp(alpha * d / d.mean())
    want = S * np.tanh(delta - 1 + np.arctanh(0.1 + 0.85 * U / 5))
    np.testing.assert_allclose(scores.relevance, U, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scores.trained_score, want, rtol=1e-5, atol=1e-5)


def test_at_a_labeled_object_the_score_is_weighted_by_the_relevance():
    X, S, rows, y = survey()
    scores = NeighborScore().fit(X, rows, y, S).score(X, S)
    weight = 0.1 + 0.85 * scores.relevance[rows].astype(float) / 5
    np.testing.assert_allclose(scores.trained_score[rows], S[rows] * weight, rtol=1e-6)


def test_far_from_every_label_the_anomaly_score_stands():
    """At any distance, also where the exponential of equation 3 would overflow."""
    n = 20_000
    distance = np.zeros(n)
    distance[:4] = 1.0, 1e3, 1e100, 1e300
    assert (combine(np.full(n, 4.2), np.zeros(n), distance)[:4] < 4.3).all()
    assert combine([4.2, 1.0], [0.0, 0.0], [1e300, 0.0], alpha=1e3).tolist() == pytest.approx(
        [4.2, 0.1]
    )
    X = np.zeros((n, 1))
    X[-1] = 1e6
    scores = NeighborScore().fit(X, [0], [0.0], np.ones(n)).score(X, np.ones(n))
    assert scores.trained_score[-1] == 1
    assert scores.trained_score[1] == pytest.approx(0.1)


def test_where_all_distances_are_zero_the_relevance_alone_weighs():
    got = combine([4.0, 2.0], [5.0, 0.0], [0.0, 0.0])
    np.testing.assert_allclose(got, [4 * 0.95, 2 * 0.1], rtol=1e-6)


def test_the_trained_score_grows_with_relevance_distance_and_anomaly():
    grid = np.linspace(0, 5, 50)
    assert (np.diff(combine(np.full(50, 3.0), grid, np.ones(50))) > 0).all()
    assert (np.diff(combine(np.full(50, 3.0), np.ones(50), grid / 10)) > 0).all()
    assert (np.diff(combine(grid, np.ones(50), np.ones(50))) > 0).all()


finite = st.floats(0, 1e150, allow_subnormal=True)
score = st.floats(0, 5)


@settings(max_examples=300)
@given(st.lists(st.tuples(score, score, finite), min_size=1, max_size=20), st.floats(0, 1e6))
def test_any_distance_and_relevance_weigh_the_anomaly_score_between_a_tenth_and_one(rows, alpha):
    anomaly, relevance, distance = np.array(rows).T
    trained = combine(anomaly, relevance, distance, alpha)
    assert (trained <= anomaly * (1 + 1e-6) + 1e-30).all()
    assert (trained >= 0.1 * anomaly * (1 - 1e-6) - 1e-30).all()


def test_the_trained_score_never_exceeds_the_anomaly_score():
    X, S, rows, _ = survey()
    scores = NeighborScore().fit(X, rows, np.full(len(rows), 5.0), S).score(X, S)
    assert (scores.trained_score <= S).all()


def test_distances_are_exact_also_very_close_to_a_labeled_object():
    """The usual expansion of the square would lose these to cancellation."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 3)) + 1e5
    X = np.vstack([points, points + 1e-6, points - [0, 3, 4]])
    distance = nearest_distance(X, points)
    assert (distance[:50] == 0).all()
    np.testing.assert_allclose(distance[50:100], np.sqrt(3) * 1e-6, rtol=1e-3)
    np.testing.assert_allclose(distance, cdist(X, points).min(axis=1), rtol=1e-6, atol=1e-12)


def test_another_seed_grows_another_forest():
    X, S, rows, y = survey()
    first, second = (
        NeighborScore(random_state=seed).fit(X, rows, y, S).score(X, S).relevance for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_the_number_of_threads_does_not_show(monkeypatch):
    X, S, rows, y = survey(n=20_000)
    learner = NeighborScore().fit(X, rows, y, S)
    want = learner.score(X, S)
    for count in (1, 7):
        monkeypatch.setattr("os.cpu_count", lambda count=count: count)
        np.testing.assert_array_equal(learner.score(X, S).trained_score, want.trained_score)


@pytest.mark.parametrize("n_labels", [1, 10, 60])
def test_scores_agree_with_the_yardstick(n_labels):
    if not YARDSTICK.exists():
        pytest.skip("the reference implementation is not beside this checkout")
    spec = importlib.util.spec_from_file_location("paper_methods", YARDSTICK)
    paper_methods = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(paper_methods)
    X, S, rows, y = survey(n_labels=n_labels)
    scores = NeighborScore().fit(X, rows, y, S).score(X, S)
    want, relevance = paper_methods.neighbor_score(X, S, rows, y)
    np.testing.assert_allclose(scores.relevance, relevance, atol=1e-6)
    np.testing.assert_allclose(scores.trained_score, want, atol=1e-5)


def test_what_is_left_out_is_the_score_without_the_label():
    """Out-of-bag relevance, as scikit-learn has it, and the distance to the nearest other label."""
    X, S, rows, y = survey(n_labels=60)
    said = NeighborScore(n_estimators=300).fit(X, rows, y, S).score(X, S).left_out
    forest = RandomForestRegressor(300, random_state=0, oob_score=True).fit(X[rows], y)
    apart = cdist(X.astype(float), X[rows].astype(float))
    unit = apart.min(axis=1).mean()
    apart = apart[rows]
    np.fill_diagonal(apart, np.inf)
    want = combine(S[rows], forest.oob_prediction_, apart.min(axis=1), unit=unit)
    np.testing.assert_allclose(said, want, rtol=1e-5)


def test_what_is_left_out_is_unknown_where_every_tree_has_seen_the_label():
    X, S, rows, y = survey()
    said = NeighborScore(n_estimators=2).fit(X, rows, y, S).score(X, S).left_out
    assert 0 < np.isnan(said).sum() < len(rows)
    assert NeighborScore().fit(X, [3], [5], S).score(X, S).left_out is None
    no_bags = NeighborScore(regressor="extra_trees").fit(X, rows, y, S).score(X, S)
    assert no_bags.left_out is None


@pytest.mark.parametrize("regressor", ["random_forest", "extra_trees", "ridge"])
def test_of_many_objects_it_says_what_it_says_of_few(regressor, monkeypatch):
    X, S, rows, y = survey(n=5000, n_labels=60)
    want = NeighborScore(regressor=regressor).fit(X, rows, y, S).score(X, S)
    monkeypatch.setattr(neighbor_score, "_MANY", 1)
    for chunk in (2**14, 700):
        monkeypatch.setattr(neighbor_score, "_CHUNK", chunk)
        got = NeighborScore(regressor=regressor).fit(X, rows, y, S).score(X, S)
        np.testing.assert_array_equal(got.relevance, want.relevance)
        np.testing.assert_allclose(got.trained_score, want.trained_score, rtol=1e-5)
        if want.left_out is not None:
            np.testing.assert_allclose(got.left_out, want.left_out, rtol=1e-5)


def test_of_many_objects_only_new_labels_are_compared(monkeypatch):
    monkeypatch.setattr(neighbor_score, "_MANY", 1)
    X, S, rows, y = survey(n=5000, n_labels=60)
    learner = NeighborScore(n_estimators=5)
    learner.fit(X, rows[:50], y[:50], S).score(X, S)
    compared = []
    approach = _nearest._approach
    monkeypatch.setattr(
        _nearest,
        "_approach",
        lambda X, points, *rest: compared.append(len(points)) or approach(X, points, *rest),
    )
    again = learner.fit(X, rows, y, S).score(X, S)
    assert set(compared) == {10}
    fresh = NeighborScore(n_estimators=5).fit(X, rows, y, S).score(X, S)
    np.testing.assert_array_equal(again.trained_score, fresh.trained_score)
    other = X[::-1].copy()  # the same learner, other objects
    mirrored = learner.fit(other, 4999 - rows, y, S[::-1]).score(other, S[::-1])
    np.testing.assert_allclose(mirrored.trained_score[::-1], fresh.trained_score, rtol=1e-5)


def test_of_many_objects_a_feature_that_is_not_finite_is_refused(monkeypatch):
    monkeypatch.setattr(neighbor_score, "_MANY", 1)
    X, S, rows, y = survey(n=5000)
    learner = NeighborScore(n_estimators=5).fit(X, rows, y, S)
    X[np.setdiff1d(np.arange(5000), rows)[9], 0] = np.inf
    with pytest.raises(ValueError, match="NaN or infinite"):
        learner.score(X, S)


def test_other_objects_than_those_learned_from_are_refused():
    X, S = np.eye(6), np.arange(6.0)
    learner = NeighborScore().fit(X, [1, 5], [5, 0], S)
    with pytest.raises(ValueError, match=r"4 objects are given, but row 5 is labeled"):
        learner.score(X[:4], S[:4])
