"""Whatever the image, an extractor measures it or says why not: no NaN, no warning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import (
    EllipseFeatures,
    FluxHistogramFeatures,
    MorphologyFeatures,
    PhotometryFeatures,
    PowerSpectrumFeatures,
    WaveletFeatures,
)

EXTRACTORS = [
    EllipseFeatures(),
    EllipseFeatures(sigma=0.5),
    FluxHistogramFeatures(),
    MorphologyFeatures(),
    MorphologyFeatures(sigma=0.5),
    PhotometryFeatures(),
    PhotometryFeatures(sigma=0.5),
    PhotometryFeatures(radius=2),
    PowerSpectrumFeatures(),
    WaveletFeatures(n_levels=1),
    WaveletFeatures("sym4", n_levels=2),
]
EACH = pytest.mark.parametrize("extractor", EXTRACTORS, ids=lambda e: f"{e.name} {e.settings()}")
rng = np.random.default_rng(0)


def measured(extractor, image):
    """Features, or the reason."""
    try:
        found = extractor.extract(image)
    except MeasurementError as error:
        found = str(error)
    assert len(found) if isinstance(found, str) else np.isfinite(found).all()
    return found


@EACH
@settings(max_examples=60)
@given(data=st.data())
def test_small_images_of_all_kinds(extractor, data):
    dtype = data.draw(st.sampled_from([np.uint8, np.int16, np.uint16, np.float32, np.float64]))
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=9))
    values = st.integers(0, 200)
    if np.dtype(dtype).kind == "f":
        odd = st.sampled_from([np.nan, np.inf, -np.inf, -5.0, 1e30, 1e-30])
        values = st.one_of(st.floats(-100, 200, width=32), odd)
    measured(extractor, data.draw(hnp.arrays(dtype, shape, elements=values)))


GALAXY = 100 * np.exp(-np.hypot(*np.ogrid[-20:21, -20:21]) / 3) + rng.normal(10, 1, (41, 41))
POOR = {
    "one pixel": np.ones((1, 1)),
    "one pixel in color": np.ones((1, 1, 3), np.uint8),
    "one row": GALAXY[20:21],
    "one column": GALAXY[:, 20:21],
    "constant": np.full((41, 41), 7.0),
    "all zero": np.zeros((41, 41, 3), np.uint8),
    "saturated": np.full((41, 41, 3), 255, np.uint8),
    "no data": np.full((41, 41), np.nan),
    "a band without data": np.dstack([GALAXY, np.full((41, 41), np.nan), GALAXY]),
    "a band that is constant": np.dstack([GALAXY, np.zeros((41, 41))]),
}
NO_IMAGES = [np.ones((0, 5)), np.ones((5, 5, 0)), np.ones(5), np.ones((2, 2, 2, 2))]


@EACH
@pytest.mark.parametrize("image", POOR.values(), ids=POOR)
def test_poor_images(extractor, image):
    measured(extractor, image)


@EACH
@pytest.mark.parametrize("image", NO_IMAGES, ids=lambda image: str(image.shape))
def test_what_is_no_image_is_said(extractor, image):
    with pytest.raises((MeasurementError, ValueError), match=r"an array of shape .* is no image"):
        extractor.extract(image)


GOOD = {
    "half without data": np.where(np.arange(41) < 14, np.nan, GALAXY),
    "a hole in the middle": np.where(np.hypot(*np.ogrid[-20:21, -20:21]) < 1.5, np.nan, GALAXY),
    "infinite pixels": np.where(rng.random((41, 41)) < 0.02, np.inf, GALAXY),
    "very bright": GALAXY * 1e34,
    "very faint": GALAXY * 1e-34,
    "negative": GALAXY - 1000,
    "not square": GALAXY[3:],
    "one band": GALAXY[..., None],
    "seven bands": np.dstack([GALAXY * k for k in range(1, 8)]),
    "a view": np.repeat(np.repeat(GALAXY, 2, 0), 2, 1)[::-2, ::2].T,
    "big-endian": GALAXY.astype(">f4"),
    "two bytes": (GALAXY * 100).astype(np.uint16),
    "four bytes": (GALAXY * 1e5).astype(np.int32),
}


@pytest.mark.parametrize("extractor", EXTRACTORS[::2], ids=lambda e: e.name)
@pytest.mark.parametrize("image", GOOD.values(), ids=GOOD)
def test_what_is_only_unusual_is_measured(extractor, image):
    found = measured(extractor, image)
    assert not isinstance(found, str), found
