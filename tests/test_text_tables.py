import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.sources import FeatureTable, LightCurves, Spectra
from astronomaly_widgets.sources._tables import read_table

ROWS = [["587733080813011000", 1.5, -2.0], ["NA", 2.25, 1e-17]]


def written(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "objid,mag,flux\n587733080813011000,1.5,-2\nNA,2.25,1e-17\n"),
        ("a.csv", "objid;mag;flux\n587733080813011000;1.5;-2\nNA;2.25;1e-17\n"),
        ("a.csv", "objid;mag;flux\n587733080813011000;1,5;-2\nNA;2,25;1e-17\n"),
        ("a.csv", "objid\tmag\tflux\n587733080813011000\t1.5\t-2\nNA\t2.25\t1e-17\n"),
        ("a.tsv", "objid\tmag\tflux\n587733080813011000\t1.5\t-2\nNA\t2.25\t1e-17\n"),
        ("a.txt", "  objid  mag flux\n587733080813011000  1.5  -2\nNA 2.25 1e-17 \n"),
        ("a.dat", "# objid  mag flux\n587733080813011000  1.5  -2\nNA 2.25 1e-17\n"),
        (
            "a.dat",
            "# by us, in 2026\n#\n\nobjid mag flux\n587733080813011000 1.5 -2\nNA 2.25 1e-17",
        ),
        ("a.dat", "# made by us\nobjid mag flux\n587733080813011000 1.5 -2\nNA 2.25 1e-17"),
        ("a.csv", "#Table1\nobjid,mag,flux\n587733080813011000,1.5,-2\nNA,2.25,1e-17\n"),
        ("a.csv", "#objid,mag,flux\n587733080813011000,1.5,-2\nNA,2.25,1e-17\n"),
        ("a.csv", "\ufeffobjid, mag, flux\r\n587733080813011000, 1.5, -2\r\nNA, 2.25, 1e-17\r\n"),
    ],
    ids=[
        *("commas", "semicolons", "decimal commas", "tabs", "tsv", "blanks", "names in a comment"),
        *("comments above names", "a comment of as many words", "SkyServer", "TOPCAT", "Excel"),
    ],
)
def test_a_table_of_text_is_read_however_it_is_written(tmp_path, name, text):
    frame = read_table(written(tmp_path / name, text))
    assert list(frame.columns) == ["objid", "mag", "flux"]
    assert frame.to_numpy().tolist() == ROWS


VIZIER = """\
#
#   VizieR Astronomical Server vizier.cds.unistra.fr
#Column\t_RAJ2000\t(F15.11)\tRight ascension

_RAJ2000;Name;Nobs;Vmag
deg; ; ;mag
---------------;--------;----;------
 10.68470800;M 31;  7; 3.440
 23.46210000;M 33;  5;
 13.18660000;M 110;  9; 8.070

#END#
"""


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("name", ["asu.tsv", "asu.txt"])
def test_a_table_of_vizier_begins_below_its_units(tmp_path, separator, name):
    path = written(tmp_path / name, VIZIER.replace(";", separator))
    source = FeatureTable(path)
    assert source.object_ids.tolist() == ["M 31", "M 33", "M 110"]
    assert source.column_names == ("Nobs", "Vmag")
    np.testing.assert_array_equal(
        source.values, np.array([[7, 3.44], [5, np.nan], [9, 8.07]], np.float32)
    )
    assert source.catalog["_RAJ2000"].tolist() == [10.684708, 23.4621, 13.1866]


def test_a_table_in_the_letters_of_excel_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("Name;Fluß (µJy)\r\nÅ;1,5\r\nNaïve;2,5\r\n".encode("cp1252"))
    frame = read_table(path)
    assert list(frame.columns) == ["Name", "Fluß (µJy)"]
    assert frame["Name"].tolist() == ["Å", "Naïve"]
    assert frame["Fluß (µJy)"].tolist() == [1.5, 2.5]


