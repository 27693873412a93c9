"""Photometry against photutils and the formulas of magnitudes; and green peas are found by it."""

import numpy as np
import pytest
from photutils.aperture import CircularAperture
from photutils.segmentation import SegmentationImage, SourceCatalog
from sklearn.ensemble import IsolationForest

from astronomaly_widgets import preprocess
from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import MorphologyFeatures, PhotometryFeatures
from astronomaly_widgets.sources import ImageStack


def galaxy(
    colors=(1.0, 0.8, 0.5), *, angle=20.0, peak=400.0, noise=1.0, size=61, scale=5.0, seed=0
):
    """An exponential galaxy on a sky of 20; `colors` are the brightnesses of its bands."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    light = peak * np.exp(-np.hypot(x * c + y * s, (y * c - x * s) / 0.6) / scale)
    sky = np.random.default_rng(seed).normal(20, noise, (size, size, len(colors)))
    return light[..., None] * np.asarray(colors) + sky


def measured(image, **settings):
    extractor = PhotometryFeatures(**settings)
    names = extractor.feature_names(ImageStack(np.asarray(image)[None]))
    return dict(zip(names, extractor.extract(np.asarray(image)), strict=True))


def asinh_magnitude(flux, softening):
    """Lupton, Gunn & Szalay (1999), eq. 3."""
    return -2.5 / np.log(10) * (np.arcsinh(flux / (2 * softening)) + np.log(softening))


def test_the_flux_in_a_circle_is_that_of_photutils():
    image = galaxy()
    found = measured(image, radius=12.3)
    circle = CircularAperture((30, 30), 12.3)
    mask = circle.to_mask(method="center")
    inside = mask.to_image((61, 61)) > 0
    for band in range(3):
        _, sky, noise = preprocess.sigma_clipped_stats(image[..., band][~inside])
        flux = mask.multiply(image[..., band] - sky).sum()
        wanted = asinh_magnitude(flux, 1.042 * noise * np.sqrt(inside.sum()))
        assert found[f"magnitude_{band}"] == pytest.approx(wanted, abs=1e-4)


def test_the_flux_of_a_source_is_that_of_its_segment_in_photutils():
    image = galaxy(noise=0.1)
    mask = preprocess.source_mask(preprocess.grey(image), maxiters=None)
    found = measured(image)
    for band in range(3):
        sky = preprocess.sigma_clipped_stats(image[..., band][~mask])[1]
        catalog = SourceCatalog(image[..., band] - sky, SegmentationImage(mask.astype(int)))
        wanted = -2.5 * np.log10(catalog.segment_flux[0])
        assert found[f"magnitude_{band}"] == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1, 3])
def test_colors_are_those_of_the_light(ratio):
    found = measured(galaxy((1, ratio, 1), noise=0.05))
    assert found["color_0_1"] == pytest.approx(2.5 * np.log10(ratio), abs=0.01)
    assert found["color_1_2"] == pytest.approx(-2.5 * np.log10(ratio), abs=0.01)
    assert found["color_gradient_0_1"] == pytest.approx(0, abs=0.06)


def test_a_blue_core_shows_in_the_gradient():
    core = galaxy((1, 0.2), scale=1.5) - 20
    image = galaxy((0.3, 1)) + core
    found = measured(image)
    assert found["color_gradient_0_1"] < -0.2
    assert measured(image[..., ::-1])["color_gradient_0_1"] == pytest.approx(
        -found["color_gradient_0_1"], abs=1e-5
    )


def test_the_surface_brightness_is_per_pixel():
    image = np.full((61, 61), 5.0) + np.random.default_rng(0).normal(0, 0.01, (61, 61))
    image[25:36, 25:36] += 100
    assert measured(image)["surface_brightness"] == pytest.approx(-5, abs=0.01)


@pytest.mark.parametrize("factor", [1e-12, 0.01, 50, 1e12])
def test_brightness_shifts_magnitudes_and_leaves_colors(factor):
    before, after = measured(galaxy()), measured(galaxy() * factor)
    for name, value in before.items():
        shift = 0 if name.startswith("color") else -2.5 * np.log10(factor)
        assert after[name] == pytest.approx(value + shift, abs=2e-3), name


def test_the_level_of_the_sky_and_the_zero_point():
    before = measured(galaxy())
    assert measured(galaxy() + 300) == pytest.approx(before, abs=1e-3)
    moved = measured(galaxy(), zero_point=22.5)
    for name, value in before.items():
        shift = 0 if name.startswith("color") else 22.5
        assert moved[name] == pytest.approx(value + shift, abs=1e-4), name


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_changes_nothing(turns):
    image = galaxy()
    assert measured(np.rot90(image, turns)) == pytest.approx(measured(image), abs=1e-3)


@pytest.mark.parametrize("angle", [0, 45, 80])
def test_a_rotation_changes_hardly_anything(angle):
    assert measured(galaxy(angle=angle)) == pytest.approx(measured(galaxy()), abs=0.05)


def test_a_larger_source_is_brighter_and_has_the_same_color():
    small, large = measured(galaxy(scale=3, noise=0.1)), measured(galaxy(scale=6, noise=0.1))
    gained = small["magnitude_0"] - large["magnitude_0"]
    assert gained == pytest.approx(5 * np.log10(2), abs=0.1)
    assert small["color_0_1"] == pytest.approx(large["color_0_1"], abs=0.01)


def test_a_band_in_which_the_source_is_not_seen_has_a_finite_color():
    found = measured(galaxy((1, 0, -0.01)))
    assert np.isfinite(list(found.values())).all()
    assert found["color_0_1"] < -3


def test_missing_pixels_count_as_the_others():
    image = galaxy(noise=0.1)
    holed = image.copy()
    holed[30, 28:33, 1] = np.nan
    holed[:20, :20] = np.nan
    whole, found = measured(image), measured(holed)
    assert found["magnitude_0"] == pytest.approx(whole["magnitude_0"], abs=0.01)
    assert found["magnitude_1"] == pytest.approx(whole["magnitude_1"], abs=0.2)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_the_type_of_the_pixels_does_not_matter(dtype):
    image = galaxy(noise=4, peak=200).round().clip(0, 255)
    wanted = measured(image.astype(np.float32))
    assert measured(image.astype(dtype)) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.ones((1, 1)), "no source above 3 sigma at the image's center"),
        (np.ones((40, 40, 3)), "no source above 3 sigma"),
        (np.dstack([galaxy()[..., 0], np.full((61, 61), np.nan)]), "band 1 has no data$"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(image, reason):
    with pytest.raises(MeasurementError, match=reason):
        PhotometryFeatures().extract(image)


def test_a_band_without_data_within_the_source_has_a_reason():
    image = galaxy()
    image[10:50, 10:50, 2] = np.nan
    with pytest.raises(MeasurementError, match="band 2 has no data within the source"):
        PhotometryFeatures(radius=8).extract(image)
    with pytest.raises(MeasurementError, match="as bright as the sky"):
        PhotometryFeatures(radius=8).extract(np.ones((30, 30)))


def test_settings_say_all_that_the_numbers_depend_on():
    settings = [
        PhotometryFeatures(**each).settings()
        for each in ({}, {"sigma": 4}, {"radius": 5}, {"zero_point": 22.5})
    ]
    assert all(one != other for k, one in enumerate(settings) for other in settings[:k])
    with pytest.raises(ValueError, match="radius is 0; wanted at least 1 pixel"):
        PhotometryFeatures(radius=0)


def test_features_are_named_after_the_bands_of_the_source():
    source = ImageStack(galaxy()[None])
    source.bands = ("g", "r", "z")
    assert PhotometryFeatures().feature_names(source) == (
        "magnitude_g",
        "magnitude_r",
        "magnitude_z",
        "surface_brightness",
        "color_g_r",
        "color_r_z",
        "color_gradient_g_r",
        "color_gradient_r_z",
    )
    assert PhotometryFeatures().feature_names(ImageStack(galaxy((1,))[None, ..., 0])) == (
        "magnitude",
        "surface_brightness",
    )


def test_green_peas_are_found_by_color_and_by_no_shape():
    """Cardamone et al. (2009): round, compact and green among red and blue galaxies."""
    rng = np.random.default_rng(1)
    images, peas = [], rng.choice(200, 6, replace=False)
    for k in range(200):
        redness = rng.uniform(0.6, 1.4)
        colors = (0.5, 2, 0.5) if k in peas else (redness, 1.0, 2 - redness)
        angle, peak = rng.uniform(0, 180), rng.uniform(150, 400)
        images.append(galaxy(colors, angle=angle, peak=peak, scale=rng.uniform(3, 6), seed=k))

    def found(extractor):
        X = np.stack([extractor.extract(image) for image in images])
        order = IsolationForest(random_state=0).fit(X).score_samples(X).argsort()
        return np.isin(order[:12], peas).sum()

    assert found(PhotometryFeatures()) == 6
    assert found(MorphologyFeatures()) <= 2
