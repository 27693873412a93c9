"""What every source must keep to."""

import io
import pickle
import tarfile

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from PIL import Image

from astronomaly_widgets import sources
from astronomaly_widgets._protocols import Source
from astronomaly_widgets.sources import (
    FeatureTable,
    FITSCutouts,
    ImageFolder,
    ImageStack,
    LightCurves,
    Spectra,
    TarShards,
)

rng = np.random.default_rng(0)
CATALOG = pd.DataFrame({"id": ["c", "a", "b"], "z": [3.0, 1.0, 2.0]})


def image_folder(tmp_path):
    for name in "cab":
        Image.fromarray(rng.integers(0, 256, (8, 9), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    return ImageFolder(tmp_path, catalog=CATALOG)


def image_stack(tmp_path):
    return ImageStack(rng.normal(size=(3, 8, 9)), object_ids=["a", "b", "c"], catalog=CATALOG)


def image_stack_on_disk(tmp_path):
    np.save(tmp_path / "stack.npy", rng.normal(size=(3, 8, 9)))
    return ImageStack(tmp_path / "stack.npy", object_ids=["a", "b", "c"], catalog=CATALOG)


def fits_cutouts(tmp_path):
    fits.writeto(tmp_path / "mosaic.fits", rng.normal(size=(30, 40)))
    catalog = {"id": ["a", "b", "c"], "x": [5.0, 20, 39], "y": [5.0, 20, 29], "z": [1.0, 2, 3]}
    return FITSCutouts(tmp_path / "mosaic.fits", catalog, size=9)


def feature_table(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b", "c"], "x": [1.0, 2, 3], "z": [1.0, 2, 3]})
    return FeatureTable(frame, columns=["x"])


def light_curves(tmp_path):
    table = pd.DataFrame({"id": [*"abc"] * 4, "mjd": range(12), "flux": rng.normal(size=12)})
    table["error"] = rng.uniform(size=12)
    return LightCurves(table, catalog=CATALOG)


def spectra(tmp_path):
    flux = rng.uniform(1, 2, (3, 20))
    return Spectra(
        flux, np.arange(4000, 4020), error=flux, object_ids=["a", "b", "c"], catalog=CATALOG
    )


def tar_shards(tmp_path):
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for name in "abc":
            file = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (8, 9), dtype=np.uint8)).save(file, "PNG")
            member = tarfile.TarInfo(f"{name}.png")
            member.size = file.tell()
            file.seek(0)
            tar.addfile(member, file)
    return TarShards(tmp_path / "shard.tar", catalog=CATALOG)


@pytest.fixture(
    params=[
        *(image_folder, image_stack, image_stack_on_disk, fits_cutouts),
        *(feature_table, light_curves, spectra, tar_shards),
    ],
    ids=lambda make: make.__name__,
)
def source(request, tmp_path):
    return request.param(tmp_path)


def test_every_public_source_is_held_to_the_contract():
    assert set(sources.__all__) - {"Source", "open_source"} == {  # the contract itself
        "FITSCutouts",
        "FeatureTable",
        "ImageFolder",
        "ImageStack",
        "LightCurves",
        "Spectra",
        "TarShards",
    }
    assert sources.__all__ == sorted(sources.__all__)


def test_it_is_a_source(source):
    assert isinstance(source, Source)
    assert source.kind in {"image", "light_curve", "spectrum", "table"}


def test_ids_are_unique_text(source):
    assert source.object_ids.dtype == object
    assert list(source.object_ids) == ["a", "b", "c"]
    assert all(type(i) is str for i in source.object_ids)


def test_fingerprints_are_text_and_stay_the_same(source):
    assert source.fingerprints.shape == (3,)
    assert all(type(mark) is str for mark in source.fingerprints)
    assert list(source.fingerprints) == list(source.fingerprints)


def test_the_catalog_is_in_the_order_of_the_objects(source):
    assert list(source.catalog.index) == list(source.object_ids)
    assert list(source.catalog["z"]) == [1, 2, 3]


def test_what_is_read_has_the_shape_of_its_kind(source):
    data = source.read("b")
    assert data.ndim == (2 if source.kind == "image" else 1)
    if source.kind == "light_curve":
        assert data.dtype.names == ("time", source.value_name, "error", "band")
    elif source.kind == "spectrum":
        assert data.dtype.names == ("wavelength", "flux", "error")
    else:
        assert data.dtype == np.uint8 or data.dtype.kind == "f"
    assert data.flags.c_contiguous
    assert data.flags.writeable


def test_reading_twice_gives_the_same(source):
    first = source.read("b").copy()
    source.read("b")[:] = 0
    np.testing.assert_array_equal(source.read("b"), first)


def test_an_unknown_object_is_a_key_error(source):
    with pytest.raises(KeyError):
        source.read("nothing")


def test_it_survives_pickling(source):
    other = pickle.loads(pickle.dumps(source))  # noqa: S301 - our own
    assert list(other.object_ids) == list(source.object_ids)
    assert list(other.fingerprints) == list(source.fingerprints)
    np.testing.assert_array_equal(other.read("c"), source.read("c"))


def test_its_length_is_the_number_of_objects(source):
    assert len(source) == 3
    assert "3" in repr(source)
