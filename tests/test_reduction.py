import tracemalloc
from concurrent.futures import CancelledError

import numpy as np
import pytest

from astronomaly_widgets import compute, reduction


@pytest.fixture(name="X")
def features():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)) + 1000).astype("float32")


def test_scaled_features_have_mean_zero_and_unit_spread(X):
    scaled = reduction.scale(X)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0, dtype=float), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0, dtype=float), 1, atol=1e-5)


def test_large_offsets_do_not_spoil_the_scale():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1000, 1))
    want = (values - values.mean()) / values.std()
    np.testing.assert_allclose(reduction.scale(values + 1e8), want, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7e8, 1e-40])
def test_a_constant_feature_becomes_zero(X, value):
    X[:, 2] = value
    scaled = reduction.scale(X)
    assert (scaled[:, 2] == 0).all()
    assert np.isfinite(scaled).all()


def test_a_nearly_constant_feature_keeps_what_it_says():
    X = np.zeros((1000, 1), dtype="float32")
    X[7] = 1e-30
    scaled = reduction.scale(X)
    assert scaled.argmax() == 7
    assert np.isclose(scaled.std(), 1, atol=1e-3)


def test_one_object_scales_to_zero():
    assert (reduction.scale([[3.0, np.pi]]) == 0).all()


@pytest.mark.parametrize("function", [reduction.scale, reduction.pca])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(X, function, bad):
    X[17, 2] = bad
    with pytest.raises(ValueError, match="1 of 6 features hold NaN or infinity"):
        function(X)


@pytest.mark.parametrize("function", [reduction.scale, reduction.pca])
@pytest.mark.parametrize("shape", [(7,), (0, 3), (3, 0), (2, 2, 2)])
def test_what_is_not_a_matrix_is_refused(function, shape):
    with pytest.raises(ValueError, match="n_objects, n_features"):
        function(np.zeros(shape))


@pytest.mark.parametrize("shape", [(500, 6), (6, 500), (20, 20)])
def test_pca_agrees_with_the_singular_values(shape):
    X = np.random.default_rng(1).normal(size=shape)
    n = min(shape)
    result = reduction.pca(X, n)
    centered = X - X.mean(axis=0)
    singular = np.linalg.svd(centered, compute_uv=False)[:n]
    np.testing.assert_allclose(
        result.explained, singular**2 / (centered**2).sum(), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(result.scores @ result.components, centered, atol=1e-4)
    assert result.names[:2] == ("PC1", "PC2")


def test_components_have_a_definite_sign(X):
    for result in (reduction.pca(X, 6), reduction.pca(-X, 6)):
        largest = np.abs(result.components).argmax(axis=1)
        assert (result.components[np.arange(6), largest] > 0).all()


def test_a_fraction_keeps_just_enough_components():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 4)) * np.sqrt([70, 20, 9, 1])
    assert reduction.pca(X, 0.5).scores.shape == (2000, 1)
    assert reduction.pca(X, 0.85).scores.shape == (2000, 2)
    result = reduction.pca(X, 0.95)
    assert result.scores.shape == (2000, 3)
    assert result.explained.sum() >= 0.95


def test_no_more_components_are_kept_than_exist(X):
    assert reduction.pca(X, 100).scores.shape == (500, 6)
    assert reduction.pca(X[:3], 100).scores.shape == (3, 3)


def test_pca_of_equal_objects_is_zero_and_explains_nothing():
    result = reduction.pca(np.full((9, 3), 0.1), 2)
    np.testing.assert_allclose(result.scores, 0, atol=1e-12)
    assert np.isfinite(result.explained).all()


@pytest.mark.parametrize("wrong", [0, -1, 0.0, 1.0, 1.5, True, "all", None])
def test_n_components_is_a_count_or_a_fraction(X, wrong):
    with pytest.raises(ValueError, match="fraction of the variance"):
        reduction.pca(X, wrong)


@pytest.mark.parametrize("function", [reduction.scale, lambda X: reduction.pca(X, 3).scores])
def test_the_size_of_the_chunks_does_not_show(X, function, monkeypatch):
    want = function(X)
    monkeypatch.setattr(reduction, "_NUMBERS_PER_CHUNK", 100)
    np.testing.assert_allclose(function(X), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [reduction.scale, lambda X: reduction.pca(X, 2)])
def test_memory_mapped_features_are_not_held(tmp_path, function, monkeypatch):
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(200_000, 8)).astype("f4"))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    monkeypatch.setattr(reduction, "_NUMBERS_PER_CHUNK", 2**12)
    tracemalloc.start()
    try:
        function(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * X.nbytes  # the result itself, and little else


def test_reducing_can_be_cancelled(X):
    task = compute.Task()
    task.cancel.set()
    with compute.running(task), pytest.raises(CancelledError):
        reduction.scale(X)
