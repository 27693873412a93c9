"""Spectra of every kind of file and array, and what is done with bad ones."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import InverseVariance
from astropy.table import QTable, Table

from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.sources import Spectra

AXIS = np.linspace(4000, 7000, 61)
FLUX = np.random.default_rng(0).uniform(1, 2, (3, 61))
ERROR = FLUX / 10


def check(source, row=1):
    data = source.read(source.object_ids[row])
    np.testing.assert_allclose(data["wavelength"], AXIS)
    np.testing.assert_allclose(data["flux"], FLUX[row])
    return data


def reason(wavelength, flux, *error):
    with pytest.raises(ReadError) as problem:
        Spectra({"a": (wavelength, flux, *error)}).read("a")
    return str(problem.value)


def test_arrays_with_one_axis_for_all():
    data = check(Spectra(FLUX, AXIS, error=ERROR))
    np.testing.assert_array_equal(data["error"], ERROR[1])
    assert np.isnan(check(Spectra(FLUX, AXIS))["error"]).all()


def test_arrays_with_an_axis_for_each():
    axes = AXIS * np.array([[0.9], [1], [1.1]])
    source = Spectra(FLUX.tolist(), axes, object_ids=["a", "b", "c"])
    check(source)
    np.testing.assert_allclose(source.read("c")["wavelength"], AXIS * 1.1)


def test_a_decreasing_axis_is_turned_with_all_that_belongs_to_it():
    data = check(Spectra(FLUX[:, ::-1], AXIS[::-1], error=ERROR[:, ::-1]))
    np.testing.assert_array_equal(data["error"], ERROR[1])
    assert data.flags.c_contiguous


@pytest.mark.parametrize(
    "axis",
    [
        (AXIS / 10) * u.nm,
        (AXIS / 1e4) * u.um,
        (AXIS * u.AA).to(u.THz, u.spectral()),
        (AXIS * u.AA).to(u.eV, u.spectral()),
    ],
    ids=["nm", "um", "frequency", "energy"],
)
def test_units_of_the_axis_are_converted_at_the_door(axis):
    source = Spectra(FLUX * u.Jy, axis)
    check(source)
    assert source.value_unit == "Jy"
    assert source.wavelength_unit == "Angstrom"


def test_another_unit_can_be_wanted_and_is_then_that_of_a_plain_axis():
    source = Spectra(FLUX, AXIS, unit="nm")
    assert source.read("object-0")["wavelength"][0] == 4000
    source = Spectra(FLUX, AXIS * u.AA, unit="nm")
    assert source.read("object-0")["wavelength"][0] == pytest.approx(400)
    assert source.wavelength_unit == "nm"


@pytest.mark.parametrize("unit", ["GHz", "furlongs"])
def test_a_unit_that_is_no_length_is_refused(unit):
    with pytest.raises(SourceError, match=unit):
        Spectra(FLUX, AXIS, unit=unit)


def test_a_unit_that_does_not_convert_is_refused():
    with pytest.raises(SourceError, match="an axis in 's' does not convert to 'Angstrom'"):
        Spectra(FLUX, AXIS * u.s)


def test_redshifts_bring_the_axis_to_rest():
    catalog = pd.DataFrame({"id": ["a", "b", "c"], "z": [0.0, 1.0, np.nan]})
    source = Spectra(FLUX, AXIS, object_ids=["a", "b", "c"], catalog=catalog, redshift="z")
    np.testing.assert_allclose(source.read("b")["wavelength"], AXIS / 2)
    assert source.axis_name == "rest wavelength"
    with pytest.raises(ReadError, match="its redshift is nan"):
        source.read("c")
    assert Spectra(FLUX, AXIS, redshift=[0, 1, 2]).read("object-2")["wavelength"][0] < 1334
    with pytest.raises(SourceError, match=r"no column 'v' of redshifts in the catalog"):
        Spectra(FLUX, AXIS, catalog=catalog, object_ids=["a", "b", "c"], redshift="v")
    with pytest.raises(SourceError, match="2 redshifts for 3 spectra"):
        Spectra(FLUX, AXIS, redshift=[0, 1])


def test_zeros_at_the_ends_were_not_observed_and_others_were():
    flux = np.array([0, 0, 1, 0, 2, 0.0])
    data = Spectra({"a": (np.arange(1.0, 7), flux)}).read("a")
    assert np.isnan(data["flux"]).tolist() == [True, True, False, False, False, True]


def test_masked_and_infinite_fluxes_are_missing():
    flux = np.ma.array([1.0, 2, np.inf, 4, 5], mask=[0, 1, 0, 0, 0])
    data = Spectra({"a": (np.arange(1.0, 6), flux, [1, 1, 1, np.inf, 1])}).read("a")
    assert np.isnan(data["flux"]).tolist() == [False, True, True, False, False]
    assert np.isnan(data["error"]).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("spectrum", "words"),
    [
        (([1.0, 2, 3], [1.0, 2]), "(3,) wavelengths do not fit fluxes of shape (2,)"),
        (([1.0, 3, 2], [1.0, 2, 3]), "in no order: 1 steps go up, 1 down"),
        (([1.0, 2, 2], [1.0, 2, 3]), "1 repeat"),
        (([-1.0, 2, 3], [1.0, 2, 3]), "a wavelength is -1"),
        (([1.0, 2, 3], [np.nan] * 3), "0 of its 3 fluxes are finite"),
        (([1.0, 2, 3], [0.0, 5, 0]), "1 of its 3 fluxes are finite and not 0"),
        (([1.0, 2, 3], [1.0, 2, 3], [1.0, -1, 1]), "1 of its 3 errors are negative"),
        (([np.nan, np.nan], [1.0, 2]), "0 finite wavelengths"),
        (([1.0, 2, 3], [1.0, 2, 3], [1.0]), "errors of shape (1,)"),
    ],
)
def test_a_bad_spectrum_is_a_reason(spectrum, words):
    assert words in reason(*spectrum)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((FLUX,), "no wavelengths"),
        ((FLUX, AXIS[:-1]), r"wavelengths of shape \(60,\) do not fit"),
        ((FLUX[0], AXIS), "wanted numbers of shape"),
        ((FLUX.astype(str), AXIS), "wanted numbers"),
        ((FLUX, np.r_[AXIS[:-1], 5000]), "the axis cannot be used: its wavelengths are in no"),
        (({},), "wanted numbers of shape"),
        (("nothing.npz",), "there is no file"),
    ],
)
def test_what_are_no_spectra_is_refused(arguments, words):
    with pytest.raises(SourceError, match=words):
        Spectra(*arguments)


def test_errors_and_ids_must_fit():
    with pytest.raises(SourceError, match="errors of shape"):
        Spectra(FLUX, AXIS, error=ERROR[:2])
    with pytest.raises(SourceError, match="2 object_ids for 3 spectra"):
        Spectra(FLUX, AXIS, object_ids=["a", "b"])


def test_a_file_of_arrays(tmp_path):
    path = tmp_path / "all.npz"
    ivar = ERROR**-2
    ivar[1, 5] = 0
    np.savez(path, loglam=np.log10(AXIS), flux=FLUX, ivar=ivar, id=["x", "y", "z"])
    source = Spectra(path)
    assert list(source.object_ids) == ["x", "y", "z"]
    data = source.read("x")
    np.testing.assert_allclose(data["wavelength"], AXIS)
    np.testing.assert_allclose(data["error"], ERROR[0])
    assert np.isnan(source.read("y")["flux"][5])
    again = Spectra(**source.spec["arguments"])
    assert list(again.fingerprints) == list(source.fingerprints)
    assert Spectra.recognizes(path)
    np.savez(path, x=AXIS)
    assert not Spectra.recognizes(path)
    with pytest.raises(SourceError, match="no arrays called flux and wavelength; it has x"):
        Spectra(path)


def linear_image(path, *, log):
    axis = np.log10(AXIS[[0, -1]]) if log else AXIS[[0, -1]]
    hdu = fits.PrimaryHDU(np.stack([FLUX[1], ERROR[1]]))
    hdu.header["CRVAL1"] = axis[0]
    hdu.header["CDELT1"] = (axis[1] - axis[0]) / 60
    hdu.header["DC-FLAG"] = int(log)
    hdu.writeto(path)


def test_files_of_every_layout(tmp_path):
    sdss = Table({"loglam": np.log10(AXIS), "flux": FLUX[1], "ivar": ERROR[1] ** -2})
    fits.HDUList(
        [fits.PrimaryHDU(), fits.BinTableHDU(Table({"z": [0.1]})), fits.BinTableHDU(sdss)]
    ).writeto(tmp_path / "sdss.fits")
    QTable({"WAVE": (AXIS / 10) * u.nm, "FLUX": FLUX[1] * u.Jy}).write(tmp_path / "units.fits")
    Table({"wave": AXIS[None], "flux": FLUX[1][None]}).write(tmp_path / "vectors.fits")
    linear_image(tmp_path / "image.fits", log=False)
    pd.DataFrame({"Wavelength": AXIS, "Flux": FLUX[1], "Err": ERROR[1]}).to_csv(
        tmp_path / "table.csv", index=False
    )
    np.savetxt(tmp_path / "text.dat", np.stack([AXIS, FLUX[1]], axis=1), header="wave flux")
    pd.DataFrame({"Wavelength (nm)": AXIS / 10, "Flux [Jy]": FLUX[1]}).to_csv(
        tmp_path / "named.csv", index=False
    )
    (tmp_path / "readme.md").write_text("no spectrum")
    source = Spectra(tmp_path)
    named = ["image", "named", "sdss", "table", "text", "units", "vectors"]
    assert list(source.object_ids) == named
    for object_id in source.object_ids:
        data = source.read(object_id)
        np.testing.assert_allclose(data["wavelength"], AXIS)
        np.testing.assert_allclose(data["flux"], FLUX[1])
    np.testing.assert_allclose(source.read("sdss")["error"], ERROR[1])
    assert Spectra.recognizes(tmp_path)


def test_a_logarithmic_axis_in_a_header(tmp_path):
    linear_image(tmp_path / "log.fits", log=True)
    data = Spectra(tmp_path).read("log")
    np.testing.assert_allclose(data["wavelength"], np.geomspace(4000, 7000, 61))


def test_a_damaged_file_spoils_no_other(tmp_path):
    linear_image(tmp_path / "good.fits", log=False)
    (tmp_path / "broken.fits").write_bytes(b"SIMPLE  =  nothing")
    fits.PrimaryHDU(np.zeros((50, 50))).writeto(tmp_path / "image.fits")
    fits.PrimaryHDU(np.ones(60)).writeto(tmp_path / "blind.fits")
    (tmp_path / "words.csv").write_text("a,b\n1,2\n")
    source = Spectra(tmp_path)
    assert len(source.fingerprints) == 5
    source.read("good")
    for name, words in {
        "broken": "cannot be read",
        "image": "neither a table with a flux nor a one-dimensional image",
        "blind": "does not tell the wavelengths",
        "words": "no columns are called like a wavelength and a flux; there are a, b",
    }.items():
        with pytest.raises(ReadError, match=words):
            source.read(name)


def test_a_folder_of_spectra_is_known_though_the_first_is_broken(tmp_path):
    for k in range(1, 4):
        linear_image(tmp_path / f"{k}.fits", log=False)
    (tmp_path / "0.fits").write_bytes(b"SIMPLE  =                    T")
    assert Spectra.recognizes(tmp_path)


def test_a_folder_without_spectra_is_refused_and_not_taken_for_one(tmp_path):
    with pytest.raises(SourceError, match="no spectra in the folder"):
        Spectra(tmp_path)
    assert not Spectra.recognizes(tmp_path)
    fits.PrimaryHDU(np.zeros((50, 50))).writeto(tmp_path / "image.fits")
    assert not Spectra.recognizes(tmp_path)


def test_a_single_file_is_no_survey(tmp_path):
    linear_image(tmp_path / "one.fits", log=False)
    with pytest.raises(SourceError, match="holds one spectrum at most"):
        Spectra(tmp_path / "one.fits")


def test_spectrum_objects_are_taken_as_they_are():
    spectra = [
        SimpleNamespace(
            spectral_axis=AXIS / 10 * u.nm,
            flux=flux * u.Jy,
            uncertainty=InverseVariance(error**-2 / u.Jy**2),
        )
        for flux, error in zip(FLUX, ERROR, strict=True)
    ]
    source = Spectra(spectra)
    assert Spectra.recognizes(spectra)
    assert Spectra.recognizes({"a": (AXIS, FLUX[0])})
    assert not Spectra.recognizes({"a": (AXIS, FLUX)})
    assert not Spectra.recognizes(FLUX)
    np.testing.assert_allclose(check(source)["error"], ERROR[1])
    assert source.value_unit == "Jy"
    with pytest.raises(ReadError, match="a dict is not a spectrum"):
        Spectra([spectra[0], {}]).read("object-1")


def test_a_spectrum_object_of_many_spectra_and_its_mask():
    mask = np.zeros(FLUX.shape, bool)
    mask[1, 7] = True
    many = SimpleNamespace(spectral_axis=AXIS / 10 * u.nm, flux=FLUX * u.Jy, mask=mask)
    source = Spectra(many, object_ids=["a", "b", "c"])
    data = source.read("b")
    np.testing.assert_allclose(data["wavelength"], AXIS)
    assert np.flatnonzero(np.isnan(data["flux"])).tolist() == [7]
    assert source.value_unit == "Jy"
    assert Spectra.recognizes(many)
    assert not Spectra.recognizes(SimpleNamespace(spectral_axis=AXIS, flux=FLUX[0]))


def test_fingerprints_change_with_the_object_alone():
    other = FLUX.copy()
    other[1, 3] += 1e-9
    before, after = (Spectra(flux, AXIS).fingerprints for flux in (FLUX, other))
    assert (before == after).tolist() == [True, False, True]
    assert (Spectra(FLUX, AXIS, redshift=[0, 1, 2]).fingerprints != before).all()
