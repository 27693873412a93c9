import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from astronomaly_widgets import detectors


@pytest.fixture(name="X")
def features():
    X = np.random.default_rng(0).normal(size=(300, 4)).astype("float32")
    X[:3] += 9
    return X


class FarFromOrigin:
    """The least that can be plugged in."""

    def fit(self, X):
        return self

    def score_samples(self, X):
        return -np.linalg.norm(X, axis=1)


class Broken(FarFromOrigin):
    def __init__(self, answer):
        self.answer = answer

    def score_samples(self, X):
        return np.asarray(self.answer)[: len(X)]


@pytest.mark.parametrize("detector", [*detectors.NAMES, FarFromOrigin()])
class TestEveryDetector:
    def test_scores_fill_0_to_5_and_the_outliers_are_on_top(self, X, detector):
        score = detectors.anomaly_score(X, detector)
        assert score.shape == (300,)
        assert score.dtype == np.float32
        assert score.min() == 0
        assert score.max() == 5
        assert set(np.argsort(-score)[:3]) == {0, 1, 2}

    def test_the_same_seed_gives_the_same_scores(self, X, detector):
        first, second = (detectors.anomaly_score(X, detector, random_state=4) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_the_size_of_the_chunks_does_not_show(self, X, detector, monkeypatch):
        want = detectors.anomaly_score(X, detector)
        monkeypatch.setattr(detectors, "_NUMBERS_PER_CHUNK", 28)
        np.testing.assert_array_equal(detectors.anomaly_score(X, detector), want)

    @pytest.mark.parametrize(
        "X",
        [
            np.zeros((1, 3)),
            np.zeros((2, 3)),
            np.ones((40, 3)),
            np.arange(7.0)[:, None],
            np.repeat(np.eye(3), 30, axis=0),
        ],
        ids=["one object", "two objects", "all equal", "one feature", "duplicates"],
    )
    def test_poor_data_give_finite_scores(self, detector, X):
        score = detectors.anomaly_score(X, detector)
        assert score.shape == (len(X),)
        assert ((score >= 0) & (score <= 5)).all()

    def test_a_memory_mapped_matrix_will_do(self, X, detector, tmp_path):
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        np.testing.assert_array_equal(
            detectors.anomaly_score(mapped, detector), detectors.anomaly_score(X, detector)
        )


def test_another_seed_gives_another_forest(X):
    first, second = (detectors.anomaly_score(X, random_state=seed) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_isolation_forest_is_that_of_the_paper(X):
    raw = IsolationForest(n_estimators=100, random_state=5).fit(X).score_samples(X)
    want = 5 * (raw.max() - raw) / np.ptp(raw)
    np.testing.assert_allclose(detectors.anomaly_score(X, random_state=5), want, atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 255, 256, 257, 5000])
@pytest.mark.parametrize("n_estimators", [1, 30])
@pytest.mark.parametrize("is_compiled", [True, False])
def test_isolation_forest_scores_as_that_of_scikit_learn(n, n_estimators, is_compiled, monkeypatch):
    monkeypatch.setattr(detectors, "_WORTH_COMPILING", 1 if is_compiled else 10**9)
    X = np.random.default_rng(n).standard_t(3, size=(n, 5)).round(1)
    want = IsolationForest(n_estimators=n_estimators, random_state=9).fit(X).score_samples(X)
    ours = detectors.IsolationForest(n_estimators, random_state=9).fit(X)
    np.testing.assert_array_equal(ours.score_samples(X), want)
    np.testing.assert_array_equal(ours.score_samples(X[:2]), ours.score_samples(X)[:2])


def test_isolation_forest_of_many_scores_as_that_of_scikit_learn():
    X = np.random.default_rng(0).normal(size=(40_000, 3)).astype("float32")
    want = IsolationForest(random_state=1).fit(X).score_samples(X)
    ours = detectors.IsolationForest(random_state=1).fit(X).score_samples(X)
    np.testing.assert_array_equal(ours, want)


def test_a_forest_without_trees_cannot_score(X):
    with pytest.raises(ValueError, match=r"call fit\(X\) first"):
        detectors.IsolationForest().score_samples(X)


def test_an_object_is_not_its_own_neighbor(X):
    """LB21 scores the data the detector was fitted on; score_samples would see each one twice."""
    model = LocalOutlierFactor(n_neighbors=20).fit(X)
    want = detectors.rescale(model.negative_outlier_factor_)
    np.testing.assert_allclose(detectors.anomaly_score(X, "local_outlier_factor"), want, rtol=1e-6)
    for novelty in (True, False):
        model = LocalOutlierFactor(n_neighbors=20, novelty=novelty)
        np.testing.assert_allclose(detectors.anomaly_score(X, model), want, rtol=1e-6)


def test_rescaling_is_linear_and_turns_the_sign():
    np.testing.assert_allclose(detectors.rescale([-4.0, -3.0, -2.0]), [5, 2.5, 0])


@settings(max_examples=300)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30))
def test_any_scores_rescale_into_0_to_5_in_their_order(raw):
    score = detectors.rescale(raw)
    assert ((score >= 0) & (score <= 5)).all()
    assert (np.diff(score[np.argsort(raw, kind="stable")]) <= 0).all()
    if len(set(raw)) > 1:
        assert score[np.argmin(raw)] == 5
        assert score[np.argmax(raw)] == 0


def test_equal_scores_rescale_to_zero():
    assert detectors.rescale(np.full(4, -0.1)).tolist() == [0, 0, 0, 0]
    assert detectors.rescale([]).shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_refused(X, bad):
    answer = np.zeros(300)
    answer[5] = bad
    with pytest.raises(ValueError, match="1 of 300 anomaly scores are NaN or infinite"):
        detectors.anomaly_score(X, Broken(answer))


def test_a_detector_that_drops_objects_is_refused(X):
    with pytest.raises(ValueError, match=r"Broken returned scores of shape \(299,\) for 300"):
        detectors.anomaly_score(X, Broken(np.zeros(299)))


@pytest.mark.parametrize("answer", [None, 0.5])
def test_a_detector_that_returns_no_array_is_refused(X, answer):
    model = Broken(answer)
    model.score_samples = lambda X: answer
    with pytest.raises(ValueError, match=r"Broken returned scores of shape \(1,\) for 300"):
        detectors.anomaly_score(X, model)


def test_an_unknown_name_lists_the_known_ones(X):
    with pytest.raises(ValueError, match="isolation_forest, local_outlier_factor"):
        detectors.anomaly_score(X, "iforest")


@pytest.mark.parametrize("wrong", [None, 3, np.zeros(3)])
def test_what_cannot_score_is_refused_with_advice(X, wrong):
    with pytest.raises(TypeError, match="score_samples"):
        detectors.anomaly_score(X, wrong)


@pytest.mark.parametrize("shape", [(7,), (0, 3), (3, 0)])
def test_what_is_not_a_matrix_is_refused(shape):
    with pytest.raises(ValueError, match="n_objects, n_features"):
        detectors.anomaly_score(np.zeros(shape))
