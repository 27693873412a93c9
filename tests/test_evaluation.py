import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom
from sklearn.linear_model import LogisticRegression

from astronomaly_widgets import evaluation, remaining
from astronomaly_widgets.evaluation import (
    discovery_curves,
    precision_at_recall,
    rank_weighted_score,
    recall_by_class,
    recall_curve,
)

ORDER = np.array(list("abcdefghij"))
INTERESTING = {"a", "c", "j"}


@pytest.mark.parametrize(
    "interesting",
    [
        {"a", "c", "j"},
        ["j", "a", "c"],
        np.array(["a", "c", "j"]),
        pd.Index(["a", "c", "j"]),
        {i: i in "acj" for i in "abcdefghij"},
        pd.Series({i: i in "acj" for i in "jihgfedcba"}),
    ],
    ids=["set", "list", "array", "index", "mapping", "series"],
)
def test_recall_counts_the_interesting_among_the_first(interesting):
    curve = recall_curve(interesting, ORDER)
    assert curve.tolist() == [1, 1, 2, 2, 2, 2, 2, 2, 2, 3]
    assert np.issubdtype(curve.dtype, np.integer)


def test_recall_of_nothing_is_zero():
    assert recall_curve(set(), ORDER).tolist() == [0] * 10
    assert recall_curve(INTERESTING, []).shape == (0,)


def test_a_normalized_curve_is_the_recall_of_all_there_is():
    curve = recall_curve({"a", "c", "not in the ranking", "nor this"}, ORDER, normalized=True)
    np.testing.assert_allclose(curve, [0.25, 0.25, *[0.5] * 8])
    assert np.isnan(recall_curve(set(), ORDER, normalized=True)).all()


@pytest.mark.parametrize(
    "labeled",
    [["b", "a", "x"], pd.Index(["a", "b"]), {"a": True, "b": True, "c": False}],
    ids=["list", "index", "mapping"],
)
def test_without_the_labeled_only_what_the_person_has_not_seen_counts(labeled):
    assert recall_curve(INTERESTING, ORDER, exclude=labeled).tolist() == [1, 1, 1, 1, 1, 1, 1, 2]
    recall = recall_curve(INTERESTING, ORDER, exclude=labeled, normalized=True)
    assert recall[[0, -1]].tolist() == [0.5, 1.0]
    # c d e f: c is hit, w = 4
    assert rank_weighted_score(INTERESTING, ORDER, 4, exclude=labeled) == pytest.approx(4 / 10)
    got = precision_at_recall(INTERESTING, ORDER, [0.5, 1.0], exclude=labeled)
    np.testing.assert_allclose(got, [1, 2 / 8])


def test_a_generator_of_what_to_leave_out_is_read_once():
    assert recall_curve(INTERESTING, ORDER, exclude=iter("ab")).tolist()[-1] == 2
    assert recall_by_class({"a": "x", "c": "x"}, ORDER, exclude=iter("a"))["x"][2] == 1


def test_everything_labeled_leaves_an_empty_curve():
    assert recall_curve(INTERESTING, ORDER, exclude=ORDER).shape == (0,)


def test_every_class_has_its_own_curve():
    classes = {"a": "merger", "c": "merger", "b": "lens", "j": None, "gone": "lens", "d": np.nan}
    curves = recall_by_class(classes, ORDER)
    assert list(curves.columns) == ["lens", "merger"]
    assert curves.index.tolist() == list(range(1, 11))
    for name in curves:
        members = {i for i, each in classes.items() if each == name}
        np.testing.assert_allclose(curves[name], recall_curve(members, ORDER, normalized=True))
    counted = recall_by_class(pd.Series(classes), ORDER, normalized=False)
    assert counted.loc[10].tolist() == [1, 2]


def test_classes_without_the_labeled_are_those_of_the_rest():
    classes = {"a": "merger", "c": "merger", "b": "lens"}
    curves = recall_by_class(classes, ORDER, exclude=["a", "b"])
    assert list(curves.columns) == ["merger"]
    assert len(curves) == 8
    assert curves["merger"][1] == 1


