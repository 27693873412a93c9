"""Ellipse features against drawn galaxies of known shape (LB21 appendix B)."""

import cv2
import numpy as np
import pytest

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import EllipseFeatures
from astronomaly_widgets.features.ellipse import _fit

LEVELS = (80, 70, 60, 50, 0)


def ellipses(*levels, size=401):
    """Flat ellipses on top of each other, on a noisy sky: (x, y, semi-axes, angle) of each."""
    image = np.zeros((size, size), np.float32)
    y, x = np.mgrid[:size, :size].astype(float)
    for cx, cy, a, b, angle in levels:
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        u, v = (x - cx) * c + (y - cy) * s, (y - cy) * c - (x - cx) * s
        image[(u / a) ** 2 + (v / b) ** 2 <= 1] += 100
    noise = np.random.default_rng(0).normal(0, 1, image.shape).astype(np.float32)
    return np.where(image > 0, image, noise)


def profile(a, b, angle, center=(200, 200), size=401):
    """An exponential galaxy."""
    y, x = np.mgrid[:size, :size].astype(float)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    dx, dy = x - center[0], y - center[1]
    radius = np.hypot((dx * c + dy * s) / a, (dy * c - dx * s) / b)
    noise = np.random.default_rng(0).normal(0, 0.5, radius.shape)
    return (1000 * np.exp(-3 * radius) + noise).astype(np.float32)


def measured(image, **settings):
    extractor = EllipseFeatures(**settings)
    return dict(zip(extractor.feature_names(None), extractor.extract(image), strict=True))


def test_there_are_21_numbers_and_each_has_a_name():
    names = EllipseFeatures().feature_names(None)
    assert names == (
        "residual_90",
        *(f"{m}_{p}" for p in LEVELS for m in ("residual", "offset", "aspect", "theta")),
    )
    assert len(names) == 21
    values = EllipseFeatures().extract(profile(40, 20, 30))
    assert values.shape == (21,)
    assert values.dtype == np.float32


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
@pytest.mark.parametrize("minor", [12, 25])
def test_an_ordinary_galaxy_is_a_nest_of_like_ellipses(angle, minor):
    features = measured(profile(40, minor, angle))
    for level in LEVELS:
        assert features[f"residual_{level}"] < (0.3 if level == 0 else 0.12)
        assert features[f"offset_{level}"] < 1
        assert features[f"aspect_{level}"] == pytest.approx(1, abs=0.2 if level == 0 else 0.07)
        assert features[f"theta_{level}"] < 5


@pytest.mark.parametrize("inner_angle", [0, 20, 90, 160, 179])
@pytest.mark.parametrize("turn", [0, 5, 45, 85, 90, 120, 175])
def test_theta_is_the_angle_between_the_axes_from_0_to_90(inner_angle, turn):
    image = ellipses((200, 200, 70, 40, inner_angle + turn), (200, 200, 24, 12, inner_angle))
    wanted = min(turn, 180 - turn)
    assert measured(image, percentiles=(90, 0))["theta_0"] == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize(("outer", "inner"), [((60, 30), (20, 20)), ((50, 50), (30, 10))])
def test_aspect_is_the_ratio_of_the_ratios_of_the_axes(outer, inner):
    image = ellipses((200, 200, *outer, 20), (200, 200, *inner, 20))
    wanted = (outer[0] / outer[1]) / (inner[0] / inner[1])
    assert measured(image, percentiles=(95, 0))["aspect_0"] == pytest.approx(wanted, rel=0.05)


@pytest.mark.parametrize("shift", [(0, 0), (12, 0), (-9, 12)])
def test_offset_is_the_distance_of_the_centers_in_pixels(shift):
    image = ellipses((200, 200, 60, 50, 0), (200 + shift[0], 200 + shift[1], 15, 12, 0))
    offset = measured(image, percentiles=(95, 0))["offset_0"]
    assert offset == pytest.approx(np.hypot(*shift), abs=0.3)


def test_residual_is_the_area_that_differs_by_the_area_of_the_contour():
    image = np.zeros((201, 201), np.float32)
    image[70:131, 70:131] = 100
    image[95:106, 95:106] = 200
    ellipse = measured(image, percentiles=(99, 0))
    # the ellipse that OpenCV fits to the outline of a square is a circle
    y, x = np.mgrid[:61, :61]
    (_, (width, _), _) = cv2.fitEllipse(
        cv2.findContours(np.ones((61, 61), np.uint8), 0, cv2.CHAIN_APPROX_NONE)[0][0]
    )
    circle = np.hypot(x - 30, y - 30) <= width / 2
    area = np.pi * width**2 / 4
    wanted = (61**2 - circle.sum() + area - circle.sum()) / 61**2
    assert ellipse["residual_0"] == pytest.approx(wanted, abs=0.02)


