import numpy as np
import pytest

from astronomaly_widgets.compute import evenly
from astronomaly_widgets.learners import AADForest, PineForest, anomaly_forest

pytest.importorskip("coniferest")
from coniferest import aadforest, pineforest
from coniferest.isoforest import IsolationForest

each_forest = pytest.mark.parametrize("forest", [AADForest, PineForest])


def survey(n=500, seed=0):
    """Two groups apart: rows 0 to 19 will be liked, 20 to 39 will not."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    X[:40] /= 5
    X[:20, 0] += 5
    X[20:40, 1] += 5
    rows = np.r_[0:8, 20:28, 100:110]
    y = np.r_[np.full(8, 5.0), np.zeros(8), np.ones(10)]
    return X, rows, y


def order_of(X):
    return np.linspace(0, 5, len(X))


def trained(learner, X, rows, y):
    return learner.fit(X, rows, y, order_of(X)).score(X, order_of(X)).trained_score


def stretched(values):
    return 5 * (values - values.min()) / np.ptp(values)


def test_aad_is_that_of_coniferest():
    X, rows, y = survey()
    said = trained(AADForest(random_state=3), X, rows, y)
    theirs = aadforest.AADForest(random_seed=3, n_jobs=1)
    theirs.fit_known(X, X[rows], np.where(y >= 4, -1, 1))
    np.testing.assert_allclose(said, stretched(-theirs.score_samples(X)), atol=1e-5)


def test_pine_is_that_of_coniferest():
    X, rows, y = survey()
    learner = PineForest(n_estimators=50, random_state=3, n_spare_trees=70)
    said = trained(learner, X, rows, y)
    theirs = pineforest.PineForest(n_trees=50, n_spare_trees=70, random_seed=3, n_jobs=1)
    theirs.fit_known(X, X[rows], np.where(y >= 4, -1, 1))
    np.testing.assert_allclose(said, stretched(-theirs.score_samples(X)), atol=1e-5)


@pytest.mark.parametrize("score", [0.0, 5.0])
def test_labels_of_one_kind_do_not_turn_the_order_round(score):
    """Any weights of the leaves satisfy them, also those that put the ordinary first."""
    X, _, _ = survey()
    plain = -IsolationForest(random_seed=0).fit(X).score_samples(X)
    rows = np.argsort(-plain)[:30]
    said = trained(AADForest(), X, rows, np.full(30, score))
    assert np.corrcoef(said, plain)[0, 1] > 0.8


@each_forest
def test_what_counts_as_an_anomaly_is_the_callers(forest):
    X, rows, y = survey()
    y[y == 0] = 3
    strict = trained(forest(interesting_from=4.0), X, rows, y)
    mild = trained(forest(interesting_from=3.0), X, rows, y)
    liked, so_so = slice(8, 20), slice(28, 40)
    gap = strict[liked].mean() - strict[so_so].mean()
    assert gap > 0.3
    assert mild[liked].mean() - mild[so_so].mean() < gap


@each_forest
def test_where_nothing_can_be_told_apart_the_anomaly_score_stands(forest):
    X = np.ones((50, 4))
    S = order_of(X)
    scores = forest().fit(X, [0, 1], [5, 0], S).score(X, S)
    np.testing.assert_allclose(scores.trained_score, S)


def test_trees_of_a_large_survey_grow_from_an_even_share_of_it(monkeypatch):
    X, rows, y = survey(n=5000)
    monkeypatch.setattr(anomaly_forest, "_N_GROW", 1000)
    said = trained(AADForest(), X, rows, y)
    theirs = aadforest.AADForest(random_seed=0, n_jobs=1)
    theirs.fit_known(X[evenly(5000, 1000)], X[rows], np.where(y >= 4, -1, 1))
    np.testing.assert_allclose(said, stretched(-theirs.score_samples(X)), atol=1e-5)
