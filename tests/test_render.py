"""What a person sees of one object."""

import logging
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from astronomaly_widgets import render
from astronomaly_widgets.exceptions import ReadError
from astronomaly_widgets.sources import ImageStack


class OneObject:
    """A source of a single object, or of the error it raises."""

    kind = "image"

    def __init__(self, data):
        self.data = data

    def read(self, object_id):
        if isinstance(self.data, Exception):
            raise self.data
        return self.data


def pixels(data):
    image = Image.open(BytesIO(data))
    image.load()
    return np.asarray(image)


def thumbnail(data, size=150, **options):
    return pixels(render.thumbnail(OneObject(data), "x", size, **options))


def sky(shape, sigma=1.0, seed=0):
    return np.random.default_rng(seed).normal(100, sigma, size=shape)


def galaxy(side=64, peak=200.0):
    y, x = np.indices((side, side)) - side // 2
    return sky((side, side)) + peak * np.exp(-np.hypot(x, y) / 4)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int16, np.float32, ">f4", np.float64, bool]
)
@pytest.mark.parametrize(
    "shape", [(40, 40), (40, 40, 1), (31, 57, 2), (300, 200, 3), (8, 9, 5), (1, 1), (1, 400)]
)
def test_every_kind_of_image_gives_a_square_jpeg(dtype, shape):
    data = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    encoded = render.thumbnail(OneObject(data), "x", 96)
    assert render.mime(encoded) == "image/jpeg"
    assert pixels(encoded).shape[:2] == (96, 96)


def test_grey_stays_grey():
    assert thumbnail(np.full((20, 20), 90, np.uint8)).ndim == 2
    assert thumbnail(galaxy()).ndim == 2


def test_an_8_bit_picture_is_shown_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert np.array_equal(pixels(render.picture(OneObject(picture), "x")), picture)
    assert np.array_equal(render.display(picture), picture)


def test_a_wide_picture_is_fitted_whole_between_black_bars():
    shown = thumbnail(np.full((50, 100), 200, np.uint8), 100)
    assert shown[:22].max() < 12
    assert shown[78:].max() < 12
    assert shown[28:72].min() > 190


def test_crop_shows_only_the_center():
    data = np.full((100, 100), 10, np.uint8)
    data[30:70, 30:70] = 240
    assert thumbnail(data, 50)[:5].max() < 30
    assert thumbnail(data, 50, crop=0.4).min() > 220


def test_shrinking_averages_instead_of_skipping_pixels():
    checks = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    shown = thumbnail(checks, 150)
    assert abs(shown.mean() - 127.5) < 5
    assert shown.std() < 20


def test_a_faint_galaxy_is_seen_above_a_dark_sky():
    shown = render.display(galaxy(peak=100.0))
    assert shown[32, 32] > 200
    assert np.median(shown) < 90


def test_the_stretch_does_not_care_about_the_unit():
    data = galaxy()
    difference = render.display(data).astype(int) - render.display(data * 3e-7 - 1e-5).astype(int)
    assert np.abs(difference).max() <= 2


def test_a_hot_pixel_does_not_hide_the_galaxy():
    data = galaxy()
    data[3, 3] = 1e7
    assert render.display(data)[32, 32] > 150


def test_nan_is_black_and_does_not_spread():
    data = galaxy(128)
    data[:64] = np.nan
    assert render.display(data)[:64].max() == 0
    assert thumbnail(data, 64)[33:].max() > 100


def test_infinite_pixels_are_white_or_black():
    data = galaxy()
    data[0, :3] = np.inf, -np.inf, 1e300
    assert render.display(data)[0, :3].tolist() == [255, 0, 255]


@pytest.mark.parametrize("value", [0.0, -7.5, 1e30, np.nan])
@pytest.mark.parametrize("shape", [(30, 30), (30, 30, 3)])
def test_an_image_of_one_value_is_black(value, shape):
    assert render.display(np.full(shape, value)).max() == 0


def test_a_red_galaxy_is_red_and_a_blue_one_blue():
    shape = galaxy()
    red = np.stack([shape * 2 - 100, shape, shape * 0.5 + 50], axis=2)
    for data, color in ((red, 0), (red[..., ::-1], 2)):
        flank = render.display(data)[32, 38].astype(int)
        assert flank.argmax() == color
        assert flank.max() - flank.min() > 40


