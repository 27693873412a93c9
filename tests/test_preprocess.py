"""Image to image: against astropy where it does the same, by their laws where it does not."""

import numpy as np
import pytest
from astropy import stats, visualization
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from astronomaly_widgets import preprocess

rng = np.random.default_rng(0)
GREY = rng.normal(10, 3, (20, 30)).astype(np.float32)
RGB = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
FIVE = rng.normal(10, 3, (20, 30, 5)).astype(np.float32)
HOLED = GREY.copy()
HOLED[3:5, 7:9] = np.nan
IMAGES = {"grey": GREY, "rgb": RGB, "five bands": FIVE, "with gaps": HOLED}


def blob(size=64, center=(32, 32), width=4.0, peak=100.0, noise=1.0):
    y, x = np.mgrid[:size, :size]
    image = peak * np.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * width**2))
    return (image + np.random.default_rng(1).normal(0, noise, image.shape)).astype(np.float32)


def n_bands(image):
    return image.shape[2] if image.ndim == 3 else 1


FUNCTIONS = {
    "grey": preprocess.grey,
    "sigma_clip": preprocess.sigma_clip,
    "sigma_clip central": lambda image: preprocess.sigma_clip(image, central=True),
    "grey by weights": lambda image: preprocess.grey(image, weights=[1] * n_bands(image)),
    "normalize": preprocess.normalize,
    "normalize per band": lambda image: preprocess.normalize(image, per_band=True),
    "normalize by zscale": lambda image: preprocess.normalize(image, limits="zscale"),
    "select_bands": lambda image: preprocess.select_bands(image, [0] * n_bands(image)),
    "stretch": preprocess.stretch,
    "to_uint8": preprocess.to_uint8,
    "to_uint8 with limits": lambda image: preprocess.to_uint8(image, 0, 20),
    "remove_negative": preprocess.remove_negative,
    "center_crop": lambda image: preprocess.center_crop(image, 8),
    "resize": lambda image: preprocess.resize(image, 8),
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_an_image_gives_a_new_image_and_is_left_alone(function, image):
    before = image.copy()
    result = function(image)
    result[...] = 0
    np.testing.assert_array_equal(image, before)
    assert result.shape[:2] == (image.shape[:2] if len(result) > 8 else (8, 8))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("sigma", [2.0, 3.0])
@pytest.mark.parametrize("maxiters", [1, 5, None])
def test_clipped_statistics_are_those_of_astropy(dtype, sigma, maxiters):
    image = blob(peak=200, noise=8) + 30
    image = image.clip(0 if np.dtype(dtype).kind == "u" else -50, 255).astype(dtype)
    ours = preprocess.sigma_clipped_stats(image, sigma, maxiters)
    theirs = stats.sigma_clipped_stats(image.astype(float), sigma=sigma, maxiters=maxiters)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@settings(max_examples=100)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float64]),
        st.integers(1, 200),
        elements=st.integers(0, 200),
    )
)
def test_clipped_statistics_are_those_of_astropy_whatever_the_values(values):
    ours = preprocess.sigma_clipped_stats(values)
    theirs = stats.sigma_clipped_stats(values.astype(float))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_clipped_statistics_know_integers_that_span_all_of_their_type():
    for dtype in (np.int8, np.int16, ">i2"):
        ends = np.iinfo(dtype)
        values = np.r_[rng.integers(-20, 20, 301), ends.min, ends.max].astype(dtype)
        theirs = stats.sigma_clipped_stats(values.astype(float))
        np.testing.assert_allclose(preprocess.sigma_clipped_stats(values), theirs)


@pytest.mark.parametrize("missing", [-9999, -1e10, -1e30])
def test_faint_pixels_are_not_drowned_by_a_number_that_stands_for_no_data(missing):
    image = blob(101, (50, 50), 8, peak=3e-3, noise=1e-5)  # as a radio image, in Jy
    image[:20, :20] = missing
    theirs = stats.sigma_clipped_stats(image.astype(float), maxiters=None)
    ours = preprocess.sigma_clipped_stats(image, maxiters=None)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_clipped_statistics_leave_out_what_is_not_finite():
    values = np.r_[GREY.ravel(), np.nan, np.inf, -np.inf]
    assert preprocess.sigma_clipped_stats(values) == preprocess.sigma_clipped_stats(GREY)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_clipped_statistics_of_nothing_are_nan(values):
    assert np.isnan(preprocess.sigma_clipped_stats(np.array(values))).all()


