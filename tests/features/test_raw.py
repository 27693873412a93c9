"""Raw values as features."""

import numpy as np
import pytest

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import RawFeatures, measure
from astronomaly_widgets.sources import FeatureTable, ImageStack

rng = np.random.default_rng(0)


def test_the_columns_of_a_table_are_the_features():
    table = FeatureTable(np.arange(6.0).reshape(3, 2))
    result = measure(table, RawFeatures(), progress=False)
    assert result.names == ("f0", "f1")
    np.testing.assert_array_equal(result.values, table.values)


def test_rows_with_gaps_are_set_aside_and_say_in_which_columns():
    values = np.arange(16.0).reshape(4, 4)
    values[1, 0] = np.nan
    values[3] = np.inf
    result = measure(FeatureTable(values), "raw", progress=False)
    assert list(result.object_ids) == ["object-0", "object-2"]
    assert result.set_aside["reason"].to_dict() == {
        "object-1": "1 of 4 values are missing or infinite: f0",
        "object-3": "4 of 4 values are missing or infinite: f0, f1, f2, ...",
    }


def test_pixels_are_named_by_their_place():
    stack = ImageStack(rng.normal(size=(2, 2, 3)))
    assert RawFeatures().feature_names(stack) == tuple(
        f"pixel_{row}_{column}" for row in range(2) for column in range(3)
    )
    np.testing.assert_allclose(
        RawFeatures().extract(stack.read("object-1")), stack.stack[1].ravel(), rtol=1e-6
    )


def test_images_can_be_brought_to_one_size():
    extractor = RawFeatures(size=4)
    stack = ImageStack(rng.integers(0, 256, (1, 8, 9, 3), dtype=np.uint8))
    assert len(extractor.feature_names(stack)) == 4 * 4 * 3
    np.testing.assert_allclose(extractor.extract(np.full((20, 30, 3), 7.0)), [7] * 48, rtol=1e-6)


class Odd(ImageStack):
    """Images, of which the first has a shape or a number of bands of its own."""

    odd = np.eye(8)

    def read(self, object_id):
        return self.odd if object_id == self.object_ids[0] else super().read(object_id)


@pytest.mark.parametrize(
    "features", ["raw", "power_spectrum", lambda image: image.mean(axis=(0, 1))]
)
def test_the_first_image_does_not_speak_for_all_others(features):
    images = rng.normal(size=(5, 8, 8, 3))
    result = measure(Odd(images), features, progress=False, n_jobs=1)
    assert result.object_ids.tolist() == [f"object-{k}" for k in range(1, 5)]
    assert "wanted" in result.set_aside["reason"].item()
    assert "preprocess=['grey']" in result.set_aside["reason"].item()


def test_the_shape_is_that_of_images_that_can_be_read():
    images = rng.normal(size=(3, 2, 3))
    images[0] = np.nan
    assert len(RawFeatures().feature_names(ImageStack(images))) == 6
    with pytest.raises(MeasurementError, match="not one of 1 objects can be read"):
        RawFeatures().feature_names(ImageStack(images[:1]))


def test_an_image_with_gaps_has_a_reason():
    with pytest.raises(MeasurementError, match="1 of 4 values are missing"):
        RawFeatures().extract(np.array([[1, 2], [3, np.nan]]))
