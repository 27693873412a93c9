import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astronomaly_widgets.learners import _process
from astronomaly_widgets.learners._turns import in_turn


def some_process(n_labels=12, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_labels, 3))
    values = rng.uniform(0, 5, size=n_labels)
    prior = rng.uniform(0, 5, size=n_labels)
    return _process.fit([points], values, prior, values, [2.0]), rng


def given_labels(K, seen, rest, noise):
    """Covariance of the rest when those seen have labels, by the textbook."""
    if not len(seen):
        return K[np.ix_(rest, rest)]
    inverse = np.linalg.inv(K[np.ix_(seen, seen)] + noise * np.eye(len(seen)))
    return K[np.ix_(rest, rest)] - K[np.ix_(rest, seen)] @ inverse @ K[np.ix_(seen, rest)]


def test_covariance_is_that_of_the_kernel_given_the_labels():
    process, rng = some_process()
    X = rng.normal(size=(9, 3))
    space, scale = process.best
    every = np.concatenate([process.points[space], X])
    K = _process.matern(_process.distances(every, every), scale)
    labels, rest = np.arange(12), np.arange(12, 21)
    wanted = given_labels(K, labels, rest, process.noise)
    np.testing.assert_allclose(process.covariance([X]), wanted, atol=1e-6)


def test_covariance_agrees_with_the_deviation():
    process, rng = some_process(seed=1)
    X = rng.normal(size=(9, 3))
    deviation = process.predict([X], np.zeros(9))[1][:, 0]
    variance = np.diag(process.covariance([X])) * process.variance
    np.testing.assert_allclose(variance, deviation**2, atol=1e-6)


@given(st.integers(0, 1000), st.floats(0, 3), st.sampled_from([0.05, 0.2, 0.6]))
def test_each_is_chosen_as_if_those_before_it_were_labeled(seed, curiosity, noise):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 2))
    K = _process.matern(_process.distances(X, X), 1.0)
    worth = rng.normal(size=12)
    order = in_turn(worth, K, curiosity, noise, 5)
    assert sorted(order) == list(range(12))
    for k in range(5):
        rest = np.setdiff1d(np.arange(12), order[:k])
        variance = np.diag(given_labels(K, order[:k], rest, noise))
        bounds = worth[rest] + curiosity * np.sqrt(variance)
        assert bounds[rest == order[k]] >= bounds.max() - 1e-6


def test_who_is_not_curious_goes_by_worth():
    worth = np.array([1.0, 3.0, 2.0, 3.0])
    assert list(in_turn(worth, np.eye(4), 0.0, 0.2, 4)) == [1, 3, 2, 0]


def test_a_twin_waits_for_what_is_different():
    covariance = np.eye(3)
    covariance[0, 1] = covariance[1, 0] = 1.0
    assert list(in_turn(np.array([1.0, 0.99, 0.9]), covariance, 1.0, 0.2, 3)) == [0, 2, 1]


@pytest.mark.parametrize("n", [0, 1, 7, 40, 100])
def test_the_first_do_not_depend_on_how_many_take_turns(n):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 2))
    K = _process.matern(_process.distances(X, X), 1.0)
    worth = rng.normal(size=40)
    all_in_turn, some = in_turn(worth, K, 1.0, 0.2, 40), in_turn(worth, K, 1.0, 0.2, n)
    np.testing.assert_array_equal(some[:n], all_in_turn[:n])
    assert sorted(some) == list(range(40))


def test_nothing_takes_no_turn():
    assert not len(in_turn(np.empty(0), np.empty((0, 0)), 1.0, 0.2, 100))