def test_grey_is_the_mean_of_all_bands():
    for image in (RGB, FIVE, RGB.astype(np.int32)):
        np.testing.assert_allclose(preprocess.grey(image), image.mean(axis=2), rtol=1e-5)


@pytest.mark.parametrize("band", range(5))
def test_no_band_is_dropped(band):
    image = np.zeros((4, 4, 5), np.float32)
    image[..., band] = 5
    np.testing.assert_allclose(preprocess.grey(image), 1)


def test_grey_by_the_weights_of_opencv():
    wanted = RGB @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(preprocess.grey(RGB, "opencv"), wanted, rtol=1e-5)
    with pytest.raises(ValueError, match="3 bands, not 5; use method='mean'"):
        preprocess.grey(FIVE, "opencv")
    with pytest.raises(ValueError, match="'mean' or 'opencv'"):
        preprocess.grey(RGB, "median")
    with pytest.raises(ValueError, match=r"an array of shape \(5,\) is no image with pixels"):
        preprocess.grey(np.ones(5))


def test_grey_averages_the_bands_that_have_data():
    image = np.array([[[1, np.nan, 3], [np.nan, np.nan, np.nan]]])
    np.testing.assert_array_equal(preprocess.grey(image), [[2, np.nan]])


def test_sigma_clipping_keeps_what_stands_out():
    image = blob() + 7
    image[5, 5] = 90
    y, x = np.mgrid[:64, :64]
    near = np.hypot(x - 32, y - 32) < 8
    clipped = preprocess.sigma_clip(image)
    np.testing.assert_array_equal(clipped[near], image[near])
    assert clipped[5, 5] == image[5, 5]
    assert (clipped == 0).mean() > 0.8
    central = preprocess.sigma_clip(image, central=True, fill=-1)
    np.testing.assert_array_equal(central[near], image[near])
    assert central[5, 5] == -1


def test_sigma_clipping_clips_all_bands_alike():
    color = np.dstack([blob(), 0.1 * blob(), np.zeros((64, 64), np.float32)])
    mask = preprocess.source_mask(color, central=True)
    clipped = preprocess.sigma_clip(color, central=True)
    np.testing.assert_array_equal(clipped[mask], color[mask])
    assert not clipped[~mask].any()


@pytest.mark.parametrize("fill", [np.nan, -1, 0.5, 300])
def test_what_is_clipped_of_8_bits_has_the_value_that_was_asked_for(fill):
    image = blob(noise=0).astype(np.uint8)
    clipped = preprocess.sigma_clip(image, fill=fill)
    removed = ~preprocess.source_mask(image, central=False)
    assert clipped.dtype == np.float32
    assert removed.any()
    np.testing.assert_array_equal(clipped[removed], np.float32(fill))
    np.testing.assert_array_equal(clipped[~removed], image[~removed])
    assert preprocess.sigma_clip(image, fill=255).dtype == np.uint8


def test_a_hole_in_the_central_source_belongs_to_it():
    y, x = np.mgrid[:65, :65]
    ring = np.abs(np.hypot(x - 32, y - 32) - 15) < 3
    image = 100 * ring + np.random.default_rng(0).normal(size=ring.shape)
    mask = preprocess.source_mask(image)
    assert mask[32, 32]
    np.testing.assert_array_equal(mask, np.hypot(x - 32, y - 32) < 18)


