"""Stacks of images in memory and on disk."""

import pickle

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.sources import ImageStack

rng = np.random.default_rng(0)
STACK = rng.normal(size=(4, 20, 30, 3)).astype(np.float32)


def store(array, path, key="images"):
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".zarr":
        zarr = pytest.importorskip("zarr")
        group = zarr.open_group(str(path), mode="a")
        group.create_array(key, shape=array.shape, dtype=array.dtype)[:] = array
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "a") as file:
            file[key] = array
    return path


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".hdf5", ".zarr"])
def test_a_stack_on_disk_gives_the_images_of_the_stack_in_memory(tmp_path, suffix):
    source = ImageStack(store(STACK, tmp_path / f"stack{suffix}"))
    in_memory = ImageStack(STACK)
    assert list(source.object_ids) == list(in_memory.object_ids)
    for k, object_id in enumerate(source.object_ids):
        np.testing.assert_array_equal(source.read(object_id), STACK[k])
        np.testing.assert_array_equal(in_memory.read(object_id), STACK[k])


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".zarr"])
def test_an_opened_stack_still_travels_to_another_process(tmp_path, suffix):
    source = ImageStack(store(STACK, tmp_path / f"stack{suffix}"))
    source.read("object-0")
    data = pickle.dumps(source)
    assert len(data) < STACK.nbytes / 10
    np.testing.assert_array_equal(pickle.loads(data).read("object-2"), STACK[2])  # noqa: S301 - our own


def test_a_npy_file_is_not_read_into_memory(tmp_path):
    source = ImageStack(store(STACK, tmp_path / "stack.npy"))
    assert isinstance(source.stack, np.memmap)


@pytest.mark.parametrize(
    ("shape", "bands", "wanted"),
    [
        ((4, 20, 30), None, (20, 30)),
        ((4, 20, 30, 1), None, (20, 30)),
        ((4, 20, 30, 5), None, (20, 30, 5)),
        ((4, 3, 20, 30), None, (20, 30, 3)),
        ((4, 5, 20, 30), None, (20, 30, 5)),
        ((4, 20, 30, 20), "last", (20, 30, 20)),
        ((4, 40, 30, 20), "first", (30, 20, 40)),
    ],
)
def test_bands_are_found_at_either_end(shape, bands, wanted):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    image = ImageStack(array, bands=bands).read("object-1")
    assert image.shape == wanted
    assert sorted(image.ravel()) == sorted(array[1].ravel())
    if wanted == (20, 30, 3):
        np.testing.assert_array_equal(image[..., 2], array[1, 2])


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [("u1", "u1"), ("?", "u1"), ("u2", "f4"), ("i2", "f4"), ("i8", "f8"), (">f4", "f4")],
)
def test_pixels_are_uint8_or_floating(dtype, wanted):
    image = ImageStack(np.ones((1, 4, 4), dtype)).read("object-0")
    assert image.dtype == np.dtype(wanted)
    assert image.dtype.isnative


def test_names_do_not_depend_on_what_is_appended():
    assert list(ImageStack(STACK).object_ids[:3]) == list(ImageStack(STACK[:3]).object_ids)


def test_names_of_ones_own_are_used():
    source = ImageStack(STACK, object_ids=[7, "b", "c", "d"])
    np.testing.assert_array_equal(source.read("7"), STACK[0])
    with pytest.raises(KeyError):
        source.read("object-0")


def test_what_is_read_can_be_changed_without_changing_the_stack():
    stack = STACK.copy()
    ImageStack(stack).read("object-0")[:] = 0
    np.testing.assert_array_equal(stack, STACK)


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(SourceError, match="2 object_ids for a stack of 4"):
        ImageStack(STACK, object_ids=["a", "b"])
    with pytest.raises(SourceError, match="not unique, such as 'a'"):
        ImageStack(STACK, object_ids=["a", "a", "b", "c"])


@pytest.mark.parametrize("shape", [(4,), (4, 20), (0, 20, 30), (2, 2, 2, 2, 2)])
def test_what_is_no_stack_is_refused(shape):
    with pytest.raises(SourceError, match="not a stack of images"):
        ImageStack(np.zeros(shape))


def test_bands_elsewhere_are_refused():
    with pytest.raises(ValueError, match="'first', 'last' or None"):
        ImageStack(STACK, bands="middle")


@pytest.mark.parametrize("suffix", [".h5", ".zarr"])
def test_one_of_several_data_sets_is_chosen_by_key(tmp_path, suffix):
    path = tmp_path / f"stack{suffix}"
    store(STACK, path, "a")
    store(np.arange(4), path, "redshift")
    assert len(ImageStack(path)) == 4
    store(STACK[:2], path, "b")
    with pytest.raises(SourceError, match=r"2 data sets of three or four axes.*key="):
        ImageStack(path)
    assert len(ImageStack(path, key="b")) == 2
    with pytest.raises(SourceError, match="no data set 'c'; it has: a, b, redshift"):
        ImageStack(path, key="c")


@pytest.mark.parametrize("name", ["none.npy", "none.h5", "none.zarr"])
def test_a_file_that_is_not_there_says_so(tmp_path, name):
    with pytest.raises(SourceError, match="there is no file"):
        ImageStack(tmp_path / name)


@pytest.mark.parametrize("name", ["bad.npy", "bad.h5", "bad.zarr", "bad.tar"])
def test_a_file_that_is_no_stack_says_so(tmp_path, name):
    (tmp_path / name).write_text("nothing of the kind")
    with pytest.raises(
        SourceError, match=r"not an array file|cannot be opened|not a stack we know"
    ):
        ImageStack(tmp_path / name)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[[{}]]], dtype=object))
    with pytest.raises(SourceError, match="not an array file"):
        ImageStack(tmp_path / "a.npy")


def test_an_image_without_data_is_an_error_of_its_own():
    stack = STACK.copy()
    stack[2] = np.nan
    source = ImageStack(stack)
    with pytest.raises(ReadError, match="finite"):
        source.read("object-2")
    assert source.read("object-1").shape == (20, 30, 3)


def test_a_changed_image_in_memory_has_another_fingerprint():
    stack = STACK.copy()
    source = ImageStack(stack)
    before = source.fingerprints
    stack[1, 0, 0, 0] += 1
    changed = source.fingerprints != before
    assert changed.tolist() == [False, True, False, False]


def test_a_catalog_is_matched_by_id_or_else_by_row():
    rows = pd.DataFrame({"z": [0.1, 0.2, 0.3, 0.4]})
    named = pd.DataFrame({"object_id": ["object-3", "object-1"], "z": [0.4, 0.2]})
    assert ImageStack(STACK, catalog=rows).catalog.loc["object-3", "z"] == 0.4
    z = ImageStack(STACK, catalog=named).catalog["z"]
    assert z.loc["object-1"] == 0.2
    assert z.isna().tolist() == [True, False, True, False]
    with pytest.raises(SourceError, match="3 rows for 4 objects"):
        ImageStack(STACK, catalog=rows[:3])
