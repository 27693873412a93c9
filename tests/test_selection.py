"""The first of a ranking is that of a stable sort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from astronomaly_widgets.compute import _selection, descending, largest, ranks

# few different values, so that most are tied
TIED = st.sampled_from([-np.inf, -1.0, -1e-45, -0.0, 0.0, 1e-45, 2.5, 3e38, np.inf, np.nan])
ANY = st.floats(width=32)


def plain(values, k):
    return np.argsort(-np.asarray(values, dtype=np.float32), kind="stable")[:k]


@settings(max_examples=300)
@given(
    values=arrays(np.float32, st.integers(0, 60), elements=TIED | ANY),
    k=st.none() | st.integers(0, 70),
)
def test_any_selection_is_the_beginning_of_the_stable_sort(values, k):
    np.testing.assert_array_equal(largest(values, k), plain(values, k))


@settings(max_examples=100)
@given(
    values=arrays(np.float32, st.integers(1, 40), elements=TIED),
    first=st.integers(0, 40),
    second=st.integers(0, 40),
)
def test_a_shorter_selection_is_the_beginning_of_a_longer_one(values, first, second):
    shorter, longer = sorted((first, second))
    np.testing.assert_array_equal(largest(values, shorter), largest(values, longer)[:shorter])


@pytest.mark.parametrize("n_different", [1, 2, 7, 50_000])
def test_ties_keep_their_order_however_many_there_are(n_different):
    values = np.random.default_rng(0).integers(0, n_different, 50_000).astype(np.float32)
    for k in (1, 24, 1000, 49_999, None):
        np.testing.assert_array_equal(largest(values, k), plain(values, k))


def test_what_is_not_a_number_comes_last():
    assert largest([np.nan, 1, -np.nan, -np.inf, 2]).tolist() == [4, 1, 3, 0, 2]


def test_doubles_and_integers_are_compared_as_float32():
    assert largest([1, 3, 2], 2).tolist() == [1, 2]
    assert largest(np.array([1.0, 1.0 + 1e-12])).tolist() == [0, 1]


def test_the_values_are_left_alone():
    values = np.array([-0.0, np.nan, -3], dtype=np.float32)
    before = values.view(np.uint32).copy()
    largest(values, 1)
    np.testing.assert_array_equal(values.view(np.uint32), before)


@pytest.mark.parametrize(("values", "k"), [(np.zeros((2, 2)), 1), (3.0, None), ([1.0, 2.0], -1)])
def test_what_makes_no_sense_is_refused(values, k):
    with pytest.raises(ValueError, match=r"one number per object|0 or more"):
        largest(values, k)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=60))
def test_ranks_rise_with_the_values_from_0_to_1(values):
    order = np.argsort(np.asarray(values, dtype=np.float32), kind="stable")
    want = np.empty(len(values))
    want[order] = np.arange(len(values)) / max(len(values) - 1, 1)
    np.testing.assert_allclose(ranks(values), want, rtol=1e-6)


@pytest.mark.parametrize("kind", ["plain", "ties", "all alike", "both signs"])
def test_of_many_values_only_the_first_are_ranked_exactly(kind, monkeypatch):
    rng = np.random.default_rng(0)
    values = {
        "plain": rng.random(5000),
        "ties": rng.integers(0, 9, 5000) / 4,
        "all alike": np.ones(5000),
        "both signs": rng.normal(size=5000),
    }[kind].astype(np.float32)
    exact = ranks(values)
    monkeypatch.setattr(_selection, "_N_RANKED", 300)
    coarse = ranks(values)
    first = exact > 1 - 300 / 5000
    np.testing.assert_array_equal(coarse[first], exact[first])
    assert coarse[~first].max() <= coarse[first].min()
    others, rank = values[~first], coarse[~first]
    order = np.argsort(others, kind="stable")
    assert (np.diff(rank[order]) >= 0).all()
    if kind in {"plain", "both signs"}:
        assert abs(coarse - exact).max() < 0.01


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_all_rows_are_in_the_order_of_a_stable_sort(dtype, data):
    width = 8 * np.dtype(dtype).itemsize
    floats = st.floats(width=width) | st.sampled_from([0.0, -0.0, 1.0, np.nan, np.inf, -np.inf])
    values = data.draw(arrays(dtype, st.integers(0, 60), elements=floats))
    want = np.argsort(-values, kind="stable").tolist()
    assert descending(values).tolist() == want


def test_ties_among_many_keep_their_order():
    values = np.random.default_rng(0).integers(-3, 4, 200_000).astype(np.float32)
    np.testing.assert_array_equal(descending(values), np.argsort(-values, kind="stable"))


def test_doubles_are_told_apart_and_singles_are_singles():
    values = [1.0, 1.0 + 1e-12, 2.0]
    assert descending(values).tolist() == [2, 1, 0]
    assert descending(np.array(values, dtype=np.float32)).tolist() == [2, 0, 1]


def test_what_is_no_column_of_numbers_is_refused():
    with pytest.raises(ValueError, match=r"values has shape \(2, 2\)"):
        descending(np.zeros((2, 2)))
