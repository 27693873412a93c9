"""Poor data and few labels: every learner gives a sensible ranking, without a warning.

A warning is an error here, also one of numpy's.
"""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from astronomaly_widgets import Session, batches, learners

FORESTS = {"aad_forest", "pine_forest"}
TAKES_TURNS = "guided_ensemble"
HAS_CONIFEREST = importlib.util.find_spec("coniferest") is not None
each_learner = pytest.mark.parametrize(
    "name",
    [name for name in learners.NAMES if name != "auto" and (HAS_CONIFEREST or name not in FORESTS)],
)

coarse = st.sampled_from([0.0, 1.0, 1.0, -1.0, 0.5, 7.0])  # full of ties
measured = st.integers(-(10**6), 10**6).map(lambda number: number / 1000)
wild = st.floats(-1e6, 1e6, allow_subnormal=False)
scores = st.sampled_from([0.0, 0.0, 1.0, 3.0, 5.0])


@st.composite
def surveys(draw, numbers=wild):
    """Features, anomaly scores, labeled rows and labels, each as poor as can be."""
    n, d = draw(st.integers(1, 30)), draw(st.integers(1, 5))
    X = draw(hnp.arrays(np.float32, (n, d), elements=st.one_of(coarse, numbers).map(np.float32)))
    for column in draw(st.sets(st.integers(0, d - 1))):
        X[:, column] = draw(coarse)  # constant
    twins = draw(st.lists(st.integers(0, n - 1), max_size=n // 2))
    X[twins] = X[0]  # the same object over and over
    kind = draw(st.sampled_from(["any", "zero", "equal"]))
    S = {
        "any": draw(hnp.arrays(np.float32, n, elements=st.floats(0, 5, width=32))),
        "zero": np.zeros(n, dtype=np.float32),
        "equal": np.full(n, 3.3, dtype=np.float32),
    }[kind]
    rows = np.array(draw(st.lists(st.integers(0, n - 1), unique=True)), dtype=np.intp)
    alike = draw(st.booleans())
    y = np.full(len(rows), draw(scores))
    if not alike:
        y = np.array(draw(st.lists(scores, min_size=len(rows), max_size=len(rows))))
    return X, S, rows, y


def ranked(name, X, S, rows, y):
    said = learners.by_name(name).fit(X, rows, y, S).score(X, S)
    assert np.isfinite(said.trained_score).all()
    assert ((said.trained_score >= 0) & (said.trained_score <= 5)).all()
    assert np.isfinite(said.acquisition).all()
    assert said.exploration is None or np.isfinite(said.exploration).all()
    known = said.relevance[~np.isnan(said.relevance)]
    assert len(known) in (0, len(X))
    assert ((known >= 0) & (known <= 5)).all()
    spread = said.uncertainty[~np.isnan(said.uncertainty)]
    assert len(spread) in (0, len(X))
    assert (np.isfinite(spread) & (spread >= 0)).all()
    return said


@each_learner
@settings(max_examples=30)
@given(survey=surveys())
def test_whatever_comes_there_is_a_ranking(name, survey):
    ranked(name, *survey)


@each_learner
@settings(max_examples=15)
@given(survey=surveys(measured))
def test_from_every_ranking_a_batch_can_be_chosen(name, survey):
    X, S, rows, y = survey
    said = ranked(name, X, S, rows, y)
    for n in (1, 5, len(X) + 7):  # more than there are objects, too
        batch = batches.suggest(
            X, said.acquisition, rows, y, n, exploration=said.exploration, random_state=0
        )
        assert len(set(batch.rows)) == len(batch.rows) == min(n, len(X) - len(rows))
        assert not set(batch.rows) & set(rows)


@each_learner
@settings(max_examples=15)
@given(survey=surveys())
def test_objects_that_are_alike_are_ranked_alike(name, survey):
    if name == "random":
        pytest.skip("nothing is alike to chance")
    X, S, rows, y = survey
    S[:] = S[0]
    said = ranked(name, X, S, rows, y)
    _, which = np.unique(X, axis=0, return_inverse=True)
    for twins in (np.flatnonzero(which == k) for k in range(which.max() + 1)):
        values = [said.trained_score, said.relevance]
        if name != TAKES_TURNS:  # there the second of two waits until others have been seen
            values.append(said.acquisition)
        for each in values:
            assert np.isnan(each).all() or np.ptp(each[twins]) < 1e-3


@each_learner
def test_one_object_far_out_hides_nothing_from_the_others(name):
    """A feature that is a ratio of something small is like that."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    X[:50, 0] += 4
    X[100] = 1e8
    y = np.where(np.arange(200) < 50, 5.0, 0.0)
    rows = np.r_[0:25, 100:125]
    said = ranked(name, X, np.full(200, 2.5, dtype=np.float32), rows, y[rows])
    if name not in {"random", "anomaly_score"}:
        liked, others = said.trained_score[25:50], np.r_[50:100, 125:200]
        assert liked.mean() > 1.05 * said.trained_score[others].mean()


@pytest.mark.parametrize("far", [1e12, -1e300])
def test_one_object_far_out_does_not_change_what_the_default_says_of_the_others(far):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3))
    S = rng.uniform(0, 5, 1500).astype(np.float32)
    rows = np.r_[0:1500:30]
    y = np.where(X[rows, 0] > 1, 5.0, 0.0)
    plain = ranked("auto", X, S, rows, y)
    for row in (0, 1, 30):  # labeled, and not; of the sample that sets the units, and not
        moved = X.copy()
        moved[row] = far
        said = ranked("auto", moved, S, rows, y)
        others = np.delete(np.arange(1500), row)
        alike = np.corrcoef(said.acquisition[others], plain.acquisition[others])[0, 1]
        assert alike > 0.97


@each_learner
@pytest.mark.parametrize("score", [0.0, 5.0])
def test_one_label_leaves_most_of_the_ranking_as_the_detector_has_it(name, score):
    if name == "random":
        pytest.skip("chance knows no detector")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    odd = np.linalg.norm(X, axis=1)
    S = (5 * odd / odd.max()).astype(np.float32)
    said = ranked(name, X, S, [7], [score])
    assert np.corrcoef(said.trained_score, S)[0, 1] > 0.5


@each_learner
@pytest.mark.parametrize(("n", "d"), [(300, 1), (60, 2000), (3, 2)])
def test_few_and_many_features_are_learned_from(name, n, d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)).astype(np.float32)
    X[: n // 3] += 3
    y = np.where(np.arange(n) < n // 3, 5.0, 0.0)
    rows = np.arange(0, n, 2)
    said = ranked(name, X, np.linspace(5, 0, n).astype(np.float32), rows, y[rows])
    if n > 3 and name not in {"random", "anomaly_score"}:
        rest = np.arange(1, n, 2)
        liked = said.trained_score[rest[y[rest] == 5]]
        assert liked.mean() > said.trained_score[rest[y[rest] == 0]].mean()


@each_learner
def test_labels_of_objects_that_have_since_been_set_aside_do_no_harm(name, tmp_path):
    """They stay in the log; the learner learns from those that are still there."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    ids = [f"o{i:02d}" for i in range(40)]
    first = Session(X, ids, project=tmp_path / "p", learner=name)
    for i in range(12):
        first.label(ids[i], 5 if i < 4 else 0)
    first.close()
    X[[0, 1, 5]] = np.nan
    later = Session(X, ids, project=tmp_path / "p", learner=name)
    row = later.retrain().result(60)
    assert set(later.set_aside.index) == {"o00", "o01", "o05"}
    assert row["n_labels"] == 9
    assert np.isfinite(later.trained_score).all()
    assert sorted(later.ranking()) == sorted(set(ids) - set(later.set_aside.index))
    later.close()
