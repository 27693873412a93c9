"""A chain of preprocessing before an extractor; what is shown stays as it is."""

import numpy as np
import pytest

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import (
    CNNFeatures,
    FunctionFeatures,
    LightCurveFeatures,
    PowerSpectrumFeatures,
    PreparedFeatures,
    RawFeatures,
    measure,
)
from astronomaly_widgets.preprocess import Chain, PreparedSource
from astronomaly_widgets.sources import ImageStack

rng = np.random.default_rng(0)
STACK = ImageStack(rng.normal(50, 9, (4, 12, 12, 3)))
CHAIN = Chain(("select_bands", {"bands": [2, 0]}), ("center_crop", {"size": 8}))


def test_what_is_measured_has_been_through_the_chain():
    extractor = PreparedFeatures(RawFeatures(), CHAIN)
    wanted = STACK.stack[1, 2:10, 2:10][..., [2, 0]]
    np.testing.assert_allclose(extractor.extract(STACK.read("object-1")), wanted.ravel(), rtol=1e-6)


def test_names_are_those_of_what_comes_out():
    extractor = PreparedFeatures(PowerSpectrumFeatures(n_bins=2), CHAIN)
    assert extractor.feature_names(STACK) == ("power_0_0", "power_0_1", "power_1_0", "power_1_1")
    result = measure(STACK, extractor, progress=False, n_jobs=1)
    assert result.values.shape == (4, 4)


def test_another_chain_is_measured_again(tmp_path):
    def run(*steps):
        extractor = PreparedFeatures(FunctionFeatures(np.mean, name="mean"), steps)
        return measure(STACK, extractor, checkpoint=tmp_path, progress=False, n_jobs=1).n_reused

    assert [run("grey"), run("grey"), run("grey", "normalize")] == [0, 4, 0]


def test_an_extractor_that_works_in_batches_still_does():
    network = CNNFeatures(size=32, batch_size=3)
    extractor = PreparedFeatures(network, ["grey"])
    assert extractor.batch_size == 3
    result = measure(STACK, extractor, progress=False)
    alone = network.extract(STACK.stack[2].mean(axis=2).astype(np.float32))
    np.testing.assert_allclose(result.values[2], alone, rtol=1e-3, atol=1e-3)
    assert PreparedFeatures(RawFeatures(), ["grey"]).batch_size == 0


def test_an_image_that_a_step_cannot_do_is_set_aside():
    extractor = PreparedFeatures(RawFeatures(), [("select_bands", {"bands": [5]})])
    with pytest.raises(MeasurementError, match=r"cannot be prepared: bands is \[5\]"):
        extractor.extract(STACK.stack[0])


def test_only_images_are_prepared():
    with pytest.raises(ValueError, match="light_curve measures no images"):
        PreparedFeatures(LightCurveFeatures(), ["grey"])
    assert isinstance(PreparedFeatures(RawFeatures(), CHAIN).chain, Chain)


def test_a_prepared_source_is_for_what_is_shown():
    shown = PreparedSource(STACK, CHAIN)
    assert shown.read("object-0").shape == (8, 8, 2)
    assert STACK.read("object-0").shape == (12, 12, 3)
