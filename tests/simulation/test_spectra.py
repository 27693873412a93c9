"""Simulated spectra: lines where physics has them, and that the truth in the catalog is true."""

import numpy as np
import pytest

from astronomaly_widgets import simulation
from astronomaly_widgets.simulation import spectra

CLASSES = list(spectra.SPECTRUM_SCORES)
RARE = [name for name in CLASSES if name in spectra._RARE]
REST = np.geomspace(3300, 8800, 20_000)


@pytest.fixture(scope="module")
def survey():
    return simulation.make_spectra(n=300, random_state=3, rare_fraction=0.5)


def of_class(survey, name):
    return survey.catalog.index[survey.catalog["class_name"] == name]


def integral(flux, center, half_width):
    """Flux of a line above a straight continuum beside it."""
    inside = np.abs(REST - center) < half_width
    base = np.interp(REST[inside], REST[inside][[0, -1]], flux[inside][[0, -1]])
    return np.trapezoid(flux[inside] - base, REST[inside])


def strongest_at(data):
    """Wavelength of the highest point above a running median."""
    windows = np.lib.stride_tricks.sliding_window_view(data["flux"], 101)
    above = data["flux"][50:-50] - np.median(windows, axis=1)
    return data["wavelength"][50:-50][np.argmax(above)]


def test_it_is_a_survey_at_rest_with_errors(survey):
    assert len(survey) == 300
    assert survey.axis_name == "rest wavelength"
    for object_id in survey.object_ids[:10]:
        data = survey.read(object_id)
        ends = data["wavelength"][[0, -1]] * (1 + survey.catalog.loc[object_id, "redshift"])
        np.testing.assert_allclose(ends, [3800, 9200])
        assert (data["error"] > 0).all()


def test_noise_is_what_the_errors_say(survey):
    for object_id in of_class(survey, "passive")[:10]:
        data = survey.read(object_id)
        step = np.diff(data["flux"]) / np.sqrt(2) / data["error"][1:]
        assert np.median(np.abs(step)) == pytest.approx(0.6745, rel=0.15)


def test_star_forming_galaxies_are_brightest_in_a_line_of_their_gas(survey):
    lines = np.array([3727.4, 5006.8, 6562.8])
    strong = [strongest_at(survey.read(i)) for i in of_class(survey, "star_forming")]
    near = [np.abs(lines - at).min() < 12 for at in strong]
    assert np.mean(near) > 0.9


@pytest.mark.parametrize("name", ["_star_forming", "_extreme_emission"])
def test_lines_of_one_ion_keep_their_ratio(name):
    light = getattr(spectra, name)(np.random.default_rng(2), REST)
    doublet = integral(light, 5006.8, 15) / integral(light, 4958.9, 15)
    assert doublet == pytest.approx(2.98, rel=0.05)


def test_a_line_has_the_flux_that_is_asked_for():
    light = spectra._lines(REST, {6000.0: 2.0, 7000.0: -1.0}, 10.0, 4.0)
    assert integral(light, 6000, 40) == pytest.approx(20, rel=1e-3)
    assert integral(light, 7000, 40) == pytest.approx(-10, rel=1e-3)


def test_old_galaxies_have_a_break_and_metals():
    for seed in range(5):
        light = spectra._passive(np.random.default_rng(seed), REST)
        red, blue = (REST > 4050) & (REST < 4250), (REST > 3750) & (REST < 3900)
        assert light[red].mean() > 1.3 * light[blue].mean()
        assert integral(light, 5175.4, 30) < -2  # magnesium, in absorption
        assert light.min() > 0


def test_the_lines_of_a_lensed_galaxy_are_where_the_lens_has_none(survey):
    own = np.array([*spectra._BALMER, 3727.4, 4958.9, 5006.8, 6583.5])
    strong = np.array([strongest_at(survey.read(i)) for i in of_class(survey, "lens")])
    assert np.mean(np.abs(strong[:, None] - own).min(axis=1) > 12) > 0.85
    behind = strong[:, None] / np.array([3727.4, 4861.3, 5006.8])
    assert ((behind > 1.2) & (behind < 1.52)).any(axis=1).mean() > 0.9


def test_a_tidal_disruption_is_blue_and_its_lines_are_broad(survey):
    for object_id in of_class(survey, "tidal_disruption"):
        data = survey.read(object_id)
        at = data["wavelength"]
        assert data["flux"][at < 4200].mean() > 1.5 * data["flux"][at > 6800].mean()


def test_bad_data_happen_to_the_detector_not_to_the_galaxy(survey):
    joins = []
    for object_id in of_class(survey, "bad_join"):
        data = survey.read(object_id)
        seen = data["wavelength"] * (1 + survey.catalog.loc[object_id, "redshift"])
        left = [np.median(data["flux"][k - 25 : k]) for k in range(100, 1100)]
        right = [np.median(data["flux"][k : k + 25]) for k in range(100, 1100)]
        joins.append(seen[100 + np.argmax(np.abs(np.log(np.maximum(right, 0.02) / left)))])
    assert np.mean((np.array(joins) > 5750) & (np.array(joins) < 6150)) > 0.8


def test_too_few_points_to_show_lines_are_refused():
    with pytest.raises(ValueError, match="n_wavelengths is 9; wanted at least 300"):
        simulation.make_spectra(n_wavelengths=9)
