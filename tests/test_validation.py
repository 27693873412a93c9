"""Whether features help: measured fairly, with intervals that hold what they say."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from astronomaly_widgets import _display, validation
from astronomaly_widgets.evaluation import precision_at_recall
from astronomaly_widgets.validation import _few_labels, compare_rankings


def compare_features(*given, **options):
    return validation.compare_features(*given, **options).table


@pytest.fixture(scope="module")
def sets():
    """Features that tell three classes apart, that nearly do, and that do not."""
    rng = np.random.default_rng(0)
    y = rng.choice(3, 400, p=[0.7, 0.2, 0.1])
    centers = 4 * np.eye(3, 5)
    good = centers[y] + rng.normal(size=(400, 5))
    return {"good": good, "fair": good + 2 * rng.normal(size=(400, 5)), "none": good[::-1]}, y


def test_better_features_are_told_from_worse(sets):
    table = compare_features(*sets, n_labels=(10, 60), n_draws=10)
    assert list(table.columns) == [
        "features",
        "classifier",
        "n_labels",
        "accuracy",
        "low",
        "high",
        "chance",
        "gain",
        "gain_low",
        "gain_high",
    ]
    assert len(table) == 3 * 2 * 2
    by_set = table.set_index(["classifier", "n_labels", "features"]).sort_index()
    for classifier in ("neighbors", "logistic"):
        for m in (10, 60):
            at = by_set.loc[classifier, m]
            assert at.accuracy["good"] > at.accuracy["fair"] + 0.1
            assert at.low["good"] > at.chance["good"] == pytest.approx(1 / 3)
            assert at.gain_high["none"] < 0
            assert at.low["none"] < at.chance["none"] < at.high["none"]
    assert (table.low <= table.accuracy).all()
    assert (table.accuracy <= table.high).all()
    assert (table.loc[table.features == "good", ["gain", "gain_low", "gain_high"]] == 0).all(
        axis=None
    )
    gain = by_set.accuracy["neighbors", 60, "fair"] - by_set.accuracy["neighbors", 60, "good"]
    assert by_set.gain["neighbors", 60, "fair"] == pytest.approx(gain)


def test_more_labels_teach_more(sets):
    table = compare_features({"fair": sets[0]["fair"]}, sets[1], n_labels=(5, 200), n_draws=10)
    for _, group in table.groupby("classifier"):
        assert group.accuracy.is_monotonic_increasing


def test_accuracy_is_that_of_the_objects_that_were_not_labeled(sets):
    features, y = sets
    X = features["fair"]
    table = compare_features(
        {"fair": X}, y, n_labels=(50,), classifiers=["logistic"], balanced=False, n_draws=80
    )
    scaled = (X - X.mean(axis=0)) / np.sqrt(((X - X.mean(axis=0)) ** 2).mean())
    rng = np.random.default_rng(5)
    right = []
    for _ in range(80):
        rows = rng.permutation(400)
        model = LogisticRegression(C=2).fit(scaled[rows[:50]], y[rows[:50]])
        right.append((model.predict(scaled[rows[50:]]) == y[rows[50:]]).mean())
    assert table.accuracy[0] == pytest.approx(np.mean(right), abs=0.015)
    assert [table.low[0], table.high[0]] == pytest.approx(np.percentile(right, [2.5, 97.5]), 0.05)
    assert table.chance[0] == (y == 0).mean()


def test_units_and_an_offset_change_nothing(sets):
    features, y = sets
    table = compare_features(
        {"as it is": features["fair"], "otherwise": 1e3 * features["fair"] + 1e5},
        y,
        n_labels=(30,),
        n_draws=5,
    )
    np.testing.assert_allclose(table[["gain_low", "gain_high"]], 0, atol=1e-6)


def test_the_same_number_gives_the_same_draws_for_each_number_of_labels(sets):
    features = {"good": sets[0]["good"]}
    both = compare_features(features, sets[1], n_labels=(10, 30), n_draws=4, random_state=3)
    one = compare_features(features, sets[1], n_labels=(30,), n_draws=4, random_state=3)
    pd.testing.assert_frame_equal(both[both.n_labels == 30].reset_index(drop=True), one)
    other = compare_features(features, sets[1], n_labels=(30,), n_draws=4, random_state=4)
    assert not other.equals(one)


def test_each_class_has_a_label_however_rare():
    rng = np.random.default_rng(0)
    y = np.array(["common"] * 300 + ["rare"] * 3)
    X = rng.normal(size=(303, 2)) + 9 * (y == "rare")[:, None]
    table = compare_features({"X": X}, y, n_labels=(2, 20), n_draws=10)
    assert (table.accuracy > 0.7).all()


def test_objects_are_matched_by_id_and_those_of_unknown_class_left_out(sets):
    features, y = sets
    ids = np.array([f"object-{k}" for k in range(400)])
    by_id = {name: pd.DataFrame(X, index=ids) for name, X in features.items()}
    classes = pd.Series(y, index=ids).astype(object)
    expected = compare_features(features, y, n_labels=(30,), n_draws=4)
    pd.testing.assert_frame_equal(
        compare_features(
            {name: frame.sample(frac=1, random_state=1) for name, frame in by_id.items()},
            classes,
            n_labels=(30,),
            n_draws=4,
        ),
        expected,
    )
    classes.iloc[:50] = None
    by_id["good"] = by_id["good"].iloc[:-100]
    table = compare_features(by_id, dict(classes), n_labels=(30,), n_draws=4)
    middle = {name: X[50:-100] for name, X in features.items()}
    unknown = np.where(np.arange(400) < 50, None, y)[:-100]
    pd.testing.assert_frame_equal(
        table, compare_features(middle, y[50:-100], n_labels=(30,), n_draws=4)
    )
    first = {name: X[:-100] for name, X in features.items()}
    pd.testing.assert_frame_equal(
        table, compare_features(first, unknown, n_labels=(30,), n_draws=4)
    )


@pytest.mark.parametrize("classifier", ["neighbors", "logistic"])
def test_every_class_is_tested_on_however_few_are_left(classifier):
    """Where none of the rare are left, an accuracy would be that of the common alone."""
    y = np.array([0] * 20 + [1] * 3)
    features = {"tells all": 9.0 * y[:, None], "tells nothing": np.ones((23, 1))}
    options = {"classifiers": [classifier], "n_labels": (10, 21), "n_draws": 20}
    table = compare_features(features, y, **options).set_index(["features", "n_labels"])
    assert (table.accuracy["tells all"] == 1).all()
    # all objects are said to be of one class: half of the two are right in every draw
    assert (table.loc["tells nothing", ["low", "high"]] == 0.5).all(axis=None)


def test_a_balanced_accuracy_is_the_mean_of_those_of_the_classes(sets):
    features, y = sets
    X = features["fair"]
    found = compare_features(
        {"fair": X}, y, n_labels=(60,), classifiers=["neighbors"], n_draws=2, random_state=7
    )
    rng = np.random.default_rng([7, 60])
    right = []
    for _ in range(2):
        rows = _few_labels._draw(y, 60, rng, keep_one=True)
        others = np.setdiff1d(np.arange(len(y)), rows)
        model = KNeighborsClassifier(5, weights="distance").fit(X[rows], y[rows])
        right.append(balanced_accuracy_score(y[others], model.predict(X[others])))
    assert found.accuracy[0] == pytest.approx(np.mean(right))


def test_one_of_a_class_may_be_learned_from_where_all_objects_count_alike():
    y = np.array([0] * 20 + [1] * 20 + [2])
    X = 9.0 * y[:, None]
    table = compare_features({"X": X}, y, n_labels=(5, 40), balanced=False, n_draws=3)
    assert (table.accuracy == 1).all()


def test_many_classes_of_few_labels_are_taken_for_classes():
    y = np.tile(np.arange(15), 4)
    table = compare_features({"X": 9.0 * y[:, None]}, y, n_labels=(25,), n_draws=2)
    assert table.accuracy[0] > 0.9


X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10) % 2


@pytest.mark.parametrize(
    ("features", "classes", "options", "message"),
    [
        ({}, Y, {}, "no features to compare"),
        ({"a": X}, np.zeros(10), {}, "10 objects are of 1 classes"),
        ({"a": X}, [None] * 10, {}, "0 objects are of 0 classes"),
        ({"a": X}, Y, {"n_labels": (1,)}, "1 labels for 10 objects of 2 classes"),
        ({"a": X}, Y, {"n_labels": (9,)}, "some objects left to test on: 2 to 8"),
        ({"a": X}, Y, {"n_labels": (10,), "balanced": False}, "left to test on: 2 to 9"),
        ({"a": X}, [0] * 9 + [1], {"n_labels": (4,)}, "1 of 2 classes have a single object"),
        ({"a": X}, Y, {"n_labels": (4,), "classifiers": ["forest"]}, "no classifier 'forest'"),
        ({"a": X}, Y, {"n_labels": (4,), "n_draws": 1}, "n_draws is 1"),
        ({"a": X[:5]}, Y, {}, r"a features have shape \(5, 2\) for 10 classes"),
        ({"a": X}, pd.Series(Y), {}, "a features are a ndarray; give a DataFrame"),
        ({"a": X * np.nan}, Y, {"n_labels": (4,)}, "a features hold NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(features, classes, options, message):
    with pytest.raises(ValueError, match=message):
        compare_features(features, classes, **options)


def test_a_comparison_says_what_it_compared(sets):
    found = validation.compare_features(*sets, n_labels=(10, 60), n_draws=4)
    assert (found.n_objects, found.n_classes, found.n_draws) == (400, 3, 4)
    lines = repr(found).splitlines()
    assert lines[0] == "400 objects of 3 classes; chance 0.33"
    assert "10 labels" in lines[1]
    assert len(lines) == 10
    best = found.table.query("classifier == 'neighbors' and features == 'good'").accuracy
    assert [f"{value:.3f}" for value in best] == lines[3].split()[-2:]
    assert "the mean of all classes, on the objects that were not labeled: mean of 4" in lines[-1]
    plain = validation.compare_features(*sets, n_labels=(10,), n_draws=2, balanced=False)
    assert plain.caption.startswith("Fraction that is right on the objects")


def test_a_comparison_is_drawn_where_something_draws(sets, monkeypatch):
    found = validation.compare_features(*sets, n_labels=(10,), n_draws=2)
    monkeypatch.setattr(_display, "make_comparison_panel", None)
    assert found._repr_mimebundle_() == {"text/plain": repr(found)}
    drawn = SimpleNamespace(_repr_mimebundle_=lambda **kwargs: {"drawn": kwargs})
    monkeypatch.setattr(_display, "make_comparison_panel", lambda given: drawn)
    assert found._repr_mimebundle_(include=None) == {"drawn": {"include": None}}


# -- rankings ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1000, 4))
    interesting = X[:, 0] + 0.4 * rng.normal(size=1000) > 1.8
    return X, interesting


def test_precision_is_that_of_the_ranking(search):
    X, interesting = search
    table = compare_rankings({"good": X[:, 0], "none": X[:, 1]}, interesting, n_draws=200)
    assert list(table.columns) == ["ranking", "recall", "precision", "low", "high"]
    ids = np.arange(1000).astype(str)
    for name, column in (("good", 0), ("none", 1)):
        rows = table[table.ranking == name]
        assert list(rows.recall) == [0.25, 0.5, 0.75, 0.95]
        order = ids[np.argsort(-X[:, column])]
        expected = precision_at_recall(ids[interesting], order, rows.recall)
        np.testing.assert_allclose(rows.precision, expected)
        assert (rows.low <= rows.precision).all()
        assert (rows.precision <= rows.high).all()


def test_what_was_labeled_is_left_out_of_every_ranking(search):
    X, interesting = search
    labeled = np.arange(1000) < 300
    told = np.where(labeled & interesting, 99.0, X[:, 1])
    scores = {"told": told, "good": X[:, 0]}
    table = compare_rankings(scores, interesting, X, exclude=labeled, recalls=[0.5], n_draws=50)
    rest = {name: values[300:] for name, values in scores.items()}
    expected = compare_rankings(rest, interesting[300:], recalls=[0.5], n_draws=50)
    by_name = table.set_index("ranking")
    np.testing.assert_allclose(by_name.precision[["told", "good"]], expected.precision)
    np.testing.assert_allclose(by_name.low[["told", "good"]], expected.low, atol=0.1)
    assert by_name.precision["told"] < 0.2
    whole = compare_rankings(scores, interesting, recalls=[0.5], n_draws=50)
    assert whole.precision[0] > by_name.precision["told"]


def test_the_interval_holds_the_precision_of_other_samples(search):
    rng = np.random.default_rng(7)

    def sample(n):
        z = rng.normal(size=n)
        return z, z + 0.8 * rng.normal(size=n) > 1.5

    score, interesting = sample(200_000)
    truth = compare_rankings({"": score}, interesting, recalls=[0.5], n_draws=2).precision[0]
    held = 0
    for _ in range(40):
        score, interesting = sample(1000)
        table = compare_rankings({"": score}, interesting, recalls=[0.5], n_draws=200)
        held += table.low[0] <= truth <= table.high[0]
    assert held >= 33  # 38 expected; 33 or fewer happens once in a hundred


def test_supervision_tells_what_the_features_can_do(search):
    X, interesting = search
    table = compare_rankings({"luck": X[:, 1]}, interesting, X, recalls=[0.5], n_draws=50)
    by_name = table.set_index("ranking").precision
    assert list(by_name.index) == ["luck", "supervised"]
    assert by_name["supervised"] > 0.5
    assert by_name["luck"] < 0.2
    nothing = compare_rankings({}, interesting, X[:, 1:], recalls=[0.5], n_draws=50)
    assert nothing.precision[0] < 0.2


def test_the_supervised_have_not_seen_what_they_are_asked_about():
    rng = np.random.default_rng(0)
    X, interesting = rng.normal(size=(300, 50)), rng.random(300) < 0.2
    forest = ExtraTreesClassifier(50, random_state=0)
    table = compare_rankings({}, interesting, X, recalls=[0.5], classifier=forest, n_draws=50)
    assert table.precision[0] < 0.4
    assert not hasattr(forest, "classes_")


class Remembers(LogisticRegression):
    sizes: list[int] = []  # noqa: RUF012 - shared by the clones, which is the point

    def fit(self, X, y):
        self.sizes.append(len(X))
        return super().fit(X, y)


def test_there_are_no_more_folds_than_interesting_objects():
    interesting = np.arange(90) < 3
    compare_rankings(
        {}, interesting, np.random.default_rng(0).normal(size=(90, 2)), classifier=Remembers()
    )
    expected = [len(train) for train, _ in StratifiedKFold(3).split(interesting, interesting)]
    assert Remembers.sizes == expected


TRUTH = np.arange(10) < 4


@pytest.mark.parametrize(
    ("scores", "interesting", "options", "message"),
    [
        ({"relevance": np.full(10, np.nan)}, TRUTH, {}, "relevance of 10 of 10 objects is NaN"),
        ({"a": np.zeros(9)}, TRUTH, {}, r"a has shape \(9,\) for 10 objects"),
        ({"a": np.zeros(10)}, TRUTH.astype(int), {}, "dtype int64; wanted one bool per object"),
        ({"a": np.zeros(10)}, np.arange(10) < 1, {}, "1 of 10 objects are interesting"),
        ({"a": np.zeros(10)}, TRUTH, {"recalls": [0.5, 0.0]}, "give fractions above 0"),
        ({"a": np.zeros(10)}, TRUTH, {"exclude": np.zeros(9)}, r"exclude has shape \(9,\) for 10"),
        ({"a": np.zeros(10)}, TRUTH, {"exclude": TRUTH}, "0 of 6 objects are interesting"),
        ({}, TRUTH, {"X": np.zeros((9, 2))}, r"shape \(9, 2\) for 10 objects"),
    ],
)
def test_what_is_no_ranking_is_refused(scores, interesting, options, message):
    with pytest.raises(ValueError, match=message):
        compare_rankings(scores, interesting, **options)


def test_the_memory_of_a_comparison_does_not_grow_with_its_draws():
    rng = np.random.default_rng(0)
    interesting = rng.random(50_000) < 0.1
    scores = {"chance": rng.normal(size=50_000)}
    compare_rankings(scores, interesting, n_draws=2)  # what is imported stays
    tracemalloc.start()
    try:
        compare_rankings(scores, interesting, n_draws=40)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * interesting.size * 8
