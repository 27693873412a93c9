"""Features of light curves against formulas, numpy and scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import LightCurveFeatures, find_period, measure
from astronomaly_widgets.sources import LightCurves

rng = np.random.default_rng(0)


def curve(time, value, error=0.1, band="", *, name="magnitude"):
    data = np.empty(len(time), [("time", "f8"), (name, "f8"), ("error", "f8"), ("band", "U8")])
    data["time"], data[name], data["error"], data["band"] = time, value, error, band
    return data


class AnySource:
    """Only what names of features need to know."""

    value_name = "magnitude"
    bands = ("g", "r")


def measured(data, **options):
    extractor = LightCurveFeatures(**{"period": False, **options})
    source = AnySource()
    source.value_name = data.dtype.names[1]
    return dict(zip(extractor.feature_names(source), extractor.extract(data), strict=True))


@pytest.fixture
def irregular():
    time = np.sort(rng.uniform(0, 300, 80))
    return curve(time, 18 + np.sin(time / 9) + rng.normal(0, 0.2, 80), rng.uniform(0.1, 0.3, 80))


def test_numbers_are_those_of_their_formulas(irregular):
    t, m, e = (irregular[name] for name in ("time", "magnitude", "error"))
    found = measured(irregular)
    weighted = np.average(m, weights=1 / e**2)
    slope, _ = np.polyfit(t, m, 1)
    residual = m - np.polyval(np.polyfit(t, m, 1), t)
    high = m > m.mean() + m.std(ddof=1)
    low = m < m.mean() - m.std(ddof=1)
    z = (m - weighted) / e
    sums = np.cumsum(m - m.mean()) / (len(m) * m.std(ddof=1))
    expected = {
        "amplitude": (m.max() - m.min()) / 2,
        "beyond_1_std": (high | low).mean(),
        "cusum": np.ptp(sums),
        "kurtosis": stats.kurtosis(m, bias=False),
        "median": np.median(m),
        "median_absolute_deviation": np.median(np.abs(m - np.median(m))),
        "maximum_slope": np.log10(np.abs(np.diff(m) / np.diff(t)).max()),
        "reduced_chi2": np.log10((z**2).sum() / (len(m) - 1)),
        "skew": stats.skew(m, bias=False),
        "standard_deviation": m.std(ddof=1),
        "stetson_k": np.abs(z).sum() / np.sqrt((z**2).sum()) / np.sqrt(len(m)),
        "trend": slope,
        "trend_noise": np.sqrt((residual**2).sum() / (len(m) - 2)),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_order_and_repeats_of_points_do_not_matter(irregular):
    shuffled = rng.permutation(irregular)
    assert measured(shuffled) == measured(irregular)


def test_points_at_one_time_are_averaged_by_their_errors():
    time = np.arange(6.0)
    value = np.array([1.0, 3, 2, 5, 4, 2])
    twice = curve(np.append(time, 5), np.append(value, 5.0), np.append(np.full(6, 0.1), 0.2))
    merged = value.copy()
    merged[5] = (2 / 0.01 + 5 / 0.04) / (1 / 0.01 + 1 / 0.04)
    error = np.append(np.full(5, 0.1), (1 / 0.01 + 1 / 0.04) ** -0.5)
    assert measured(twice) == pytest.approx(measured(curve(time, merged, error)))


def test_unknown_errors_are_those_of_the_scatter_from_point_to_point():
    value = 18 + rng.normal(0, 0.3, 4000)
    data = curve(np.arange(4000.0), value, np.nan)
    assert measured(data)["reduced_chi2"] == pytest.approx(0, abs=0.05)


def test_one_unknown_error_among_known_ones_is_the_typical_one(irregular):
    data = irregular.copy()
    data["error"] = 0.2
    known = measured(data)
    data["error"][3] = np.nan
    assert measured(data) == pytest.approx(known)


def test_units_of_flux_change_nothing_but_the_scale(irregular):
    flux = curve(irregular["time"], irregular["magnitude"], irregular["error"], name="flux")
    faint = flux.copy()
    faint["flux"] *= 1e-17
    faint["error"] *= 1e-17
    one, other = measured(flux), measured(faint)
    assert one.pop("log_scale") - other.pop("log_scale") == pytest.approx(17)
    assert one == pytest.approx(other, rel=1e-3, abs=1e-4)


def test_without_named_bands_features_are_the_mean_over_those_with_enough_points(irregular):
    g, r = irregular[:50].copy(), irregular[50:].copy()
    g["band"], r["band"] = "g", "r"
    few = irregular[:2].copy()
    few["band"] = "i"
    found = measured(np.concatenate([g, few, r]))
    parts = measured(g), measured(r)
    for name, value in found.items():
        mean = (50 * parts[0][name] + 30 * parts[1][name]) / 80
        assert value == pytest.approx(mean, rel=1e-4, abs=1e-5)


def test_named_bands_are_measured_one_by_one_with_the_colors_between(irregular):
    g, r = irregular.copy(), irregular.copy()
    g["band"], r["band"] = "g", "r"
    r["magnitude"] -= 0.7
    found = measured(np.concatenate([g, r]), bands=["g", "r"])
    assert found["g-r"] == pytest.approx(0.7, abs=1e-5)
    assert found["g_median"] - found["r_median"] == pytest.approx(0.7, abs=1e-5)
    assert found["g_amplitude"] == pytest.approx(found["r_amplitude"], abs=1e-5)
    with pytest.raises(MeasurementError, match="0 points in band r; wanted 4"):
        measured(g, bands=["g", "r"])


@pytest.mark.parametrize("error", [0.1, np.nan])
def test_colors_of_fluxes_do_not_depend_on_their_unit(irregular, error):
    g, r = (
        curve(irregular["time"], k * irregular["magnitude"], k * error, band, name="flux")
        for band, k in (("g", 1), ("r", 2))
    )
    for unit in (1e-30, 1e-6, 1, 1e6):
        data = np.concatenate([g, r])
        data["flux"] *= unit
        data["error"] *= unit
        found = measured(data, bands=["g", "r"])
        assert found["g-r"] == pytest.approx(-np.log(2), rel=1e-3)


def test_a_band_that_the_source_has_not_is_refused():
    with pytest.raises(ValueError, match=r"no bands 'y'; there are 'g', 'r'"):
        LightCurveFeatures(["g", "y"]).feature_names(AnySource())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (curve([1.0], [18.0]), "1 point; wanted 4"),
        (curve([1.0, 2, 3], [18.0, 17, 16]), "3 points; wanted 4"),
        (curve([1.0, 2, 2, 2], [18.0, 17, 16, 15]), "2 points; wanted 4"),
        (curve(range(5), [18.0] * 5), "all of its 5 points have the same value"),
        (curve(range(4), [18.0, 17, 18, 17], band=[*"ggrr"]), "2 points in its best band"),
        (curve(range(5), [np.nan] * 5), "0 points; wanted 4"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(data, words):
    with pytest.raises(MeasurementError, match=words):
        LightCurveFeatures().extract(data)


@pytest.mark.parametrize(
    "wrong", [{"min_points": 3}, {"min_period": 0}, {"bands": "gr"}, {"bands": []}]
)
def test_parameters_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LightCurveFeatures(**wrong)


@settings(max_examples=60)
@given(
    n=st.integers(4, 30),
    seed=st.integers(0, 10_000),
    levels=st.integers(2, 5),
    zero=st.sampled_from([0.0, 1e-20, 20.0, -1e6]),
    name=st.sampled_from(["flux", "magnitude"]),
)
def test_whatever_varies_gives_finite_numbers(n, seed, levels, zero, name):
    random = np.random.default_rng(seed)
    value = random.integers(0, levels, n).astype(float)
    value[:2] = 0, 1
    time = np.cumsum(10.0 ** random.integers(-4, 4, n))
    data = curve(time, value + zero, random.choice([np.nan, 0.0, 0.1], n), name=name)
    if np.ptp(data[name]) > 0:
        assert np.isfinite(list(measured(data, period=True).values())).all()


def saw(phase):
    """A steep rise and a slow fall, as that of an RR Lyrae star."""
    return np.where(phase < 0.15, phase / 0.15, (1 - phase) / 0.85)


@pytest.mark.parametrize("n", [15, 41, 200])
def test_a_flat_curve_with_a_single_flare_is_measured(n):
    flux = np.full(n, 10.0)
    flux[n // 3] = 50
    data = curve(np.sort(rng.uniform(0, 300, n)), flux, np.nan, name="flux")
    found = measured(data, period=True)
    assert np.isfinite(list(found.values())).all()
    assert found["amplitude"] == pytest.approx(20 / np.std(flux), rel=1e-5)


@pytest.mark.parametrize("period", [0.2345, 0.61, 0.9973, 3.3, 47.0])
def test_the_period_of_a_sawtooth_sampled_at_night_is_found(period):
    night = np.sort(rng.choice(900, 120, replace=False))
    time = night + rng.uniform(0, 0.2, 120)
    value = 17 + saw(time / period % 1) + rng.normal(0, 0.03, 120)
    found = find_period(curve(time, value, 0.03))
    assert found.days == pytest.approx(period, rel=1e-3)
    assert found.power > 0.9
    assert found.log_chance < -20


def test_bands_share_one_period():
    time = np.sort(rng.uniform(0, 400, 90))
    band = np.array(["u", "g", "r"])[np.arange(90) % 3]
    offset = np.select([band == "u", band == "g"], [19, 17], 16)
    amplitude = np.select([band == "u", band == "g"], [1.5, 1], 0.5)
    data = curve(time, offset + amplitude * saw(time / 0.57 % 1), 0.02, band)
    assert find_period(data).days == pytest.approx(0.57, rel=1e-3)


def test_noise_has_no_significant_period():
    chances = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        time = np.sort(random.uniform(0, 500, 60))
        chances.append(find_period(curve(time, random.normal(18, 0.1, 60))).log_chance)
    assert np.median(chances) > -2
    assert min(chances) > -5


def test_a_curve_shorter_than_the_shortest_period_is_still_searched():
    time = np.linspace(0, 0.05, 60)
    found = find_period(curve(time, np.sin(2 * np.pi * time / 0.01)), min_period=0.1)
    assert found.days == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("wrong", [curve([1.0] * 5, range(5)), curve(range(5), [1.0] * 5)])
def test_without_time_or_variation_there_is_no_period(wrong):
    with pytest.raises(ValueError, match="a period needs at least four points"):
        find_period(wrong)


def test_a_survey_is_measured_and_all_are_accounted_for():
    time = np.arange(40) ** 1.3
    table = pd.DataFrame(
        {
            "id": np.repeat(["sine", "short", "flat", "wrong"], [40, 2, 9, 9]),
            "mjd": np.concatenate([time[:n] for n in (40, 2, 9, 9)]),
            "mag": np.r_[18 + np.sin(time), 17, 18, np.full(9, 15), range(9)],
            "magerr": np.r_[np.full(51, 0.1), np.full(9, -1)],
        }
    )
    result = measure(LightCurves(table), "light_curve", n_jobs=1, progress=False)
    assert list(result.object_ids) == ["sine"]
    assert result.set_aside["stage"].to_dict() == {
        "short": "measure",
        "flat": "measure",
        "wrong": "read",
    }
    ((_, row),) = zip(result.object_ids, result.values, strict=True)
    period = 10 ** row[result.names.index("log_period")]
    assert period == pytest.approx(2 * np.pi, rel=0.01)
