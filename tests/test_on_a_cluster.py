"""A search on the workers of a Dask cluster: what comes out is what one process finds."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.compute import Task, elsewhere, map_blocks, open_rows, running
from astronomaly_widgets.exceptions import MeasurementError, SourceError
from astronomaly_widgets.features import RawFeatures, measure
from astronomaly_widgets.reduction import _passes
from astronomaly_widgets.sources import ImageStack

distributed = pytest.importorskip("distributed")

# sockets of workers that were killed
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(name="stack")
def images_on_disk(tmp_path):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-10:11, -10:11]
    width = rng.uniform(1.5, 4, (60, 1, 1))
    images = np.exp(-(x**2 + (y * rng.uniform(1, 2, (60, 1, 1))) ** 2) / width**2)
    np.save(tmp_path / "stack.npy", images + rng.normal(0, 0.01, images.shape))
    return ImageStack(tmp_path / "stack.npy")


class Marked(RawFeatures):
    """Two numbers per image; says in files which process works, and can kill one of them."""

    kinds = ("image",)

    def __init__(self, folder, *, kill_at=None):
        super().__init__()
        self.folder, self.kill_at = folder, kill_at

    def feature_names(self, source):
        return ("sum", "max")

    def settings(self):
        return {"version": 1}

    def extract(self, data):
        if data.max() == self.kill_at and not (self.folder / "killed").exists():
            (self.folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if data.sum() < 20:
            raise MeasurementError("too faint")
        return np.array([data.sum(), data.max()])


class MarkedBatches(Marked):
    """The same, for seven at once."""

    batch_size = 7

    def prepare(self, data):
        (self.folder / f"process-{os.getpid()}").touch()
        return data

    def extract_batch(self, prepared):
        # as in a network, numbers hang on what else is in the batch
        return np.array([self.extract(data) for data in prepared]) + np.mean(prepared)


def test_features_are_those_of_one_process_to_the_last_bit(client, stack):
    here = measure(stack, "ellipse", n_jobs=1, progress=False)
    there = measure(stack, "ellipse", client=client, progress=False)
    np.testing.assert_array_equal(there.values, here.values)
    assert list(there.object_ids) == list(here.object_ids)
    assert there.names == here.names
    pd.testing.assert_frame_equal(there.set_aside, here.set_aside)


def test_what_wants_batches_gets_those_of_one_process(client, stack, tmp_path):
    here = measure(stack, MarkedBatches(tmp_path), progress=False)
    for path in tmp_path.glob("process-*"):
        path.unlink()
    there = measure(stack, MarkedBatches(tmp_path), client=client, progress=False)
    np.testing.assert_array_equal(there.values, here.values)
    pd.testing.assert_frame_equal(there.set_aside, here.set_aside)
    assert 0 < len(there.set_aside) < 60
    processes = {path.name for path in tmp_path.glob("process-*")}
    assert processes
    assert f"process-{os.getpid()}" not in processes


def test_a_search_whose_worker_is_killed_ends_with_the_same_ranking(client, stack, tmp_path):
    brightest = max(image.max() for image in stack.stack[20:30])
    killed = Marked(tmp_path, kill_at=brightest)
    there = aw.explore(stack, features=killed, client=client, progress=False)
    assert (tmp_path / "killed").exists()
    here = aw.explore(stack, features=killed, n_jobs=1, progress=False)
    np.testing.assert_array_equal(there.features, here.features)
    np.testing.assert_array_equal(there.anomaly_score, here.anomaly_score)
    assert list(there.ranking("anomaly_score")) == list(here.ranking("anomaly_score"))
    pd.testing.assert_frame_equal(there.set_aside, here.set_aside)
    for session in (here, there):
        session.close()


def test_a_client_that_closes_leaves_what_was_measured(client, stack, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    other = distributed.Client(client.scheduler.address)
    task = Task(on_progress=lambda fraction: other.close() if fraction >= 0.5 else None)
    with running(task), pytest.raises(ConnectionError, match="connect again"):
        measure(stack, Marked(tmp_path), checkpoint=checkpoint, client=other, progress=False)
    again = measure(stack, Marked(tmp_path), checkpoint=checkpoint, client=client, progress=False)
    assert 30 <= again.n_reused < 60
    here = measure(stack, Marked(tmp_path), n_jobs=1, progress=False)
    np.testing.assert_array_equal(again.values, here.values)


@pytest.fixture(name="X", scope="module")
def many_objects():
    # more than are done the plain way, and not a multiple of any chunk
    return np.random.default_rng(1).normal(size=(40_003, 6)).astype(np.float32)


def search(X, learner):
    """A session in which 60 objects are labeled, many of them liked."""
    session = aw.Session(X, learner=learner)
    for row in range(0, 12_000, 200):
        session.label(session.object_ids[row], float(np.clip(np.round(2 + 2 * X[row, 0]), 0, 5)))
    return session


@pytest.mark.parametrize("learner", ["auto", "neighbor_score", "direct_regression"])
def test_a_retrain_elsewhere_gives_the_same_scores_to_the_last_bit(client, X, learner):
    here, there = search(X, learner), search(X, learner)
    there.client = client
    here.retrain().result(60)
    there.retrain().result(60)
    for name in ("trained_score", "relevance", "uncertainty"):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name))
    assert list(there.ranking()) == list(here.ranking())
    for session in (here, there):
        session.close()


def test_a_detector_elsewhere_gives_the_same_scores_to_the_last_bit(client, X):
    for detector in ("isolation_forest", EmpiricalCovariance()):
        here = aw.detectors.anomaly_score(X, detector)
        with elsewhere(client):
            there = aw.detectors.anomaly_score(X, detector)
        np.testing.assert_array_equal(there, here)


class EmpiricalCovariance:
    """Any detector in scikit-learn's manner."""

    def fit(self, X):
        self.mean = X.mean(axis=0)
        return self

    def score_samples(self, X):
        return -np.square(X - self.mean).sum(axis=1)


