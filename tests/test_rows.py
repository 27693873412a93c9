"""Matrices that are read in one direction, however they are stored."""

import itertools
import os
import pickle
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astronomaly_widgets.compute import (
    ParquetRows,
    Task,
    blocks,
    npy_writer,
    open_rows,
    running,
)
from astronomaly_widgets.exceptions import SourceError

N, D = 1000, 3


@pytest.fixture(name="X", scope="module")
def features():
    return np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)


def write_parquet(path, X, row_group_size=300, names="abcdefg"):
    table = pa.table(dict(zip(names, X.T, strict=False)))
    pq.write_table(table, path, row_group_size=row_group_size)
    return path


def write_shards(folder, X):
    folder.mkdir()
    cuts = [0, 1, len(X) // 3, len(X) // 3, len(X)]  # one of them is empty
    for k, (start, stop) in enumerate(itertools.pairwise(cuts)):
        write_parquet(folder / f"part-{k}.parquet", X[start:stop])
    (folder / "_SUCCESS").touch()
    return folder


def write_npy(path, X):
    np.save(path, X)
    return path


def write_zarr(path, X):
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(path, shape=X.shape, chunks=(70, 2), dtype=X.dtype)
    array[:] = X
    return array


def write_hdf5(path, X):
    h5py = pytest.importorskip("h5py")
    return h5py.File(path, "w").create_dataset("X", data=X, chunks=(70, 2))


# the ways to keep a matrix that we read: each stores one and returns what `open_rows` is given
KEPT = {
    "array": lambda folder, X: X,
    "list": lambda folder, X: X.tolist(),
    "DataFrame": lambda folder, X: pd.DataFrame(X),
    "npy": lambda folder, X: str(write_npy(folder / "X.npy", X)),
    "npy by columns": lambda folder, X: write_npy(folder / "X.npy", np.asfortranarray(X)),
    "memmap": lambda folder, X: np.load(write_npy(folder / "X.npy", X), mmap_mode="r"),
    "zarr": lambda folder, X: write_zarr(folder / "X.zarr", X).store.root,
    "zarr array": lambda folder, X: write_zarr(folder / "X.zarr", X),
    "hdf5": lambda folder, X: write_hdf5(folder / "X.h5", X),
    "parquet": lambda folder, X: write_parquet(folder / "X.parquet", X),
    "shards": lambda folder, X: write_shards(folder / "shards", X),
}


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize(("n", "size"), [(200, 1), (N, 69), (N, 300), (N, 1000), (N, 5000)])
def test_blocks_do_not_show_how_the_matrix_is_stored(X, keep, n, size, tmp_path):
    X = X[:n]
    rows = open_rows(keep(tmp_path, X))
    assert rows.shape == X.shape
    found = list(blocks(rows, size))
    assert [part.start for part, _ in found] == list(range(0, len(X), size))
    for part, block in found:
        assert block.dtype == np.float64
        assert part.stop - part.start == len(block)
        np.testing.assert_array_equal(block, X[part].astype(float))


@pytest.mark.parametrize("keep", KEPT.values(), ids=KEPT)
def test_any_span_of_rows_can_be_read(X, keep, tmp_path):
    rows = open_rows(keep(tmp_path, X))
    for start, stop in [(0, 1), (1, 333), (69, 71), (300, 600), (332, 1000), (999, 1000)]:
        found = list(blocks(rows, 50, start=start, stop=stop))
        assert [part.start for part, _ in found] == list(range(start, stop, 50))
        read = np.concatenate([block for _, block in found])
        np.testing.assert_array_equal(read, X[start:stop].astype(float))


def test_what_lies_in_files_can_be_read_by_other_processes(X, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ways = {
        "X.npy": write_npy(tmp_path / "X.npy", X),
        "X.parquet": write_parquet(tmp_path / "X.parquet", X),
        "shards": write_shards(tmp_path / "shards", X),
        "X.zarr": write_zarr(tmp_path / "X.zarr", X),
    }
    for name in ways:
        rows = open_rows(name)
        assert rows.travels
        sent = pickle.dumps(rows)
        monkeypatch.chdir(tmp_path.parent)
        _, block = next(blocks(pickle.loads(sent), 10, start=400))  # noqa: S301 - our own
        np.testing.assert_array_equal(block, X[400:410].astype(float))
        monkeypatch.chdir(tmp_path)
    assert not open_rows(X).travels


def test_a_block_is_nobody_elses(X):
    before = X.copy()
    for _, block in blocks(open_rows(X), 100, np.float32):
        block[:] = 7
    np.testing.assert_array_equal(X, before)


def test_only_one_block_is_read_ahead(X):
    class Slow:
        shape, chunks, read = (N, D), None, 0

        def __getitem__(self, part):
            self.read += 1
            return X[part]

    array = Slow()
    found = blocks(open_rows(array), 10)
    next(found)
    next(found)
    found.close()
    assert array.read <= 4


def test_the_reader_is_gone_when_nobody_asks_for_more(X):
    before = threading.active_count()
    found = blocks(open_rows(X), 10)
    next(found)
    found.close()
    assert threading.active_count() == before


def test_reading_reports_and_can_be_cancelled(X):
    seen = []
    task = Task(on_progress=lambda done: seen.append(done) or done < 0.5 or task.cancel.set())
    with running(task), pytest.raises(CancelledError):
        list(blocks(open_rows(X), 100))
    np.testing.assert_allclose(seen, np.arange(6) / 10)


@pytest.mark.parametrize("shape", [(7,), (0, 3), (3, 0), (2, 2, 2)])
def test_what_is_not_a_matrix_is_refused(shape, tmp_path):
    np.save(tmp_path / "X.npy", np.zeros(shape))
    for given in (np.zeros(shape), tmp_path / "X.npy"):
        with pytest.raises(ValueError, match="n_objects, n_features"):
            open_rows(given)


def test_what_is_not_there_or_not_known_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"there is nothing at .*none\.npy"):
        open_rows(tmp_path / "none.npy")
    (tmp_path / "X.dat").touch()
    with pytest.raises(SourceError, match=r"'X\.dat' is not a kind of matrix we know"):
        open_rows(tmp_path / "X.dat")
    with pytest.raises(SourceError, match=r"there are no \.parquet files"):
        open_rows(tmp_path)
    for name in ("X.npy", "X.parquet"):
        (tmp_path / name).write_bytes(b"PAR1 nonsense")
        with pytest.raises(SourceError, match=rf"{name}' cannot be read"):
            open_rows(tmp_path / name)


def test_a_group_of_arrays_asks_for_one(tmp_path):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(tmp_path / "X.zarr", mode="w")
    with pytest.raises(SourceError, match="give the path of one array"):
        open_rows(tmp_path / "X.zarr")


def test_columns_may_be_chosen_and_words_are_left_out(X, tmp_path):
    table = pa.table({"id": ["x"] * N, "b": X[:, 0], "flag": [True] * N, "a": range(N)})
    pq.write_table(table, tmp_path / "X.parquet")
    assert ParquetRows(tmp_path / "X.parquet").columns == ("b", "a")
    chosen = ParquetRows([tmp_path / "X.parquet"] * 2, columns=["a", "b"])
    assert chosen.shape == (2 * N, 2)
    (_, block), _ = blocks(chosen, N)
    np.testing.assert_array_equal(block, np.column_stack([np.arange(N), X[:, 0]]))
    with pytest.raises(SourceError, match="no column 'id' of numbers"):
        ParquetRows(tmp_path / "X.parquet", columns=["a", "id"])
    pq.write_table(table.select(["id", "flag"]), tmp_path / "Y.parquet")
    with pytest.raises(SourceError, match="no column of numbers"):
        ParquetRows(tmp_path / "Y.parquet")
    pq.write_table(table.slice(0, 0), tmp_path / "Z.parquet")
    with pytest.raises(SourceError, match="there are no rows"):
        ParquetRows(tmp_path / "Z.parquet")


def test_a_null_is_nan(tmp_path):
    table = pa.table({"a": pa.array([1, None, 3]), "b": pa.array([None, 2.0, 3.0], pa.float32())})
    pq.write_table(table, tmp_path / "X.parquet")
    ((_, block),) = blocks(open_rows(tmp_path / "X.parquet"), 10)
    np.testing.assert_array_equal(block, [[1, np.nan], [np.nan, 2], [3, 3]])


def test_a_shard_with_other_columns_is_named(X, tmp_path):
    write_parquet(tmp_path / "1.parquet", X)
    write_parquet(tmp_path / "2.parquet", X, names="abx")
    with pytest.raises(SourceError, match=r"2\.parquet' has no column 'c' of numbers \(1 of the 3"):
        open_rows(tmp_path)


def test_columns_are_found_by_name_in_every_shard(X, tmp_path):
    write_parquet(tmp_path / "1.parquet", X)
    write_parquet(tmp_path / "2.parquet", X[:, ::-1], names="cba")
    _, (_, second) = blocks(open_rows(tmp_path), N)
    np.testing.assert_array_equal(second, X.astype(float))


def test_a_shard_that_disappears_is_named(X, tmp_path):
    for name in ("1.parquet", "2.parquet"):
        write_parquet(tmp_path / name, X)
    rows = open_rows(tmp_path)
    (tmp_path / "2.parquet").unlink()
    with pytest.raises(SourceError, match=r"2\.parquet' cannot be read"):
        list(blocks(rows, 100))
    with pytest.raises(SourceError, match=r"3\.parquet' cannot be read"):
        ParquetRows([tmp_path / "1.parquet", tmp_path / "3.parquet"])


@pytest.mark.parametrize("now", [900, 1100])
def test_a_file_that_changes_its_length_meanwhile_is_noticed(X, tmp_path, now):
    rows = open_rows(write_parquet(tmp_path / "X.parquet", X))
    write_parquet(tmp_path / "X.parquet", np.resize(X, (now, D)))
    with pytest.raises(SourceError, match=f"has changed: {now} rows instead of 1000"):
        list(blocks(rows, 64))


def test_an_npy_file_that_is_cut_short_is_noticed(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    rows = open_rows(tmp_path / "X.npy")
    os.truncate(tmp_path / "X.npy", (tmp_path / "X.npy").stat().st_size - 100 * D * 4 - 1)
    with pytest.raises(SourceError, match="only 899 of the 1000 rows"):
        list(blocks(rows, 64))
    with pytest.raises(SourceError, match="cannot be read"):
        open_rows(tmp_path / "X.npy")


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i2"])
def test_an_array_is_written_piece_by_piece(tmp_path, dtype):
    X = np.arange(60).reshape(20, 3).astype(dtype)
    with npy_writer(tmp_path / "X.npy", X.shape, dtype) as write:
        for start in (0, 7, 14):
            write(X.astype(float)[start : start + 7])
        assert not (tmp_path / "X.npy").exists()
    written = np.load(tmp_path / "X.npy")
    assert written.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(written, X)


@pytest.mark.parametrize("n", [0, 19, 21])
def test_a_file_of_another_length_than_announced_does_not_appear(tmp_path, n):
    np.save(tmp_path / "X.npy", [1.0, 2.0])
    with (
        pytest.raises(ValueError, match=r"'X\.npy' was to have the shape \(20, 3\)"),
        npy_writer(tmp_path / "X.npy", (20, 3), "f4") as write,
    ):
        write(np.zeros((n, 3)))
    assert np.load(tmp_path / "X.npy").tolist() == [1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["X.npy"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_an_error_and_leaves_what_was_there(tmp_path, monkeypatch):
    np.save(tmp_path / "X.npy", [1.0, 2.0])
    (tmp_path / f".X.npy.{os.getpid()}").symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match="No space left"),
        npy_writer(tmp_path / "X.npy", (200_000, 3), "f4") as write,
    ):
        write(np.zeros((200_000, 3)))
    assert np.load(tmp_path / "X.npy").tolist() == [1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["X.npy"]
