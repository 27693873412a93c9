"""Long tables of every kind become light curves, and every object is accounted for."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.table import Table
from astropy.time import Time
from astropy.timeseries import TimeSeries

from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.simulation import make_light_curves
from astronomaly_widgets.sources import LightCurves, open_source


@pytest.fixture
def frame():
    """Two objects in two bands, rows in no order."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "objid": np.repeat([587742009504530442, 587742009504530443], 6),
            "mjd": np.tile([58000.5, 58002.25, 58003, 58004, 58006, 58007], 2),
            "mag": rng.normal(18, 1, 12),
            "magerr": rng.uniform(0.01, 0.1, 12),
            "filter": np.tile(["r", "g"], 6),
        }
    )
    return table.sample(frac=1, random_state=1, ignore_index=True)


def one_curve(**columns):
    n = len(next(iter(columns.values()), range(3)))
    return pd.DataFrame({"id": ["a"] * n, "time": np.arange(n), "flux": np.ones(n)} | columns)


def reason(table, object_id="a", **options):
    with pytest.raises(ReadError) as error:
        LightCurves(table, **options).read(object_id)
    return str(error.value)


def check(source, frame):
    assert set(source.object_ids) == {"587742009504530442", "587742009504530443"}
    assert source.bands == ("g", "r")
    assert source.value_name == "magnitude"
    for object_id in source.object_ids:
        rows = frame[frame.objid == int(object_id)].sort_values("mjd")
        data = source.read(object_id)
        for field, column in (("time", "mjd"), ("magnitude", "mag"), ("error", "magerr")):
            # the reader of pandas 2 rounds the last digits of text
            np.testing.assert_allclose(data[field], rows[column], rtol=1e-14)
        assert data["band"].tolist() == rows["filter"].tolist()


def test_a_data_frame_in_any_order(frame):
    check(LightCurves(frame), frame)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "fits", "ecsv", "vot"])
def test_a_file_of_any_kind(frame, tmp_path, suffix):
    path = tmp_path / f"curves.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "csv":
        frame.to_csv(path, index=False)
    else:
        kind = {"vot": "votable", "ecsv": "ascii.ecsv"}.get(suffix, suffix)
        Table.from_pandas(frame).write(path, format=kind)
    source = LightCurves(path)
    check(source, frame)
    again = LightCurves(**source.spec["arguments"])
    assert list(again.fingerprints) == list(source.fingerprints)


def test_columns_of_other_names_can_be_named(frame):
    strange = frame.rename(columns={"objid": "star no", "mjd": "when", "mag": "how bright"})
    with pytest.raises(SourceError, match="no column is called like a magnitude or flux"):
        LightCurves(strange)
    source = LightCurves(
        strange,
        object_id="star no",
        time="when",
        magnitude="how bright",
        error="magerr",
        band="filter",
    )
    check(source, frame)


def test_a_named_index_holds_the_ids(frame):
    check(LightCurves(frame.set_index("objid")), frame)


def test_the_error_that_belongs_to_the_brightness_is_taken(frame):
    both = frame.assign(flux=1.0, flux_err=2.0)
    assert LightCurves(both).read("587742009504530442")["error"].max() < 1
    data = LightCurves(both, flux="flux").read("587742009504530442")
    assert data.dtype.names == ("time", "flux", "error", "band")
    assert data["error"].tolist() == [2.0] * 6


@pytest.mark.parametrize(
    ("value", "error"), [("flux", "e_flux"), ("flux", "sigma"), ("mag", "magnitude_err")]
)
def test_errors_are_known_by_many_names(value, error):
    table = pd.DataFrame({"id": ["a", "a"], "jd": [1, 2], value: [3.0, 4], error: [0.1, 0.2]})
    if error == "magnitude_err":
        table = table.rename(columns={"mag": "magnitude"})
    assert LightCurves(table).read("a")["error"].tolist() == [0.1, 0.2]


