"""The ready demos: real pixels without a download, and simulated ones."""

import json
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets import demos
from astronomaly_widgets._protocols import Source
from astronomaly_widgets.exceptions import MissingDependencyError


@pytest.fixture(scope="module")
def hubble():
    pytest.importorskip("sep")
    pytest.importorskip("skimage")
    return demos.hubble_deep_field()


def checks(at=((20, 30, 10),)):
    """A red disk on a dark ground, and cut-outs (x, y, side) of it."""
    picture = np.full((60, 80, 3), 7, dtype=np.uint8)
    y, x = np.indices((60, 80))
    picture[np.hypot(x - 20, y - 30) < 3] = 250, 20, 10
    catalog = pd.DataFrame(at, columns=["x", "y", "side"], index=[f"o{i}" for i in range(len(at))])
    return demos.HubbleCutouts(picture, catalog)


def test_there_are_over_a_thousand_objects_of_the_deep_field(hubble):
    assert isinstance(hubble, Source)
    assert len(hubble) > 1000
    assert len(set(hubble.object_ids)) == len(hubble)
    assert list(hubble.catalog.index) == list(hubble.object_ids)


def test_every_cutout_has_one_size_and_its_object_in_the_middle(hubble):
    brighter = 0
    for object_id in hubble.object_ids[::10]:
        picture = hubble.read(object_id)
        assert picture.shape == (96, 96, 3)
        assert picture.dtype == np.uint8
        brighter += picture[40:56, 40:56].mean() > np.median(picture)
    assert brighter > 0.95 * len(hubble.object_ids[::10])


def test_the_catalog_is_in_pixels_of_the_picture(hubble):
    height, width = hubble.picture.shape[:2]
    catalog = hubble.catalog
    assert catalog["x"].between(0, width).all()
    assert catalog["y"].between(0, height).all()
    assert (catalog["elongation"] >= 1).all()
    assert catalog["redness"].between(-1, 1).all()
    assert not {"ra", "dec"} & set(catalog.columns)
    assert np.isfinite(catalog).all(axis=None)


def test_red_galaxies_are_known_as_red(hubble):
    order = hubble.catalog.query("n_pixels > 60").sort_values("redness").index
    blue, red = (
        np.mean([hubble.read(i)[44:52, 44:52].mean(axis=(0, 1)) for i in ids], axis=0)
        for ids in (order[:8], order[-8:])
    )
    assert red[0] > red[2] + 40
    assert blue[2] > blue[0]


def test_an_id_names_the_place_so_it_survives_another_threshold(hubble):
    fewer = demos.hubble_deep_field(threshold=6, min_area=20)
    assert len(fewer) < len(hubble)
    row = hubble.catalog.iloc[5]
    assert row.name == f"x{row['x']:04.0f}y{row['y']:04.0f}"


@pytest.mark.parametrize("make", [demos.hubble_deep_field, lambda: demos.simulated_galaxies(3)])
def test_a_project_can_make_the_source_again(make, hubble):
    source = make()
    spec = json.loads(json.dumps(source.spec))
    assert spec["room"] == "demos"
    assert spec["name"] in demos.__all__
    again = getattr(demos, spec["name"])(**spec["arguments"])
    assert list(again.object_ids) == list(source.object_ids)
    assert list(again.fingerprints) == list(source.fingerprints)
    assert np.array_equal(again.read(source.object_ids[0]), source.read(source.object_ids[0]))


def test_a_source_survives_pickling():
    source = checks()
    again = pickle.loads(pickle.dumps(source))  # noqa: S301 -- our own bytes
    assert np.array_equal(again.read("o0"), source.read("o0"))


def test_a_cutout_is_centered_on_its_object():
    picture = checks().read("o0").astype(int)
    red = picture[..., 0] > 128
    y, x = np.nonzero(red)
    assert abs(x.mean() - 48) < 6
    assert abs(y.mean() - 48) < 6


@pytest.mark.parametrize("place", [(0, 0), (79, 59), (0, 30), (79, 0)])
def test_beyond_the_edge_there_is_sky(place):
    picture = checks([(*place, 30)]).read("o0")
    assert picture.shape == (96, 96, 3)
    assert (picture == 7).all()


def test_an_object_half_over_the_edge_keeps_its_place():
    source = checks([(2, 30, 40)])  # the disk lies 18 pixels right of the center
    red = source.read("o0")[..., 0] > 128
    assert abs(np.nonzero(red)[1].mean() - (20 + 18) * 96 / 40) < 3


def test_fingerprints_change_with_the_box_only():
    before, after = checks([(10, 10, 12), (30, 20, 12)]), checks([(10, 10, 12), (31, 20, 12)])
    assert before.fingerprints[0] == after.fingerprints[0]
    assert before.fingerprints[1] != after.fingerprints[1]


def test_an_unknown_object_is_a_key_error():
    with pytest.raises(KeyError):
        checks().read("nothing")


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sep", None)
    with pytest.raises(MissingDependencyError, match=r"astronomaly-widgets\[demo\]"):
        demos.hubble_deep_field()
