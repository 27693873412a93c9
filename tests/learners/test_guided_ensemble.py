import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from astronomaly_widgets import batches
from astronomaly_widgets.learners import GuidedEnsemble, NeighborScore, _process


@pytest.fixture
def kernel(monkeypatch):
    """Matern-3/2 at half a unit of 3.0, which is all that the process may choose from."""
    monkeypatch.setattr(_process, "LENGTH_SCALES", (0.5,))
    monkeypatch.setattr(_process, "NOISE_LEVELS", (0.2,))
    monkeypatch.setattr(_process, "TRUSTS", (1.0,))

    def between(P, Q):
        reach = np.sqrt(3) * cdist(P, Q) / 1.5
        return (1 + reach) * np.exp(-reach)

    return between


def test_one_process_is_the_textbook_one(kernel):
    """Rasmussen & Williams, eq. 2.25 and 2.26, for a single candidate."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(12, 3)), rng.normal(size=(40, 3))
    y, prior, elsewhere = rng.uniform(0, 5, 12), rng.uniform(0, 5, 12), rng.uniform(0, 5, 40)
    process = _process.fit([A], y, prior, y, [3.0])
    solve = np.linalg.inv(kernel(A, A) + 0.2 * np.eye(12))
    want = elsewhere + kernel(B, A) @ solve @ (y - prior)
    means, stds = process.predict([B], elsewhere)
    np.testing.assert_allclose(means[:, 0], want, rtol=1e-9)
    np.testing.assert_allclose(means[:, 1], want, rtol=1e-9)
    plain = y.mean() + kernel(B, A) @ solve @ (y - y.mean())
    np.testing.assert_allclose(means[:, 2], plain, rtol=1e-9)
    share = 1 - np.einsum("ij,jk,ik->i", kernel(B, A), solve, kernel(B, A))
    np.testing.assert_allclose(stds[:, 0] ** 2 / process.variance, share, rtol=1e-7)
    for i in range(12):
        rest = np.arange(12) != i
        alone = np.linalg.inv(kernel(A[rest], A[rest]) + 0.2 * np.eye(11))
        said = prior[i] + kernel(A[i : i + 1], A[rest]) @ alone @ (y - prior)[rest]
        assert process.left_out[i] == pytest.approx(said[0])


def test_objects_without_a_label_are_worth_nothing_at_a_tenth_of_the_weight_of_a_label(kernel):
    """Rasmussen & Williams, section 2.2, with a noise of its own for each of the points."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(32, 3)), rng.normal(size=(40, 3))
    y, prior, elsewhere = rng.uniform(0, 5, 12), rng.uniform(0, 5, 32), rng.uniform(0, 5, 40)
    process = _process.fit([A], y, prior, y, [3.0])
    alone = _process.fit([A[:12]], y, prior[:12], y, [3.0])
    noise = np.diag(np.r_[np.full(12, 0.2), np.full(20, 2.0)])
    residuals = np.r_[y, np.zeros(20)] - prior
    (means, stds), (unaware, known) = (p.predict([B], elsewhere) for p in (process, alone))
    want = elsewhere + kernel(B, A) @ np.linalg.inv(kernel(A, A) + noise) @ residuals
    np.testing.assert_allclose(means[:, 0], want, rtol=1e-9)
    np.testing.assert_allclose(means[:, 1:], unaware[:, 1:])
    np.testing.assert_allclose(stds, known)
    for i in range(12):
        rest = np.arange(32) != i
        solve = np.linalg.inv(kernel(A[rest], A[rest]) + noise[np.ix_(rest, rest)])
        said = prior[i] + kernel(A[i : i + 1], A[rest]) @ solve @ residuals[rest]
        assert process.left_out[i] == pytest.approx(said[0])


def test_what_looks_like_a_liked_object_is_not_taken_for_worthless():
    """One hit in a dense kind: the many unlabeled beside it must not vote it down."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(900, 4))
    X[:90] = [5, 0, 0, 0] + rng.normal(size=(90, 4)) / 5
    rows = np.r_[0, 200:230]
    y = np.r_[5.0, np.zeros(30)]
    scores = GuidedEnsemble().fit(X, rows, y, np.ones(900)).score(X, np.ones(900))
    assert scores.trained_score[1:90].min() > np.delete(scores.trained_score, np.r_[:90]).max()


def survey(seed=0):
    """A liked kind that the detector finds ordinary, a disliked one that it finds odd."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(1500, 5)).astype("float32")
    X[:40] = [4, 0, 0, 0, 0] + rng.normal(size=(40, 5)) / 2
    X[40:240] = [0, 9, 0, 0, 0] + rng.normal(size=(200, 5)) / 4
    S = np.clip(np.linalg.norm(X, axis=1) / 2, 0, 5).astype("float32")
    y = np.r_[np.full(40, 5.0), np.zeros(200), np.ones(1260)]
    return X, S, y


