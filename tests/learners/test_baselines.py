import numpy as np
import pytest

from astronomaly_widgets.learners import AnomalyScore, RandomOrder


def survey(n=200):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)), rng.uniform(0, 5, n).astype("float32")


@pytest.mark.parametrize("y", [[5, 5, 5], [0, 0, 0], [5, 0, 2]])
def test_labels_do_not_move_the_anomaly_score(y):
    X, S = survey()
    scores = AnomalyScore().fit(X, [1, 2, 3], y, S).score(X, S)
    np.testing.assert_array_equal(scores.trained_score, S)
    np.testing.assert_array_equal(scores.acquisition, S)


def test_the_random_order_is_the_same_before_and_after_labels():
    X, S = survey()
    learner = RandomOrder(random_state=3)
    before = learner.score(X, S).acquisition
    after = learner.fit(X, [1, 2], [5, 0], S).score(X, S)
    np.testing.assert_array_equal(after.acquisition, before)
    np.testing.assert_array_equal(after.trained_score, before)


def test_the_random_order_is_any_order_and_ignores_the_anomaly_score():
    X, S = survey()
    orders = np.array([RandomOrder(seed).score(X, S).acquisition for seed in range(200)])
    assert (np.sort(orders) == np.sort(orders)[0]).all()
    mean = orders.mean(axis=0)  # 2.5 with a standard error of 5 / sqrt(12 * 200) = 0.10
    assert np.abs(mean - 2.5).max() < 0.5
    assert abs(np.corrcoef(mean, S)[0, 1]) < 0.3


def test_no_two_objects_share_a_place():
    X, S = survey()
    assert len(np.unique(RandomOrder().score(X, S).acquisition)) == len(X)