def test_a_band_in_other_units_does_not_drown_the_rest():
    shape = galaxy()
    center = render.display(np.stack([shape * 1e6, shape, shape], axis=2))[32, 32]
    assert center.min() > 40


def test_an_empty_band_leaves_the_others_visible():
    data = np.stack([galaxy(), galaxy(), np.full((64, 64), np.nan)], axis=2)
    center = render.display(data)[32, 32]
    assert center[2] == 0
    assert center[:2].min() > 100


def test_of_many_bands_first_middle_and_last_are_shown():
    cube = np.zeros((10, 10, 5), np.uint8)
    cube[..., [0, 2, 4]] = 10, 20, 30
    assert render.display(cube)[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    "problem",
    [
        ReadError("the file ends in the middle"),
        KeyError("x"),
        OSError("disk gone"),
        RuntimeError("no connection"),
        np.zeros((0, 5)),
        np.zeros((2, 2, 2, 2)),
        np.array([["a"]]),
    ],
    ids=repr,
)
def test_a_bad_object_is_a_quiet_grey_placeholder(problem, caplog):
    with caplog.at_level(logging.WARNING, logger="astronomaly_widgets"):
        shown = thumbnail(problem, 120)
    assert shown.shape == (120, 120, 3)
    assert 20 < np.median(shown) < 80
    assert "'x'" in caplog.text


def test_the_reason_is_logged_and_written_into_the_large_picture(caplog):
    short = render.picture(OneObject(ReadError("short")), "x")
    long = render.picture(OneObject(ReadError("a much longer reason " * 9)), "x")
    assert "a much longer reason" in caplog.text
    assert (pixels(long).max(axis=2) > 120).sum() > 3 * (pixels(short).max(axis=2) > 120).sum()


def test_without_a_source_there_is_a_placeholder_too():
    assert render.mime(render.thumbnail(None, "x")) == "image/jpeg"
    assert render.mime(render.picture(None, "x")) == "image/jpeg"


@pytest.mark.parametrize("options", [{"size": 0}, {"size": -3}, {"crop": 0}, {"crop": 1.5}])
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ValueError, match="must be"):
        render.thumbnail(OneObject(galaxy()), "x", **options)


@pytest.mark.parametrize(
    ("shape", "wanted", "mime"),
    [
        ((100, 60), (100, 60), "image/png"),
        ((500, 400), (500, 400), "image/jpeg"),
        ((3000, 1000), (1024, 341), "image/jpeg"),
    ],
)
def test_a_picture_is_as_large_as_the_data_allow(shape, wanted, mime):
    encoded = render.picture(OneObject(np.zeros(shape, np.uint8)), "x")
    assert pixels(encoded).shape == wanted
    assert render.mime(encoded) == mime


def test_mime_refuses_what_is_no_picture():
    with pytest.raises(ValueError, match="neither a JPEG nor a PNG"):
        render.mime(b"GIF89a")


def lit(values, size=150):
    return pixels(render.profile(values, size)).astype(int).max(axis=2) > 110


def test_a_curve_rises_where_its_values_rise():
    shown = lit(np.linspace(0, 1, 100))
    rows = [np.flatnonzero(column).mean() for column in shown.T if column.any()]
    assert rows[0] > 120
    assert rows[-1] < 30
    assert np.all(np.diff(rows) < 3)


@pytest.mark.parametrize("unit", [1e-30, 1e-17, 1e12])
def test_a_curve_looks_the_same_in_every_unit(unit):
    values = 2 + np.sin(np.arange(100) / 9)
    np.testing.assert_array_equal(lit(values * unit), lit(values))


def test_a_gap_in_a_curve_stays_a_gap():
    values = np.ones(100)
    values[40:60] = np.nan
    columns = lit(values).any(axis=0)
    assert columns[20:60].all()
    assert not columns[66:84].any()


def test_a_spike_in_a_long_curve_is_not_lost():
    values = np.zeros(50_000)
    values[31_003] = 1
    assert lit(values)[:75].any()


