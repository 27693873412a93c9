"""Morphology against photutils, statmorph and formulas, on drawn galaxies."""

import warnings

import numpy as np
import pytest
import statmorph
from photutils.aperture import CircularAperture
from photutils.morphology import gini

from astronomaly_widgets import preprocess
from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import MorphologyFeatures
from astronomaly_widgets.features._radial import growth
from astronomaly_widgets.features.morphology import _Pixels

NAMES = MorphologyFeatures().feature_names(None)


def galaxy(
    *, scale=8.0, ratio=0.6, angle=30.0, n=1.0, size=121, noise=0.5, peak=300.0, center=None
):
    """An elliptical profile exp(-(r / scale)^(1 / n)) on a sky of 20."""
    x0, y0 = center or ((size - 1) / 2, (size - 1) / 2)
    y, x = np.mgrid[:size, :size].astype(float)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    dx, dy = x - x0, y - y0
    radius = np.hypot(dx * c + dy * s, (dy * c - dx * s) / ratio)
    sky = np.random.default_rng(0).normal(20, noise, (size, size))
    return peak * np.exp(-((radius / scale) ** (1 / n))) + sky


def knots(n=6, size=121, scale=8.0, angle=0.0):
    """A galaxy with bright knots at random places, turned round its center."""
    image = galaxy(size=size, scale=scale, angle=30 + angle, noise=0.01)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    for px, py in np.random.default_rng(5).normal(0, scale, (n, 2)):
        cx, cy = px * c - py * s, px * s + py * c
        image += 120 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (scale / 4) ** 2))
    return image


def measured(image, **settings):
    return dict(zip(NAMES, MorphologyFeatures(**settings).extract(image), strict=True))


def test_the_curve_of_growth_is_the_exact_sum_in_circles_of_photutils():
    image = galaxy() - 20
    curve = growth(image, 60.3, 59.6)
    for radius in (2, 3, 5, 10.5, 20, 50):
        circle = CircularAperture((60.3, 59.6), radius).to_mask(method="exact")
        exact = circle.multiply(image).sum()
        assert curve.total(radius) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("scale", [3, 6, 10])
def test_the_petrosian_radius_of_an_exponential_disk(scale):
    """Where the surface brightness is a fifth of its mean within."""
    image = galaxy(scale=scale, ratio=1, noise=0, size=161) - 20
    r = np.linspace(0.01, 20, 100_000)  # in units of the scale
    mean = 2 * (1 - (1 + r) * np.exp(-r)) / r**2
    wanted = scale * r[np.argmax(np.exp(-r) <= 0.2 * mean)]
    assert growth(image, 80, 80).petrosian_radius() == pytest.approx(wanted, rel=0.005)


@pytest.mark.parametrize(("n", "wanted"), [(0.5, 2.1), (1, 2.7), (2, 3.3)])
def test_concentration_is_that_of_the_profile(n, wanted):
    """5 log(r80 / r20) within 1.5 Petrosian radii, integrated along a radius."""
    image = galaxy(scale=8 if n < 2 else 1.5, ratio=1, n=n, noise=0.01, size=241)
    r = np.linspace(1e-3, 400, 400_000)
    light = np.cumsum(r * np.exp(-((r / (8 if n < 2 else 1.5)) ** (1 / n)))) * (r[1] - r[0])
    surface = np.exp(-((r / (8 if n < 2 else 1.5)) ** (1 / n)))
    petrosian = r[np.argmax(surface <= 0.2 * 2 * light / r**2)]
    total = np.interp(1.5 * petrosian, r, light)
    r20, r50, r80 = np.interp([0.2 * total, 0.5 * total, 0.8 * total], light, r)
    found = measured(image)
    assert found["concentration"] == pytest.approx(5 * np.log10(r80 / r20), abs=0.08)
    assert found["concentration"] == pytest.approx(wanted, abs=0.2)
    assert found["half_light_radius"] == pytest.approx(r50, rel=0.03)


