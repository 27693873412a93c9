"""Distances to labeled objects, kept from one retrain to the next."""

from concurrent.futures import CancelledError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from astronomaly_widgets.compute import Task, running
from astronomaly_widgets.learners import _nearest
from astronomaly_widgets.learners._nearest import NearestLabeled

N = 3000


@pytest.fixture(name="X", scope="module")
def features():
    return np.random.default_rng(0).normal(size=(N, 7)).astype(np.float32)


def exact(X, rows):
    return cKDTree(X[rows].astype(float)).query(X.astype(float))[0]


@pytest.mark.parametrize("d", [1, 3, 4, 5, 26])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000])
def test_distances_are_exact_to_float32(n, d):
    X = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    rows = np.arange(0, n, 7)
    got = NearestLabeled(X).update(rows)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, exact(X, rows), rtol=1e-6)
    assert (got[rows] == 0).all()


def test_a_large_offset_costs_no_more_than_the_features_themselves_lost(X):
    moved = X + np.float32(1000)
    np.testing.assert_allclose(
        NearestLabeled(moved).update([3, 500]), exact(moved, [3, 500]), rtol=1e-6
    )


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(0, 199), max_size=60), min_size=1, max_size=6))
def test_whatever_came_before_the_distances_are_those_of_now(history):
    """Labels come and are taken back; a few equal objects make ties."""
    X = np.random.default_rng(1).integers(-2, 3, (200, 3)).astype(np.float32)
    kept = NearestLabeled(X)
    for labeled in history:
        rows = sorted(labeled)
        got = kept.update(rows)
        np.testing.assert_array_equal(got, NearestLabeled(X).update(rows[::-1]))
        if rows:
            np.testing.assert_allclose(got, exact(X, rows), rtol=1e-6)
            assert set(kept.nearest.tolist()) <= labeled
            apart = np.linalg.norm(X - X[kept.nearest], axis=1)
            np.testing.assert_allclose(apart, got, rtol=1e-6)
        else:
            assert np.isinf(got).all()
            assert (kept.nearest == -1).all()


def surveys():
    """Where products of matrices say little, or the wrong thing, of distances."""
    rng = np.random.default_rng(2)
    plain = rng.normal(size=(1500, 7)).astype(np.float32)
    outliers = plain.copy()
    outliers[::50] *= 1e6
    return {
        "plain": plain,
        "one label far out": outliers,
        "two clusters far apart": plain + np.float32(1e4) * (np.arange(1500) % 2)[:, None],
        "a large offset": plain + np.float32(1e6),
        "few values, many ties": np.round(plain),
        "all alike": np.ones_like(plain),
        "almost 0": plain * np.float32(1e-22),
        "squares overflow": plain * np.float32(1e16) + np.float32(1e20),
        "many features": rng.normal(size=(300, 2000)).astype(np.float32),
    }


@pytest.mark.parametrize("name", surveys())
def test_choosing_by_products_finds_the_very_same_labels(name, monkeypatch):
    X = surveys()[name].astype(np.float32)
    rows = np.random.default_rng(3).permutation(len(X))[: len(X) // 3]
    monkeypatch.setattr(_nearest, "_MANY", len(X))
    plainly = NearestLabeled(X)
    want = plainly.update(rows)
    monkeypatch.setattr(_nearest, "_MANY", 1)
    monkeypatch.setattr(_nearest, "_TILE", 130)
    monkeypatch.setattr(_nearest, "_BLOCK", 70)
    chosen = NearestLabeled(X)
    np.testing.assert_array_equal(chosen.update(rows), want)
    np.testing.assert_array_equal(chosen.nearest, plainly.nearest)


def test_few_labels_are_compared_where_products_tell(monkeypatch):
    X = surveys()["plain"]
    compared = []
    choose = _nearest._choose

    def counted(*given):
        compared.append(choose(*given))
        return compared[-1]

    monkeypatch.setattr(_nearest, "_choose", counted)
    NearestLabeled(X).update(np.arange(1000))
    assert 0 < sum(compared) < 0.05 * 1000 * len(X)


def test_only_new_labels_are_compared(X, monkeypatch):
    compared = []

    def count(block, points, *rest):
        compared.append(len(block) * len(points))
        return original(block, points, *rest)

    original = _nearest._approach
    monkeypatch.setattr(_nearest, "_approach", count)
    kept = NearestLabeled(X)
    kept.update(np.arange(40))
    assert sum(compared) == 40 * N
    compared.clear()
    kept.update(np.arange(43))
    assert sum(compared) == 3 * N
    compared.clear()
    kept.update(np.arange(43))
    assert sum(compared) == 0
    near = int((kept.nearest == 5).sum())
    kept.update(np.delete(np.arange(43), 5))
    assert sum(compared) == 42 * near


def test_what_was_returned_is_not_changed_later(X):
    kept = NearestLabeled(X)
    first = kept.update([5])
    before = first.copy()
    nearest = kept.nearest
    kept.update([5, 6, 7])
    np.testing.assert_array_equal(first, before)
    assert (nearest == 5).all()


def test_memory_maps_and_doubles_will_do(X, tmp_path):
    want = NearestLabeled(X).update([1, 2, 3])
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for same in (mapped, X.astype(float), np.asfortranarray(X)):
        np.testing.assert_array_equal(NearestLabeled(same).update([1, 2, 3]), want)


def test_a_cancelled_update_leaves_no_half_truth(X, monkeypatch):
    monkeypatch.setattr(_nearest, "_ROWS_PER_CHUNK", 100)
    kept = NearestLabeled(X)
    kept.update([1, 2, 3])
    task = Task()
    task.on_progress = lambda fraction: task.cancel.set() if fraction > 0.3 else None
    with running(task), pytest.raises(CancelledError):
        kept.update([2, 3, 4, 5])
    np.testing.assert_array_equal(kept.update([2, 3, 9]), NearestLabeled(X).update([2, 3, 9]))


@pytest.mark.parametrize("row", [-1, N])
def test_a_row_that_is_not_there_is_refused_and_nothing_is_lost(X, row):
    kept = NearestLabeled(X)
    kept.update([4])
    with pytest.raises(IndexError, match=f"row {row} is labeled, but the features have {N} rows"):
        kept.update([4, row])
    np.testing.assert_array_equal(kept.update([4]), NearestLabeled(X).update([4]))


def test_what_is_not_a_matrix_is_refused():
    with pytest.raises(ValueError, match="n_objects, n_features"):
        NearestLabeled(np.zeros(4))
