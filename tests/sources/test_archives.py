"""What archives deliver is known for what it is, and read as they mean it."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from astronomaly_widgets.exceptions import ReadError
from astronomaly_widgets.sources import FeatureTable, FITSCutouts, LightCurves, Spectra, open_source

RNG = np.random.default_rng(0)


def one_of_tess(path, offset=2457000):
    """Write a light curve as the pipelines of Kepler and TESS do."""
    time = 1325.3 + np.arange(50) / 720
    time[7] = np.nan
    table = Table({"TIME": time, "CADENCENO": np.arange(50)})
    for name in ("SAP_FLUX", "PDCSAP_FLUX"):
        table[name] = np.float32(len(name)) + np.arange(50, dtype=np.float32)
        table[f"{name}_ERR"] = np.full(50, 0.5, np.float32)
    table["PDCSAP_FLUX"][9] = np.nan
    light_curve = fits.BinTableHDU(table, name="LIGHTCURVE")
    light_curve.header["TUNIT1"] = f"BJD - {offset}, days"
    for number in (3, 4, 5, 6):
        light_curve.header[f"TUNIT{number}"] = "e-/s"
    aperture = fits.ImageHDU(np.ones((11, 11), np.int32), name="APERTURE")
    fits.HDUList([fits.PrimaryHDU(), light_curve, aperture]).writeto(path)


@pytest.mark.parametrize("offset", [2457000, 2454833])
def test_light_curves_of_kepler_and_tess_are_in_their_days(tmp_path, offset):
    for k in range(3):
        one_of_tess(tmp_path / f"tess-{k}_lc.fits", offset)
    for given in (tmp_path, sorted(tmp_path.iterdir()), str(tmp_path / "*_lc.fits")):
        source = open_source(given)
        assert isinstance(source, LightCurves)
        assert source.value_unit == "e-/s"
        data = source.read("tess-1_lc")
        assert len(data) == 48  # a time and a flux are missing
        assert data["time"][0] == 1325.3
        assert data["flux"][0] == len("PDCSAP_FLUX")
        assert data["error"].tolist() == [0.5] * 48


@pytest.mark.parametrize("unit", ["MJD", "JD", "day", "BKJD"])
def test_a_unit_that_counts_days_is_days(unit):
    table = Table({"id": ["a", "a"], "time": [1.5, 2.5], "flux": [1.0, 2.0]})
    table["time"].unit = u.Unit(unit, parse_strict="silent")
    assert LightCurves(table).read("a")["time"].tolist() == [1.5, 2.5]


RUBIN = {"diaSourceId": 0, "diaObjectId": 1, "midpointMjdTai": 2, "psfFlux": 3, "psfFluxErr": 4,
         "band": 5, "ra": 0}  # fmt: skip
RUBIN_FORCED = {"diaObjectId": 1, "expMidptMJD": 2, "psfFlux": 3, "psfFluxErr": 4, "band": 5}
PAN_STARRS = {"objID": 1, "obsTime": 2, "psfFlux": 3, "psfFluxErr": 4, "filterID": 5}
SKY_PATROL = {"asas_sn_id": 1, "jd": 2, "flux": 6, "flux_err": 6, "mag": 3, "mag_err": 4,
              "limit": 6, "phot_filter": 5}  # fmt: skip
CRTS = {"MasterID": 1, "Mag": 3, "Magerr": 4, "RA": 0, "Dec": 0, "MJD": 2, "Blend": 0}


@pytest.mark.parametrize(
    "columns",
    [RUBIN, RUBIN_FORCED, PAN_STARRS, SKY_PATROL, CRTS],
    ids=["Rubin", "Rubin forced", "Pan-STARRS", "SkyPatrol", "CRTS"],
)
def test_a_long_table_of_a_survey_is_known_by_its_columns(columns):
    n = 12
    kinds = [
        10**17 + np.arange(n),
        np.repeat([10**17, 2 * 10**17], n // 2),
        60_000 + np.arange(n),
        RNG.uniform(10, 20, n),
        np.full(n, 0.25),
        np.tile(["g", "r"], n // 2),
        RNG.uniform(100, 200, n),
    ]
    source = open_source(pd.DataFrame({name: kinds[kind] for name, kind in columns.items()}))
    assert isinstance(source, LightCurves)
    assert list(source.object_ids) == [str(10**17), str(2 * 10**17)]
    data = source.read(str(10**17))
    assert data["time"].tolist() == kinds[2][:6].tolist()
    assert data[source.value_name].tolist() == kinds[3][:6].tolist()
    assert data["error"].tolist() == [0.25] * 6
    assert source.bands == (("",) if columns is CRTS else ("g", "r"))


def test_forced_photometry_of_ztf_has_names_with_commas_above_numbers_with_blanks(tmp_path):
    for k in range(3):
        rows = [f" {n} 468 ZTF_{'gr'[n % 2]} 0 {2458197.9 + n} {100 + n}.5 5.0" for n in range(20)]
        rows[3] = " 3 468 ZTF_r 0 2458200.9 null null"
        names = "index, field, filter, infobitssci, jd, forcediffimflux, forcediffimfluxunc"
        head = f"# Output\n# Requested input R.A. = 10.\n#\n{names}\n"
        path = tmp_path / f"forcedphotometry_req{k}_lc.txt"
        path.write_text(head + "\n".join(rows) + "\n")
    for given in (tmp_path, str(tmp_path / "*_lc.txt")):
        source = open_source(given)
        assert isinstance(source, LightCurves)
        assert source.bands == ("ZTF_g", "ZTF_r")
        data = source.read("forcedphotometry_req1_lc")
        assert len(data) == 19
        assert data["flux"][:3].tolist() == [100.5, 101.5, 102.5]
        assert data["error"].tolist() == [5.0] * 19


@pytest.mark.parametrize(
    "beside",
    [
        ("ERR", "CON", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"),
        ("ERR", "DQ", "SAMP", "TIME"),
        ("MSK", "WGT"),
        ("WHT", "CTX"),
    ],
    ids=["JWST i2d", "WFC3 flt", "DES tile", "HST drz"],
)
def test_a_mosaic_of_a_telescope_has_one_band_beside_what_belongs_to_it(tmp_path, beside):
    planes = [
        fits.ImageHDU(RNG.normal(size=(90, 90)).astype(np.float32), name=name)
        for name in ("SCI", *beside)
    ]
    fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(tmp_path / "mosaic.fits")
    catalog = {"id": ["a"], "x": [50.0], "y": [40.0]}
    source = FITSCutouts(tmp_path / "mosaic.fits", catalog, size=20)
    assert source.bands == ("SCI",)
    np.testing.assert_array_equal(source.read("a"), planes[0].data[30:50, 40:60][::-1])


@pytest.mark.parametrize(
    ("n_rows", "header"),
    [
        (5, {"CRVAL1": 3.5682, "CD1_1": 1e-4, "CRPIX1": 1, "CTYPE1": "LINEAR", "DC-FLAG": 1}),
        (14, {"CRVAL1": 4.179, "CDELT1": 6e-6, "CRPIX1": 1, "CTYPE1": "LOG-LINEAR"}),
    ],
    ids=["LAMOST", "APOGEE apStar"],
)
def test_rows_of_a_spectrum_are_no_mosaic_in_a_folder_or_a_list(tmp_path, n_rows, header):
    rows = np.ones((n_rows, 3909), np.float32)
    rows[0] = RNG.normal(10, 1, 3909)
    for k in range(3):
        fits.PrimaryHDU(rows, fits.Header(header)).writeto(tmp_path / f"spec-{k}.fits")
    for given in (tmp_path, sorted(tmp_path.iterdir()), str(tmp_path / "spec-*.fits")):
        source = open_source(given)
        assert isinstance(source, Spectra)
        data = source.read("spec-1")
        np.testing.assert_array_equal(data["flux"], rows[0])
        assert data["wavelength"][0] == pytest.approx(10 ** header["CRVAL1"])


def test_to_tell_that_a_mosaic_is_no_spectrum_its_pixels_are_not_read(tmp_path, monkeypatch):
    fits.writeto(tmp_path / "mosaic.fits", np.zeros((900, 900), np.float32))
    monkeypatch.setattr(fits.PrimaryHDU, "data", property(lambda hdu: pytest.fail("it was read")))
    assert not Spectra.recognizes(tmp_path)


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot"])
def test_the_units_of_a_spectrum_hold_in_whatever_file_they_stand(tmp_path, suffix):
    table = Table({"wavelength": np.linspace(1, 5, 50) * u.um, "flux": np.ones(50) * u.Jy})
    for k in range(3):
        path = tmp_path / f"{k}.{suffix}"
        table.write(path, format="votable" if suffix == "vot" else None)
    source = open_source(tmp_path)
    assert source.value_unit == "Jy"
    np.testing.assert_allclose(source.read("1")["wavelength"][[0, -1]], [1e4, 5e4])


def table_of_stars():
    table = Table({"objid": [10**17 + k for k in range(6)], "Nobs": np.arange(6)})
    table["Vmag"] = np.arange(6) / 4 * u.mag
    return table


WRITTEN = {
    "a_mrt.txt": "ascii.mrt",
    "a.mrt": "ascii.mrt",
    "a.tbl": "ascii.ipac",
    "a.vot.gz": "votable",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_is_read_in_the_form_that_journals_and_archives_send(tmp_path, name):
    path = tmp_path / name
    table_of_stars().write(path, format=WRITTEN[name])  # which packs where it says .gz
    source = open_source(path)
    assert isinstance(source, FeatureTable)
    assert source.object_ids.tolist() == [str(10**17 + k) for k in range(6)]
    assert source.column_names == ("Nobs", "Vmag")
    assert [source.read(i)[1] for i in source.object_ids] == [0, 0.25, 0.5, 0.75, 1, 1.25]


@pytest.mark.parametrize("name", ["lc_mrt.txt", "lc.tbl", "lc.vot.gz"])
def test_a_long_table_is_light_curves_in_any_of_these_forms(tmp_path, name):
    n = 20
    table = Table({"name": np.repeat(["x", "y"], n // 2), "mag": np.arange(n) / 8 + 1})
    table["t"] = np.arange(n) * 6 * u.hour
    form = {"lc_mrt.txt": "ascii.mrt", "lc.tbl": "ascii.ipac", "lc.vot.gz": "votable"}[name]
    table.write(tmp_path / name, format=form)
    source = open_source(tmp_path / name)
    assert isinstance(source, LightCurves)
    assert source.read("x")["time"][:3].tolist() == [0, 0.25, 0.5]  # days


def test_catalogs_of_sextractor_are_read_in_both_of_its_forms(tmp_path):
    head = "#   1 NUMBER    Running object number\n#   2 X_IMAGE   x  [pixel]\n#   3 Y_IMAGE   y\n"
    (tmp_path / "text.cat").write_text(head + "  1  51.0  41.0\n  2  61.0  31.0\n")
    table = Table({"NUMBER": [1, 2], "X_IMAGE": [51.0, 61.0], "Y_IMAGE": [41.0, 31.0]})
    header = fits.BinTableHDU(Table({"Field Header Card": [["SIMPLE"]]}), name="LDAC_IMHEAD")
    objects = fits.BinTableHDU(table, name="LDAC_OBJECTS")
    fits.HDUList([fits.PrimaryHDU(), header, objects]).writeto(tmp_path / "ldac.cat")
    image = RNG.normal(size=(90, 90)).astype(np.float32)
    fits.writeto(tmp_path / "image.fits", image)
    for catalog in ("text.cat", "ldac.cat"):
        source = open_source(tmp_path / "image.fits", catalog=tmp_path / catalog)
        cutout = source.read(source.object_ids[0])
        np.testing.assert_array_equal(cutout[:, :], image[8:72, 18:82][::-1])


def test_the_stokes_planes_of_a_radio_image_are_its_bands(tmp_path):
    planes = RNG.normal(size=(4, 20, 30)).astype(np.float32)
    fits.writeto(tmp_path / "aips.fits", planes[:, None])  # FREQ before STOKES
    fits.writeto(tmp_path / "casa.fits", planes[None])
    fits.writeto(tmp_path / "one.fits", planes[:1, None])
    source = open_source(tmp_path)
    for name in ("aips", "casa"):
        np.testing.assert_array_equal(source.read(name), np.moveaxis(planes, 0, 2)[::-1])
    np.testing.assert_array_equal(source.read("one"), planes[0, ::-1])


def test_a_cube_of_spectra_is_no_image_and_three_bands_in_the_last_axis_are(tmp_path):
    fits.writeto(tmp_path / "manga.fits", np.ones((900, 34, 34), np.float32))
    fits.writeto(tmp_path / "rgb.fits", np.ones((40, 30, 3), np.float32))
    fits.writeto(tmp_path / "jpas.fits", np.ones((56, 64, 64), np.float32))
    source = open_source(tmp_path)
    with pytest.raises(ReadError, match="a cube of 900 planes of 34 x 34 pixels, more than could"):
        source.read("manga")
    assert source.read("rgb").shape == (40, 30, 3)
    assert source.read("jpas").shape == (64, 64, 56)


@pytest.mark.parametrize("given", ["file", "folder", "frame"])
def test_a_row_of_lists_is_a_light_curve_as_in_the_releases_of_ztf(tmp_path, given):
    n = [5, 3, *[4] * 28]
    frame = pd.DataFrame({"objectid": 10**15 + np.arange(30), "filterid": 1, "objra": 110.5})
    frame["nepochs"] = n
    frame["hmjd"] = [58_200.5 + np.arange(k) for k in n]
    frame["mag"] = [np.full(k, 15.5, np.float32) for k in n]
    frame["magerr"] = [np.full(k, 0.25, np.float32) for k in n]
    frame.to_parquet(tmp_path / "ztf_0001.parquet")
    places = {"file": tmp_path / "ztf_0001.parquet", "folder": tmp_path, "frame": frame}
    source = open_source(places[given])
    assert isinstance(source, LightCurves)
    assert source.catalog["n_points"].tolist() == n
    assert source.catalog["objra"].tolist() == [110.5] * 30
    data = source.read(str(10**15 + 1))
    assert data["time"].tolist() == [58200.5, 58201.5, 58202.5]
    assert data["magnitude"].tolist() == [15.5] * 3
    assert data["error"].tolist() == [0.25] * 3