def by_statmorph(image):
    mask = preprocess.source_mask(image, maxiters=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how statmorph reads its arguments
        return statmorph.SourceMorphology(image - 20, mask.astype(int), label=1, gain=1.0)


DRAWN = {
    "disk": galaxy(),
    "off the pixels": galaxy(center=(60.4, 59.8)),
    "knots": knots(),
    "turned knots": knots(angle=45),
}


@pytest.mark.parametrize("image", DRAWN.values(), ids=DRAWN)
def test_the_numbers_are_those_of_statmorph(image):
    """Which segments by an elliptical Petrosian radius, and we by a circular one."""
    ours, theirs = measured(image), by_statmorph(image)
    assert ours["gini"] == pytest.approx(theirs.gini, abs=0.05)
    assert ours["m20"] == pytest.approx(theirs.m20, abs=0.06)
    assert ours["concentration"] == pytest.approx(theirs.concentration, abs=0.04)
    assert ours["asymmetry"] == pytest.approx(theirs.asymmetry, abs=0.01)
    assert ours["shape_asymmetry"] == pytest.approx(theirs.shape_asymmetry, abs=0.03)
    assert ours["smoothness"] == pytest.approx(theirs.smoothness, abs=0.03)
    assert ours["half_light_radius"] == pytest.approx(theirs.r50, rel=0.02)
    assert ours["ellipticity"] == pytest.approx(theirs.ellipticity_centroid, abs=0.005)


def test_gini_of_the_same_pixels_is_that_of_photutils():
    pixels = _Pixels((knots() - 20).astype(np.float32), np.hypot(*np.ogrid[-60:61, -60:61]) < 20)
    inside = (knots() - 20)[np.hypot(*np.ogrid[-60:61, -60:61]) < 20]
    assert pixels.gini() == pytest.approx(gini(inside), rel=1e-5)


def test_m20_is_its_formula_for_two_points():
    """A fifth of the light sits in one pixel, the rest in another four pixels away."""
    flux = np.zeros((9, 9), np.float32)
    flux[4, 2], flux[4, 6] = 3, 1
    pixels = _Pixels(flux, flux >= 0)
    moment = np.array([3 * (1 + 1 / 6), 1 * (9 + 1 / 6)])
    assert pixels.m20() == pytest.approx(np.log10(moment[0] / moment.sum()))


def test_moments_are_those_of_the_drawn_profile():
    """For light as exp(-r^2 / s^2), which is round, c22 / c11^2 is 2."""
    y, x = np.mgrid[-40:41, -40:41]
    pixels = _Pixels(np.exp(-(x**2 + y**2) / 100).astype(np.float32), np.ones((81, 81), bool))
    assert pixels.moments() == pytest.approx((0, 0, 2), abs=0.02)
    assert pixels.ellipticity() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.3, 0.6, 1])
def test_ellipticity_is_that_of_the_drawn_galaxy(ratio):
    assert measured(galaxy(ratio=ratio))["ellipticity"] == pytest.approx(1 - ratio, abs=0.03)


