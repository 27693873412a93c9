"""A process over millions of objects says what the process says."""

import subprocess
import sys
import textwrap
from concurrent.futures import CancelledError

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from astronomaly_widgets.compute import Task, running
from astronomaly_widgets.learners import (
    DirectRegression,
    GuidedEnsemble,
    _asking,
    _kernels,
    _many,
    _process,
    direct_regression,
)

FIELDS = ("trained_score", "relevance", "uncertainty", "acquisition", "exploration")


def fitted(m, d=5, seed=0, n_others=0):
    """A process that knows so many labels, and some objects without; which labels are liked."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(m + n_others, d)) * np.linspace(2, 0.5, d)
    y = rng.integers(0, 6, m).astype(float)
    prior = rng.uniform(0, 5, m + n_others)
    return _process.fit(both(A), y, prior, y, [3.0, 2.0]), y >= 4


def both(X):
    return [X, X * np.linspace(0.5, 2, X.shape[1])]


def objects(n, process, seed=1):
    """Objects in both spaces, the first of them labeled ones."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, process.points[0].shape[1])) * 2
    k = min(n, 20, len(process.points[0]))
    X[:k] = process.points[0][:k]
    return both(X), rng.uniform(0, 5, n)


@pytest.mark.parametrize("d", [1, 2, 5, 26])
@pytest.mark.parametrize("n_others", [0, 37])
@pytest.mark.parametrize("m", [1, 2, 63, 65, 300])
def test_it_is_the_process_but_for_rounding(m, d, n_others):
    process, liked = fitted(m, d, n_others=n_others)
    spaces, prior = objects(257, process)
    means, stds = process.predict(spaces, prior)
    many = _many.Many.of(process, liked)
    single = [Z.astype(np.float32) for Z in spaces]
    got, unknown, apart = many.predict(single, prior.astype(np.float32), exact=True)
    np.testing.assert_allclose(got.T, means, atol=1e-3)
    np.testing.assert_allclose(unknown * np.sqrt(process.variance), stds[:, 0], atol=1e-3)
    for k, which in enumerate((liked, ~liked)):
        labels = process.points[0][:m][which]
        nearest = cdist(spaces[0], labels).min(axis=1, initial=np.inf)
        np.testing.assert_allclose(apart[k], nearest, rtol=1e-4, atol=5e-3)


@pytest.mark.parametrize(("m", "n_others"), [(1, 0), (16, 40), (17, 0), (200, 300), (500, 0)])
def test_a_bound_is_never_below_what_it_bounds_and_exact_for_few_labels(m, n_others):
    process, liked = fitted(m, n_others=n_others)
    spaces, prior = objects(300, process)
    single = [Z.astype(np.float32) for Z in spaces]
    many = _many.Many.of(process, liked)
    exact, bound = (
        many.predict(single, prior.astype(np.float32), exact=exact)[1] for exact in (True, False)
    )
    assert (bound >= exact - 1e-4).all()
    assert many.is_exact == (m <= 16)
    if many.is_exact:
        np.testing.assert_allclose(bound, exact, atol=1e-4)
    else:
        assert (bound - exact).max() > 1e-3


def test_every_point_is_in_one_group_of_neighbors():
    points = np.random.default_rng(0).normal(size=(1000, 3))
    groups = list(_many._neighbors(points))
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(1000))
    assert {len(group) for group in groups} == {15, 16}
    spread = np.mean([points[group].std(axis=0).prod() for group in groups])
    assert spread < points.std(axis=0).prod() / 4


def test_the_same_point_many_times_is_no_trouble():
    groups = list(_many._neighbors(np.zeros((1000, 3))))
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(1000))


def test_what_is_as_far_as_single_precision_goes_is_unknown_and_finite():
    process, liked = fitted(100)
    far = np.full((4, 5), 1e15)
    far[1] *= -1
    prior = np.arange(4, dtype=np.float32)
    many = _many.Many.of(process, liked)
    for exact in (True, False):
        means, unknown, apart = many.predict([far.astype(np.float32)] * 2, prior, exact=exact)
        np.testing.assert_allclose(means[1], prior, atol=1e-6)
        np.testing.assert_allclose(unknown, 1.0)
        assert np.isfinite(apart).all()


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_compiled_kernels_of_halved_scales_are_matern_three_halves(scale):
    squared = np.r_[0.0, np.geomspace(1e-12, 1e30, 1000)].astype(np.float32)[None]
    halvings, weights = np.array([0, 1, 3]), np.array([1.0, 20.0, 300.0], dtype=np.float32)
    wants = [_process.matern(np.sqrt(squared.astype(float)), scale / 2**k) for k in halvings]
    for kept, want in enumerate(wants):
        kernel, total = np.empty_like(squared), np.ones_like(squared)
        kernels = _kernels.Kernels(1.5, scale, weights[:, None, None], halvings)
        kernels.add(squared, total, kernel, kept)
        np.testing.assert_allclose(kernel, want, rtol=1e-4, atol=1e-12)
        np.testing.assert_allclose(kernel, want, atol=2e-6)
        np.testing.assert_allclose(total, 1 + np.tensordot(weights, wants, 1), rtol=1e-5)


