"""A search on the workers of a Dask cluster: what comes out is what one process finds."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets.compute import Task, running
from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import RawFeatures, measure
from astronomaly_widgets.sources import ImageStack

distributed = pytest.importorskip("distributed")

# sockets of workers that were killed
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(name="client", scope="module")
def two_workers(tmp_path_factory):
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


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
    with running(task), pytest.raises(ConnectionError, match="connect again and run again"):
        measure(stack, Marked(tmp_path), checkpoint=checkpoint, client=other, progress=False)
    again = measure(stack, Marked(tmp_path), checkpoint=checkpoint, client=client, progress=False)
    assert 30 <= again.n_reused < 60
    here = measure(stack, Marked(tmp_path), n_jobs=1, progress=False)
    np.testing.assert_array_equal(again.values, here.values)
