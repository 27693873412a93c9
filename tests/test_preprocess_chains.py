"""Limits, colors and bands against astropy; chains of steps for what is measured and shown."""

import json

import numpy as np
import pytest
from astropy import visualization
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from astronomaly_widgets import preprocess, render
from astronomaly_widgets.exceptions import ReadError
from astronomaly_widgets.features import PreparedFeatures, RawFeatures
from astronomaly_widgets.preprocess import Chain, PreparedSource
from astronomaly_widgets.sources import FeatureTable, ImageStack

rng = np.random.default_rng(0)
Y, X = np.mgrid[:60, :50]
LIGHT = 300 * np.exp(-np.hypot(X - 25, Y - 30) / 4)
GREY = rng.normal(100, 5, LIGHT.shape) + LIGHT
COLOR = rng.normal([100, 80, 60], 5, (*LIGHT.shape, 3)) + LIGHT[..., None] * [1, 0.7, 0.3]


def test_zscale_limits_are_those_of_astropy():
    assert preprocess.zscale_limits(GREY) == visualization.ZScaleInterval().get_limits(GREY)
    holed = np.r_[GREY.ravel(), np.nan, np.inf]
    assert preprocess.zscale_limits(holed) == preprocess.zscale_limits(GREY.ravel())
    assert preprocess.zscale_limits(np.full((3, 3), np.nan)) == (0, 1)


@pytest.mark.parametrize(
    ("limits", "interval"),
    [
        ("minmax", visualization.MinMaxInterval()),
        ("zscale", visualization.ZScaleInterval()),
        ((1, 99), visualization.AsymmetricPercentileInterval(1, 99)),
    ],
)
@pytest.mark.parametrize(
    ("method", "curve"),
    [("linear", visualization.LinearStretch()), ("asinh", visualization.AsinhStretch())],
)
def test_limits_and_stretch_are_those_of_astropy(limits, interval, method, curve):
    wanted = visualization.ImageNormalize(GREY, interval=interval, stretch=curve, clip=True)(GREY)
    found = preprocess.stretch(GREY, method, limits=limits)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_limit_that_is_given_counts_before_the_others():
    found = preprocess.normalize(GREY, low=50, limits="zscale")
    high = preprocess.zscale_limits(GREY)[1]
    np.testing.assert_allclose(found, np.clip((GREY - 50) / (high - 50), 0, 1), atol=1e-6)


@pytest.mark.parametrize("limits", ["z-scale", (99, 1), (5, 101), (1, 2, 3), ()])
def test_limits_that_are_none_are_refused(limits):
    with pytest.raises(ValueError, match="wanted 'minmax', 'zscale' or two percentiles, rising"):
        preprocess.normalize(GREY, limits=limits)


def test_bands_share_their_limits_or_have_their_own():
    shared = preprocess.normalize(COLOR)
    assert shared[..., 2].max() < 0.6
    alone = preprocess.normalize(COLOR, per_band=True)
    assert (alone.max(axis=(0, 1)) == 1).all()
    np.testing.assert_array_equal(alone[..., 1], preprocess.normalize(COLOR[..., 1]))


def test_bands_are_chosen_ordered_and_weighted():
    np.testing.assert_array_equal(preprocess.select_bands(COLOR, [2, 0]), COLOR[..., [2, 0]])
    weighted = preprocess.select_bands(COLOR, [1, -1, 1], [1, 2, 0.5])
    np.testing.assert_allclose(weighted, COLOR[..., [1, 2, 1]] * [1, 2, 0.5], rtol=1e-6)
    assert preprocess.select_bands(GREY, [0, 0, 0]).shape == (60, 50, 3)
    chosen = preprocess.select_bands(COLOR, [0])
    chosen[...] = 0
    assert COLOR[..., 0].all()


@pytest.mark.parametrize("bands", [[], [3], [0, -4]])
def test_bands_that_are_not_there_are_refused(bands):
    with pytest.raises(ValueError, match="wanted numbers below 3"):
        preprocess.select_bands(COLOR, bands)
    with pytest.raises(ValueError, match="there are 1 weights for 2 bands"):
        preprocess.select_bands(COLOR, [0, 1], [1])