@pytest.mark.parametrize("m", [2, 7, 8, 9, 300])
def test_a_regressor_of_many_is_scikit_learns_but_for_rounding(m):
    rng = np.random.default_rng(0)
    A, X = rng.normal(size=(m, 4)), rng.normal(size=(500, 4)) * 2
    kernel = Matern(1.5, nu=2.5) + WhiteKernel(0.1)
    process = GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)
    process.fit(A, rng.integers(0, 6, m) + np.arange(m) % 2)
    want = process.predict(X, return_std=True)
    got = _many.ManyRegressed.of(process).predict(X.astype(np.float32))
    for ours, theirs in zip(got, want, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def survey(n=6000, m=200):
    rng = np.random.default_rng(0)
    X = (rng.standard_t(6, (n, 8)) * np.linspace(3, 0.3, 8)).astype(np.float32)
    S = np.clip(np.linalg.norm(X, axis=1) / 3, 0, 5).astype(np.float32)
    rows = rng.choice(n, m, replace=False)
    return X, S, rows, np.clip(np.round(5 - np.linalg.norm(X[rows, :3] - 2, axis=1)), 0, 5)


def scores(data, learner=None):
    X, S, rows, y = data
    learner = GuidedEnsemble(n_estimators=20) if learner is None else learner
    return learner.fit(X, rows, y, S).score(X, S)


def test_of_many_objects_the_learner_says_what_it_says_of_few(monkeypatch):
    want = scores(survey())
    monkeypatch.setattr(_asking, "_MANY", 1)
    monkeypatch.setattr(_asking, "_N_EXACT", 500)
    got = scores(survey())
    for field, tolerance in [("trained_score", 2e-5), ("relevance", 0.01)]:
        np.testing.assert_allclose(getattr(got, field), getattr(want, field), atol=tolerance)
    # of those that come first the deviation is exact, of the others it is right on average
    spread = want.uncertainty.std()
    assert np.abs(got.uncertainty - want.uncertainty).max() > 1e-3
    assert np.sqrt(np.mean((got.uncertainty - want.uncertainty) ** 2)) < 0.25 * spread
    assert np.abs(np.mean(got.uncertainty - want.uncertainty)) < 0.02 * spread
    for field in ("acquisition", "exploration"):
        first = np.argsort(-getattr(want, field), kind="stable")[:200]
        if field == "acquisition":  # nearness, which is explored too, knows no deviation
            np.testing.assert_allclose(got.uncertainty[first], want.uncertainty[first], atol=1e-4)
        again = np.argsort(-getattr(got, field), kind="stable")[:200]
        assert len(set(first) & set(again)) >= 198


def test_of_many_objects_direct_regression_says_what_it_says_of_few(monkeypatch):
    want = scores(survey(), DirectRegression())
    monkeypatch.setattr(direct_regression, "_MANY", 1)
    for chunk in (_many.BLOCK, 2**13):
        monkeypatch.setattr(direct_regression, "_CHUNK", chunk)
        got = scores(survey(), DirectRegression())
        for field in ("trained_score", "relevance", "uncertainty"):
            np.testing.assert_allclose(getattr(got, field), getattr(want, field), atol=1e-4)
        np.testing.assert_allclose(got.acquisition, want.acquisition, rtol=0.005)


def test_of_many_objects_neither_threads_nor_chunks_show(monkeypatch):
    monkeypatch.setattr(_asking, "_MANY", 1)
    monkeypatch.setattr(_asking, "_N_EXACT", 500)
    want = scores(survey())
    monkeypatch.setattr(_asking, "_CHUNK", 3 * _many.BLOCK)
    monkeypatch.setattr("joblib.cpu_count", lambda: 5)
    got = scores(survey())
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(got, field), getattr(want, field))


def test_of_many_objects_a_feature_that_is_not_finite_is_refused(monkeypatch):
    monkeypatch.setattr(_asking, "_MANY", 1)
    X, S, rows, y = survey()
    learner = GuidedEnsemble(n_estimators=5).fit(X, rows, y, S)
    X[np.setdiff1d(np.arange(6000), rows)[7], 3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        learner.score(X, S)


@pytest.mark.parametrize("after", [0.0, 0.5, 0.99])
def test_asking_about_many_objects_can_be_cancelled_at_any_time(after, monkeypatch):
    monkeypatch.setattr(_asking, "_MANY", 1)
    monkeypatch.setattr(_asking, "_N_EXACT", 500)
    monkeypatch.setattr(_asking, "_CHUNK", _many.BLOCK)
    X, S, rows, y = survey()
    learner = GuidedEnsemble(n_estimators=5).fit(X, rows, y, S)
    task = Task()
    task.on_progress = lambda fraction: task.cancel.set() if fraction >= after else None
    with running(task), pytest.raises(CancelledError):
        learner.score(X, S)
    assert np.isfinite(learner.score(X, S).trained_score).all()


CEILING = """
    import resource
    import sys

    import numpy as np

    from astronomaly_widgets import learners

    rng = np.random.default_rng(0)
    X = rng.standard_normal((300_000, 10), dtype=np.float32)
    S = rng.uniform(0, 5, len(X)).astype(np.float32)
    rows, y = np.arange(200), np.arange(200) % 6
    learner = learners.by_name(sys.argv[1])
    learner.n_estimators = 10
    learner.fit(X[:40_000], rows, y, S[:40_000]).score(X[:40_000], S[:40_000])  # imports, compiles
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    learner.fit(X, rows, y, S).score(X, S)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", ["auto", "neighbor_score", "direct_regression"])
def test_memory_of_a_retrain_has_a_ceiling(name):
    command = [sys.executable, "-c", textwrap.dedent(CEILING), name]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    kilobytes = int(result.stdout) / (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 100_000  # distances to all labels alone would take 240,000