# as the servers of these surveys write them
ATLAS = """\
###MJD          m      dm   uJy   duJy F err chi/N   RA       Dec
57400.1000  -17.100  0.050 -521     12 o   0  1.10 150.10000  2.20000
57402.3000   17.000  0.050  575     11 c   0  1.00 150.10000  2.20000
"""
ASAS_SN = """\
HJD,UT Date,Camera,FWHM,Limit,mag,mag_err,flux(mJy),flux_err,Filter
2457000.5,2014-12-09,ba,1.5,17.1,13.25,0.02,19.2,0.5,V
2457003.8,2014-12-12,ba,1.5,16.3,>16.3,99.99,0.1,0.5,V
2457007.1,2014-12-15,ba,1.5,17.1,13.5,0.02,15.3,0.5,V
"""
AAVSO = """\
JD,Magnitude,Uncertainty,Band,Observer Code,HJD,Star Name
2457000.5,9.1,0.2,Vis.,ABC,,R LEO
2457001.5,<9.4,,Vis.,DEF,,R LEO
2457002.5,9.3,,Vis.,ABC,,R LEO
"""
IRSA = """\
oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec
686103400034440,47334,2458202.7,58202.2,15.2,.01,0,zg,110.1,20.2
686103400034440,47335,2458203.7,58203.2,15.1,.01,0,zr,110.1,20.2
"""


@pytest.mark.parametrize(
    ("text", "times", "values", "bands"),
    [
        (ATLAS, [57400.1, 57402.3], [-521, 575], ["o", "c"]),
        (ASAS_SN, [2457000.5, 2457007.1], [13.25, 13.5], ["V", "V"]),
        (AAVSO, [2457000.5, 2457002.5], [9.1, 9.3], ["Vis.", "Vis."]),
        (IRSA, [58202.2, 58203.2], [15.2, 15.1], ["zg", "zr"]),
    ],
    ids=["ATLAS", "ASAS-SN", "AAVSO", "IRSA"],
)
def test_a_folder_of_what_a_survey_sends_is_light_curves(tmp_path, text, times, values, bands):
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(text)
    data = open_source(tmp_path).read("one")
    assert data["time"].tolist() == times
    assert data[data.dtype.names[1]].tolist() == values
    assert data["band"].tolist() == bands


