"""The flux histogram against numpy's, and laws of its own."""

import numpy as np
import pytest
from astropy.stats import sigma_clipped_stats
from scipy.stats import norm

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import FluxHistogramFeatures
from astronomaly_widgets.sources import ImageStack

rng = np.random.default_rng(0)
EDGES = (-3, -1, 0, 1, 3, 10, 30, 100)
IMAGE = rng.normal(10, 2, (50, 50)) + 300 * np.exp(-np.hypot(*np.ogrid[-25:25, -25:25]) / 3)


def test_it_is_the_root_of_the_histogram_in_sigmas_above_the_sky():
    _, median, sigma = sigma_clipped_stats(IMAGE)
    edges = [-np.inf, *EDGES, np.inf]
    count, _ = np.histogram((IMAGE - median) / sigma, edges)
    found = FluxHistogramFeatures().extract(IMAGE)
    np.testing.assert_allclose(found, np.sqrt(count / IMAGE.size), atol=1e-3)
    assert (found**2).sum() == pytest.approx(1)


def test_noise_is_distributed_as_noise():
    found = FluxHistogramFeatures((-2, -1, 0, 1, 2)).extract(rng.normal(size=(300, 300)))
    wanted = np.diff(norm.cdf([-np.inf, -2, -1, 0, 1, 2, np.inf]))
    np.testing.assert_allclose(found**2, wanted, atol=0.01)


def test_the_places_of_the_pixels_do_not_matter():
    found = FluxHistogramFeatures().extract(IMAGE)
    shuffled = rng.permutation(IMAGE.ravel()).reshape(25, 100)
    np.testing.assert_array_equal(FluxHistogramFeatures().extract(shuffled), found)


@pytest.mark.parametrize("factor", [1e-20, 0.5, 1e20])
def test_brightness_and_sky_do_not_matter(factor):
    found = FluxHistogramFeatures().extract(IMAGE)
    other = FluxHistogramFeatures().extract(IMAGE * factor + 30 * factor)
    np.testing.assert_allclose(other, found, atol=0.02)


def test_a_brighter_source_fills_brighter_bins():
    faint, bright = (
        FluxHistogramFeatures().extract(IMAGE + peak * (IMAGE > 100)) for peak in (0, 5000)
    )
    assert bright[-1] > faint[-1]


def test_missing_pixels_are_left_out():
    image = IMAGE.copy()
    image[:10] = np.nan
    alone = FluxHistogramFeatures().extract(IMAGE[10:])
    np.testing.assert_array_equal(FluxHistogramFeatures().extract(image), alone)


def test_a_sky_without_noise_takes_the_spread_of_all_pixels():
    image = np.zeros((20, 20), np.uint8)
    image[9:11, 9:11] = 100
    found = FluxHistogramFeatures((0.5, 3)).extract(image)
    np.testing.assert_allclose(found**2, [0.99, 0, 0.01], atol=1e-6)


def test_bands_are_measured_apart_and_named():
    image = np.dstack([IMAGE, IMAGE**2])
    extractor = FluxHistogramFeatures((0, 2.5))
    alone = [extractor.extract(image[..., band]) for band in range(2)]
    np.testing.assert_array_equal(extractor.extract(image), np.concatenate(alone))
    assert extractor.feature_names(ImageStack(image[None])) == (
        "flux_0_below_0",
        "flux_0_0_to_2.5",
        "flux_0_above_2.5",
        "flux_1_below_0",
        "flux_1_0_to_2.5",
        "flux_1_above_2.5",
    )


@pytest.mark.parametrize("image", [np.ones((1, 1)), np.ones((9, 9), np.uint8)])
def test_a_constant_image_has_a_reason(image):
    with pytest.raises(MeasurementError, match="no structure: all pixels are equal"):
        FluxHistogramFeatures().extract(image)


@pytest.mark.parametrize("edges", [(), (1, 1), (3, 2)])
def test_edges_that_do_not_rise_are_refused(edges):
    with pytest.raises(ValueError, match="wanted one or more numbers that rise"):
        FluxHistogramFeatures(edges)


def test_settings_say_all_that_the_numbers_depend_on():
    assert FluxHistogramFeatures((0, 1)).settings() != FluxHistogramFeatures((0, 2)).settings()
