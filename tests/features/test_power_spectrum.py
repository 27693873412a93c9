"""The power spectrum against a sum over frequencies written out, and fields of known spectrum."""

import numpy as np
import pytest

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import PowerSpectrumFeatures
from astronomaly_widgets.sources import ImageStack

rng = np.random.default_rng(0)


def galaxy(angle=0.0, size=101, scale=9.0, ratio=0.5, power=1):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    radius = np.hypot(x * c + y * s, (y * c - x * s) / ratio)
    return 100 * np.exp(-((radius / scale) ** power))


def field(slope, shape, seed=0):
    """Noise whose power falls with frequency to the minus `slope`."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None])
    frequency[0, 0] = np.inf
    noise = np.fft.fft2(np.random.default_rng(seed).normal(size=shape))
    return np.fft.ifft2(noise * frequency ** (-slope / 2)).real


def by_definition(image, n_bins):
    """One frequency after the other, in double precision."""
    height, width = image.shape
    window = np.outer(
        *(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n) + 0.5) / n) for n in image.shape)
    )
    tapered = window * (image - (image * window).sum() / window.sum())
    edges = np.geomspace(1 / min(height, width), 0.5, n_bins + 1)
    y, x = np.mgrid[:height, :width]
    rings = [[] for _ in range(n_bins)]
    for p in range(height):
        for q in range(width):
            v, u = ((k + n // 2) % n - n // 2 for k, n in ((p, height), (q, width)))
            frequency = np.hypot(v / height, u / width)
            if not 0 < frequency <= 0.5 + 1e-12:
                continue
            wave = np.exp(-2j * np.pi * (p * y / height + q * x / width))
            ring = max(0, min(n_bins - 1, np.searchsorted(edges, frequency + 1e-12) - 1))
            rings[ring].append(np.abs((tapered * wave).sum()) ** 2)
    mean = np.mean(np.concatenate(rings))
    return np.log10([np.mean(ring) / mean for ring in rings])


@pytest.mark.parametrize("shape", [(16, 16), (17, 17), (14, 21), (15, 20)])
def test_it_is_the_mean_power_in_rings_of_frequency(shape):
    image = rng.normal(size=shape) + galaxy(size=101)[40 : 40 + shape[0], 40 : 40 + shape[1]]
    values = PowerSpectrumFeatures(n_bins=3).extract(image)
    np.testing.assert_allclose(values, by_definition(image, 3), atol=1e-4)


@pytest.mark.parametrize("slope", [0, 1, 2, 3])
def test_a_power_law_is_found_again(slope):
    values = np.mean(
        [PowerSpectrumFeatures().extract(field(slope, (200, 200), seed)) for seed in range(4)],
        axis=0,
    )
    edges = np.geomspace(1 / 200, 0.5, 13)
    middle = np.log10(np.sqrt(edges[1:] * edges[:-1]))
    found = np.polyfit(middle[3:], values[3:], 1)[0]
    assert found == pytest.approx(-slope, abs=0.12)


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_a_wave_peaks_at_its_own_frequency(angle):
    y, x = np.mgrid[:128, :128]
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    values = PowerSpectrumFeatures().extract(np.sin(2 * np.pi * along / 7))
    edges = np.geomspace(1 / 128, 0.5, 13)
    assert np.argmax(values) == np.searchsorted(edges, 1 / 7) - 1


@pytest.mark.parametrize("turn", [np.rot90, np.flipud, np.transpose])
def test_quarter_turns_and_reflections_change_nothing(turn):
    image = galaxy(25) + rng.normal(size=(101, 101))
    extractor = PowerSpectrumFeatures()
    np.testing.assert_allclose(extractor.extract(turn(image)), extractor.extract(image), atol=1e-4)


@pytest.mark.parametrize("angle", [20, 45, 70])
def test_a_rotation_changes_hardly_anything(angle):
    extractor = PowerSpectrumFeatures()
    turned = extractor.extract(galaxy(angle, power=2))
    np.testing.assert_allclose(turned[:8], extractor.extract(galaxy(0, power=2))[:8], atol=0.05)


def test_brightness_and_sky_change_nothing():
    image = galaxy() + rng.normal(size=(101, 101))
    extractor = PowerSpectrumFeatures()
    np.testing.assert_allclose(
        extractor.extract(image * 1e-9 + 3e-8), extractor.extract(image), atol=1e-3
    )
    np.testing.assert_allclose(extractor.extract(image * 1e30), extractor.extract(image), atol=1e-4)


def test_a_larger_source_has_its_power_at_lower_frequencies():
    def center(scale):
        power = 10.0 ** PowerSpectrumFeatures().extract(galaxy(scale=scale, power=2, ratio=1))
        return (power * np.arange(12)).sum() / power.sum()

    places = [center(scale) for scale in (12, 6, 3)]
    assert places == sorted(places)
    assert places[2] - places[0] > 1.5


def test_bands_are_measured_apart_and_named():
    image = np.dstack([field(0, (40, 40)), field(3, (40, 40))])
    extractor = PowerSpectrumFeatures(n_bins=4)
    alone = [extractor.extract(image[..., band]) for band in range(2)]
    np.testing.assert_allclose(extractor.extract(image), np.concatenate(alone), atol=1e-5)
    assert extractor.feature_names(ImageStack(image[None]))[3:5] == ("power_0_3", "power_1_0")
    assert extractor.feature_names(ImageStack(image[None, ..., 0]))[3] == "power_3"


def test_a_few_missing_pixels_matter_little():
    image = galaxy() + rng.normal(size=(101, 101))
    holed = image.copy()
    holed[5:8, 5:60] = np.nan
    extractor = PowerSpectrumFeatures()
    np.testing.assert_allclose(extractor.extract(holed), extractor.extract(image), atol=0.05)


@pytest.mark.parametrize("size", [4, 5, 7, 12])
def test_rings_without_a_frequency_lie_between_their_neighbors(size):
    values = PowerSpectrumFeatures().extract(rng.normal(size=(size, size)))
    assert np.isfinite(values).all()
    assert (np.abs(np.diff(values, 2)) < 3).all()


def test_what_has_no_structure_is_not_drowned_in_rounding():
    smooth = galaxy(power=2, scale=30, ratio=1).astype(np.float64)
    assert PowerSpectrumFeatures().extract(smooth).min() >= -10


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.ones((1, 1)), "1 x 1 pixels has no spectrum; wanted at least 4 x 4"),
        (np.ones((30, 30), np.uint8), "the image has no structure: all pixels are equal"),
        (np.dstack([field(0, (9, 9)), np.ones((9, 9))]), "band 1 has no structure"),
        (np.full((9, 9, 3), np.nan), "bands 0, 1, 2 have no data"),
        (np.ones((0, 5)), r"an array of shape \(0, 5\) is no image"),
        (np.indices((8, 8)).sum(0) % 2, None),
    ],
)
def test_without_structure_there_is_a_reason(image, reason):
    if reason is None:
        assert np.isfinite(PowerSpectrumFeatures().extract(image)).all()
        return
    with pytest.raises(MeasurementError, match=reason):
        PowerSpectrumFeatures().extract(image)


def test_settings_say_all_that_the_numbers_depend_on():
    assert PowerSpectrumFeatures(9).settings() != PowerSpectrumFeatures(8).settings()
    with pytest.raises(ValueError, match="n_bins is 0"):
        PowerSpectrumFeatures(0)