def test_units_behind_the_names_of_columns_are_heeded(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("id,time (h),flux [Jy],flux_err [mJy]\na,24,1,500\na,48,2,250\n")
    source = LightCurves(path)
    assert source.read("a")["time"].tolist() == [1, 2]
    assert source.read("a")["error"].tolist() == [0.5, 0.25]
    assert source.value_unit == "Jy"


def test_objects_keep_the_order_of_the_table_and_data_do_not_depend_on_it(frame):
    source, turned = LightCurves(frame), LightCurves(frame[::-1])
    assert list(source.object_ids) == list(map(str, frame.objid.unique()))
    marks = dict(zip(source.object_ids, source.fingerprints, strict=True))
    assert marks == dict(zip(turned.object_ids, turned.fingerprints, strict=True))


@pytest.mark.parametrize("column", ["mjd", "mag", "magerr", "filter"])
def test_any_change_changes_the_fingerprint_of_that_object_alone(frame, column):
    other = frame.copy()
    row = int(np.flatnonzero(frame.objid == 587742009504530442)[0])
    other.loc[row, column] = "i" if column == "filter" else other.loc[row, column] + 1e-9
    before, after = (LightCurves(each) for each in (frame, other))
    changed = {
        i
        for i, a, b in zip(before.object_ids, before.fingerprints, after.fingerprints, strict=True)
        if a != b
    }
    assert changed == {"587742009504530442"}


def test_exact_repeats_of_a_point_count_once_but_two_measurements_at_a_time_are_two():
    table = one_curve(time=[1, 1, 2, 2], flux=[5.0, 5.0, 6.0, 7.0])
    assert LightCurves(table).read("a")["flux"].tolist() == [5, 6, 7]


def test_gaps_are_left_out_and_counted():
    table = one_curve(time=[1, np.nan, 3, 4], flux=[1.0, 2.0, np.nan, np.inf])
    source = LightCurves(table)
    assert source.read("a")["time"].tolist() == [1]
    assert source.catalog.loc["a", "n_points"] == 1


def test_the_magnitudes_by_which_surveys_say_nothing_are_gaps():
    table = pd.DataFrame({"id": "a", "mjd": range(4), "mag": [18.0, 99.99, -99, 17.0]})
    assert LightCurves(table).read("a")["magnitude"].tolist() == [18, 17]


def test_an_object_of_nothing_but_gaps_has_a_reason():
    table = pd.concat([one_curve(flux=[np.nan, np.nan]), one_curve(id=["b"])])
    assert "no point with both a time and a flux" in reason(table)
    assert len(LightCurves(table).read("b")) == 1


def test_negative_errors_are_a_reason_that_counts_them():
    table = one_curve(flux=[1.0, 2.0, 3.0], error=[0.1, -1.0, -99.0])
    assert "2 of its 3 errors are negative" in reason(table)
    data = LightCurves(table.assign(error=[0.1, np.nan, 0.2])).read("a")
    assert np.isnan(data["error"]).tolist() == [False, True, False]


def test_text_among_numbers_sets_that_object_aside_alone():
    table = pd.concat([one_curve(flux=[1.0, "bad", 3.0]), one_curve(id=["b"], flux=["2.5"])])
    assert reason(table) == "1 of its flux values are not numbers, such as 'bad'"
    assert LightCurves(table).read("b")["flux"].tolist() == [2.5]


def test_words_for_missing_are_missing():
    table = one_curve(flux=["1.5", "n/a", "--", None])
    assert LightCurves(table).read("a")["flux"].tolist() == [1.5]


def test_nothing_but_text_is_refused():
    with pytest.raises(SourceError, match="flux column 'flux' holds text, such as 'bright'"):
        LightCurves(one_curve(flux=["bright", "faint"]))


def test_rows_without_an_id_are_refused():
    with pytest.raises(SourceError, match="1 of 3 rows of the table have no object id"):
        LightCurves(one_curve(id=["a", None, "b"]))


def test_ids_of_mixed_types_are_one_object():
    source = LightCurves(one_curve(id=[7, "7", 7.0, "x"], time=[3, 2, 1, 0]))
    assert list(source.object_ids) == ["7", "x"]
    assert source.read("7")["time"].tolist() == [1, 2, 3]


def test_an_empty_table_is_refused():
    with pytest.raises(SourceError, match="no rows"):
        LightCurves(one_curve()[:0])


def test_two_kinds_of_brightness_are_refused(frame):
    with pytest.raises(SourceError, match="both named"):
        LightCurves(frame, magnitude="mag", flux="mag")


def test_two_columns_of_one_name_are_refused(frame):
    twice = pd.concat([frame, frame["mag"]], axis=1)
    with pytest.raises(SourceError, match="two columns called 'mag'"):
        LightCurves(twice)


def test_missing_bands_are_a_band_without_a_name(frame):
    table = one_curve(band=["r", None, "r"])
    assert LightCurves(table).read("a")["band"].tolist() == ["r", "", "r"]


def test_an_unknown_column_is_refused_with_those_there_are(frame):
    with pytest.raises(SourceError, match=r"no column 'hjd' \(time\); there are objid, mjd"):
        LightCurves(frame, time="hjd")


def test_dates_become_modified_julian_days():
    table = one_curve(
        time=pd.to_datetime(["2017-09-04 12:00", "1858-11-17 00:00"]), flux=[1.0, 2.0]
    )
    np.testing.assert_allclose(LightCurves(table).read("a")["time"], [0, 58000.5], atol=1e-9)


def test_dates_in_words_become_modified_julian_days(tmp_path):
    table = one_curve(time=["2017-09-04T12:00:00Z", "2017-09-05", "--"], flux=[1.0, 2.0, 3.0])
    table.to_csv(tmp_path / "curves.csv", index=False)
    for given in (table, tmp_path / "curves.csv"):
        np.testing.assert_allclose(
            LightCurves(given).read("a")["time"], [58000.5, 58001], atol=1e-9
        )
    with pytest.raises(SourceError, match="'noon'; wanted days, or dates as 2026-11-21 or"):
        LightCurves(table.assign(time="noon"))
    with pytest.raises(SourceError, match=r"flux column 'flux' holds text.*wanted numbers"):
        LightCurves(table.assign(flux="2017-09-05"))


def test_units_of_a_table_are_converted_at_the_door():
    table = Table({"id": ["a", "a"], "t": [0, 86400.0] * u.s, "flux": [1.0, 2] * u.mJy})
    table["flux_err"] = [10.0, 20] * u.uJy
    source = LightCurves(table)
    data = source.read("a")
    assert data["time"].tolist() == [0, 1]
    np.testing.assert_allclose(data["error"], [0.01, 0.02])
    assert source.value_unit == "mJy"


@pytest.mark.parametrize(("column", "unit"), [("t", u.m), ("flux_err", u.s)])
def test_units_that_do_not_convert_are_refused(column, unit):
    table = Table({"id": ["a", "a"], "t": [0, 1.0], "flux": [1.0, 2] * u.mJy, "flux_err": [1.0, 1]})
    table[column].unit = unit
    with pytest.raises(SourceError, match=f"column '{column}' is in '{unit}', which does not"):
        LightCurves(table)


def test_a_flux_in_magnitudes_is_refused():
    table = Table({"id": ["a", "a"], "t": [0, 1.0], "flux": [1.0, 2] * u.mag})
    with pytest.raises(SourceError, match="give it as magnitude="):
        LightCurves(table)


def test_time_series_by_object():
    times = Time([58000.5, 58002.5], format="mjd")
    series = {
        name: TimeSeries(time=times, data={"flux": [1.0, k] * u.Jy, "flux_err": [0.1, 0.1] * u.Jy})
        for k, name in enumerate("ab")
    }
    source = LightCurves(series)
    assert list(source.object_ids) == ["a", "b"]
    np.testing.assert_allclose(source.read("b")["time"], [58000.5, 58002.5])
    assert source.read("b")["flux"].tolist() == [1, 1]
    assert source.value_unit == "Jy"


def test_a_folder_of_tables_loses_no_object(tmp_path):
    for name in ("b", "a"):
        one_curve().drop(columns="id").to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "empty.csv").write_text("time,flux\n")
    (tmp_path / "broken.csv").write_text("nothing\n1\n")
    (tmp_path / "notes.txt").write_text("not a table")
    source = LightCurves(tmp_path)
    assert list(source.object_ids) == ["a", "b", "broken", "empty"]
    assert len(source.read("b")) == len(one_curve())
    for name, words in {"empty": "no rows", "broken": "no column is called like"}.items():
        with pytest.raises(ReadError, match=words):
            source.read(name)
    again = LightCurves(**source.spec["arguments"])
    assert list(again.fingerprints) == list(source.fingerprints)


