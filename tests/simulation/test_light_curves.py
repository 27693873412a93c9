"""Simulated variable stars: what each kind does, and that the truth in the catalog is true."""

import numpy as np
import pytest

from astronomaly_widgets import simulation
from astronomaly_widgets.simulation import light_curves

CLASSES = list(light_curves.LIGHT_CURVE_SCORES)
RARE = [name for name in CLASSES if name in light_curves._RARE]


@pytest.fixture(scope="module")
def survey():
    return simulation.make_light_curves(n=300, random_state=3, rare_fraction=0.5)


def of_class(survey, name):
    return [survey.read(i) for i in survey.catalog.index[survey.catalog["class_name"] == name]]


def in_band(curve, band):
    return curve[curve["band"] == band]


def at_rest(curve):
    """Magnitudes less the median of their band, in order of time."""
    value = curve["magnitude"].copy()
    for band in "gr":
        value[curve["band"] == band] -= np.median(value[curve["band"] == band])
    return value


def test_it_is_a_survey_in_two_bands_with_errors(survey):
    assert len(survey) == 300
    assert survey.bands == ("g", "r")
    assert survey.value_name == "magnitude"
    for object_id in survey.object_ids[:20]:
        curve = survey.read(object_id)
        assert len(curve) == 140
        assert (curve["error"] > 0).all()
        g, r = in_band(curve, "g"), in_band(curve, "r")
        np.testing.assert_allclose(r["time"] - g["time"], 0.03, atol=1e-6)


def test_there_are_seasons(survey):
    for object_id in survey.object_ids[:20]:
        time = survey.read(object_id)["time"]
        assert np.diff(time).max() > 100
        assert time[-1] - time[0] < 2 * 366


def test_noise_is_what_the_errors_say(survey):
    for curve in of_class(survey, "glitch"):
        residual = at_rest(curve) / curve["error"]
        assert np.median(np.abs(residual)) == pytest.approx(0.6745, abs=0.2)


def test_glitches_are_a_few_single_points(survey):
    for curve in of_class(survey, "glitch"):
        assert 2 <= (np.abs(at_rest(curve)) > 0.9).sum() <= 5


@pytest.mark.parametrize("name", ["rr_lyrae", "eclipsing", "spotted"])
def test_periodic_stars_repeat_at_the_true_period_and_at_no_other(survey, name):
    def roughness(curve, period):
        g = in_band(curve, "g")
        folded = g["magnitude"][np.argsort(g["time"] / period % 1)]
        return np.abs(np.diff(folded)).mean()

    rows = survey.catalog[survey.catalog["class_name"] == name]
    better = [
        roughness(survey.read(i), period) < roughness(survey.read(i), 1.037 * period)
        for i, period in rows["true_period"].items()
    ]
    assert np.mean(better) > 0.9


def test_what_does_not_repeat_has_no_period(survey):
    catalog = survey.catalog
    periodic = catalog["class_name"].isin(["rr_lyrae", "eclipsing", "spotted", "mira"])
    assert (catalog["true_period"].notna() == periodic).all()


def test_rr_lyrae_rise_faster_than_they_fall(survey):
    rows = survey.catalog[survey.catalog["class_name"] == "rr_lyrae"]
    for object_id, period in rows["true_period"].items():
        g = in_band(survey.read(object_id), "g")
        phase = g["time"] / period % 1
        value = g["magnitude"][np.argsort(phase)]
        brightest, faintest = np.argmin(value), np.argmax(value)
        assert (brightest - faintest) % len(value) < len(value) / 2


def test_a_lens_brightens_all_bands_alike_as_paczynski_says():
    rng = np.random.default_rng(5)
    time = np.stack([np.linspace(0, 400, 4001)] * 2)
    shape, _ = light_curves._microlensing(rng, time)
    np.testing.assert_array_equal(shape[0], shape[1])
    magnification = 10 ** (-0.4 * shape[0])
    # u from the magnification, in closed form, is a hyperbola in time
    u2 = 2 * (magnification / np.sqrt(magnification**2 - 1) - 1)
    np.testing.assert_allclose(np.diff(u2, 3), 0, atol=1e-7)
    assert magnification.min() < 1.01
    assert magnification.max() > 1.34  # inside of the Einstein ring


def test_a_damped_random_walk_forgets():
    rng = np.random.default_rng(0)
    time = np.array([[0.0, 1.0, 2000.0], [0.03, 1.03, 2000.03]])
    walks = np.array([light_curves._quasar(rng, time)[0][0] for _ in range(10_000)])
    start, soon, late = walks.T
    assert np.corrcoef(start, soon)[0, 1] > 0.95
    assert abs(np.corrcoef(start, late)[0, 1]) < 0.06
    # stationary from the start; of amplitudes that are uniform in 0.12..0.3
    wanted = np.sqrt((0.3**3 - 0.12**3) / 3 / 0.18)
    np.testing.assert_allclose([start.std(), late.std()], wanted, rtol=0.04)


def test_outbursts_are_brighter_and_clouds_are_fainter(survey):
    for curve in of_class(survey, "dwarf_nova"):
        assert np.percentile(at_rest(curve), 95) < 0.6
    fadings = [np.percentile(at_rest(curve), 95) for curve in of_class(survey, "fading")]
    assert min(fadings) > 0.1
    assert max(np.ptp(c["magnitude"]) for c in of_class(survey, "fading")) > 2


@pytest.mark.parametrize("n_years", [1, 2])
def test_a_jump_is_one_step_in_both_bands(n_years):
    survey = simulation.make_light_curves(n=200, n_years=n_years, rare_fraction=0.5)
    for curve in of_class(survey, "jump"):
        steps = []
        for band in "gr":
            value = in_band(curve, band)["magnitude"]
            at = np.argmax(np.abs(np.diff(value)))
            before, after = np.median(value[: at + 1]), np.median(value[at + 1 :])
            steps.append(after - before)
            assert np.std(np.r_[value[: at + 1] - before, value[at + 1 :] - after]) < 0.1
        assert steps[0] == pytest.approx(steps[1], abs=0.1)
        assert abs(steps[0]) > 0.15


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"n_nights": 5}, "n_nights"),
        ({"n_nights": 300}, "at most 110 a year"),
        ({"n_years": 0}, "n_nights"),
    ],
)
def test_impossible_surveys_are_refused(options, word):
    with pytest.raises(ValueError, match=word):
        simulation.make_light_curves(**options)