def test_an_object_of_two_classes_is_refused():
    with pytest.raises(ValueError, match="object 'a' has two classes"):
        recall_by_class(pd.Series(["x", "y"], index=["a", "a"]), ORDER)
    with pytest.raises(ValueError, match="object 'b' comes twice"):
        recall_by_class({"a": "x"}, list("abcb"))


def test_what_to_leave_out_is_named_when_it_is_wrong():
    with pytest.raises(TypeError, match="exclude is an array of bool"):
        recall_curve(INTERESTING, ORDER, exclude=np.zeros(10, dtype=bool))
    with pytest.raises(TypeError, match="exclude is the str 'abc'"):
        recall_curve(INTERESTING, ORDER, exclude="abc")


ids = st.integers(0, 15)


@given(st.sets(ids), st.permutations(range(16)), st.sets(ids))
def test_leaving_out_is_the_same_as_not_being_there(interesting, order, left_out):
    rest = [i for i in order if i not in left_out]
    np.testing.assert_array_equal(
        recall_curve(interesting, order, exclude=left_out),
        recall_curve(interesting - left_out, rest),
    )


def test_rank_weighted_score_is_equations_4_and_5():
    # w = 4, 3, 2, 1; a and c are hit; S0 = 10
    assert rank_weighted_score(INTERESTING, ORDER, 4) == pytest.approx((4 + 2) / 10)
    assert rank_weighted_score(INTERESTING, ORDER, 1) == 1
    assert rank_weighted_score(ORDER, ORDER, 10) == pytest.approx(1)
    assert rank_weighted_score(set(), ORDER, 10) == 0


def test_a_ranking_shorter_than_n_missed_the_rest():
    assert rank_weighted_score({"a"}, ["a"], 4) == pytest.approx(4 / 10)


@pytest.mark.parametrize("n", [0, -3])
def test_a_rank_weighted_score_of_nobody_is_refused(n):
    with pytest.raises(ValueError, match=f"n is {n}"):
        rank_weighted_score(INTERESTING, ORDER, n)


def test_precision_is_taken_where_the_recall_is_first_reached():
    got = precision_at_recall(INTERESTING, ORDER, [0.01, 1 / 3, 0.34, 2 / 3, 1.0])
    np.testing.assert_allclose(got, [1, 1, 2 / 3, 2 / 3, 3 / 10])


def test_a_recall_reached_but_for_rounding_is_reached():
    interesting = [f"i{k}" for k in range(10)]
    assert precision_at_recall(interesting, [*interesting[:3], "no"], [0.3])[0] == 1
    assert (
        precision_at_recall(interesting, interesting, np.linspace(0.1, 1, 10)).tolist()
        == [1.0] * 10
    )


def test_a_recall_never_reached_has_no_precision():
    got = precision_at_recall({"a", "not in the ranking"}, ORDER, [0.5, 0.75])
    assert got[0] == 1
    assert np.isnan(got[1])
    assert np.isnan(precision_at_recall(set(), ORDER, 0.5)).all()


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.1, np.nan])
def test_a_recall_outside_0_to_1_is_refused(wrong):
    with pytest.raises(ValueError, match="give fractions above 0 and up to 1"):
        precision_at_recall(INTERESTING, ORDER, [0.5, wrong])


each_measure = pytest.mark.parametrize(
    "measure",
    [
        recall_curve,
        lambda interesting, order: rank_weighted_score(interesting, order, 3),
        lambda interesting, order: precision_at_recall(interesting, order, 0.5),
    ],
)


@each_measure
def test_an_array_of_bool_is_refused_because_it_does_not_say_of_which_objects(measure):
    with pytest.raises(TypeError, match=r"give their ids: object_ids\[mask\]"):
        measure(np.zeros(10, dtype=bool), ORDER)
    with pytest.raises(TypeError, match="give a set of ids"):
        measure("acj", ORDER)


@each_measure
def test_an_object_ranked_twice_is_refused(measure):
    with pytest.raises(ValueError, match="object 'b' comes twice"):
        measure(INTERESTING, list("abcb"))