def test_packed_text_is_read(tmp_path):
    path = tmp_path / "a.dat.gz"
    path.write_bytes(gzip.compress(b"id mag\nx 1\ny 2\n"))
    assert read_table(path)["mag"].tolist() == [1, 2]


@pytest.mark.parametrize("damage", ["no archive", "the end is missing", "a part is overwritten"])
def test_a_damaged_archive_is_said(tmp_path, damage):
    packed = gzip.compress(b"".join(b"%d %d\n" % (k * k, k**3) for k in range(900)))
    half = len(packed) // 2
    path = tmp_path / "b.dat.gz"
    path.write_bytes(
        {
            "no archive": b"not packed",
            "the end is missing": packed[:half],
            "a part is overwritten": packed[:half] + b"\xff" * 40 + packed[half + 40 :],
        }[damage]
    )
    with pytest.raises(SourceError, match="cannot be read"):
        read_table(path)
    assert not LightCurves.recognizes(path)
    assert not LightCurves.recognizes(tmp_path)
    assert not Spectra.recognizes(tmp_path)


def test_whole_numbers_do_not_hide_a_decimal_comma(tmp_path):
    path = written(tmp_path / "a.csv", "a;b\n1;2\n3;4\n1,5;2\n")
    assert read_table(path)["a"].tolist() == [1, 3, 1.5]


def test_names_of_columns_may_hold_what_separates_others(tmp_path):
    path = written(tmp_path / "a.csv", '"a;b;c;d",e\n1,2\n3,4\n')
    assert list(read_table(path).columns) == ["a;b;c;d", "e"]


@pytest.mark.parametrize("header", ["0,1,2", "3800.5,3801.5,3802.5"])
def test_rising_numbers_name_the_columns_of_a_csv(tmp_path, header):
    frame = read_table(written(tmp_path / "a.csv", f"{header}\n7,8,9\n"))
    assert list(frame.columns) == header.split(",")
    assert len(frame) == 1


def test_the_first_object_of_a_csv_without_names_is_not_lost(tmp_path):
    path = written(tmp_path / "HTRU_2.csv", "140.5,55.6,-0.2,0\n102.5,58.8,0.4,0\n")
    assert list(read_table(path).columns) == ["col1", "col2", "col3", "col4"]
    assert len(FeatureTable(path)) == 2


def test_columns_of_plain_text_without_names_are_numbered(tmp_path):
    np.savetxt(tmp_path / "a.txt", np.arange(6).reshape(2, 3))
    frame = read_table(tmp_path / "a.txt")
    assert list(frame.columns) == ["col1", "col2", "col3"]
    assert frame.to_numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    np.savetxt(tmp_path / "a.txt", np.arange(6).reshape(2, 3), header="x y z")
    assert list(read_table(tmp_path / "a.txt").columns) == ["x", "y", "z"]


NUMBERS = st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: float(np.float32(x)))


@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5),
    written_as=st.sampled_from([(",", "."), ("\t", "."), (";", "."), (";", ","), (" ", ".")]),
)
def test_what_pandas_writes_is_read_again(tmp_path_factory, rows, written_as):
    separator, decimal = written_as
    frame = pd.DataFrame(rows, columns=["a", "b"])
    frame.insert(0, "objid", [f"o{k}" for k in range(len(rows))])
    path = tmp_path_factory.mktemp("text") / ("a.txt" if separator == " " else "a.csv")
    frame.to_csv(path, index=False, sep=separator, decimal=decimal)
    pd.testing.assert_frame_equal(read_table(path), frame, check_dtype=False)


def test_features_of_a_tsv_are_explored(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3))
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "a.tsv", sep="\t", index_label="objid")
    session = aw.explore(tmp_path / "a.tsv")
    assert session.object_ids[:2].tolist() == ["0", "1"]
    np.testing.assert_allclose(FeatureTable(tmp_path / "a.tsv").read("1"), X[1], rtol=1e-6)