def test_a_folder_is_known_by_most_of_its_files(tmp_path):
    for k in range(8):
        one_curve().drop(columns="id").to_csv(tmp_path / f"star-{k}.csv", index=False)
    (tmp_path / "a-broken-one.csv").write_text("")
    for k in range(3):
        (tmp_path / f"look-{k}.png").write_bytes(b"")
    assert LightCurves.recognizes(tmp_path)
    for k in range(3, 9):  # now these are the objects, and the tables say what is known of them
        (tmp_path / f"look-{k}.png").write_bytes(b"")
    assert not LightCurves.recognizes(tmp_path)


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no tables in the folder"):
        LightCurves(tmp_path)


def test_what_is_constant_in_the_table_is_in_the_catalog(frame):
    ra = frame.objid.map({587742009504530442: 150.1234567890123, 587742009504530443: 2.0})
    source = LightCurves(frame.assign(ra=ra, airmass=range(12)))
    assert source.catalog.loc["587742009504530442", "ra"] == 150.1234567890123
    assert set(source.catalog) == {"ra", "n_points", "days"}
    assert source.catalog["n_points"].tolist() == [6, 6]
    assert source.catalog["days"].tolist() == [6.5, 6.5]


def test_a_catalog_is_joined_and_brings_periods(frame):
    catalog = pd.DataFrame({"objid": frame.objid.unique()[::-1], "P": [0.5, None]})
    source = LightCurves(frame, catalog=catalog, period="P")
    first, second = source.object_ids
    assert np.isnan(source.period(first))
    assert source.period(second) == 0.5
    assert {"P", "n_points"} <= set(source.catalog)
    assert LightCurves(frame, period={first: 2.0}).period(first) == 2.0
    with pytest.raises(SourceError, match="no column 'period' of periods"):
        LightCurves(frame, period="period")