def test_discovery_without_truth_compares_with_what_was_found():
    curves = discovery_curves(list("jdab"), [5, 0, 4, 3.5], ORDER, interesting_from=4.0)
    assert curves.found.tolist() == [0, 1, 1, 2, 2]
    assert curves.detector.tolist() == [0, 1, 1, 1, 1]  # a is on top of the anomaly score
    np.testing.assert_allclose(curves.random, np.arange(5) * 2 / 10)
    assert curves.n_interesting == 2
    assert curves.is_lower_bound


def test_discovery_with_truth_compares_with_all_there_is():
    curves = discovery_curves(list("jdab"), [5, 5, 0, 3], ORDER, truth=INTERESTING)
    assert curves.found.tolist() == [0, 1, 1, 2, 2]
    assert curves.detector.tolist() == [0, 1, 1, 2, 2]
    np.testing.assert_allclose(curves.random, np.arange(5) * 3 / 10)
    assert curves.n_interesting == 3
    assert not curves.is_lower_bound


def test_the_threshold_of_interest_is_the_callers():
    found = [
        discovery_curves(list("abc"), [5, 4, 3], ORDER, interesting_from=threshold).found[-1]
        for threshold in (5.0, 4.0, 3.0, 0.0)
    ]
    assert found == [1, 2, 3, 3]


def test_discovery_needs_no_more_of_the_order_than_was_labeled():
    labeled, scores = list("jdab"), [5, 0, 4, 3.5]
    whole = discovery_curves(labeled, scores, ORDER)
    short = discovery_curves(labeled, scores, ORDER[:4], n_objects=len(ORDER))
    np.testing.assert_array_equal(short.detector, whole.detector)
    np.testing.assert_array_equal(short.random, whole.random)


def test_discovery_before_the_first_label_starts_at_zero():
    curves = discovery_curves([], [], ORDER)
    assert curves.found.tolist() == curves.detector.tolist() == curves.random.tolist() == [0]


def test_labels_of_objects_that_are_gone_still_count_as_found():
    curves = discovery_curves(["gone", "a", "b"], [5, 5, 5], ["a", "b"])
    assert curves.found.tolist() == [0, 1, 2, 3]
    assert curves.detector.tolist() == [0, 1, 2, 2]
    assert np.isfinite(curves.random).all()


def test_discovery_needs_one_score_per_label():
    with pytest.raises(ValueError, match="2 labeled objects"):
        discovery_curves(["a", "b"], [5], ORDER)


# -- what is left --------------------------------------------------------------------------


def search(rng, n_interesting=60, n=3000, n_labels=300, skill=2.0):
    """Labels given from the top of a worth that knows something of what is interesting."""
    interesting = np.arange(n) < n_interesting
    worth = rng.normal(size=n) + skill * interesting
    order = np.argsort(-(worth + rng.normal(size=n) / 2))
    labeled, rest = order[:n_labels], order[n_labels:]
    return interesting[labeled], worth[labeled], worth[rest], interesting[rest].sum()


def test_the_interval_of_what_is_left_mostly_holds_the_truth():
    rng = np.random.default_rng(0)
    held = []
    for skill in (1.0, 2.0, 3.0):
        for _ in range(15):
            hits, worth, rest, left = search(rng, skill=skill)
            said = evaluation.estimate_remaining(hits, worth, rest)
            held.append(said.low <= left <= said.high)
    assert np.mean(held) >= 0.8


def test_a_wider_level_gives_a_wider_interval_round_the_same_middle():
    hits, worth, rest, _ = search(np.random.default_rng(1))
    narrow = evaluation.estimate_remaining(hits, worth, rest, level=0.5)
    wide = evaluation.estimate_remaining(hits, worth, rest, level=0.95)
    assert wide.low <= narrow.low <= narrow.expected <= narrow.high <= wide.high
    assert wide.high - wide.low > narrow.high - narrow.low
    assert (wide.level, narrow.level) == (0.95, 0.5)


def test_a_yield_that_has_not_fallen_does_not_lift_the_middle_to_the_upper_end():
    hits = np.arange(70) % 5 == 0
    worth, rest = np.where(hits, 4.0, 1.0), np.linspace(0, 1.2, 230)
    said = evaluation.estimate_remaining(hits, worth, rest)
    by_worth = evaluation.estimate_remaining(hits, worth, rest, level=0.001).high  # its middle
    assert said.expected <= by_worth < said.high


