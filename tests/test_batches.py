import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astronomaly_widgets import batches


def kinds(n_kinds=10, each=40, seed=0):
    """Tight groups of oddities, the first kind the most anomalous, among ordinary objects."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(n_kinds, 4)) * 10
    odd = np.repeat(centers, each, axis=0) + rng.normal(size=(n_kinds * each, 4)) / 10
    X = np.concatenate([odd, rng.normal(size=(1000, 4))]).astype("float32")
    S = np.concatenate([np.repeat(np.linspace(5, 3, n_kinds), each), rng.uniform(0, 1, 1000)])
    return X, S, np.concatenate([np.repeat(np.arange(n_kinds), each), np.full(1000, -1)])


def test_a_start_trusts_the_top_and_looks_at_other_kinds_too():
    X, S, kind = kinds()
    start = batches.suggest(X, S, [], [], 20)
    assert start.reasons.count("anomalous") == 16
    assert start.reasons.count("diverse") == 4
    assert S[start.rows[0]] == S.max()
    looked = kind[start.rows[np.array(start.reasons) == "diverse"]]
    assert len(set(looked)) == 4
    top = batches.suggest(X, S, [], [], 20, strategy="top")
    assert set(kind[top.rows]) == {0}


def test_any_part_of_a_start_has_both():
    X, S, _ = kinds()
    first = batches.suggest(X, S, [], [], 50).reasons[:10]
    assert 1 <= first.count("diverse") <= 3


def test_while_nothing_is_found_most_of_a_batch_is_of_different_kinds():
    X, S, kind = kinds()
    rows = np.arange(20)
    fruitless = batches.suggest(X, S, rows, np.full(20, 3.0), 20)
    assert fruitless.reasons.count("diverse") == 14
    assert fruitless.reasons.count("unexplored") == 6
    assert set(kind[fruitless.rows]) == set(range(-1, 10))
    found = batches.suggest(X, S, rows, np.r_[np.zeros(19), 4.0], 20)
    assert found.reasons.count("diverse") == 5


def test_what_has_been_seen_in_vain_is_not_looked_at_again():
    X, S, kind = kinds(n_kinds=30)
    rows, seen = np.empty(0, dtype=int), []
    for _ in range(4):
        batch = batches.suggest(X, S, rows, np.zeros(len(rows)), 20)
        seen.append(set(kind[batch.rows[np.array(batch.reasons) == "diverse"]]) - {-1})
        rows = np.r_[rows, batch.rows]
    assert len(set.union(*seen)) >= 25
    assert sum(map(len, seen)) <= 30 + 5  # hardly one is shown twice


@pytest.mark.parametrize("spread", [1e-6, 1e-9, 1e-15])
def test_objects_that_hardly_differ_are_one_kind(spread):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (200, 2)) + spread * rng.normal(size=(200, 2))
    X[0] = 1e15
    for strategy in ("start", "diverse", "auto"):
        batch = batches.suggest(X, X[:, 0], [3], [0.0], 30, strategy=strategy)
        assert len(set(batch.rows)) == 30


def test_a_part_of_a_varied_batch_reaches_down_the_ranking_too():
    X, S, _ = kinds()
    varied = batches.suggest(X, S, [0], [0.0], 50)
    everyone, first = np.sort(S[varied.rows]), np.sort(S[varied.rows[:10]])
    assert abs(np.median(first) - np.median(everyone)) < 1.5
    assert first[0] < np.quantile(everyone, 0.3)


def test_while_labels_hit_the_batch_is_the_top():
    X, S, _ = kinds()
    rows = np.arange(1400, 1400 + 20)
    lucky = batches.suggest(X, S, rows % 1400, np.full(20, 5.0), 20)
    assert set(lucky.reasons) == {"predicted interesting"}
    np.testing.assert_array_equal(lucky.rows, np.arange(20, 40))


def test_without_a_recent_hit_half_of_the_batch_looks_elsewhere_by_exploration():
    X, S, kind = kinds()
    wide = np.where(kind == 7, 9.0, np.where(kind == -1, 0.0, 1.0))
    labels = np.r_[5.0, np.zeros(20)]
    unlucky = batches.suggest(X, S, np.arange(21), labels, 20, exploration=wide)
    assert unlucky.reasons.count("diverse") == 10
    looked = kind[unlucky.rows[np.array(unlucky.reasons) == "diverse"]]
    assert {7} < set(looked)
    assert -1 not in set(kind[unlucky.rows[:10]])


def test_few_hits_call_for_less_variety_than_none():
    X, S, _ = kinds()
    varied = [
        batches.suggest(
            X, S, np.arange(40), np.r_[np.zeros(40 - hits), np.full(hits, 5.0)], 40
        ).reasons.count("diverse")
        for hits in range(5)
    ]
    assert varied == [28, 15, 10, 5, 0]


def test_a_share_is_drawn_from_everything_if_asked():
    X, S, kind = kinds()
    batch = batches.suggest(X, S, [], [], 40, explore=0.5, random_state=1)
    drawn = batch.rows[np.array(batch.reasons) == "unexplored"]
    assert len(drawn) == 20
    assert (kind[drawn] == -1).mean() > 0.4  # 1000 of 1400 are ordinary
    other = batches.suggest(X, S, [], [], 40, explore=0.5, random_state=2)
    assert set(other.rows) != set(batch.rows)


def test_the_same_question_gets_the_same_answer():
    X, S, _ = kinds()
    for labeled, y in (([], []), (np.arange(30), np.zeros(30))):
        first, second = (batches.suggest(X, S, labeled, y, 25, explore=0.2) for _ in range(2))
        np.testing.assert_array_equal(first.rows, second.rows)
        assert first.reasons == second.reasons


@given(
    n_objects=st.integers(1, 120),
    n=st.integers(1, 60),
    n_labeled=st.integers(0, 120),
    d=st.integers(1, 3),
    values=st.sampled_from(["different", "equal", "duplicated", "nan"]),
    strategy=st.sampled_from(batches.STRATEGIES),
    explore=st.sampled_from([0.0, 0.3, 1.0]),
)
@settings(max_examples=60)
def test_every_batch_is_of_different_unlabeled_objects_and_as_large_as_can_be(  # noqa: PLR0917 - one question
    n_objects, n, n_labeled, d, values, strategy, explore
):
    rng = np.random.default_rng(n_objects + n)
    X = rng.normal(size=(n_objects, d))
    worth = rng.normal(size=n_objects)
    if values == "equal":
        X[:], worth[:] = 1.0, 1.0
    elif values == "duplicated":
        X = X[rng.integers(0, 2, n_objects) % n_objects]
    elif values == "nan":
        worth[rng.random(n_objects) < 0.5] = np.nan
    labeled = rng.permutation(n_objects)[:n_labeled]
    batch = batches.suggest(
        X, worth, labeled, np.zeros(len(labeled)), n, strategy=strategy, explore=explore
    )
    assert len(batch.rows) == min(n, n_objects - len(labeled)) == len(batch.reasons)
    assert len(set(batch.rows.tolist())) == len(batch.rows)
    assert not set(batch.rows.tolist()) & set(labeled.tolist())


def test_the_best_come_without_sorting_everything_and_ties_by_row():
    worth = np.array([1.0, 3.0, 3.0, 2.0, 3.0, 0.0])
    free = np.array([True, True, True, True, False, True])
    assert batches.best(worth, free, 2).tolist() == [1, 2]
    assert batches.best(worth, free, 1).tolist() == [1]
    assert batches.best(worth, free, 3).tolist() == [1, 2, 3]
    assert batches.best(worth, free, 9).tolist() == [1, 2, 3, 0, 5]
    assert batches.best(worth, free, 0).tolist() == []


def test_an_unknown_strategy_lists_the_known_ones():
    with pytest.raises(ValueError, match="no strategy 'best': choose one of auto, top"):
        batches.suggest(np.zeros((3, 1)), np.zeros(3), [], [], 2, strategy="best")


@pytest.mark.parametrize("explore", [-0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(explore):
    with pytest.raises(ValueError, match="share to be drawn"):
        batches.suggest(np.zeros((3, 1)), np.zeros(3), [], [], 2, explore=explore)


@given(
    st.lists(st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0]), max_size=40),
    st.integers(-1, 50),
)
def test_the_best_are_the_same_in_single_precision(values, n):
    free = np.arange(len(values)) % 3 != 1
    double = batches.best(np.array(values, dtype=np.float64), free, n)
    single = batches.best(np.array(values, dtype=np.float32), free, n)
    np.testing.assert_array_equal(single, double)