@pytest.mark.parametrize("image", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("turn", [np.rot90, np.flipud, np.transpose])
def test_quarter_turns_and_reflections_change_nothing(image, turn):
    np.testing.assert_allclose(
        MorphologyFeatures().extract(turn(image)), MorphologyFeatures().extract(image), atol=5e-3
    )


@pytest.mark.parametrize("angle", [20, 45, 70])
@pytest.mark.parametrize("draw", [galaxy, knots])
def test_a_rotation_changes_hardly_anything(angle, draw):
    before, after = measured(draw(angle=0)), measured(draw(angle=angle))
    for name in NAMES:
        assert after[name] == pytest.approx(before[name], abs=0.03, rel=0.03), name


@pytest.mark.parametrize("draw", [galaxy, knots])
def test_only_the_half_light_radius_grows_with_the_source(draw):
    small, large = measured(draw(scale=8, size=121)), measured(draw(scale=16, size=241))
    assert large.pop("half_light_radius") == pytest.approx(2 * small["half_light_radius"], rel=0.02)
    for name, value in large.items():
        assert value == pytest.approx(small[name], abs=0.03, rel=0.02), name


@pytest.mark.parametrize("factor", [1e-20, 0.01, 1e20])
def test_brightness_and_sky_change_nothing(factor):
    image = galaxy(noise=2)
    np.testing.assert_allclose(
        MorphologyFeatures().extract(image * factor + 40 * factor),
        MorphologyFeatures().extract(image),
        atol=0.02,
    )


@pytest.mark.parametrize("name", ["gini", "m20", "concentration", "asymmetry", "smoothness"])
def test_noise_changes_little(name):
    """Of the same galaxy at a hundred times the noise; asymmetry and smoothness are corrected."""
    clean, noisy = (measured(galaxy(noise=noise))[name] for noise in (0.05, 5))
    assert noisy == pytest.approx(clean, abs={"m20": 0.1, "concentration": 0.12}.get(name, 0.03))


def test_more_unequal_light_has_a_higher_gini_and_concentration():
    found = [measured(galaxy(n=n, scale=s, ratio=1)) for n, s in ((0.5, 12), (1, 8), (2, 1.5))]
    for name in ("gini", "concentration"):
        values = [each[name] for each in found]
        assert values == sorted(values), name


def test_a_merger_is_asymmetric_and_its_light_is_spread_out():
    pair = galaxy(scale=6, center=(50, 60)) + galaxy(scale=5, center=(68, 62), angle=100, peak=200)
    one, two = measured(galaxy(scale=6)), measured(pair - 20)
    for name in ("asymmetry", "shape_asymmetry", "m20", "triangularity"):
        assert two[name] > one[name] + 0.1, name


def test_a_tail_shows_in_the_outline_before_it_shows_in_the_light():
    image = galaxy(scale=6)
    tail = image.copy()
    tail[58:63, 75:110] += 5
    before, after = measured(image), measured(tail)
    assert after["shape_asymmetry"] > before["shape_asymmetry"] + 0.1
    assert after["asymmetry"] < before["asymmetry"] + 0.03


def test_knots_are_less_smooth():
    assert measured(knots())["smoothness"] > measured(galaxy())["smoothness"] + 0.02


def test_neighbors_outside_the_contour_hardly_matter():
    image = galaxy(scale=5)
    neighbor = image.copy()
    neighbor[5:15, 5:15] += 500
    np.testing.assert_allclose(
        MorphologyFeatures().extract(neighbor), MorphologyFeatures().extract(image), atol=0.03
    )


def test_bands_are_averaged_and_missing_pixels_are_sky():
    image = galaxy()
    color = np.dstack([0.5 * image, image, 1.5 * image])
    np.testing.assert_allclose(
        MorphologyFeatures().extract(color), MorphologyFeatures().extract(image), atol=1e-3
    )
    image[:20] = np.nan
    image[60, 58] = np.nan
    assert np.isfinite(MorphologyFeatures().extract(image)).all()


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (3, 3), (2, 5), (9, 1), (4, 4)])
@pytest.mark.parametrize("size", [12, 41])
def test_a_source_of_a_few_pixels_gives_finite_numbers(shape, size):
    image = np.zeros((size, size), np.float32)
    top, left = size // 2 - shape[0] // 2, size // 2 - shape[1] // 2
    image[top : top + shape[0], left : left + shape[1]] = 9
    assert np.isfinite(MorphologyFeatures().extract(image)).all()


@pytest.mark.parametrize("shape", [(31, 15), (12, 61)])
def test_a_source_that_fills_the_image_gives_finite_numbers(shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = 100 * np.exp(-np.hypot(x - shape[1] / 2, y - shape[0] / 2) / 9)
    assert np.isfinite(MorphologyFeatures(sigma=1).extract(image)).all()


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.ones((1, 1)), "no source above 3 sigma at the image's center"),
        (np.ones((40, 40, 3), np.uint8), "no source above 3 sigma"),
        (np.full((9, 9), np.nan), "the image has no data"),
        (np.pad(np.ones((1, 2)), 9), "the source has too few pixels: 2, wanted 3"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(image, reason):
    with pytest.raises(MeasurementError, match=reason):
        MorphologyFeatures().extract(image)


def test_settings_say_all_that_the_numbers_depend_on():
    assert MorphologyFeatures(5).settings() != MorphologyFeatures().settings()
