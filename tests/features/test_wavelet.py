"""Wavelets against PyWavelets, and images whose scale and sparsity are known."""

import sys

import numpy as np
import pytest
import pywt
from scipy import ndimage

from astronomaly_widgets.exceptions import MeasurementError, MissingDependencyError
from astronomaly_widgets.features import WaveletFeatures
from astronomaly_widgets.sources import ImageStack

rng = np.random.default_rng(0)


def spots(n, width, size=128, seed=0):
    """Gaussian spots at random places."""
    y, x = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for cx, cy in np.random.default_rng(seed).uniform(0, size, (n, 2)):
        image += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2))
    return image


def measured(details):
    """Energies and sparsities of the details of each level, by their formulas."""
    energy = np.array([(d**2).sum() for d in details])
    root = np.sqrt([d.size for d in details])
    ratio = [np.abs(d).sum() / np.sqrt((d**2).sum()) for d in details]
    return np.concatenate([np.log10(energy / energy.sum()), (root - ratio) / (root - 1)])


@pytest.mark.parametrize("wavelet", ["haar", "sym4", "bior2.2"])
def test_it_is_the_stationary_transform_of_pywavelets(wavelet):
    image = np.zeros((128, 128))  # PyWavelets' edges are periodic; dark ones are alike
    image[50:74, 50:74] = spots(30, 1.5, 24)
    bank = pywt.Wavelet(wavelet)
    levels = pywt.swt2(image - image.mean(), bank, 3)[::-1]
    details = [np.stack(parts) / 2 ** (k + 1) for k, (_, parts) in enumerate(levels)]
    found = WaveletFeatures(wavelet, 3).extract(image)
    np.testing.assert_allclose(found, measured(details), atol=2e-4)


@pytest.mark.parametrize("shape", [(32, 32), (40, 33)])
def test_the_starlet_is_what_smoothing_by_a_spline_takes_away(shape):
    image = spots(9, 1.5, 40)[: shape[0], : shape[1]] + 0.1 * rng.normal(size=shape)
    details, rest = [], image - image.mean()
    for level in range(5):
        spline = np.zeros(4 * 2**level + 1)
        spline[:: 2**level] = np.array([1, 4, 6, 4, 1]) / 16
        smooth = ndimage.convolve(rest, np.outer(spline, spline), mode="reflect")
        details.append(rest - smooth)
        rest = smooth
    np.testing.assert_allclose(WaveletFeatures().extract(image), measured(details), atol=2e-4)


def energies(image, **settings):
    return np.split(WaveletFeatures(**settings).extract(image), 2)[0]


def sparsities(image, **settings):
    return np.split(WaveletFeatures(**settings).extract(image), 2)[1]


@pytest.mark.parametrize("wavelet", ["starlet", "sym4"])
def test_wider_spots_have_their_energy_at_coarser_levels(wavelet):
    best = [np.argmax(energies(spots(9, w), wavelet=wavelet)) for w in (0.7, 1.4, 2.8, 5.6)]
    assert best == sorted(best)
    assert best[-1] - best[0] == 3  # three times twice as wide