@pytest.mark.parametrize("size", [16, 17])
def test_a_single_pixel_at_the_center_is_found(size):
    image = np.zeros((size, size))
    image[size // 2, size // 2] = 1
    assert preprocess.source_mask(image).sum() == 1


@pytest.mark.parametrize("view", [np.transpose, np.rot90, lambda image: image[::-1, ::2]])
def test_the_layout_in_memory_does_not_matter(view):
    image = view(blob())
    np.testing.assert_array_equal(
        preprocess.source_mask(image), preprocess.source_mask(image.copy())
    )


def test_infinite_pixels_are_no_source():
    image = np.zeros((9, 9))
    image[4, 4] = np.inf
    assert not preprocess.source_mask(image).any()


def test_without_a_source_at_the_center_the_mask_is_empty():
    assert not preprocess.source_mask(blob(center=(10, 10))).any()
    assert not preprocess.source_mask(np.ones((9, 9))).any()
    assert not preprocess.source_mask(np.full((9, 9), np.nan)).any()


@pytest.mark.parametrize(
    ("method", "theirs"),
    [
        ("linear", visualization.LinearStretch()),
        ("sqrt", visualization.SqrtStretch()),
        ("log", visualization.LogStretch()),
        ("asinh", visualization.AsinhStretch()),
        ("sinh", visualization.SinhStretch()),
    ],
)
def test_stretches_are_those_of_astropy(method, theirs):
    image = np.linspace(-1, 2, 101)[None]
    wanted = theirs(np.clip(image, 0, 1))
    np.testing.assert_allclose(preprocess.stretch(image, method, 0, 1), wanted, atol=1e-6)


def test_an_unknown_stretch_says_what_is_known():
    with pytest.raises(ValueError, match="linear, sqrt, log, asinh, sinh"):
        preprocess.stretch(GREY, "gamma")


@settings(max_examples=50)
@given(
    hnp.arrays(
        np.float32, (5, 4), elements=st.one_of(st.just(np.nan), st.floats(-1e9, 1e9, width=32))
    )
)
def test_normalized_values_are_0_to_1_in_the_same_order_and_gaps_stay(image):
    result = preprocess.normalize(image)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(result), np.isnan(image))
    order = np.argsort(image[~np.isnan(image)])
    assert (np.diff(result[~np.isnan(image)][order]) >= 0).all()
    assert ((result >= 0) & (result <= 1))[~np.isnan(image)].all()


def test_a_constant_image_becomes_0():
    np.testing.assert_array_equal(preprocess.normalize(np.full((3, 3), 7.0)), np.zeros((3, 3)))


def test_percentile_limits_leave_out_gaps():
    values = np.r_[np.arange(101.0), np.nan, np.inf]
    assert preprocess.percentile_limits(values, 5, 90) == (5, 90)
    assert preprocess.percentile_limits(np.array([np.nan])) == (0, 1)


def test_eight_bits_for_a_picture():
    image = np.array([[0, 0.5, 1, 2, np.nan]])
    np.testing.assert_array_equal(preprocess.to_uint8(image, 0, 1), [[0, 128, 255, 255, 0]])
    np.testing.assert_array_equal(preprocess.to_uint8(RGB), RGB)


def test_negative_values_become_0_and_gaps_stay():
    result = preprocess.remove_negative(np.array([[-1, 2, np.nan]]))
    np.testing.assert_array_equal(result, [[0, 2, np.nan]])


def test_the_crop_is_the_middle():
    image = np.arange(49).reshape(7, 7)
    np.testing.assert_array_equal(preprocess.center_crop(image, 3), image[2:5, 2:5])
    np.testing.assert_array_equal(preprocess.center_crop(image, (1, 7)), image[3:4])
    np.testing.assert_array_equal(preprocess.center_crop(image, 100), image)
    with pytest.raises(ValueError, match="at least one pixel"):
        preprocess.center_crop(image, 0)


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("size", [7, (40, 31)])
def test_resizing_keeps_bands_and_brightness(image, size):
    result = preprocess.resize(image, size)
    assert result.shape == ((7, 7) if size == 7 else size) + image.shape[2:]
    assert result.dtype == image.dtype
    assert np.nanmean(result) == pytest.approx(np.nanmean(image), rel=0.03)


def test_shrinking_is_the_mean_of_areas_that_have_data():
    image = np.array([[1, 3, np.nan, np.nan], [1, np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(preprocess.resize(image, (1, 2)), [[5 / 3, np.nan]])


def test_a_size_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one pixel"):
        preprocess.resize(GREY, (0, 5))