def found(learner, data, n_labels, batch):
    X, S, y = data
    rows = batches.suggest(X, S, [], [], batch).rows
    while len(rows) < n_labels:
        scores = learner.fit(X, rows, y[rows], S).score(X, S)
        new = batches.suggest(
            X, scores.acquisition, rows, y[rows], batch, exploration=scores.exploration
        )
        rows = np.r_[rows, new.rows]
    return (y[rows] == 5).sum()


def test_more_is_found_than_by_the_neighbor_score():
    ours, plain = (
        found(learner, survey(), 80, 10) for learner in (GuidedEnsemble(), NeighborScore())
    )
    assert ours >= plain + 10


def test_what_the_detector_finds_ordinary_is_raised_by_labels_near_it():
    X, S, _ = survey()
    ordinary = np.r_[np.argsort(np.linalg.norm(X, axis=1))[:4]]
    before = GuidedEnsemble().fit(X, [40], [0], S).score(X, S).trained_score
    after = (
        GuidedEnsemble()
        .fit(X, np.r_[40, ordinary[:3]], np.r_[0, np.full(3, 5)], S)
        .score(X, S)
        .trained_score
    )
    assert after[ordinary[3]] > before[ordinary[3]] + 0.5


def test_scoring_a_group_5_raises_the_rest_of_it_and_scoring_it_0_lowers_it():
    X, S, _ = survey()
    rows = np.r_[0:10, 40:60, 300:320]
    liked = GuidedEnsemble().fit(X, rows, np.r_[np.full(10, 5.0), np.zeros(40)], S).score(X, S)
    disliked = GuidedEnsemble().fit(X, rows, np.r_[np.zeros(10), np.zeros(40)], S).score(X, S)
    for name in ("trained_score", "relevance", "acquisition"):
        assert (getattr(liked, name)[10:40] > getattr(disliked, name)[10:40]).all()


def test_until_something_is_liked_the_least_known_comes_first():
    X, S, _ = survey()
    rows = np.r_[40:60]
    vain = GuidedEnsemble().fit(X, rows, np.full(20, 3.0), S).score(X, S)
    np.testing.assert_array_equal(vain.acquisition, vain.uncertainty)
    y = np.r_[np.zeros(19), 4.0]
    found = GuidedEnsemble(exploration=0.0).fit(X, rows, y, S).score(X, S)
    assert np.corrcoef(found.acquisition, found.trained_score)[0, 1] > 0.999


def test_the_best_take_turns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 4))
    twins, others = np.arange(100), np.arange(100, 200)  # two kinds that are liked alike
    X[twins] = [6, 0, 0, 0] + rng.normal(size=(100, 4)) / 20
    X[others] = [0, 6, 0, 0] + rng.normal(size=(100, 4)) / 2
    rows = np.r_[twins[:3], others[:3], 200:240]
    y = np.r_[np.full(6, 5.0), np.zeros(40)]
    S = np.full(800, 2.0, dtype="float32")
    scores = GuidedEnsemble(exploration=2.0).fit(X, rows, y, S).score(X, S)
    free = np.setdiff1d(np.arange(800), rows)
    in_turn, by_worth = (
        free[np.argsort(-values[free], kind="stable")][:30]
        for values in (scores.acquisition, scores.trained_score)
    )
    assert (in_turn < 200).all()
    assert 0 < np.isin(in_turn, twins).sum() <= np.isin(by_worth, twins).sum() - 5


def test_what_is_labeled_takes_no_turn():
    X, S, _ = survey()
    rows, y = np.r_[0:10, 40:60], np.r_[np.full(10, 5.0), np.zeros(20)]
    twins = np.concatenate([X, X[rows]])  # of what is labeled: nothing is to be learned from them
    learner = GuidedEnsemble().fit(twins, rows, y, np.r_[S, S[rows]])
    alone, among_twins = learner.score(X, S), learner.score(twins, np.r_[S, S[rows]])
    free = np.setdiff1d(np.arange(len(X)), rows)
    np.testing.assert_array_equal(alone.acquisition[free], among_twins.acquisition[free])


