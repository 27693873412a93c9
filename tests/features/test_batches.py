"""Extractors that measure many objects at once, in the run over all objects."""

import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from astronomaly_widgets.compute import Task, running
from astronomaly_widgets.exceptions import MeasurementError, ReadError
from astronomaly_widgets.features import (
    CombinedFeatures,
    PreparedFeatures,
    RawFeatures,
    _measure,
    measure,
)
from astronomaly_widgets.features._batches import Ahead, works_in_batches
from astronomaly_widgets.sources import ImageStack

JOBS = pytest.mark.parametrize("n_jobs", [None, 1, 3])


class Doubles:
    """Twice the mean of an image, in batches; writes down how large they were."""

    name = "doubles"
    kinds = ("image",)

    def __init__(self, batch_size=4):
        self.batch_size = batch_size
        self.sizes = []
        self.threads = set()

    def feature_names(self, source):
        return ("mean", "twice")

    def settings(self):
        return {}

    def extract(self, data):
        return self.extract_batch([self.prepare(data)])[0]

    def prepare(self, data):
        mark = data.flat[0]
        if mark == 13:
            raise MeasurementError("thirteen")
        if mark == 99:
            raise ZeroDivisionError("a bug")
        return data.mean()

    def extract_batch(self, prepared):
        self.sizes.append(len(prepared))
        self.threads.add(threading.get_ident())
        if 66 in prepared:
            raise RuntimeError("too much")
        if 77 in prepared:
            return np.zeros((1, 2))
        values = np.array(prepared)
        return np.stack([values, np.where(values == 88, np.nan, 2 * values)], axis=1)


def stack(*marks):
    return ImageStack(np.ones((len(marks), 2, 2)) * np.array(marks, float)[:, None, None])


@JOBS
def test_objects_are_measured_together_and_stay_apart(n_jobs):
    extractor = Doubles()
    result = measure(stack(*range(1, 11)), extractor, n_jobs=n_jobs, progress=False)
    np.testing.assert_array_equal(result.values, [[k, 2 * k] for k in range(1, 11)])
    assert result.values.dtype == np.float32
    assert extractor.sizes == [4, 4, 2]
    assert extractor.threads == {threading.get_ident()}


@JOBS
def test_whoever_is_to_blame_is_set_aside_and_nobody_else(n_jobs):
    marks = [1, 13, 2, 99, 3, 66, 4, 5, 88, 6]
    result = measure(stack(*marks), Doubles(), n_jobs=n_jobs, progress=False)
    assert dict(zip(result.object_ids, result.values[:, 1], strict=True)) == {
        f"object-{marks.index(k)}": 2 * k for k in range(1, 7)
    }
    assert dict(result.set_aside["reason"]) == {
        "object-1": "thirteen",
        "object-3": "ZeroDivisionError: a bug",
        "object-5": "RuntimeError: too much",
        "object-8": "1 of 2 values are missing or infinite",
    }
    assert set(result.set_aside["stage"]) == {"measure"}


def test_a_batch_without_a_row_for_each_is_measured_one_by_one():
    extractor = Doubles()
    result = measure(stack(1, 77, 2), extractor, progress=False)
    assert extractor.sizes == [3, 1, 1, 1]
    # alone, its one row is right
    np.testing.assert_array_equal(result.values, [[1, 2], [0, 0], [2, 4]])


class Unreadable(ImageStack):
    def read(self, object_id):
        data = super().read(object_id)
        if data.flat[0] == 5:
            raise ReadError("no such thing")
        return data


def test_what_cannot_be_read_takes_no_place_in_a_batch():
    source = Unreadable(np.ones((6, 2, 2)) * np.arange(1, 7.0)[:, None, None])
    result = measure(source, Doubles(), progress=False)
    assert list(result.set_aside["stage"]) == ["read"]
    assert list(result.values[:, 0]) == [1, 2, 3, 4, 6]


def test_a_batch_is_resumed_where_it_was_left(tmp_path):
    class Interrupted(Doubles):
        def extract_batch(self, prepared):
            if len(self.sizes) == 2:
                raise KeyboardInterrupt
            return super().extract_batch(prepared)

    source = stack(*range(1, 13))
    with pytest.raises(KeyboardInterrupt):
        measure(source, Interrupted(), checkpoint=tmp_path, progress=False)
    again = Doubles()
    result = measure(source, again, checkpoint=tmp_path, progress=False)
    assert again.sizes == [4]
    assert result.n_reused == 8
    np.testing.assert_array_equal(result.values[:, 1], 2 * np.arange(1, 13))


def test_a_cancelled_run_leaves_no_thread():
    before = threading.active_count()
    task = Task()
    task.on_progress = lambda fraction: task.cancel.set()
    with running(task), pytest.raises(CancelledError):
        measure(stack(*range(1, 50)), Doubles(), progress=False)
    assert threading.active_count() == before


def test_threads_read_no_further_ahead_than_they_may():
    done = []
    with Ahead(lambda k: done.append(k) or k, range(100), n_threads=3, n_ahead=10) as ahead:
        assert ahead.take(5) == [0, 1, 2, 3, 4]
        assert len(done) <= 15
        assert ahead.take(1000) == list(range(5, 100))
        assert ahead.take(1) == []


def test_a_combination_works_in_batches_if_one_of_its_members_does():
    both = CombinedFeatures([RawFeatures(size=1), Doubles(3), Doubles(2)])
    assert works_in_batches(both)
    assert both.batch_size == 3
    assert not works_in_batches(CombinedFeatures([RawFeatures(size=1)]))
    result = measure(stack(4, 13, 5, 6), both, progress=False)
    np.testing.assert_array_equal(result.values, [[k, k, 2 * k, k, 2 * k] for k in (4, 5, 6)])
    assert both.extractors[1].sizes == [2, 1]
    assert list(result.set_aside["reason"]) == ["doubles: thirteen"]


def test_each_extractor_has_its_group_of_features():
    alike = Doubles()
    alike.keep_components = 1
    cut = PreparedFeatures(CombinedFeatures([RawFeatures(), alike]), [("center_crop", {"size": 1})])
    combined = CombinedFeatures([RawFeatures(), alike, cut])
    result = measure(stack(1, 2, 3), combined, progress=False)
    assert [tuple(group) for group in result.groups] == [
        ("raw", slice(0, 4), None),
        ("doubles", slice(4, 6), 1),
        ("raw", slice(6, 7), None),
        ("doubles", slice(7, 9), 1),
    ]
    assert len(result.names) == 9
    alone = measure(stack(1, 2, 3), RawFeatures(), progress=False)
    assert [tuple(group) for group in alone.groups] == [("raw", slice(0, 4), None)]


def test_features_too_large_for_memory_are_kept_in_a_file(monkeypatch, tmp_path):
    source = stack(1, 13, 2, 3, 88, 4)
    small = measure(source, Doubles(), progress=False)
    monkeypatch.setattr(_measure, "_MOST_IN_MEMORY", 0)
    large = measure(source, Doubles(), checkpoint=tmp_path / "new", progress=False)
    assert isinstance(large.values, np.memmap)
    np.testing.assert_array_equal(large.values, small.values)
    assert list(large.object_ids) == list(small.object_ids)
    assert not [path for path in (tmp_path / "new").iterdir() if path.is_file()]