def test_grey_by_weights_is_the_weighted_mean_of_what_there_is():
    weights = [3, 1, 0]
    wanted = np.average(COLOR, axis=2, weights=weights)
    np.testing.assert_allclose(preprocess.grey(COLOR, weights=weights), wanted, rtol=1e-5)
    holed = COLOR.copy()
    holed[0, 0, 0] = holed[1, 1, :2] = np.nan
    found = preprocess.grey(holed, weights=weights)
    assert found[0, 0] == pytest.approx(COLOR[0, 0, 1])
    assert np.isnan(found[1, 1])
    np.testing.assert_allclose(preprocess.grey(GREY, weights=[2]), GREY, rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([1, 2], "2 weights for 3 bands"),
        ([0, 0, 0], "none below 0"),
        ([2, -1, 1], "below 0"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, reason):
    with pytest.raises(ValueError, match=reason):
        preprocess.grey(COLOR, weights=weights)


def test_lupton_rgb_is_that_of_astropy():
    found = preprocess.lupton_rgb(COLOR, minimum=(90, 70, 50), stretch=20, Q=10)
    red, green, blue = np.moveaxis(COLOR - [90, 70, 50], 2, 0)
    wanted = visualization.make_lupton_rgb(red, green, blue, stretch=20, Q=10)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("Q", [0, 1, 8, 20])
def test_by_default_the_sky_is_black_and_the_brightest_are_white(Q):
    found = preprocess.lupton_rgb(COLOR, Q=Q).astype(int)
    assert np.median(found) < (40 if Q < 20 else 90)
    white = (COLOR - [100, 80, 60]).mean(axis=2) > np.percentile(LIGHT * 2 / 3, 99.5)
    assert found[white].max(axis=1).min() > 230


@pytest.mark.parametrize("unit", [1e-6, 1, 1e6])
def test_a_few_pixels_on_an_empty_sky_are_white_in_every_unit(unit):
    image = np.zeros((64, 64, 3))
    image[32, 32] = unit
    assert preprocess.lupton_rgb(image)[32, 32].tolist() == [255, 255, 255]


def test_color_is_the_same_for_bright_and_faint():
    found = preprocess.lupton_rgb(LIGHT[..., None] * [1.0, 0.7, 0.3], minimum=0).astype(float)
    seen = found[..., 0] > 60
    np.testing.assert_allclose((found[..., 1] / found[..., 0])[seen], 0.7, atol=0.03)
    np.testing.assert_allclose((found[..., 2] / found[..., 0])[seen], 0.3, atol=0.03)


def test_what_is_missing_is_black_or_lacks_a_color():
    holed = COLOR.copy()
    holed[30, 25] = np.nan
    holed[31, 25, 0] = np.inf
    found = preprocess.lupton_rgb(holed)
    assert not found[30, 25].any()
    assert found[31, 25, 0] == 0 < found[31, 25, 1]


@pytest.mark.parametrize(
    "image", [np.zeros((1, 1, 3)), np.full((5, 5, 3), 7, np.uint8), np.full((4, 4, 3), np.nan)]
)
def test_a_picture_of_nothing_is_black(image):
    assert not preprocess.lupton_rgb(image).any()


def test_what_is_no_color_image_is_refused():
    for image in (GREY, COLOR[..., :2]):
        with pytest.raises(ValueError, match="has no red, green and blue"):
            preprocess.lupton_rgb(image)
    with pytest.raises(ValueError, match="stretch is 0; wanted more"):
        preprocess.lupton_rgb(COLOR, stretch=0)
    with pytest.raises(ValueError, match="Q is -1; wanted 0 or more"):
        preprocess.lupton_rgb(COLOR, Q=-1)


def test_a_chain_does_one_step_after_the_other():
    chain = Chain("sigma_clip", ("grey", {"weights": [1, 1, 2]}), ("resize", {"size": 9}))
    by_hand = preprocess.resize(
        preprocess.grey(preprocess.sigma_clip(COLOR), weights=[1, 1, 2]), size=9
    )
    np.testing.assert_array_equal(chain(COLOR), by_hand)


def test_a_chain_leaves_the_image_alone():
    before = COLOR.copy()
    for chain in (Chain(), Chain("normalize"), Chain(("select_bands", {"bands": [0, 1, 2]}))):
        chain(COLOR)[...] = 0
        np.testing.assert_array_equal(COLOR, before)


def test_a_chain_is_written_down_and_read_again():
    chain = Chain("grey", ("stretch", {"method": "log", "limits": (1, 99.5)}))
    again = Chain(*json.loads(json.dumps(chain.settings())))
    assert again == chain
    assert hash(again) == hash(chain)
    assert again != Chain("grey")
    np.testing.assert_array_equal(again(COLOR), chain(COLOR))
    assert repr(chain) == "Chain('grey', ('stretch', {'method': 'log', 'limits': [1, 99.5]}))"


@pytest.mark.parametrize(
    ("step", "error", "reason"),
    [
        ("gray", ValueError, "no step 'gray'; wanted one of center_crop, grey"),
        (("resize", {}), TypeError, "'resize' is a step that takes other arguments: missing"),
        (("grey", {"mode": 1}), TypeError, "unexpected keyword argument 'mode'"),
        (("resize", {"size": np.ones(2)}), ValueError, "wanted numbers, words and lists"),
        (np.sqrt, ValueError, "'sqrt'> is no step; wanted a name, or a name and its arguments"),
    ],
)
def test_a_wrong_step_is_refused_at_once(step, error, reason):
    with pytest.raises(error, match=reason):
        Chain(step)


@pytest.mark.parametrize("step", ["grey", ("resize", {"size": 8})])
def test_one_step_needs_no_list(step):
    stack = ImageStack(np.arange(2 * 9 * 9 * 3.0).reshape(2, 9, 9, 3))
    assert Chain.of(step) == Chain.of([step]) == Chain(step)
    prepared = PreparedSource(stack, step).read("object-1")
    np.testing.assert_array_equal(prepared, Chain(step)(stack.read("object-1")))
    assert PreparedFeatures(RawFeatures(), step).chain == Chain(step)


MANY = Chain(
    "sigma_clip",
    ("select_bands", {"bands": [0, 0, 0], "weights": [1, 0.5, 2]}),
    ("stretch", {"method": "log", "limits": "zscale", "per_band": True}),
    "remove_negative",
    ("normalize", {"limits": [1, 99]}),
    "lupton_rgb",
)


@settings(max_examples=40)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=6),
        elements=st.integers(0, 255),
    ),
    st.sampled_from([None, np.nan, np.inf]),
)
def test_whatever_the_image_a_chain_makes_a_picture(image, bad):
    if bad is not None and image.dtype.kind == "f":
        image.flat[0] = bad
    picture = MANY(image)
    assert picture.shape == (*image.shape[:2], 3)
    assert picture.dtype == np.uint8