def test_blocks_are_done_elsewhere_and_come_back_in_order(client, X):
    def where_and_what(block, rows):
        return os.getpid(), block.sum(), rows[0]

    rows = np.arange(len(X))
    with elsewhere(client):
        there = list(map_blocks(where_and_what, (X, rows), 999))
    here = list(map_blocks(where_and_what, (X, rows), 999))
    assert [part for part, _ in there] == [part for part, _ in here]
    assert [r[1:] for _, r in there] == [r[1:] for _, r in here]
    assert {r[0] for _, r in here} == {os.getpid()}
    assert os.getpid() not in {r[0] for _, r in there}
    assert list(map_blocks(where_and_what, (X[:0], rows[:0]), 999)) == []


def test_blocks_of_a_worker_that_is_killed_are_done_again(client, X, tmp_path):
    def total(block):
        if block[0, 0] == X[20_000, 0] and not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return block.sum(axis=1)

    with elsewhere(client):
        parts = list(map_blocks(total, (X,), 500))
    assert (tmp_path / "killed").exists()
    np.testing.assert_array_equal(np.concatenate([t for _, t in parts]), X.sum(axis=1))


def test_principal_components_of_files_are_the_same_to_the_last_bit(client, tmp_path, monkeypatch):
    monkeypatch.setattr(_passes, "_NUMBERS_PER_CHUNK", 30_000)
    monkeypatch.setattr(_passes, "_BLOCKS_PER_SPAN", 3)
    rng = np.random.default_rng(2)
    wide = (rng.normal(size=(5_003, 60)) @ rng.normal(size=(60, 60))).astype(np.float32)
    np.save(tmp_path / "wide.npy", wide)
    names = [f"feature {k}" for k in range(60)]
    pd.DataFrame(wide, columns=names).to_parquet(tmp_path / "wide.parquet", row_group_size=700)
    here = aw.reduction.pca(wide, 0.9, standardize=True)
    assert 2 < len(here.names) < 60
    for name in ("wide.npy", "wide.parquet"):
        there = aw.reduction.pca(tmp_path / name, 0.9, standardize=True, client=client)
        np.testing.assert_array_equal(there.scores, here.scores)
        np.testing.assert_array_equal(there.components, here.components)
        np.testing.assert_array_equal(there.explained, here.explained)
    out = tmp_path / "scores.npy"
    aw.reduction.pca(tmp_path / "wide.npy", 0.9, standardize=True, client=client, out=out)
    np.testing.assert_array_equal(np.load(out), here.scores)
    rows = open_rows(tmp_path / "wide.parquet")
    (tmp_path / "wide.parquet").unlink()
    with pytest.raises(SourceError, match=r"wide\.parquet' cannot be read"):
        aw.reduction.pca(rows, client=client)


def test_a_matrix_in_memory_is_reduced_here(client, X):
    here = aw.reduction.pca(X, 3)
    there = aw.reduction.pca(X, 3, client=client)
    np.testing.assert_array_equal(there.scores, here.scores)


def test_a_retrain_with_a_closed_client_leaves_the_ranking_as_it_was(client, X):
    session = search(X, "auto")
    before = list(session.ranking())
    other = distributed.Client(client.scheduler.address)
    other.close()
    session.client = other
    with pytest.raises(ConnectionError, match="or None to work without"):
        session.retrain().result(60)
    assert list(session.ranking()) == before
    assert "the ranking is as it was" in session.status
    session.client = None
    session.retrain().result(60)
    assert np.isfinite(session.relevance).all()
    session.close()
