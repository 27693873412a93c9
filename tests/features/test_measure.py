"""The run over all objects: resumed, and stopped by nothing."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
from PIL import Image

from astronomaly_widgets._optional import require
from astronomaly_widgets.compute import Task, running
from astronomaly_widgets.exceptions import MeasurementError, MissingDependencyError
from astronomaly_widgets.features import RawFeatures, measure
from astronomaly_widgets.sources import FeatureTable, ImageFolder, ImageStack

JOBS = pytest.mark.parametrize("n_jobs", [1, 2])


class Recorder(RawFeatures):
    """The mean of an image; writes down which it has seen, and does as images tell it."""

    def __init__(self, log, scale=1):
        super().__init__()
        self.log = log
        self.scale = scale

    def feature_names(self, source):
        return ("mean",)

    def settings(self):
        return {"scale": self.scale}

    def extract(self, data):
        mark = int(data.flat[0])
        with self.log.open("a") as file:
            file.write(f"{mark}\n")
        if mark == 13:
            raise MeasurementError("thirteen")
        if mark == 99:
            raise ZeroDivisionError("a bug")
        if mark == 55:
            require("no_such_package.part", extra="series")
        if mark == 66:
            os.kill(os.getpid(), signal.SIGKILL)
        if mark == 77:
            return np.zeros(2)
        if mark == 88:
            return np.array([np.nan])
        return np.array([data.mean() * self.scale])

    def seen(self):
        return sorted(map(int, self.log.read_text().split())) if self.log.exists() else []


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "images"
    path.mkdir()
    for mark in range(1, 9):
        paint(path, mark)
    return path


@pytest.fixture
def recorder(tmp_path):
    return Recorder(tmp_path / "log")


def paint(folder, mark, value=None):
    image = np.full((4, 4), mark if value is None else value, np.uint8)
    Image.fromarray(image).save(folder / f"{mark:02d}.png")


@JOBS
def test_each_object_is_measured_once(folder, recorder, n_jobs):
    result = measure(ImageFolder(folder), recorder, n_jobs=n_jobs, progress=False)
    assert recorder.seen() == list(range(1, 9))
    assert list(result.object_ids) == [f"{mark:02d}" for mark in range(1, 9)]
    assert result.object_ids.dtype == object
    assert result.values.dtype == np.float32
    np.testing.assert_array_equal(result.values[:, 0], range(1, 9))
    assert result.names == ("mean",)
    assert result.set_aside.empty
    assert list(result.set_aside.columns) == ["stage", "reason"]
    assert result.set_aside.index.name == "object_id"


@JOBS
def test_bad_objects_are_set_aside_with_stage_and_reason(folder, recorder, n_jobs):
    for mark in (13, 77, 88, 99):
        paint(folder, mark)
    (folder / "broken.png").write_text("nothing")
    result = measure(ImageFolder(folder), recorder, n_jobs=n_jobs, progress=False)
    assert len(result.object_ids) == len(result.values) == 8
    assert list(result.set_aside.index) == ["13", "77", "88", "99", "broken"]
    assert list(result.set_aside["stage"]) == ["measure"] * 4 + ["read"]
    reasons = result.set_aside["reason"]
    assert reasons["13"] == "thirteen"
    assert "gives 2 numbers" in reasons["77"]
    assert reasons["88"] == "1 of 1 values are missing or infinite"
    assert reasons["99"] == "ZeroDivisionError: a bug"
    assert "not a PNG" in reasons["broken"]


@JOBS
def test_a_package_that_is_not_there_ends_the_run_at_once(folder, recorder, n_jobs):
    paint(folder, 55)
    (folder / "55.png").rename(folder / "00.png")
    wanted = r"^no_such_package is not installed; .*'astronomaly-widgets\[series\]'"
    with pytest.raises(MissingDependencyError, match=wanted):
        measure(ImageFolder(folder), recorder, n_jobs=n_jobs, progress=False)


def test_an_object_that_kills_its_process_is_set_aside(folder, recorder):
    paint(folder, 66)
    result = measure(ImageFolder(folder), recorder, n_jobs=2, progress=False)
    assert list(result.set_aside.index) == ["66"]
    assert "died" in result.set_aside.loc["66", "reason"]
    assert len(result.object_ids) == 8


def test_a_second_run_measures_nothing(folder, recorder, tmp_path):
    paint(folder, 13)
    first = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    recorder.log.unlink()
    again = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert recorder.seen() == []
    assert again.n_reused == 9
    np.testing.assert_array_equal(again.values, first.values)
    assert list(again.object_ids) == list(first.object_ids)
    assert again.set_aside.equals(first.set_aside)


def test_only_new_and_changed_objects_are_measured(folder, recorder, tmp_path):
    measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    recorder.log.unlink()
    paint(folder, 20)
    paint(folder, 3, value=200)
    (folder / "05.png").unlink()
    result = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert recorder.seen() == [20, 200]
    assert list(result.object_ids) == ["01", "02", "03", "04", "06", "07", "08", "20"]
    np.testing.assert_array_equal(result.values[:, 0], [1, 2, 200, 4, 6, 7, 8, 20])


def test_values_stay_with_their_object_when_the_order_changes(recorder, tmp_path):
    images = np.arange(1, 6, dtype=np.float32)[:, None, None] * np.ones((5, 3, 3), np.float32)
    ids = np.array(list("abcde"))
    measure(ImageStack(images, object_ids=ids), recorder, checkpoint=tmp_path, n_jobs=1)
    turned = ImageStack(images[::-1], object_ids=ids[::-1])
    result = measure(turned, recorder, checkpoint=tmp_path, n_jobs=1)
    assert result.n_reused == 5
    assert dict(zip(result.object_ids, result.values[:, 0], strict=True)) == dict(
        zip("abcde", range(1, 6), strict=True)
    )


def test_other_settings_measure_everything_again_and_both_are_kept(folder, tmp_path):
    source = ImageFolder(folder)
    one, two = Recorder(tmp_path / "one"), Recorder(tmp_path / "two", scale=2)
    first = measure(source, one, checkpoint=tmp_path / "c", n_jobs=1)
    second = measure(source, two, checkpoint=tmp_path / "c", n_jobs=1)
    np.testing.assert_array_equal(second.values, 2 * first.values)
    assert measure(source, one, checkpoint=tmp_path / "c", n_jobs=1).n_reused == 8


def test_what_could_not_be_read_is_tried_again(folder, recorder, tmp_path):
    (folder / "09.png").symlink_to(tmp_path / "not yet.png")
    first = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert list(first.set_aside.index) == ["09"]
    second = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert second.n_reused == 8
    Image.fromarray(np.full((4, 4), 9, np.uint8)).save(tmp_path / "not yet.png")
    assert measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c").set_aside.empty


def test_a_damaged_checkpoint_is_measured_again(folder, recorder, tmp_path):
    measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    (part,) = (tmp_path / "c").rglob("part-*")
    part.write_bytes(part.read_bytes()[:100])
    result = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert result.n_reused == 0
    assert len(result.object_ids) == 8


def test_a_cancelled_run_keeps_what_it_has(folder, recorder, tmp_path):
    task = Task()
    task.on_progress = lambda fraction: task.cancel.set() if fraction >= 0.5 else None
    with running(task), pytest.raises(CancelledError):
        measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    recorder.log.unlink()
    result = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert result.n_reused >= 4
    assert len(recorder.seen()) == 8 - result.n_reused


SCRIPT = """
    import sys, time
    import numpy as np
    from astronomaly_widgets.features import RawFeatures, _measure, measure
    from astronomaly_widgets.sources import ImageStack

    _measure._FLUSH_SECONDS = 0.05

    class Slow(RawFeatures):
        def extract(self, data):
            time.sleep(0.02)
            return super().extract(data)

    images = np.arange(400, dtype=np.float32)[:, None, None] * np.ones((2, 2), np.float32)
    n_jobs = int(sys.argv[2])
    result = measure(ImageStack(images), Slow(), checkpoint=sys.argv[1], n_jobs=n_jobs)
    print(result.n_reused, len(result.object_ids), np.array_equal(result.values[:, 0], range(400)))
