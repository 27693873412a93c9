import numpy as np
import pytest
from scipy.stats import norm, spearmanr
from sklearn.gaussian_process import GaussianProcessRegressor

from astronomaly_widgets.learners import DirectRegression, _inputs
from astronomaly_widgets.learners.direct_regression import (
    COLD_STARTS,
    log_expected_improvement,
)


def smooth_survey(n=600, d=3, seed=0):
    """Objects whose score is a smooth function of their features."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).astype("float32")
    taste = 5 / (1 + np.exp(-2 * X[:, 0]))
    return X, taste, rng.permutation(n)[:80]


def test_a_smooth_taste_is_learned():
    X, taste, rows = smooth_survey()
    scores = DirectRegression().fit(X, rows, taste[rows], np.zeros(600)).score(X, np.zeros(600))
    assert np.abs(scores.relevance - taste).mean() < 0.35
    assert spearmanr(scores.relevance, taste).statistic > 0.95


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("d", [3, 60])
def test_the_process_does_not_collapse_to_a_constant(factor, d):
    """Whatever the units and the number of features, predictions vary as the labels do."""
    X, taste, rows = smooth_survey(d=d)
    scores = DirectRegression().fit(X * factor, rows, taste[rows], np.zeros(600))
    scores = scores.score(X * factor, np.zeros(600))
    assert scores.relevance.std() > 0.2 * taste.std()
    assert spearmanr(scores.relevance, taste).statistic > 0.6
    assert np.ptp(scores.uncertainty) > 0


def test_units_of_single_features_do_not_matter():
    X, taste, rows = smooth_survey()
    units = np.array([1.0, 1000.0, 1e-3])
    plain = DirectRegression().fit(X, rows, taste[rows], taste).score(X, taste)
    scaled = DirectRegression().fit(X * units, rows, taste[rows], taste).score(X * units, taste)
    np.testing.assert_allclose(scaled.relevance, plain.relevance, atol=1e-3)


def test_the_trained_score_is_the_predicted_mean_and_the_anomaly_score_is_left_alone():
    X, taste, rows = smooth_survey()
    S = np.linspace(0, 5, 600)
    scores = DirectRegression().fit(X, rows, taste[rows], S).score(X, S)
    np.testing.assert_array_equal(scores.trained_score, scores.relevance)
    np.testing.assert_array_equal(S, np.linspace(0, 5, 600))


def test_uncertainty_is_in_score_units_and_grows_away_from_labels():
    X, taste, rows = smooth_survey()
    X[-1] = 50
    rows = rows[rows != 599]
    scores = DirectRegression().fit(X, rows, taste[rows], taste).score(X, taste)
    assert scores.uncertainty[-1] == scores.uncertainty.max()
    assert scores.uncertainty[-1] > 1.5 * np.median(scores.uncertainty[rows])
    assert 0.5 * taste.std() < scores.uncertainty[-1] < 2 * taste.std()


def test_noisy_labels_are_not_believed_to_the_letter():
    X, taste, rows = smooth_survey()
    rng = np.random.default_rng(1)
    noisy = np.clip(taste[rows] + rng.normal(0, 1, len(rows)), 0, 5)
    scores = DirectRegression().fit(X, rows, noisy, taste).score(X, taste)
    error = np.abs(scores.relevance[rows] - taste[rows]).mean()
    assert error < np.abs(noisy - taste[rows]).mean()


def test_a_larger_trade_off_explores_more():
    X, taste, rows = smooth_survey()
    rows = rows[X[rows, 1] < 0]  # half of feature space is unexplored
    y = np.round(taste[rows])

    def uncertainty_of_the_top(xi):
        scores = DirectRegression(xi=xi).fit(X, rows, y, taste).score(X, taste)
        top = np.argsort(-scores.acquisition)[:30]
        return scores.uncertainty[top].mean()

    assert uncertainty_of_the_top(3.0) > uncertainty_of_the_top(0.0)


@pytest.mark.parametrize("xi", [0.0, 0.5, 3.0])
def test_expected_improvement_is_that_of_the_papers(xi):
    mean, std = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 6, 13), [0.3, 1.0, 2.0]))
    z = (mean - 4.0 - xi) / std
    want = (mean - 4.0 - xi) * norm.cdf(z) + std * norm.pdf(z)
    got = log_expected_improvement(mean, std, best=4.0, xi=xi)
    np.testing.assert_allclose(np.exp(got), want, rtol=1e-6, atol=1e-300)


@pytest.mark.parametrize("std", [0.01, 1e-6, 1e-12])
def test_hopeless_objects_keep_their_order(std):
    """Their expected improvement is 0 to the last bit of a float."""
    mean = np.linspace(0, 1, 11)
    improvement = log_expected_improvement(mean, np.full(11, std), best=5.0)
    assert np.isfinite(improvement).all()
    assert (np.diff(improvement) > 0).all()


def test_one_liked_object_among_many_is_enough_for_an_order():
    X, _, rows = smooth_survey()
    y = np.zeros(len(rows))
    y[7] = 5
    scores = DirectRegression().fit(X, rows, y, np.zeros(600)).score(X, np.zeros(600))
    distance = np.linalg.norm(X - X[rows[7]], axis=1)
    assert np.isfinite(scores.acquisition).all()
    assert distance[np.argsort(-scores.acquisition)[:5]].mean() < np.median(distance)


def test_labels_beyond_those_that_choose_the_kernel_are_learned_from():
    X, taste, _ = smooth_survey(n=2500)
    rows = np.arange(2000)
    scores = DirectRegression().fit(X, rows, taste[rows], taste).score(X, taste)
    assert np.abs(scores.relevance[2000:] - taste[2000:]).mean() < 0.1


# -- cold starts ---------------------------------------------------------------------------


def stretched_survey(n=500):
    """Most variance along the first three of five independent features, in this order."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(n, 3))
    mixed = np.column_stack([latent[:, 0]] * 5 + [latent[:, 1]] * 3 + [latent[:, 2]] * 2)
    return latent, mixed + rng.normal(scale=0.05, size=mixed.shape)


