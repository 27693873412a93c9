"""The simulated survey of galaxies."""

import numpy as np
import pytest

from astronomaly_widgets import simulation
from astronomaly_widgets._protocols import Source
from astronomaly_widgets.simulation import galaxies
from astronomaly_widgets.simulation.galaxies import SCORES, make_galaxies

CLASSES = sorted(SCORES)


@pytest.fixture(scope="module")
def survey():
    return make_galaxies(300, random_state=7, size=64, rare_fraction=0.3)


def observe(class_name, seed=0, size=64):
    return galaxies._observe(class_name, np.random.default_rng(seed), size)[0].astype(int)


def test_the_room_offers_it():
    assert simulation.make_galaxies is make_galaxies


def test_it_is_a_source_of_color_pictures(survey):
    assert isinstance(survey, Source)
    assert survey.kind == "image"
    picture = survey.read("galaxy-000012")
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, survey.images[12])
    with pytest.raises(KeyError):
        survey.read("galaxy-999999")


def test_the_classes_do_not_come_in_order(survey):
    assert len(set(survey.classes[:10])) > 2


def test_truth_is_what_the_person_would_say(survey):
    interesting = np.isin(survey.classes, ["merger", "ring", "lens"])
    assert np.array_equal(survey.interesting, interesting)
    assert np.array_equal(survey.scores >= 4, interesting)
    assert survey.scores.min() == 0
    assert survey.scores.max() == 5


def test_the_catalog_is_plausible(survey):
    catalog = survey.catalog
    assert catalog["ra"].between(0, 360).all()
    assert catalog["dec"].between(-90, 90).all()
    assert catalog["r"].between(12, 20).all()
    assert catalog["redshift"].between(0, 1).all()
    assert np.isfinite(catalog.select_dtypes("number")).all(axis=None)
    color = (catalog["g"] - catalog["r"]).groupby(catalog["class_name"]).median()
    assert color["elliptical"] > color["spiral"] + 0.1


@pytest.mark.parametrize("class_name", CLASSES)
@pytest.mark.parametrize("size", [32, 64])
def test_every_class_can_be_drawn_at_any_seed(class_name, size):
    for seed in range(8):
        picture = observe(class_name, seed, size)
        assert picture.shape == (size, size, 3)
        assert picture.max() > 60
        assert picture.std() > 1


@pytest.mark.parametrize("class_name", ["elliptical", "spiral", "edge_on", "merger", "lens"])
def test_a_galaxy_lies_in_the_middle_of_a_dark_sky(class_name):
    mean = np.mean([observe(class_name, seed) for seed in range(12)], axis=(0, 3))
    assert mean[28:36, 28:36].mean() > 100
    assert np.median(mean[:8]) < 40


def test_a_ring_is_brighter_than_what_it_surrounds():
    brighter = 0
    for seed in range(12):
        e = galaxies.Exposure(np.random.default_rng(seed), 128)
        light = galaxies.morphology.ring(e, (0.0, 0.0), 16.0, 10.0)[2]
        radius = np.hypot(e.x, e.y)
        profile = [light[(radius >= r) & (radius < r + 1)].mean() for r in range(30)]
        brighter += max(profile[8:]) > 1.3 * min(profile[5:12])
    assert brighter == 12


def test_lensed_light_is_bluer_than_the_lens():
    e = galaxies.Exposure(np.random.default_rng(2), 128)
    light = galaxies.morphology.lens(e, (0.0, 0.0), 16.5, 8.0)
    blueness = light[2] / light[0]
    radius = np.hypot(e.x, e.y)
    assert blueness[(radius > 8) & (radius < 26)].max() > 2 * blueness[radius < 3].max()


def test_the_magnitude_is_that_of_the_light():
    e = galaxies.Exposure(np.random.default_rng(0), 96)
    light = e.shine(galaxies.morphology.sersic(np.hypot(e.x, e.y), 2.0, 6.0), 17.0, 0.7)
    i, r, g = 22.5 - 2.5 * np.log10(light.sum(axis=(1, 2)))
    assert r == pytest.approx(17.0, abs=1e-3)
    assert g - r == pytest.approx(0.7, abs=1e-3)
    assert i < r


def test_a_missing_band_is_black_in_that_color():
    shares = [(observe("missing_band", seed).min(axis=2) < 12).mean() for seed in range(6)]
    whole = [(observe("elliptical", seed).min(axis=2) < 12).mean() for seed in range(6)]
    assert min(shares) > max(whole)


def test_a_scene_looks_the_same_at_every_size():
    small, large = (observe("elliptical", 5, size).mean(axis=2) for size in (64, 128))
    coarse = large.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    assert np.corrcoef(small[24:40, 24:40].ravel(), coarse[24:40, 24:40].ravel())[0, 1] > 0.7


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"n": 0}, "n must be"),
        ({"size": 8}, "size must be"),
        ({"rare_fraction": 1.2}, "rare_fraction must"),
    ],
)
def test_impossible_surveys_are_refused(options, word):
    with pytest.raises(ValueError, match=word):
        make_galaxies(**{"n": 3, **options})