def test_the_more_is_searched_in_vain_the_less_is_left():
    hits, worth, rest, _ = search(np.random.default_rng(2), skill=3.0, n_labels=150)
    early = evaluation.estimate_remaining(hits, worth, rest)
    vain = np.sort(rest)[::-1]
    late = evaluation.estimate_remaining(
        np.r_[hits, np.zeros(600, bool)], np.r_[worth, vain[:600]], vain[600:]
    )
    assert late.high < early.high
    assert late.expected <= early.expected


def test_what_is_left_by_slope_is_what_a_logistic_regression_expects():
    hits, worth, rest, _ = search(np.random.default_rng(4), n=20000, n_labels=4000)
    drawn = remaining._left_by_slope(hits, worth, rest, np.random.default_rng(0))
    fitted = LogisticRegression(C=1e6).fit(worth[:, None], hits)
    expected = fitted.predict_proba(rest[:, None])[:, 1].sum()
    assert drawn.mean() == pytest.approx(expected, rel=0.15)


def test_nothing_left_to_label_leaves_nothing():
    said = evaluation.estimate_remaining([True, False], [1.0, 0.0], [])
    assert (said.low, said.expected, said.high) == (0, 0, 0)


@pytest.mark.parametrize("hits", [[], [True], [False] * 30, [True] * 30])
def test_few_or_equal_labels_give_an_interval(hits):
    said = evaluation.estimate_remaining(hits, np.zeros(len(hits)), np.zeros(100))
    assert 0 <= said.low <= said.expected <= said.high <= 100


@pytest.mark.parametrize("n_labels", [8_000, 20_000])
def test_ten_thousand_labels_whose_yield_has_long_fallen_leave_little(n_labels):
    rng = np.random.default_rng(0)
    hits = rng.random(n_labels) < 0.5 * np.exp(-np.arange(n_labels) / 1000)
    said = evaluation.estimate_remaining(hits, hits + rng.normal(size=n_labels), np.zeros(1000))
    assert 0 <= said.low <= said.expected <= said.high <= 1000
    assert remaining._left_by_yield(hits, 1000, rng).mean() < 10


def test_labels_of_unknown_worth_are_left_out():
    hits, worth, rest, _ = search(np.random.default_rng(3))
    some = evaluation.estimate_remaining(hits, np.where(np.arange(300) % 7, worth, np.nan), rest)
    assert np.isfinite([some.low, some.expected, some.high]).all()


def test_a_random_sample_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        rest = rng.random(2000) < 0.05
        drawn = rng.permutation(2000)[:200]
        said = evaluation.estimate_from_audit(rest[drawn], 1800)
        held.append(said.low <= rest.sum() - rest[drawn].sum() <= said.high)
    assert 0.85 <= np.mean(held) <= 0.96


@pytest.mark.parametrize(("n_hits", "n_labels"), [(0, 50), (2, 50), (50, 50), (7, 900)])
@pytest.mark.parametrize("n_rest", [0, 1, 400, 30_000])
def test_what_a_random_sample_says_is_a_beta_binomial_distribution(n_hits, n_labels, n_rest):
    said = evaluation.estimate_from_audit(np.arange(n_labels) < n_hits, n_rest)
    left = betabinom(n_rest, n_hits + 0.5, n_labels - n_hits + 0.5)
    assert [said.low, said.expected, said.high] == left.ppf([0.05, 0.5, 0.95]).tolist()


def test_a_worth_is_needed_for_each_label():
    with pytest.raises(ValueError, match="give one of each"):
        evaluation.estimate_remaining([True, False], [1.0], [0.0])


@pytest.mark.parametrize("level", [0.0, 1.0, 90])
def test_a_level_that_is_no_probability_is_refused(level):
    with pytest.raises(ValueError, match=r"such as 0\.9"):
        evaluation.estimate_remaining([True], [1.0], [0.0], level=level)
    with pytest.raises(ValueError, match=r"such as 0\.9"):
        evaluation.estimate_from_audit([True], 3, level=level)