def test_a_start_from_principal_components_shows_either_end_of_each_by_turns():
    latent, X = stretched_survey()
    S = np.zeros(500)
    worth = DirectRegression(cold_start="principal_components").score(X, S).acquisition
    first = np.argsort(-worth, kind="stable")[:20].tolist()
    for component in latent.T:
        assert int(np.argmin(component)) in first
        assert int(np.argmax(component)) in first
    ends = np.argsort(latent[:, 0])[[0, -1]]
    assert set(first[:2]) == set(ends.tolist())


def test_a_start_from_principal_components_does_not_depend_on_units_or_chunks(monkeypatch):
    _, X = stretched_survey()
    start = DirectRegression(cold_start="principal_components")
    want = start.score(X, np.zeros(500)).acquisition
    got = start.score(X * np.logspace(-3, 3, 10), np.zeros(500)).acquisition
    np.testing.assert_array_equal(got, want)
    monkeypatch.setattr(_inputs, "_NUMBERS_PER_CHUNK", 70)
    np.testing.assert_array_equal(start.score(X, np.zeros(500)).acquisition, want)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_start_among_few_or_equal_objects_has_an_order(n):
    S = np.linspace(0, 5, n)
    start = DirectRegression(cold_start="principal_components")
    np.testing.assert_allclose(start.score(np.ones((n, 3)), S).acquisition, S)
    assert np.isfinite(start.score(np.eye(n, 4), S).acquisition).all()


def test_a_random_start_follows_the_seed_alone():
    X, taste, _ = smooth_survey()
    first, again, other = (
        DirectRegression(cold_start="random", random_state=seed).score(X, taste).acquisition
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.2
    assert abs(np.corrcoef(first, taste)[0, 1]) < 0.2


@pytest.mark.parametrize("cold_start", COLD_STARTS)
def test_a_start_lasts_until_two_different_scores_are_known(cold_start):
    X, taste, _ = smooth_survey()
    learner = DirectRegression(cold_start=cold_start)
    before = learner.score(X, taste)
    same = learner.fit(X, [0, 1, 2], [1, 1, 1], taste).score(X, taste)
    np.testing.assert_array_equal(same.acquisition, before.acquisition)
    np.testing.assert_array_equal(same.trained_score, before.trained_score)
    learned = learner.fit(X, [0, 1, 2], [1, 1, 5], taste).score(X, taste)
    plain = DirectRegression().fit(X, [0, 1, 2], [1, 1, 5], taste).score(X, taste)
    np.testing.assert_array_equal(learned.acquisition, plain.acquisition)


def test_an_unknown_start_lists_the_known_ones():
    X, taste, rows = smooth_survey()
    learner = DirectRegression(cold_start="warm")
    with pytest.raises(ValueError, match="no cold start 'warm'; there are: anomaly_score"):
        learner.fit(X, rows, taste[rows], taste)
    with pytest.raises(ValueError, match="no cold start"):
        learner.score(X, taste)


def test_what_is_left_out_is_what_a_process_says_that_has_not_seen_the_label():
    """Refitted without each label in turn, with the kernel and the units of the scores kept."""
    X, taste, rows = smooth_survey()
    rows, y = rows[:25], np.round(taste[rows[:25]])
    learner = DirectRegression().fit(X, rows, y, taste)
    said = learner.score(X, taste).left_out
    kernel, Z = learner._fitted.process.kernel_, learner._fitted.standardize(X[rows])
    units = (y - y.mean()) / y.std()
    for i in range(25):
        rest = np.arange(25) != i
        process = GaussianProcessRegressor(kernel, optimizer=None).fit(Z[rest], units[rest])
        want = y.mean() + y.std() * process.predict(Z[i : i + 1])[0]
        assert said[i] == pytest.approx(np.clip(want, 0, 5), abs=1e-5)
