import subprocess
import sys
import textwrap
import tracemalloc
from concurrent.futures import CancelledError

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astronomaly_widgets import compute, reduction
from astronomaly_widgets.reduction import _passes


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
def test_a_masked_value_is_refused_whatever_lies_under_the_mask(X, function):
    masked = np.ma.masked_array(X, mask=np.zeros(X.shape, bool))
    masked.mask[17, 2] = True
    with pytest.raises(ValueError, match="1 of 6 features hold NaN or infinity"):
        function(masked)


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


@pytest.mark.parametrize("shape", [(500, 6), (8, 20)])
def test_whitened_components_are_uncorrelated_and_weigh_the_same(shape):
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * np.geomspace(1, 1e4, shape[1]) + 1e5
    k = min(shape[0] - 1, shape[1])
    whitened = reduction.pca(X, k, whiten=True).scores.astype(float)
    np.testing.assert_allclose(whitened.T @ whitened / len(X), np.eye(k), atol=1e-5)
    plain = reduction.pca(X, k).scores
    np.testing.assert_allclose(whitened, plain / plain.std(axis=0, dtype=float), atol=1e-4)


@pytest.mark.parametrize("shape", [(30, 4), (5, 30)])
def test_what_has_no_variance_is_not_blown_up_by_whitening(shape):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])) + 1e3
    whitened = reduction.pca(X, 4, whiten=True).scores
    np.testing.assert_allclose(whitened.std(axis=0, dtype=float), [1, 1, 0, 0], atol=1e-5)
    assert not reduction.pca(np.ones((5, 3)), 2, whiten=True).scores.any()


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
    monkeypatch.setattr(_passes, "_NUMBERS_PER_CHUNK", 100)
    np.testing.assert_allclose(function(X), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [reduction.scale, lambda X: reduction.pca(X, 2)])
def test_memory_mapped_features_are_not_held(tmp_path, function, monkeypatch):
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(200_000, 8)).astype("f4"))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    monkeypatch.setattr(_passes, "_NUMBERS_PER_CHUNK", 2**12)
    tracemalloc.start()
    try:
        function(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * X.nbytes  # the result itself, and little else


def test_moments_of_drifting_data_do_not_cancel():
    """A survey sorted by something: the mean of the first block is far from all the others."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20_000, 4)) + 1e7 * np.arange(20_000)[:, None] // 5000
    result = reduction.pca(X, 4)
    centered = X - X.mean(axis=0)
    covariance = centered.T @ centered / len(X)
    variance = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(result.explained * variance.sum(), variance, rtol=1e-6, atol=1)
    np.testing.assert_allclose(result.mean, X.mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("shape", [(500, 6), (6, 500)])
def test_standardizing_on_the_way_is_scaling_first(shape):
    X = np.random.default_rng(2).normal(size=shape) * np.logspace(-3, 3, shape[1]) + 7
    X[:, 1] = 0.1
    want = reduction.pca(reduction.scale(X).astype(float), 4)
    got = reduction.pca(X, 4, standardize=True)
    np.testing.assert_allclose(got.scores, want.scores, atol=1e-4)
    np.testing.assert_allclose(got.explained, want.explained, rtol=1e-6)
    spread = np.where(X.std(axis=0) > 1e-12, X.std(axis=0), 1)
    np.testing.assert_allclose(got.spread, spread, rtol=1e-12)
    again = (X - got.mean) / got.spread @ got.components.T
    np.testing.assert_allclose(got.scores, again, atol=1e-5)
    assert (reduction.pca(X, 4).spread == 1).all()


def write_shards(folder, X):
    folder.mkdir()
    names = [f"f{j}" for j in range(X.shape[1])]
    for k, part in enumerate((X[:123], X[123:])):
        table = pa.table(dict(zip(names, part.T, strict=True)))
        pq.write_table(table, folder / f"{k}.parquet", row_group_size=100)
    return folder


@pytest.mark.parametrize("kind", ["npy", "parquet", "zarr"])
def test_features_on_disk_give_the_same_to_the_last_bit(X, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(_passes, "_NUMBERS_PER_CHUNK", 600)
    if kind == "npy":
        np.save(tmp_path / "X.npy", X)
    elif kind == "parquet":
        write_shards(tmp_path / "X.parquet", X)
    else:
        zarr = pytest.importorskip("zarr")
        zarr.create_array(tmp_path / "X.zarr", shape=X.shape, chunks=(70, 5), dtype="f4")[:] = X
    path = tmp_path / f"X.{kind}"
    np.testing.assert_array_equal(reduction.scale(path), reduction.scale(X))
    want = reduction.pca(X, 4, standardize=True)
    got = reduction.pca(path, 4, standardize=True)
    np.testing.assert_array_equal(got.scores, want.scores)
    np.testing.assert_array_equal(got.components, want.components)


def test_results_can_go_to_disk(X, tmp_path):
    path = tmp_path / "out.npy"
    for function in (reduction.scale, lambda X, **out: reduction.pca(X, 3, **out).scores):
        written = function(X, out=path)
        assert isinstance(written, np.memmap)
        assert written.dtype == np.float32
        np.testing.assert_array_equal(written, function(X))
        np.testing.assert_array_equal(written, np.load(path))


def test_features_may_be_replaced_by_their_scaled_selves(X, tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, X)
    np.testing.assert_array_equal(reduction.scale(path, out=path), reduction.scale(X))


def test_bad_values_in_a_file_are_found_where_they_are(X, tmp_path, monkeypatch):
    monkeypatch.setattr(_passes, "_NUMBERS_PER_CHUNK", 600)
    X[321, [2, 4]] = np.nan
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(ValueError, match=r"2 of 6 features .* \(in rows 300 to 399\)"):
        reduction.pca(tmp_path / "X.npy", 2, out=tmp_path / "out.npy")
    assert not (tmp_path / "out.npy").exists()


CEILING = """
    import resource, sys
    from astronomaly_widgets import reduction
    import numpy, scipy.linalg, threading
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = reduction.pca(sys.argv[1], 8, standardize=True, out=sys.argv[2])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_has_a_ceiling(tmp_path):
    rng = np.random.default_rng(0)
    with compute.npy_writer(tmp_path / "X.npy", (1_000_000, 64), "f4") as write:
        for _ in range(100):
            write(rng.standard_normal((10_000, 64), dtype=np.float32))
    command = [sys.executable, "-c", textwrap.dedent(CEILING)]
    command += [str(tmp_path / "X.npy"), str(tmp_path / "out.npy")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    kilobytes = int(result.stdout) / (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 120_000  # of the 250,000 that the features would take


def test_reducing_can_be_cancelled(X):
    task = compute.Task()
    task.cancel.set()
    with compute.running(task), pytest.raises(CancelledError):
        reduction.scale(X)