"""


@JOBS
def test_a_killed_run_goes_on_where_it_was(tmp_path, n_jobs):
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path), str(n_jobs)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.rglob("part-*.npz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.wait()
    out = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    n_reused, n, same = out.stdout.split()
    assert 3 <= int(n_reused) < 400
    assert (n, same) == ("400", "True")


def test_the_bar_is_shown_only_when_wanted_and_goes_when_all_is_measured(folder, recorder, capsys):
    measure(ImageFolder(folder), recorder, n_jobs=1, progress=False)
    assert capsys.readouterr().err == ""
    measure(ImageFolder(folder), recorder, n_jobs=1)
    *drawn, last = capsys.readouterr().err.split("\r")
    assert "Measuring" in "".join(drawn)
    assert last == ""


def test_a_list_of_extractors_reads_each_object_once(folder, recorder):
    class Counting(ImageFolder):
        n_read = 0

        def read(self, object_id):
            self.n_read += 1
            return super().read(object_id)

    source = Counting(folder)
    second = RawFeatures(size=1)
    second.feature_names(source)
    source.n_read = 0
    result = measure(source, [recorder, second], n_jobs=1, progress=False)
    assert result.names == ("mean", "pixel_0_0")
    assert source.n_read == 8 + 8  # and a look at the shape of nine, or all


def test_a_source_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="ellipse features are measured on image sources, not on"):
        measure(FeatureTable(np.ones((2, 2))), "ellipse")


def test_a_disk_that_is_full_ends_the_run_and_what_was_stored_is_used_again(
    folder, recorder, tmp_path, monkeypatch
):
    monkeypatch.setattr("astronomaly_widgets.features._measure._FLUSH_OBJECTS", 3)
    save, calls = np.savez, []

    def full_at_the_second(file, **arrays):
        calls.append(file)
        if len(calls) > 1:
            file.write(b"half of a part")
            raise OSError(28, "No space left on device")
        save(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full_at_the_second)
        with pytest.raises(OSError, match="No space left on device"):
            measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert len(list((tmp_path / "c").rglob("*.npz"))) == 1
    assert not list((tmp_path / "c").rglob("*.tmp"))
    result = measure(ImageFolder(folder), recorder, checkpoint=tmp_path / "c", n_jobs=1)
    assert result.n_reused == 3
    assert len(result.object_ids) == 8
