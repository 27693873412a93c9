"""Features of spectra against integrals done by hand, and scikit-learn's PCA."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from astronomaly_widgets.exceptions import MeasurementError
from astronomaly_widgets.features import (
    ResampledSpectrumFeatures,
    SpectrumFeatures,
    SpectrumPCAFeatures,
    measure,
)
from astronomaly_widgets.features._spectrum_grid import Grid
from astronomaly_widgets.sources import Spectra

AXIS = np.arange(3900.0, 7100.0, 1.0)
EXTRACTORS = [SpectrumFeatures, SpectrumPCAFeatures, ResampledSpectrumFeatures]


def line(at, strength, sigma=5.0):
    """A line whose flux is `strength`, in units of Angstrom times flux."""
    return strength * np.exp(-(((AXIS - at) / sigma) ** 2) / 2) / sigma / np.sqrt(2 * np.pi)


def survey(n=20, seed=0):
    """Red continua with noise, and H alpha of strength 0, 10, 20, ... in emission."""
    rng = np.random.default_rng(seed)
    flux = np.array([AXIS / 5000 + line(6562.8, 10 * k) for k in range(n)])
    return Spectra(flux + rng.normal(0, 0.002, flux.shape), AXIS)


def table(extractor, source):
    result = measure(source, extractor, n_jobs=1, progress=False)
    assert not len(result.set_aside)
    return dict(zip(result.names, result.values.T, strict=True))


def test_bins_hold_the_mean_flux_within_them():
    rng = np.random.default_rng(1)
    data = np.empty(3200, [("wavelength", "f8"), ("flux", "f8"), ("error", "f8")])
    data["wavelength"], data["flux"] = AXIS, rng.uniform(1, 2, 3200)
    grid = Grid(4000, 7000, 40, has_continuum=True)
    fine = np.linspace(3900, 7099, 1_600_001)
    steps = data["flux"][np.clip(np.floor(fine - 3900 + 0.5).astype(int), 0, 3199)]
    for k, mean in enumerate(grid.binned(data)):
        inside = (fine >= grid.edges[k]) & (fine < grid.edges[k + 1])
        assert mean == pytest.approx(steps[inside].mean(), rel=1e-4)


def test_a_bin_half_of_which_has_no_data_is_missing():
    data = np.empty(3200, [("wavelength", "f8"), ("flux", "f8"), ("error", "f8")])
    data["wavelength"], data["flux"] = AXIS, 3.0
    data["flux"][1000:1500] = np.nan
    binned = Grid(4000, 7000, 40, has_continuum=True).binned(data)
    centers = Grid(4000, 7000, 40, has_continuum=True).centers
    hole = (centers > 4900) & (centers < 5400)
    assert np.isnan(binned[hole]).sum() >= 5
    np.testing.assert_allclose(binned[(centers < 4800) | (centers > 5500)], 3)
    assert np.nanmax(np.abs(binned - 3)) < 1e-9


def test_a_gap_between_detectors_has_no_data():
    arms = [(4718, 4903), (5649, 5873), (6481, 6739), (7590, 7890)]  # of GALAH
    axis = np.concatenate([np.arange(start, stop, 0.1) for start, stop in arms])
    data = np.empty(len(axis), [("wavelength", "f8"), ("flux", "f8"), ("error", "f8")])
    data["wavelength"], data["flux"] = axis, np.random.default_rng(0).normal(1, 0.1, len(axis))
    grid = Grid(4718, 7890, 600, has_continuum=True)
    binned, width = grid.binned(data), np.diff(grid.edges)
    covered = sum((grid.centers > low) & (grid.centers < high) for low, high in arms).astype(bool)
    assert np.count_nonzero(np.isfinite(binned) != covered) <= 8  # the bins at the ends
    assert np.nansum(binned * width) == pytest.approx(0.1 * data["flux"].sum(), rel=0.02)
    np.testing.assert_array_equal(grid.flatten(data).relative[~np.isfinite(binned)], 0)
    with pytest.raises(MeasurementError, match="covers 0% of the range"):
        Grid(5000, 5500, 40, has_continuum=True).flatten(data)


def test_the_strength_of_a_line_is_its_equivalent_width():
    found = table(SpectrumFeatures(n_bins=600), survey())
    expected = 10 * np.arange(20) / (6562.8 / 5000)
    np.testing.assert_allclose(found["line_h_alpha"], expected, rtol=0.04, atol=0.5)
    assert np.abs(found["line_h_beta"]).max() < 0.5


def test_absorption_is_negative_and_seen_as_such():
    flux = np.array([AXIS / 5000 - line(4861.3, 5 * k) for k in range(1, 9)])
    found = table(SpectrumFeatures(n_bins=600), Spectra(flux, AXIS))
    np.testing.assert_allclose(
        found["line_h_beta"], -5 * np.arange(1, 9) / (4861.3 / 5000), rtol=0.02, atol=0.4
    )
    name = min(
        (n for n in found if n.startswith("absorption_")),
        key=lambda n: abs(float(n.partition("_")[2]) - 4861.3),
    )
    assert (np.diff(found[name]) > 0).all()
    assert (found["strongest_absorption"] > found["strongest_emission"]).all()


def test_lines_follow_the_unit_and_are_left_out_beyond_the_grid():
    angstrom, nm = survey(), Spectra(survey()._flux, AXIS / 10, unit="nm")
    one, other = (table(SpectrumFeatures(n_bins=600), each) for each in (angstrom, nm))
    np.testing.assert_allclose(one["line_h_alpha"], 10 * other["line_h_alpha"], rtol=1e-3)
    assert "line_ca_ii_8542" not in one
    own = table(SpectrumFeatures(lines={"mine": 5500.0, "beyond": 9000.0}), angstrom)
    assert [name for name in own if name.startswith("line_")] == ["line_mine"]


def test_the_continuum_is_that_of_a_power_law():
    flux = np.array([(AXIS / 5000) ** slope for slope in (-2, 0, 1, 3)])
    found = table(SpectrumFeatures(), Spectra(flux, AXIS))
    names = [name for name in found if name.startswith("continuum_")]
    at = np.array([float(name.partition("_")[2]) for name in names])
    for k, slope in enumerate((-2, 0, 1, 3)):
        measured = np.array([found[name][k] for name in names])
        expected = slope * np.log10(at)
        np.testing.assert_allclose(measured - measured[2], expected - expected[2], atol=0.02)


@pytest.mark.parametrize("make", EXTRACTORS)
def test_brightness_does_not_matter(make):
    source = survey()
    faint = Spectra(source._flux * 1e-17, AXIS)
    one, other = table(make(), source), table(make(), faint)
    for name, values in one.items():
        np.testing.assert_allclose(other[name], values, rtol=1e-3, atol=1e-4)


def test_spectra_without_a_continuum_are_known_and_scaled():
    rng = np.random.default_rng(2)
    flux = np.array([line(6000, 50, 40) - line(5000, 50, 40) for _ in range(9)])
    source = Spectra(flux + rng.normal(0, 0.01, flux.shape), AXIS)
    extractor = SpectrumFeatures()
    found = table(extractor, source)
    assert not extractor.grid_.has_continuum
    assert not any(name.startswith("continuum") for name in found)
    assert (
        table(ResampledSpectrumFeatures(), source)[
            ResampledSpectrumFeatures().feature_names(source)[0]
        ].std()
        < 1
    )


def test_components_are_those_of_scikit_learn():
    source = survey(40)
    extractor = SpectrumPCAFeatures(3, n_bins=100)
    found = table(extractor, source)
    X = np.array(
        [np.arcsinh(extractor.grid_.flatten(source.read(i)).relative) for i in source.object_ids]
    )
    pca = PCA(3, svd_solver="full").fit(X)
    scores = pca.transform(X)
    for k in range(3):
        mine = found[f"pc_{k + 1}"]
        same = np.sign(mine @ scores[:, k])
        np.testing.assert_allclose(mine, same * scores[:, k], atol=1e-4)
    rest = X - pca.inverse_transform(scores)
    expected = np.log10(np.sqrt((rest**2).mean(axis=1)))
    np.testing.assert_allclose(found["residual"], expected, atol=1e-3)


def test_the_residual_shows_what_is_unlike_the_rest():
    source = survey(60)
    flux = source._flux.copy()
    flux[7] += line(5300, 60, 3) * np.sin(AXIS / 3)
    found = table(SpectrumPCAFeatures(2, n_fit=20), Spectra(flux, AXIS))
    assert found["residual"].argmax() == 7


def test_few_spectra_have_few_components():
    names = SpectrumPCAFeatures(20).feature_names(survey(4))
    assert names == ("pc_1", "pc_2", "pc_3", "residual")


def test_the_grid_is_what_most_of_the_spectra_cover():
    flux = survey(20)._flux.copy()
    flux[:, :100] = np.nan
    flux[3, :1000] = np.nan  # one of twenty begins later
    extractor = ResampledSpectrumFeatures()
    extractor.fit(Spectra(flux, AXIS))
    assert (extractor.grid_.start, extractor.grid_.stop) == (4000, 7099)
    extractor = ResampledSpectrumFeatures(limits=(4500, 5000)).fit(Spectra(flux, AXIS))
    assert (extractor.grid_.start, extractor.grid_.stop) == (4500, 5000)


def test_where_there_are_no_data_there_is_no_line_and_the_continuum_goes_on():
    flux = survey(20)._flux.copy()
    flux[5, 2500:2800] = np.nan  # 6400 to 6700
    source = Spectra(flux, AXIS)
    assert abs(table(SpectrumFeatures(), source)["line_h_alpha"][5]) < 0.3
    raw = table(ResampledSpectrumFeatures(), source)
    name = min(raw, key=lambda n: abs(float(n.partition("_")[2]) - 6567))
    assert raw[name][5] == pytest.approx(6567 / 5500, rel=0.05)


@pytest.mark.parametrize("make", EXTRACTORS)
def test_too_little_of_a_spectrum_is_a_reason(make):
    flux = survey(20)._flux.copy()
    flux[3, 1000:] = np.nan
    result = measure(Spectra(flux, AXIS), make(), n_jobs=1, progress=False)
    assert result.set_aside.loc["object-3", "reason"].startswith("it covers 38% of the range")
    assert len(result.object_ids) == 19


def test_constant_spectra_without_light_have_a_reason():
    flux = np.full((5, 3200), 1e-9)
    flux[:4] = survey(4)._flux
    flux[4, 1:-1] = 0
    result = measure(Spectra(flux, AXIS), "spectrum", n_jobs=1, progress=False)
    assert result.set_aside.loc["object-4", "reason"] == "more than half of its fluxes are 0"


@pytest.mark.parametrize("make", EXTRACTORS)
def test_without_a_grid_it_says_what_to_do(make):
    with pytest.raises(ValueError, match=r"has no grid yet; call fit\(source\) first"):
        make().extract(survey(2).read("object-0"))


def test_spectra_without_a_common_range_are_refused():
    source = Spectra({"a": (AXIS[:200], AXIS[:200]), "b": (AXIS[-200:], AXIS[-200:])})
    with pytest.raises(MeasurementError, match="no common range: they begin at 3900 to 6900"):
        SpectrumFeatures().feature_names(source)
    with pytest.raises(MeasurementError, match="not one of 1 spectra can be read"):
        SpectrumFeatures().feature_names(Spectra({"a": ([1, 2], [np.nan, np.nan])}))
    with pytest.raises(MeasurementError, match="1 of 1 spectra can be measured"):
        SpectrumPCAFeatures().feature_names(survey(1))


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (SpectrumFeatures, {"n_bins": 5}),
        (SpectrumFeatures, {"limits": (5000, 4000)}),
        (SpectrumFeatures, {"width": 0}),
        (SpectrumPCAFeatures, {"n_components": 0}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        make(**wrong)


def test_settings_tell_one_grid_from_another():
    extractor, other = SpectrumPCAFeatures(), SpectrumPCAFeatures()
    before = extractor.settings()
    extractor.fit(survey())
    other.fit(survey(seed=3))
    assert before != extractor.settings() != other.settings()
    assert extractor.settings() == SpectrumPCAFeatures().fit(survey()).settings()


def test_that_no_spectrum_can_be_read_has_a_reason():
    axis = [4000.0, 4100.0, 4050.0]
    source = Spectra({"a": (axis, [1.0, 2.0, 3.0]), "b": (axis, [1.0, 2.0, 3.0])})
    with pytest.raises(MeasurementError, match="such as 'a': its wavelengths are in no order"):
        measure(source, SpectrumFeatures(), n_jobs=1)