def test_one_chain_is_measured_and_another_is_shown():
    stack = ImageStack(np.stack([COLOR, COLOR[::-1]]).astype(np.float32), object_ids=["a", "b"])
    shown = PreparedSource(stack, ["lupton_rgb"])
    assert list(shown.object_ids) == ["a", "b"]
    assert shown.kind == "image"
    assert shown.catalog is stack.catalog
    np.testing.assert_array_equal(shown.read("a"), preprocess.lupton_rgb(stack.read("a")))
    assert render.picture(shown, "a") != render.picture(stack, "a")


@pytest.mark.parametrize("image", [GREY, COLOR])
@pytest.mark.parametrize("method", ["linear", "log"])
def test_what_a_chain_has_stretched_is_shown_without_another_stretch(image, method):
    image = image.astype(np.float32)
    image[:3] = np.nan
    limits = {"limits": (1, 99)}
    steps = [("stretch", {"method": method, **limits}), ("center_crop", {"size": 40})]
    seen = PreparedSource(ImageStack(image[None]), steps).read("object-0")
    interval = visualization.AsymmetricPercentileInterval(1, 99)
    low, high = interval.get_limits(image[np.isfinite(image)])
    scaled = np.clip((image.astype(float) - low) / (high - low), 0, 1)[10:50, 5:45]
    curve = scaled if method == "linear" else np.log1p(1000 * scaled) / np.log(1001)
    assert seen.dtype == np.uint8
    np.testing.assert_allclose(seen, 255 * curve, atol=1)
    unchanged = PreparedSource(ImageStack(image[None]), [("center_crop", {"size": 40})])
    np.testing.assert_array_equal(unchanged.read("object-0"), image[10:50, 5:45])


def test_a_project_is_told_what_a_prepared_source_was_made_of(tmp_path):
    np.save(tmp_path / "stack.npy", COLOR[None])
    stack = ImageStack(tmp_path / "stack.npy")
    spec = PreparedSource(stack, ["grey"]).spec
    assert json.loads(json.dumps(spec)) == {
        "room": "preprocess",
        "name": "PreparedSource",
        "arguments": {"source": stack.spec, "chain": [["grey", {}]]},
    }
    assert PreparedSource(ImageStack(COLOR[None]), ["grey"]).spec is None


def test_another_chain_changes_the_fingerprints():
    stack = ImageStack(np.stack([COLOR, COLOR]))
    one, two, same = (PreparedSource(stack, [step]) for step in ("grey", "lupton_rgb", "grey"))
    assert (one.fingerprints != two.fingerprints).all()
    assert (one.fingerprints == same.fingerprints).all()
    assert (one.fingerprints != stack.fingerprints).all()


def test_an_object_that_a_step_cannot_do_cannot_be_read():
    source = PreparedSource(ImageStack(GREY[None]), ["lupton_rgb"])
    with pytest.raises(ReadError, match="cannot be prepared: an image of shape"):
        source.read("object-0")
    with pytest.raises(KeyError):
        source.read("nobody")
    with pytest.raises(ValueError, match="not a source of kind 'table'"):
        PreparedSource(FeatureTable(np.ones((3, 2))), ["grey"])