def test_few_values_are_bars_of_two_colors():
    shown = pixels(render.profile([5, -5, np.nan, 5], 150)).astype(int)
    up, down, gap = shown[50, 33], shown[110, 62], shown[:, 90]
    assert up[2] > up[0] + 50
    assert down[0] > down[2] + 50
    assert gap.max() < 110


def test_small_columns_stay_visible_beside_large_ones():
    shown = lit([1e6, 3.0, 1e6, 3.0])
    assert shown[:, 50:70].sum() > 40


@pytest.mark.parametrize(
    "values",
    [[], [np.nan], [0.0], [7], np.zeros(100), [np.inf, 1], [1e300, 1e-300], np.full(64, np.nan)],
)
@pytest.mark.parametrize("size", [1, 20, 150, 600])
def test_any_row_can_be_drawn(values, size):
    assert pixels(render.profile(values, size)).shape == (size, size, 3)


def test_a_profile_wants_one_row():
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        render.profile(np.zeros((2, 2)))


def test_a_row_of_a_table_is_drawn_as_a_profile():
    row = np.sin(np.linspace(0, 6, 80))
    assert render.thumbnail(OneObject(row), "x", 150) == render.profile(row, 150)


def test_one_band_of_an_image_is_shown_in_grey():
    data = np.zeros((40, 40, 3), np.uint8)
    data[..., 1] = np.arange(40, dtype=np.uint8) * 6
    source = OneObject(data)
    assert np.array_equal(pixels(render.picture(source, "x", band=1)), data[..., 1])
    assert pixels(render.picture(source, "x", band=0)).max() == 0
    assert pixels(render.picture(source, "x")).shape == (40, 40, 3)
    assert render.picture(source, "x", band=3) == render.picture(source, "x")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (np.zeros((8, 8, 3), np.uint8), ("R", "G", "B")),
        (np.zeros((8, 8, 3), np.float32), ("1", "2", "3")),
        (np.zeros((8, 8, 4), np.uint8), ("1", "2", "3", "4")),
        (np.zeros((8, 8, 1)), ()),
        (np.zeros((8, 8)), ()),
        (ReadError("gone"), ()),
    ],
)
def test_bands_have_names(data, names):
    assert render.picture_and_bands(OneObject(data), "x")[1] == names


def test_names_of_bands_are_those_of_the_source_if_they_fit():
    source = OneObject(np.zeros((8, 8, 2)))
    source.bands = ("g", "r")
    assert render.picture_and_bands(source, "x")[1] == ("g", "r")
    source.bands = ("g", "r", "z")
    assert render.picture_and_bands(source, "x")[1] == ("1", "2")
    assert render.picture_and_bands(None, "x")[1] == ()


def test_noise_is_not_magnified():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-75:75, -75:75]
    faint = rng.normal(0, 1, (150, 150)) + 12 * np.exp(-np.hypot(x, y) / 8)
    shown = render.display(faint)
    black, white = np.median(faint) - 1, np.percentile(faint, 99.8)
    light = (np.clip(faint, black, None) - black) / (white - black)
    softening = 2 / (white - black)
    wanted = np.minimum(np.arcsinh(light / softening) / np.arcsinh(1 / softening), 1)
    np.testing.assert_allclose(shown, 255 * wanted, atol=6)  # sigma is found, not known
    bright = render.display(faint + 5000 * np.exp(-np.hypot(x, y) / 8))
    assert shown[:40].std() > 3 * bright[:40].std()


def test_a_magnified_star_has_no_dark_ring():
    y, x = np.mgrid[-24:24, -24:24]
    stars = np.random.default_rng(0).normal(0, 1, (48, 48))
    stars += 100 * np.exp(-(x**2 + y**2))
    source = ImageStack(stars.astype(np.float32)[None])
    picture = cv2.imdecode(np.frombuffer(render.thumbnail(source, "object-0", 480), np.uint8), 0)
    radius = np.hypot(*(np.mgrid[:480, :480] / 10 - 24.5))
    assert picture[(radius > 2) & (radius < 3)].mean() > picture[radius > 6].mean() + 5