def test_other_periods_fold_the_same_light_curves(tmp_path, frame):
    frame.to_csv(tmp_path / "curves.csv", index=False)
    source = LightCurves(tmp_path / "curves.csv")
    first, second = source.object_ids
    folded = source.with_periods(pd.Series({second: 0.5, first: np.nan, "elsewhere": 2.0}))
    assert np.isnan(folded.period(first))
    assert folded.period(second) == 0.5
    assert np.isnan(source.period(second))
    np.testing.assert_array_equal(folded.fingerprints, source.fingerprints)
    again = LightCurves(**json.loads(json.dumps(folded.spec))["arguments"])
    assert again.period(second) == 0.5
    assert source.spec["arguments"]["period"] is None


def test_periods_of_what_is_found_again_otherwise_are_its_own():
    """A demo's spec has its own arguments, and no place for periods."""
    source = make_light_curves(3, n_nights=10)
    folded = source.with_periods({source.object_ids[0]: 1.5})
    assert folded.period(source.object_ids[0]) == 1.5
    assert folded.spec == source.spec


def test_bands_are_sorted_from_blue_to_red_as_far_as_can_be_told():
    bands = ["z", "ztf_g", "I", "g", "white", "u", "lsstr"]
    table = one_curve(time=range(7), flux=range(7), band=bands)
    assert LightCurves(table).bands == ("u", "g", "ztf_g", "lsstr", "I", "z", "white")


def test_a_long_table_is_told_from_a_table_of_features(frame):
    assert LightCurves.recognizes(frame)
    assert LightCurves.recognizes(frame.set_index("objid"))
    assert LightCurves.recognizes(Table.from_pandas(frame))
    assert not LightCurves.recognizes(frame.drop_duplicates("objid"))
    assert not LightCurves.recognizes(frame.drop(columns="mjd"))
    assert not LightCurves.recognizes(frame.drop(columns="objid"))
    assert not LightCurves.recognizes(7)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet", "fits"])
def test_a_file_of_light_curves_is_told_from_one_of_features(frame, tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"

    def write(table):
        if suffix == "parquet":
            table.to_parquet(path)
        elif suffix == "fits":
            Table.from_pandas(table).write(path, overwrite=True)
        else:
            table.to_csv(path, index=False)

    write(frame)
    assert LightCurves.recognizes(path)
    write(frame.drop_duplicates("objid"))
    assert not LightCurves.recognizes(path)
    write(frame.drop(columns="mag"))
    assert not LightCurves.recognizes(path)
    path.write_bytes(b"nothing of the kind")
    assert not LightCurves.recognizes(path)


@pytest.mark.parametrize("name", ["star", "Object", "target", "lc_id", "OID"])
def test_a_long_table_is_recognized_whatever_it_calls_its_objects(name):
    table = pd.concat([one_curve(), one_curve().assign(id="b")])
    assert LightCurves.recognizes(table.rename(columns={"id": name}))


def test_a_table_per_object_is_recognized_by_its_columns(tmp_path):
    table = one_curve().drop(columns="id")
    assert LightCurves.recognizes({"a": table})
    assert not LightCurves.recognizes({"a": table.drop(columns="time")})
    assert not LightCurves.recognizes({})
    assert not LightCurves.recognizes(tmp_path)
    table.to_csv(tmp_path / "b.csv", index=False)
    (tmp_path / "a.fits").write_bytes(b"SIMPLE")
    table.to_csv(tmp_path / "c.csv", index=False)
    assert LightCurves.recognizes(tmp_path)


def test_a_million_rows_are_read_without_a_loop_over_them():
    n = 1_000_000
    table = pd.DataFrame(
        {"id": np.arange(n) % 5000, "mjd": np.arange(n) * 0.01, "flux": 1.0, "band": "r"}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = LightCurves(table)
    assert len(source) == 5000
    assert source.catalog["n_points"].unique().tolist() == [200]