def test_who_never_gives_more_than_3_says_so_and_is_understood():
    X, S, _ = survey()
    rows, y = np.r_[0:5, 40:60], np.r_[np.full(5, 3.0), np.zeros(20)]
    strict, mild = (
        GuidedEnsemble(interesting_from=threshold).fit(X, rows, y, S).score(X, S)
        for threshold in (4.0, 3.0)
    )
    np.testing.assert_array_equal(strict.acquisition, strict.uncertainty)
    assert (np.argsort(-mild.acquisition)[:20] < 40).sum() >= 18
    np.testing.assert_array_equal(mild.trained_score, strict.trained_score)


def test_exploration_leaves_what_is_known_to_be_disliked():
    X, S, _ = survey()
    scores = GuidedEnsemble().fit(X, np.r_[40:60], np.zeros(20), S).score(X, S)
    assert ((scores.exploration >= 0) & (scores.exploration <= 1)).all()
    explored = set(np.argsort(-scores.exploration)[:40])
    assert not explored & set(range(40, 240))  # the most anomalous of all


def test_left_out_is_what_would_be_said_without_the_label():
    X, S, y = survey()
    rows = np.r_[0:10, 40:60, 300:320, 250]
    y[250] = 5.0  # a label that nothing else speaks for
    left_out = GuidedEnsemble().fit(X, rows, y[rows], S).score(X, S).left_out
    assert left_out.shape == (51,)
    assert left_out[-1] < 2.5 < left_out[:10].min()


def test_uncertainty_is_less_near_labels():
    X, S, y = survey()
    rows = np.r_[0:10, 40:60, 300:320]
    scores = GuidedEnsemble().fit(X, rows, y[rows], S).score(X, S)
    assert scores.uncertainty[rows].max() < np.median(scores.uncertainty[320:])


def test_relevance_is_an_honest_guess_of_the_score():
    X, S, y = survey()
    rng = np.random.default_rng(1)
    rows = rng.permutation(1500)[:200]
    scores = GuidedEnsemble().fit(X, rows, y[rows], S).score(X, S)
    rest = np.setdiff1d(np.arange(1500), rows)
    assert np.abs(scores.relevance[rest].mean() - y[rest].mean()) < 0.1
    assert np.abs(scores.relevance[rest] - y[rest]).mean() < 0.4


@pytest.mark.parametrize("n_labels", [3000])
def test_thousands_of_labels_are_no_trouble(n_labels):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_labels + 50, 3)).astype("float32")
    S = rng.uniform(0, 5, len(X)).astype("float32")
    y = np.where(X[:, 0] > 1, 5.0, 0.0)
    rows = np.arange(n_labels)
    scores = GuidedEnsemble(n_estimators=10).fit(X, rows, y[rows], S).score(X, S)
    assert np.corrcoef(scores.relevance[n_labels:], y[n_labels:])[0, 1] > 0.8


@given(
    n=st.integers(1, 60),
    m=st.integers(1, 60),
    d=st.sampled_from([1, 2, 30]),
    features=st.sampled_from(["normal", "constant", "duplicated", "one constant"]),
    labels=st.sampled_from(["zeros", "fives", "mixed"]),
    anomaly=st.sampled_from(["zeros", "fives", "spread"]),
)
@settings(max_examples=40)
def test_whatever_comes_the_scores_are_finite_and_in_range(  # noqa: PLR0917 - one question
    n, m, d, features, labels, anomaly
):
    rng = np.random.default_rng(n * 100 + m)
    X = rng.normal(size=(n, d))
    if features == "constant":
        X[:] = 0.1
    elif features == "duplicated":
        X = X[rng.integers(0, 2, n) % n]
    elif features == "one constant":
        X[:, 0] = 7.0
    rows = rng.permutation(n)[:m]
    y = {"zeros": 0.0, "fives": 5.0, "mixed": 1.0}[labels] * np.ones(len(rows))
    if labels == "mixed":
        y = rng.integers(0, 6, len(rows)).astype(float)
    S = {"zeros": np.zeros(n), "fives": np.full(n, 5.0), "spread": rng.uniform(0, 5, n)}[anomaly]
    scores = GuidedEnsemble(n_estimators=5).fit(X, rows, y, S).score(X, S)
    for values in (scores.trained_score, scores.relevance):
        assert ((values >= 0) & (values <= 5)).all()
    for values in (scores.uncertainty, scores.acquisition, scores.exploration):
        assert np.isfinite(values).all()