def test_fewer_spots_are_sparser_and_noise_is_not():
    noise = rng.normal(size=(128, 128))
    found = [sparsities(image)[0] for image in (spots(1, 1), spots(9, 1), spots(80, 1), noise)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9
    # of a normal distribution, mean by root mean square is the root of 2 / pi
    assert found[-1] == pytest.approx(1 - np.sqrt(2 / np.pi), abs=0.01)


@pytest.mark.parametrize("turn", [np.rot90, np.flipud, np.transpose])
def test_quarter_turns_and_reflections_change_nothing(turn):
    image = spots(9, 2, 64) + 0.1 * rng.normal(size=(64, 64))
    extractor = WaveletFeatures()
    np.testing.assert_allclose(extractor.extract(turn(image)), extractor.extract(image), atol=1e-3)


@pytest.mark.parametrize("angle", [20, 45])
def test_a_rotation_changes_hardly_anything(angle):
    def bar(angle):
        y, x = np.mgrid[:96, :96] - 47.5
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        return np.exp(-(((x * c + y * s) / 12) ** 2) - ((y * c - x * s) / 4) ** 2)

    extractor = WaveletFeatures()
    np.testing.assert_allclose(
        extractor.extract(bar(angle)), extractor.extract(bar(0)), rtol=0.05, atol=0.03
    )


def test_brightness_and_sky_change_nothing():
    image = spots(9, 2, 64) + 0.1 * rng.normal(size=(64, 64))
    extractor = WaveletFeatures()
    for other in (image * 1e30, image * 1e-30, 5 * image + 70):
        np.testing.assert_allclose(extractor.extract(other), extractor.extract(image), atol=1e-3)


def test_a_shift_changes_nothing_as_long_as_edges_are_dark():
    image = np.zeros((96, 96))
    image[30:50, 30:50] = spots(12, 1, 20)
    extractor = WaveletFeatures(n_levels=3)
    np.testing.assert_allclose(
        extractor.extract(np.roll(image, (7, -5), (0, 1))), extractor.extract(image), atol=1e-4
    )


def test_bands_are_measured_apart_and_named():
    image = np.dstack([spots(9, 1, 40), spots(9, 4, 40), spots(3, 2, 40)])
    extractor = WaveletFeatures(n_levels=2)
    alone = [extractor.extract(image[..., band]) for band in range(3)]
    np.testing.assert_allclose(extractor.extract(image), np.concatenate(alone), atol=1e-6)
    names = extractor.feature_names(ImageStack(image[None]))
    assert names[:5] == (
        "wavelet_energy_0_1",
        "wavelet_energy_0_2",
        "wavelet_sparsity_0_1",
        "wavelet_sparsity_0_2",
        "wavelet_energy_1_1",
    )
    assert extractor.feature_names(ImageStack(image[None, ..., 0]))[-1] == "wavelet_sparsity_2"


def test_a_few_missing_pixels_matter_little():
    image = spots(9, 3, 96) + 0.1 * rng.normal(size=(96, 96))
    holed = image.copy()
    holed[2:4, 5:30] = np.nan
    extractor = WaveletFeatures()
    np.testing.assert_allclose(extractor.extract(holed), extractor.extract(image), atol=0.05)


def test_a_board_of_chess_has_all_its_energy_at_the_finest_level():
    energy, sparsity = np.split(
        WaveletFeatures("haar", 3).extract(np.indices((64, 64)).sum(0) % 2), 2
    )
    assert energy[0] > -0.01
    assert (energy[1:] < -2).all()
    assert sparsity[0] < 0.5 < sparsity[1]  # what there is at coarser levels comes from the edges


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.ones((1, 1)), "1 x 1 pixels is too small for 5 levels of wavelets; wanted at least 32"),
        (np.ones((40, 40)), "the image has no structure: all pixels are equal"),
        (np.full((40, 40, 2), np.nan), "bands 0, 1 have no data"),
    ],
)
def test_without_structure_there_is_a_reason(image, reason):
    with pytest.raises(MeasurementError, match=reason):
        WaveletFeatures().extract(image)


def test_what_is_wrong_with_a_wavelet_is_said_before_anything_is_measured(monkeypatch):
    source = ImageStack(spots(3, 1, 40)[None])
    with pytest.raises(ValueError, match="Unknown wavelet name 'har'"):
        WaveletFeatures("har").feature_names(source)
    monkeypatch.setitem(sys.modules, "pywt", None)
    with pytest.raises(MissingDependencyError, match=r"astronomaly-widgets\[images\]"):
        WaveletFeatures("coif1").feature_names(source)
    assert len(WaveletFeatures().feature_names(source)) == 10


def test_settings_say_all_that_the_numbers_depend_on():
    settings = [
        WaveletFeatures(*each).settings() for each in (("haar", 3), ("haar", 4), ("db2", 3))
    ]
    assert all(one != other for k, one in enumerate(settings) for other in settings[:k])
    with pytest.raises(ValueError, match="n_levels is 0"):
        WaveletFeatures(n_levels=0)
