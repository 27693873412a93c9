"""Tables of features of every kind."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from astronomaly_widgets._sky import SKY_COLUMNS
from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.features import by_name, measure
from astronomaly_widgets.sources import FeatureTable, open_source

LONG = 587722981733826738


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "objid": [LONG + 2, LONG, LONG + 1],
            "ra": [150.123456789012, 2.0, 3.0],
            "dec": [-1.0, 2.0, 3.0],
            "g_mag": [20.0, np.nan, 21.5],
            "n_pixels": [5, 6, 7],
            "class": [0, 1, 0],
            "comment": ["a", "b", "c"],
            "edge": [True, False, False],
        }
    )


def check(source):
    assert list(source.object_ids) == [str(LONG + 2), str(LONG), str(LONG + 1)]
    assert source.column_names == ("g_mag", "n_pixels")
    values = source.values  # noqa: PD011 - not of pandas
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, [[20, 5], [np.nan, 6], [21.5, 7]])
    np.testing.assert_array_equal(source.read(str(LONG + 1)), [21.5, 7])
    assert set(source.catalog.columns) == {"ra", "dec", "class", "comment", "edge"}
    assert source.catalog.loc[str(LONG + 2), "ra"] == 150.123456789012


def test_a_data_frame(frame):
    check(FeatureTable(frame))


@pytest.mark.parametrize("suffix", ["csv", "fits", "vot", "ecsv", "parquet"])
def test_a_file_of_any_kind(frame, tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "csv":
        frame.to_csv(path, index=False)
    else:
        kind = {"vot": "votable", "ecsv": "ascii.ecsv"}.get(suffix, suffix)
        Table.from_pandas(frame).write(path, format=kind)
    check(FeatureTable(path))


def test_masked_values_of_an_astropy_table_are_nan(frame):
    table = Table.from_pandas(frame)
    table["g_mag"].mask = [False, True, False]
    table["g_mag"][1] = 99.0
    table["g_mag"].mask[1] = True
    check(FeatureTable(table))


def test_gaps_in_an_integer_column_are_nan_and_change_no_other_digit(tmp_path):
    (tmp_path / "t.csv").write_text(f"id,x,serial\na,1,{LONG}\nb,,\nc,3,{LONG + 2}\n")
    source = FeatureTable(tmp_path / "t.csv", columns=["x"])
    np.testing.assert_array_equal([source.read(i)[0] for i in "abc"], [1, np.nan, 3])
    assert source.catalog["serial"].iloc[2] == LONG + 2


def test_a_column_of_vectors_becomes_one_feature_per_element():
    table = Table({"id": ["a", "b"], "flux": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]})
    source = FeatureTable(table)
    assert source.column_names == ("flux_0", "flux_1", "flux_2")
    np.testing.assert_array_equal(source.read("b"), [4, 5, 6])


def test_ids_of_a_csv_keep_leading_zeros(tmp_path):
    (tmp_path / "t.csv").write_text("name,x\n007,1\n08,2\n")
    assert list(FeatureTable(tmp_path / "t.csv").object_ids) == ["007", "08"]
    (tmp_path / "t.csv").write_text("star,x\n007,1\n08,2\n")
    assert list(FeatureTable(tmp_path / "t.csv", id_column="star").object_ids) == ["007", "08"]


def test_an_object_of_a_csv_may_be_called_like_nothing(tmp_path):
    (tmp_path / "t.csv").write_text("name, x\nNA,1\nNone, NA\nnan,3\n")
    source = FeatureTable(tmp_path / "t.csv")
    assert list(source.object_ids) == ["NA", "None", "nan"]
    np.testing.assert_array_equal(np.ravel(source.values), [1, np.nan, 3])


@pytest.mark.parametrize(
    "pair", [*SKY_COLUMNS, ("l", "b"), ("ecl_lon", "ecl_lat"), ("ALPHA_SKY", "DELTA_SKY")]
)
def test_where_an_object_is_is_no_feature(pair):
    table = pd.DataFrame({pair[0]: [1.0, 2.0], pair[1]: [3.0, 4.0], "size": [5.0, 6.0]})
    assert FeatureTable(table).column_names == ("size",)


def test_a_coordinate_of_any_name_is_no_feature():
    place = SkyCoord([1, 2] * u.deg, [3, 4] * u.deg)
    source = FeatureTable(Table({"place": place, "size": [5.0, 6.0]}))
    assert source.column_names == ("size",)
    assert list(source.catalog.columns) == ["place.ra", "place.dec"]


def test_axes_of_an_ellipse_are_features():
    table = pd.DataFrame({"l": [1.0, 2.0], "a": [5.0, 6.0], "b": [3.0, 4.0]})
    assert FeatureTable(table).column_names == ("l", "a", "b")


def test_a_csv_may_have_spaces_behind_its_commas(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('id, ra, dec, size, name\n007, 150.5, 2.5, 3.5, "NGC, the first"\n')
    source = FeatureTable(path)
    assert source.object_ids.tolist() == ["007"]
    assert source.column_names == ("size",)
    assert source.catalog.loc["007"].tolist() == [150.5, 2.5, "NGC, the first"]


def test_an_index_with_names_is_the_ids():
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=["b", "a"])
    assert list(FeatureTable(frame).object_ids) == ["b", "a"]


def test_an_id_column_wins_over_an_index_left_by_a_selection(frame):
    source = FeatureTable(frame[frame["n_pixels"] > 5])
    assert list(source.object_ids) == [str(LONG), str(LONG + 1)]


def test_objects_keep_their_names_in_a_selection_of_rows():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    assert list(FeatureTable(frame[frame["x"] > 1]).object_ids) == ["object-1", "object-2"]
    assert list(FeatureTable(frame.iloc[[2, 0]]).object_ids) == ["object-2", "object-0"]


def test_a_column_that_is_not_unique_is_not_guessed_as_id():
    frame = pd.DataFrame({"name": ["a", "a"], "x": [1.0, 2.0]})
    source = FeatureTable(frame)
    assert list(source.object_ids) == ["object-0", "object-1"]
    assert "called by their rows (no column of unique ids)" in repr(source)
    assert "rows" not in repr(FeatureTable(frame.assign(id=[1, 2])))
    with pytest.raises(SourceError, match=r"column 'name'.*not unique, such as 'a'"):
        FeatureTable(frame, id_column="name")


@pytest.mark.parametrize("on_disk", [True, False])
def test_an_array(tmp_path, on_disk):
    array = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "a.npy", array)
    source = FeatureTable(tmp_path / "a.npy" if on_disk else array)
    assert list(source.object_ids) == ["object-0", "object-1", "object-2"]
    assert source.column_names == ("f0", "f1")
    assert source.catalog is None
    np.testing.assert_array_equal(source.values, array)


def test_a_structured_array_has_its_names():
    array = np.array([(1, 2.0), (2, 3.0)], dtype=[("id", int), ("x", float)])
    source = FeatureTable(array)
    assert list(source.object_ids) == ["1", "2"]
    assert source.column_names == ("x",)


def test_columns_can_be_chosen(frame):
    source = FeatureTable(frame, columns=["dec", "class"])
    assert source.column_names == ("dec", "class")
    assert "g_mag" in source.catalog


def test_text_among_numbers_is_a_missing_value_and_names_are_no_numbers(tmp_path):
    table = pd.DataFrame(
        {
            "object_id": ["a", "b", "c", "d"],
            "flux": [1.5, "--", 2.5, 3.0],
            "period": ["0.5", "12", None, "no period"],
            "star": ["12", "13", "NGC 14", "15"],
            "remark": ["1.5", "faint", "bright", "red"],
            "time": pd.date_range("2020", periods=4),
            "flux_error": [0.1, 0.2, 0.3, 0.4],
        }
    )
    table.to_csv(tmp_path / "table.csv", index=False)
    for either in (table, tmp_path / "table.csv"):
        source = FeatureTable(either)
        assert source.column_names == ("flux", "period", "flux_error")
        nan = np.nan
        expected = [[1.5, 0.5, 0.1], [nan, 12, 0.2], [2.5, nan, 0.3], [3, nan, 0.4]]
        np.testing.assert_array_equal(source.values, np.float32(expected))
        assert list(source.catalog.columns) == ["star", "remark", "time"]
        assert FeatureTable(either, columns=["flux"]).column_names == ("flux",)
        with pytest.raises(SourceError, match="'remark' are not real numbers"):
            FeatureTable(either, columns=["flux", "remark"])
    measured = measure(source, by_name("raw"), n_jobs=1, progress=False)
    assert list(measured.object_ids) == ["a"]
    assert measured.set_aside.loc["b", "reason"] == "1 of 3 values are missing or infinite: flux"


def test_a_million_rows_are_read_and_named():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(1_000_000, 3)), columns=list("abc"))
    table.loc[:10, "a"] = np.inf
    table["b"] = table["b"].astype(object)
    table.loc[5, "b"] = "none"
    source = FeatureTable(table)
    assert len(source) == len(set(source.object_ids)) == 1_000_000
    assert np.flatnonzero(~np.isfinite(source.values).all(axis=1)).tolist() == list(range(11))
    np.testing.assert_array_equal(source.read("object-999999"), np.float32(table.iloc[-1]))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (pd.DataFrame({"name": ["a"], "text": ["b"]}), {}, "no numeric columns.*text"),
        (pd.DataFrame({"x": [1.0]}), {"columns": ["y"]}, "no columns 'y'; there are x"),
        (pd.DataFrame({"x": ["a"]}), {"columns": ["x"]}, "'x' are not real numbers"),
        (pd.DataFrame({"x": [1.0]}), {"columns": []}, "name at least one"),
        (pd.DataFrame({"x": [1.0]}), {"id_column": "y"}, "no column 'y'"),
        (pd.DataFrame({"id": ["a", None], "x": [1.0, 2]}), {"id_column": "id"}, "1 rows without"),
        (pd.DataFrame({"x": []}), {}, "no rows"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), {}, "two columns called 'x'"),
        (np.zeros(3), {}, r"shape \(3,\) is not a table"),
        (np.zeros((3, 0)), {}, "no numeric columns"),
        ("none.npy", {}, "cannot be read"),
        ("none.csv", {}, "no file"),
        (3, {}, "a int is not a table"),
    ],
)
def test_what_cannot_be_used_says_why(table, options, message):
    with pytest.raises(SourceError, match=message):
        FeatureTable(table, **options)


def test_columns_given_as_text_are_a_mistake():
    with pytest.raises(TypeError, match="a list of column names"):
        FeatureTable(pd.DataFrame({"x": [1.0]}), columns="x")


def test_numbers_beyond_float32_are_infinite_not_an_error():
    assert np.isinf(FeatureTable(np.array([[1e300]])).read("object-0"))


def test_an_object_that_is_not_there_is_a_key_error(frame):
    with pytest.raises(KeyError):
        FeatureTable(frame).read("nothing")


@settings(max_examples=50)
@given(
    values=hnp.arrays(np.float32, (4, 3), elements=st.floats(-1e6, 1e6, width=32)),
    place=st.tuples(st.integers(0, 3), st.integers(0, 2)),
)
def test_any_changed_value_changes_the_fingerprint_of_its_row_alone(values, place):
    before = FeatureTable(values).fingerprints
    other = values.copy()
    other[place] += max(1, abs(other[place]))
    changed = FeatureTable(other).fingerprints != before
    assert changed.tolist() == [row == place[0] for row in range(4)]


def test_the_index_that_pandas_wrote_names_the_objects_again(tmp_path):
    frame = pd.DataFrame({"a": [0.5, 1.5], "b": [2.5, 3.5]}, index=["x", "y"])
    frame.to_csv(tmp_path / "named.csv")
    frame.reset_index(drop=True).to_csv(tmp_path / "counted.csv")
    for table in (tmp_path / "named.csv", pd.read_csv(tmp_path / "named.csv")):
        source = FeatureTable(table)
        assert (list(source.object_ids), source.column_names) == (["x", "y"], ("a", "b"))
    source = FeatureTable(tmp_path / "counted.csv")
    assert (list(source.object_ids), source.column_names) == (["object-0", "object-1"], ("a", "b"))


def test_a_written_index_beside_a_column_of_ids_is_no_feature(tmp_path):
    pd.DataFrame({"id": ["x", "y"], "a": [0.5, 1.5]}).to_csv(tmp_path / "t.csv")
    source = FeatureTable(tmp_path / "t.csv")
    assert (list(source.object_ids), source.column_names) == (["x", "y"], ("a",))


@pytest.mark.parametrize("name", ["Source", "TARGETID", "ls_id"])
def test_long_integers_are_names_whatever_they_are_called(name):
    frame = pd.DataFrame({"size": [1.5, 2.5], name: [LONG, LONG + 1]})
    source = FeatureTable(frame)
    assert list(source.object_ids) == [str(LONG), str(LONG + 1)]
    assert source.column_names == ("size",)
    again = FeatureTable(frame.assign(id=["x", "y"]))
    assert (list(again.object_ids), again.column_names) == (["x", "y"], ("size",))
    counts = FeatureTable(frame.assign(**{name: [7, 2**20]}))
    assert counts.column_names == ("size", name)


def test_rows_of_a_fits_file_as_astropy_gives_them_are_a_table(tmp_path):
    table = Table({"id": ["x", "y"], "a": [0.5, 1.5], "v": [[1.0, 2.0], [3.0, 4.0]]})
    table.write(tmp_path / "t.fits")
    source = open_source(fits.getdata(tmp_path / "t.fits"))
    assert list(source.object_ids) == ["x", "y"]
    assert source.column_names == ("a", "v_0", "v_1")
    plain = np.array([(7, 0.5), (8, 1.5)], [("id", int), ("a", float)])
    assert list(open_source(plain).object_ids) == ["7", "8"]


def test_a_table_of_arrow_is_a_table():
    arrow = pytest.importorskip("pyarrow")
    source = open_source(arrow.table({"id": ["x", "y"], "a": [0.5, 1.5]}))
    assert (list(source.object_ids), source.column_names) == (["x", "y"], ("a",))


def test_a_column_taken_out_of_the_features_is_in_the_catalog_and_stays_out(tmp_path):
    frame = pd.DataFrame({"id": ["x", "y"], "a": [0.5, 1.5], "b": [2.5, 3.5], "rare": [1, 0]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    whole = FeatureTable(tmp_path / "t.csv")
    source = whole.without("rare")
    assert source.column_names == ("a", "b")
    assert [source.read(name).tolist() for name in "xy"] == [[0.5, 2.5], [1.5, 3.5]]
    assert source.catalog["rare"].to_dict() == {"x": 1, "y": 0}
    assert FeatureTable(**source.spec["arguments"]).column_names == ("a", "b")
    assert (whole.column_names, whole.catalog) == (("a", "b", "rare"), None)
    assert source.without("nothing") is source
    with pytest.raises(SourceError, match="'a' is the only feature"):
        source.without("b").without("a")


def test_words_of_a_fits_table_are_words_and_no_bytes(tmp_path):
    table = Table({"name": ["a", "b"], "flux": [1.0, 2.0], "kind": ["galaxy", "é"]})
    table["kind"] = np.char.encode(table["kind"], "latin-1")  # of before there was UTF-8
    table.write(tmp_path / "features.fits")
    assert FeatureTable(tmp_path / "features.fits").catalog["kind"].tolist() == ["galaxy", "\ufffd"]
