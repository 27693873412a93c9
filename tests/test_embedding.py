import os
import subprocess
import sys
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest

from astronomaly_widgets import compute, embedding


@pytest.fixture(name="X")
def two_groups():
    X = np.random.default_rng(0).normal(size=(120, 5)).astype("float32")
    X[:60] += 9
    return X


def separation(xy):
    """Distance of the groups over the spread within them."""
    first, second = xy[:60], xy[60:]
    gap = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    return gap / max(first.std(axis=0).max(), second.std(axis=0).max())


@pytest.fixture
def pretender(monkeypatch):
    """Let a test say what the other process runs, by way of its path."""

    def install(folder, source):
        (folder / "pretender.py").write_text(source)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setattr(embedding, "__name__", "pretender")

    return install


def test_pca_agrees_with_the_singular_values(X):
    xy = embedding.pca_embedding(X)
    assert xy.shape == (120, 2)
    assert xy.dtype == np.float32
    centered = X - X.mean(axis=0, dtype=float)
    singular = np.linalg.svd(centered, compute_uv=False)[:2]
    np.testing.assert_allclose(np.linalg.norm(xy, axis=0), singular, rtol=1e-5)
    assert separation(xy) > 5


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (30, 1), (4, 500), (0, 3)])
def test_pca_of_little_is_finite(shape):
    xy = embedding.pca_embedding(np.random.default_rng(0).normal(size=shape))
    assert xy.shape == (shape[0], 2)
    assert np.isfinite(xy).all()


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_pca_of_equal_objects_is_the_origin(value):
    np.testing.assert_allclose(embedding.pca_embedding(np.full((9, 3), value)), 0, atol=1e-12)


def test_directions_found_from_a_part_serve_the_whole(X, monkeypatch):
    many = np.tile(X, (10, 1))
    want = embedding.pca_embedding(many)
    monkeypatch.setattr(embedding, "_MOST_SAMPLED", 200)
    monkeypatch.setattr(embedding, "_NUMBERS_PER_CHUNK", 100)
    got = embedding.pca_embedding(many)
    assert np.corrcoef(got[:, 0], want[:, 0])[0, 1] > 0.99
    assert separation(got[:120]) > 5


@pytest.mark.parametrize("method", embedding.METHODS)
def test_a_map_keeps_groups_apart_and_is_the_same_for_the_same_seed(X, method):
    first, second = (embedding.compute(X, method, random_state=3) for _ in range(2))
    assert first.shape == (120, 2)
    assert first.dtype == np.float32
    assert separation(first) > 2
    np.testing.assert_array_equal(first, second)


class Placing:
    """Stands for UMAP: keeps two features, and tells what it was fitted on and given to place."""

    fitted, placed = [], []

    def __init__(self, **settings):
        self.settings = settings

    def fit_transform(self, X):
        self.fitted.append(X)
        return X[:, :2]

    def transform(self, X):
        self.placed.append(X)
        return X[:, :2]


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_of_many_objects_umap_fits_some_and_places_the_others(monkeypatch, X):
    import umap

    monkeypatch.setattr(umap, "UMAP", Placing)
    for name, value in {"FITTED": 40, "SAMPLED": 30}.items():
        monkeypatch.setattr(embedding, f"_MOST_{name}", value)
    monkeypatch.setattr(embedding, "_PLACED_AT_ONCE", 25)
    X[[5, 50, 99]] += 100
    xy = embedding._EMBEDDERS["umap"](X, X[:, :2], 3)
    np.testing.assert_array_equal(xy, X[:, :2])
    (fitted,), placed = Placing.fitted, Placing.placed
    assert len(fitted) == 40
    assert [len(part) for part in placed] == [25, 25, 25, 5]
    assert (fitted > 80).all(axis=1).sum() == 3  # the odd ones are among those that shape the map
    np.testing.assert_array_equal(embedding._to_fit(X, 3), embedding._to_fit(X, 3))


@pytest.mark.parametrize("n", [1, 4])
def test_too_few_objects_are_placed_by_pca(n):
    X = np.random.default_rng(0).normal(size=(n, 3))
    np.testing.assert_array_equal(embedding.compute(X, "tsne"), embedding.pca_embedding(X))


def test_objects_all_alike_are_placed_together():
    assert np.ptp(embedding.compute(np.ones((50, 3)), "tsne"), axis=0).tolist() == [0, 0]


def test_few_objects_of_one_feature_have_a_map():
    xy = embedding.compute(np.arange(6.0)[:, None], "tsne")
    assert xy.shape == (6, 2)
    assert np.isfinite(xy).all()


def test_an_unknown_method_lists_the_known_ones(X):
    with pytest.raises(ValueError, match="umap, tsne"):
        embedding.compute(X, "isomap")


@pytest.mark.parametrize("row", [0, 77])
def test_features_that_are_not_finite_are_refused(X, row):
    X[row, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        embedding.compute(X, "tsne")


def test_a_vector_of_features_is_refused():
    with pytest.raises(ValueError, match="n_objects, n_features"):
        embedding.pca_embedding(np.zeros(7))


def test_a_failure_in_the_other_process_is_told_in_its_words(X, tmp_path, pretender):
    pretender(tmp_path, "def _main(*args): raise MemoryError('no room for a graph')\n")
    with pytest.raises(RuntimeError, match="tsne embedding failed: MemoryError: no room"):
        embedding.compute(X, "tsne")


def test_a_process_that_dies_without_a_word_is_reported(X, tmp_path, pretender):
    pretender(tmp_path, "import os\ndef _main(*args): os.kill(os.getpid(), 9)\n")
    with pytest.raises(RuntimeError, match="exit status -9; is there enough memory"):
        embedding.compute(X, "tsne")


def test_cancelling_ends_the_other_process(X, tmp_path, pretender):
    pid_file = tmp_path / "pid"
    pretender(
        tmp_path,
        "import os, time, pathlib\n"
        "def _main(*args):\n"
        f"    part = pathlib.Path({str(tmp_path / 'part')!r})\n"
        "    part.write_text(str(os.getpid()))\n"
        f"    part.rename({str(pid_file)!r})\n"
        "    time.sleep(60)\n",
    )
    task = compute.Task()
    task.on_progress = lambda _: task.cancel.set() if pid_file.exists() else None
    with compute.running(task), pytest.raises(CancelledError):
        embedding.compute(X, "tsne")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_the_other_process_ends_with_its_parent(tmp_path):
    """A killed kernel closes the pipe and leaves nothing behind."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "features.npy", rng.normal(size=(30_000, 20)).astype("f4"))
    np.save(tmp_path / "first_look.npy", rng.normal(size=(30_000, 2)).astype("f4"))
    code = "import sys; from astronomaly_widgets.embedding import _main; _main(*sys.argv[1:])"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), "tsne", "0"],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        time.sleep(2)
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(30) == 1
    finally:
        child.kill()
        child.wait()
    assert not (tmp_path / "embedding.npy").exists()