@pytest.mark.parametrize("text", ["hello", "Dear all,\nthis is what I did last night.\n", ""])
def test_prose_is_no_table(tmp_path, text):
    assert not FeatureTable.recognizes(written(tmp_path / "notes.txt", text))


def ogle(folder, n=3, start=2455260.85):
    """Time, magnitude and error, without names."""
    rng = np.random.default_rng(0)
    for k in range(n):
        time = np.sort(start + rng.uniform(0, 900, 40))
        points = np.stack([time, rng.normal(15, 0.1, 40), np.full(40, 0.008)], axis=1)
        np.savetxt(folder / f"OGLE-BLG-RRLYR-0000{k}.dat", points, fmt=["%.5f", "%.3f", "%.3f"])


@pytest.mark.parametrize("start", [2455260.85, 55260.35], ids=["JD", "MJD"])
def test_light_curves_without_names_are_time_magnitude_and_error(tmp_path, start):
    ogle(tmp_path, start=start)
    (tmp_path / "README.txt").write_text("I-band photometry\nof RR Lyrae stars in the bulge\n")
    assert LightCurves.recognizes(tmp_path)
    assert not Spectra.recognizes(tmp_path)
    source = LightCurves(tmp_path)
    assert source.object_ids.tolist() == [f"OGLE-BLG-RRLYR-0000{k}" for k in range(3)]
    curve = source.read("OGLE-BLG-RRLYR-00000")
    assert curve["time"].min() >= start
    assert curve["magnitude"] == pytest.approx(15, abs=1)
    assert (curve["error"] == 0.008).all()


def test_gaps_and_words_among_the_times_hide_no_light_curves(tmp_path):
    for k, last in enumerate(["INDEF 15.1 0.1", "nan 15.1 0.1", "2455270.5 INDEF 0.1"]):
        points = "".join(f"245526{n}.5 15.{n} 0.1\n" for n in range(9))
        written(tmp_path / f"star{k}.dat", points + last + "\n")
    assert LightCurves.recognizes(tmp_path)
    assert not Spectra.recognizes(tmp_path)
    assert len(LightCurves(tmp_path)) == 3


def test_columns_without_names_can_be_named(tmp_path):
    ogle(tmp_path)
    curve = LightCurves(tmp_path, flux="col2").read("OGLE-BLG-RRLYR-00000")
    assert curve["flux"] == pytest.approx(15, abs=1)
    assert (curve["error"] == 0.008).all()


def test_a_long_table_separated_by_blanks_is_recognized(tmp_path):
    path = written(tmp_path / "a.txt", "star hjd vmag\n" + "a 1 9\na 2 9.5\nb 1 8\nb 3 8\n" * 5)
    assert LightCurves.recognizes(path)
    assert LightCurves(path).object_ids.tolist() == ["a", "b"]


def test_text_without_names_against_wavelengths_is_spectra(tmp_path):
    wave = np.linspace(4000, 7000, 50)
    for k in range(3):
        np.savetxt(tmp_path / f"s{k}.dat", np.stack([wave, wave / 1e3], axis=1))
    assert Spectra.recognizes(tmp_path)
    assert not LightCurves.recognizes(tmp_path)
    np.savetxt(tmp_path / "one.dat", wave)
    with_one = Spectra(tmp_path)
    with pytest.raises(aw.exceptions.ReadError, match="one column"):
        with_one.read("one")


def test_notes_may_stand_anywhere_in_plain_text_but_not_in_a_csv(tmp_path):
    lines = [
        "# wavelength (Angstrom), flux",
        "4000 1.0 # first",
        "# saturated from here",
        "4001 2.0",
    ]
    written(tmp_path / "a.txt", "\n".join(lines))
    spectrum = Spectra(tmp_path).read("a")
    assert spectrum["wavelength"].tolist() == [4000, 4001]
    assert spectrum["flux"].tolist() == [1, 2]
    table = read_table(written(tmp_path / "b.csv", "objid,mag\nWD#1,15\nWD#2,16\n"))
    assert table["objid"].tolist() == ["WD#1", "WD#2"]