def test_two_galaxies_in_one_contour_fit_badly():
    pair = profile(30, 25, 0, (180, 200)) + profile(30, 25, 0, (235, 200))
    one, two = measured(profile(30, 25, 0)), measured(pair)
    assert two["residual_80"] > 10 * one["residual_80"]
    assert one["offset_0"] < 1
    assert two["offset_0"] > 20


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_features_do_not_change_when_the_image_is_turned(turns):
    image = ellipses((200, 200, 70, 40, 20), (203, 198, 40, 20, 50), (205, 195, 22, 14, 80))
    extractor = EllipseFeatures()
    turned = extractor.extract(np.ascontiguousarray(np.rot90(image, turns)))
    np.testing.assert_allclose(turned, extractor.extract(image), rtol=0.05, atol=0.3)


def test_features_do_not_change_with_the_scale_of_brightness():
    image = profile(40, 20, 30)
    extractor = EllipseFeatures()
    np.testing.assert_allclose(
        extractor.extract(image * 64 + 1024), extractor.extract(image), rtol=1e-3, atol=1e-3
    )


def test_bands_are_averaged():
    image = profile(40, 20, 30).clip(0, 255).astype(np.uint8)
    extractor = EllipseFeatures()
    alone = extractor.extract(image)
    np.testing.assert_array_equal(extractor.extract(np.dstack([image] * 3)), alone)
    np.testing.assert_allclose(
        extractor.extract(np.dstack([image] * 5).astype(np.float32)), alone, rtol=1e-4, atol=1e-4
    )


def test_noise_and_neighbors_outside_the_contour_do_not_matter():
    image = profile(30, 15, 0)
    neighbor = image.copy()
    neighbor[5:15, 5:15] += 500
    extractor = EllipseFeatures()
    np.testing.assert_allclose(
        extractor.extract(neighbor), extractor.extract(image), rtol=0.05, atol=0.3
    )


def test_missing_pixels_are_no_source():
    image = profile(40, 20, 30)
    image[200, 190:196] = np.nan
    image[:20] = np.nan
    assert np.isfinite(EllipseFeatures().extract(image)).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50), np.uint8),
        np.full((50, 50), np.nan),
        np.random.default_rng(0).normal(size=(50, 50)).clip(-2, 2),
        profile(10, 8, 0, center=(20, 20)),
    ],
    ids=["blank", "no data", "noise", "source elsewhere"],
)
def test_without_a_source_at_the_center_there_is_a_reason(image):
    with pytest.raises(MeasurementError, match="no source above 3 sigma at the image's center"):
        EllipseFeatures().extract(image)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5)], ids=lambda s: f"{s[0]}x{s[1]}"
)
def test_a_source_of_a_few_pixels_gives_finite_numbers(shape):
    image = np.zeros((41, 41), np.float32)
    top, left = 20 - shape[0] // 2, 20 - shape[1] // 2
    image[top : top + shape[0], left : left + shape[1]] = (
        np.arange(shape[0] * shape[1]).reshape(shape) + 9
    )
    values = EllipseFeatures().extract(image)
    assert np.isfinite(values).all()


def test_a_contour_whose_fit_runs_away_takes_its_second_moments():
    shape = np.array([[1, 1], [1, 1], [1, 0]], np.uint8)
    contour = cv2.findContours(np.pad(shape, 1), 0, cv2.CHAIN_APPROX_NONE)[0][0]
    assert max(cv2.fitEllipse(contour)[1]) > 10  # round a shape of 3 x 2 pixels
    image = np.zeros((41, 41), np.float32)
    image[19:22, 20:22] = 10 * shape
    image[20, 20] = 11
    assert measured(image, percentiles=(90, 0))["aspect_0"] < 3


def test_a_contour_that_lets_the_fit_collapse_takes_its_second_moments_each_time():
    # OpenCV moves points that lie so regularly at random, and finds an ellipse of 0.1 pixels
    shape = np.array([[0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]], np.float32)
    image = np.zeros((41, 41), np.float32)
    image[19:22, 18:23] = 10 * shape
    image[20, 20] = 11
    contour = cv2.findContours(shape.astype(np.uint8), 0, cv2.CHAIN_APPROX_NONE)[0][0]
    x, y = np.array([-2, -1, 0, 0, 0, 1, 2]), np.array([0, 0, -1, 0, 1, 0, 0])
    assert max(cv2.fitEllipse(contour)[1]) < 1
    wanted = np.sqrt((x.var() + 1 / 12) / (y.var() + 1 / 12))
    ellipse = _fit(contour, shape.astype(np.uint8))
    long, short = (np.array([ellipse.major, ellipse.minor]) / 4) ** 2
    assert np.sqrt(long / short) == pytest.approx(wanted)
    first = EllipseFeatures().extract(image)
    for _ in range(5):
        np.testing.assert_array_equal(EllipseFeatures().extract(image), first)


def test_settings_say_all_that_the_numbers_depend_on():
    assert EllipseFeatures().settings() == EllipseFeatures().settings()
    assert EllipseFeatures(sigma=5).settings() != EllipseFeatures().settings()
    assert EllipseFeatures(percentiles=(90, 0)).settings() != EllipseFeatures().settings()
