"""Packed trees say what scikit-learn's trees say."""

from concurrent.futures import CancelledError

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, IsolationForest, RandomForestRegressor

from astronomaly_widgets.compute import PackedTrees, Task, _trees, running


def features(n, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def one_after_another(trees, X):
    total = np.zeros(len(X))
    for tree in trees:
        total += tree.predict(X)
    return total


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
@pytest.mark.parametrize("n_grown", [1, 2, 3, 500])
@pytest.mark.parametrize("n", [1, 127, 128, 129, 3000])
def test_sums_are_those_of_the_trees_one_after_another(kind, n_grown, n):
    X = features(n_grown)
    forest = kind(17, random_state=3).fit(X, X[:, 0] + np.square(X[:, 1]))
    seen = features(n, seed=1)
    want = one_after_another(forest.estimators_, seen)
    np.testing.assert_array_equal(PackedTrees.of(forest.estimators_).total(seen), want)


def test_trees_of_very_different_depth_go_together():
    X = np.exp(np.arange(400, dtype=np.float32) / 10)[:, None]
    y = X[:, 0].astype(float)
    forests = [RandomForestRegressor(3, max_depth=k, random_state=0).fit(X, y) for k in (1, 9, 99)]
    trees = [tree for forest in forests for tree in forest.estimators_]
    assert max(tree.get_depth() for tree in trees) > 20
    want = one_after_another(trees, X)
    np.testing.assert_array_equal(PackedTrees.of(trees).total(X), want)


def test_a_row_at_the_threshold_goes_the_same_way():
    """Thresholds are doubles: the nearest float32 may lie on their other side."""
    X = np.float32([[0.1], [np.nextafter(np.float32(0.1), np.float32(1))], [0.3], [-0.1]])
    forest = RandomForestRegressor(50, random_state=0).fit(X, [0.0, 1.0, 2.0, 3.0])
    thresholds = np.concatenate([tree.tree_.threshold for tree in forest.estimators_])
    near = thresholds.astype(np.float32)
    rows = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, -9)])
    rows = rows.astype(np.float32)[:, None]
    want = one_after_another(forest.estimators_, rows)
    np.testing.assert_array_equal(PackedTrees.of(forest.estimators_).total(rows), want)


def test_other_values_than_predictions_may_be_summed():
    X = features(300)
    trees = [tree.tree_ for tree in IsolationForest(random_state=0).fit(X).estimators_]
    sizes = PackedTrees.of(trees, [tree.n_node_samples for tree in trees]).total(X)
    want = sum(tree.n_node_samples[tree.apply(X)] for tree in trees)
    np.testing.assert_array_equal(sizes, want)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_features_of_any_kind_are_compared_as_float32(order, dtype):
    X = (10 * features(2000)).astype(dtype, order=order)
    forest = RandomForestRegressor(5, random_state=0).fit(X[:200], X[:200, 0])
    want = one_after_another(forest.estimators_, X)
    np.testing.assert_array_equal(PackedTrees.of(forest.estimators_).total(X), want)


def test_neither_threads_nor_chunks_show(monkeypatch):
    X = features(5000)
    packed = PackedTrees.of(RandomForestRegressor(9, random_state=0).fit(X, X[:, 0]).estimators_)
    want = packed.total(X)
    monkeypatch.setattr(_trees, "_ROWS_PER_CHUNK", 77)
    for n_jobs in (1, 3):
        np.testing.assert_array_equal(packed.total(X, n_jobs=n_jobs), want)


def test_no_rows_have_no_sums():
    X = features(9)
    packed = PackedTrees.of(RandomForestRegressor(2).fit(X, X[:, 0]).estimators_)
    assert packed.total(X[:0]).shape == (0,)


def test_summing_can_be_cancelled():
    X = features(9)
    packed = PackedTrees.of(RandomForestRegressor(2).fit(X, X[:, 0]).estimators_)
    task = Task()
    task.cancel.set()
    with running(task), pytest.raises(CancelledError):
        packed.total(X)
