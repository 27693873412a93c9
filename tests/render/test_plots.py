"""Light curves and spectra as pictures, and as the lines of a plot."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from astronomaly_widgets import render
from astronomaly_widgets.exceptions import ReadError
from astronomaly_widgets.render._drawing import GROUND
from astronomaly_widgets.render._lines import band_colors, folded
from astronomaly_widgets.render._plots import _digits, _frame, _runs, _ticks, plot
from astronomaly_widgets.sources import FeatureTable, LightCurves, Spectra


def curves(value, *, time=None, error=0.01, band="r", name="mag", **options):
    n = len(value)
    time = np.arange(n) if time is None else time
    table = {"id": ["a"] * n, "mjd": time, name: value, f"{name}err": error, "band": band}
    return LightCurves(pd.DataFrame(table), **options)


def pixels(data):
    return np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)


def lit(picture):
    """Where something is drawn that is no line of the grid."""
    return np.abs(picture - np.array(GROUND)).sum(axis=2) > 160


def drawn(source, width=600, height=400):
    return plot(render.line_data(source, "a"), width, height).astype(int)


def test_a_thumbnail_is_a_square_jpeg_that_is_not_empty():
    for source in (curves([18.0, 17, 19]), Spectra({"a": (range(1, 9), range(2, 10))})):
        data = render.thumbnail(source, "a", 120)
        assert render.mime(data) == "image/jpeg"
        assert pixels(data).shape == (120, 120, 3)
        assert lit(pixels(data)).any()


def test_a_large_picture_is_an_exact_one():
    data = render.picture(curves([18.0, 17, 19]), "a", 900)
    assert render.mime(data) == "image/png"
    assert pixels(data).shape == (558, 900, 3)


def test_bright_is_up_for_magnitudes_and_for_fluxes():
    rows = {}
    for name in ("mag", "flux"):
        picture = drawn(curves([10.0, 20.0], name=name, error=np.nan), 200, 200)
        point = np.abs(picture - np.array([122, 208, 235])).sum(axis=2) < 60
        halves = point[:, :100], point[:, 100:]
        rows[name] = [np.flatnonzero(half.any(axis=1)).mean() for half in halves]
    assert rows["mag"][0] < 40
    assert rows["mag"][1] > 160
    assert rows["flux"][0] > 160
    assert rows["flux"][1] < 40


def test_an_error_bar_is_as_long_as_the_error():
    source = curves([10.0, 20.0, 15.0], error=[np.nan, np.nan, 2.5], name="flux")
    lines = render.line_data(source, "a")
    picture = drawn(source)
    frame = _frame(lines, 600, 400, small=False)
    column = round(float(frame.across(np.array([2.0]))[0]))
    bar = np.flatnonzero(lit(picture)[:, column])
    top, bottom = frame.up(np.array([17.5, 12.5]))
    inside = bar[(bar > frame.top + 30) & (bar < frame.bottom - 2)]
    assert inside.min() == pytest.approx(top, abs=1.5)
    assert inside.max() == pytest.approx(bottom, abs=1.5)


def test_without_errors_there_are_no_bars():
    with_bars, without = (lit(drawn(curves([10.0, 20, 15], error=e))).sum() for e in (1.0, np.nan))
    assert without < with_bars


def test_bands_have_their_colors_and_are_named():
    source = curves([18.0, 17, 16, 15], band=["g", "r", "g", "r"])
    lines = render.line_data(source, "a")
    assert lines.bands == ("g", "r")
    assert lines.band.tolist() == [0, 1, 0, 1]
    picture = drawn(source)
    for color in lines.colors:
        near = np.abs(picture - np.array(list(bytes.fromhex(color[1:])))).sum(axis=2) < 6
        assert near.sum() > 20


def test_colors_are_the_same_for_all_objects_of_a_survey():
    table = pd.DataFrame({"id": [*"aab"], "mjd": 1, "mag": [1.0, 2, 3], "band": [*"grr"]})
    source = LightCurves(table)
    a, b = (render.line_data(source, name) for name in "ab")
    assert a.colors == b.colors
    assert b.band.tolist() == [1]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 12])
def test_there_is_a_color_for_every_band(n):
    colors = band_colors(n)
    assert len(colors) == n
    assert len(set(colors)) == min(n, 7)


def test_folding_brings_points_of_one_phase_together_with_the_brightest_at_zero():
    time = np.array([0.0, 1.0, 2.5, 6.0, 7.5])
    source = curves([18.0, 16.0, 17, 16.5, 19], time=time, period={"a": 2.5})
    lines = render.line_data(source, "a")
    assert lines.period == 2.5
    fold = folded(lines, 2.5)
    np.testing.assert_allclose(fold.x[:5], (time - 1) / 2.5 % 1)
    np.testing.assert_allclose(fold.x[5:], fold.x[:5] + 1)
    assert fold.y[np.argmin(fold.x)] == 16.0
    assert np.isnan(render.line_data(curves([18.0, 17]), "a").period)


def test_the_picture_of_a_folded_light_curve_differs():
    value = 18 + np.sin(np.arange(80) * 0.7)
    plain, fold = (drawn(curves(value, period=p)) for p in (None, {"a": 2 * np.pi / 0.7}))
    assert (plain != fold).any()


def test_a_thumbnail_can_be_folded_at_another_period_or_at_none():
    value = 18 + np.sin(np.arange(80) * 0.7)
    plain = curves(value)
    fold = curves(value, period={"a": 3.0})
    assert render.thumbnail(plain, "a", period=3.0) == render.thumbnail(fold, "a")
    assert render.thumbnail(fold, "a", period=float("nan")) == render.thumbnail(plain, "a")
    assert render.thumbnail(fold, "a", period=4.0) != render.thumbnail(fold, "a")


def test_a_gap_in_a_spectrum_is_not_bridged():
    flux = np.full(400, 5.0)
    flux[0], flux[150:250], flux[-1] = 4, np.nan, 6
    picture = drawn(Spectra({"a": (np.linspace(4000, 8000, 400), flux)}), 200, 200)
    columns = lit(picture[40:160]).any(axis=0)
    assert columns[20:70].all()
    assert not columns[82:118].any()
    assert columns[130:180].all()


def test_a_narrow_line_survives_in_a_small_picture():
    flux = np.ones(20_000)
    flux[10_001] = 9.0
    flux[::2] += 0.001
    picture = drawn(Spectra({"a": (np.linspace(4000, 8000, 20_000), flux)}), 150, 150)
    assert lit(picture[40:110, 70:80]).any()


def test_the_label_of_an_axis_has_its_unit():
    source = Spectra({"a": (range(1, 9), range(2, 10))}, unit="nm")
    lines = render.line_data(source, "a")
    assert (lines.x_label, lines.y_label) == ("wavelength (nm)", "flux")
    source = Spectra({"a": (range(1, 9), range(2, 10))}, redshift=[0.0])
    assert render.line_data(source, "a").x_label == "rest wavelength (Å)"


@pytest.mark.parametrize(
    "value", [[18.0], [18.0, 18.0], [1e-17, 3e-17], [1e30, -1e30], [0.0, 0.0], list(range(5000))]
)
@pytest.mark.parametrize("size", [24, 150, 700])
@pytest.mark.parametrize("time", ["spread", "equal"])
def test_whatever_the_numbers_something_is_drawn(value, size, time):
    when = np.arange(len(value)) if time == "spread" else np.ones(len(value))
    source = curves(value, time=when, name="flux", error=np.nan)
    assert lit(drawn(source, size, size)).any()


def test_what_cannot_be_read_is_a_placeholder(caplog):
    source = curves([18.0, 17], error=-1.0)
    assert pixels(render.thumbnail(source, "a")).shape == (150, 150, 3)
    assert "errors are negative" in caplog.text
    with pytest.raises(ReadError):
        render.line_data(source, "a")


def test_only_curves_have_lines():
    table = FeatureTable(pd.DataFrame({"id": [*"ab"], "x": [1.0, 2]}))
    assert render.line_data(table, "a") is None
    assert render.line_data(None, "a") is None
    with pytest.raises(KeyError):
        render.line_data(curves([18.0]), "nothing")


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-3e-17, 2e-17), (53000.2, 53000.9), (14.1, 22.7)])
def test_ticks_are_few_round_and_inside(ends):
    ticks = _ticks(ends, 6)
    assert 2 <= len(ticks) <= 7
    assert all(ends[0] <= tick <= ends[1] for tick in ticks)
    step = np.diff(ticks)
    np.testing.assert_allclose(step, step[0], rtol=1e-6)
    assert float(f"{step[0]:.2g}") == pytest.approx(step[0], rel=1e-6)


def test_stretches_without_a_gap():
    good = np.array([True, True, False, False, True])
    assert _runs(good) == [slice(0, 2), slice(4, 5)]
    assert _runs(np.zeros(3, bool)) == []


@pytest.mark.parametrize("low", [0.0, -3.7, 17.23, 53000.0])
@pytest.mark.parametrize("n", [6, 7])
def test_numbers_at_the_axes_are_what_they_say(low, n):
    for span in np.geomspace(0.02, 9000, 80):
        ends = low, low + float(span)
        ticks = _ticks(ends, n)
        texts = [f"{value:{_digits(ends)}}" for value in ticks]
        np.testing.assert_allclose(list(map(float, texts)), ticks, rtol=0, atol=1e-6 * span)
        assert 2 <= len(ticks) <= n + 1
