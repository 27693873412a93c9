"""Exports keep every object, digit and letter, in every format."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning
from hypothesis import given, settings
from hypothesis import strategies as st

from astronomaly_widgets import export


@pytest.fixture
def results():
    return pd.DataFrame(
        {
            "score": [5.0, np.nan, 2.5],
            "tags": [("arc", "blue, faint"), (), ("ß",)],
            "comment": ['say "hi"', "", "línea\n2"],
            "annotator": ["ada", "", "ada"],
            "time": pd.to_datetime(
                ["2026-01-02T03:04:05.678901Z", None, "2026-01-02"], utc=True, format="ISO8601"
            ),
            "anomaly_score": np.array([5, 0, 1.5], np.float32),
            "ra": [359.9999999, 1e-7, 150.1234567],
            "dec": [-89.9999999, 0.0, 2.2057831],
            "objid": [587742009504530442, 587742009504530443, 1],
            "type": ["PSF", None, "REX"],
            "good": [True, False, True],
        },
        index=pd.Index(["<a>", "b c", "🪐"], name="object_id"),
    )


def read(path):
    if path.suffix == ".parquet":
        return Table.from_pandas(pd.read_parquet(path).reset_index())
    return Table.read(path)


def words(column):
    return [value.decode() if isinstance(value, bytes) else str(value) for value in column]


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_a_file_may_be_named_without_its_folder(tmp_path, monkeypatch, results, suffix):
    monkeypatch.chdir(tmp_path)
    assert len(read(export.write(results, Path(f"out{suffix}")))) == 3
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch, results):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert export.write(results, "~/out.csv") == tmp_path / "out.csv"
    assert (tmp_path / "out.csv").is_file()


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_a_table_comes_back_as_it_was(tmp_path, results, suffix):
    back = read(export.write(results, tmp_path / f"out{suffix}"))
    assert words(back["object_id"]) == ["<a>", "b c", "🪐"]
    assert np.asarray(back["ra"], float).tolist() == results["ra"].tolist()
    assert np.asarray(back["objid"]).tolist() == results["objid"].tolist()
    scores = np.ma.filled(np.ma.asarray(back["score"], dtype=float), np.nan)
    np.testing.assert_array_equal(scores, results["score"])
    assert words(back["tags"])[0] == "arc;blue, faint"
    assert words(back["comment"])[0] == 'say "hi"'
    assert words(back["time"])[0] == "2026-01-02T03:04:05.678901Z"


@pytest.mark.parametrize("suffix", [".ecsv", ".vot", ".fits"])
def test_coordinates_carry_their_unit(tmp_path, results, suffix):
    back = read(export.write(results, tmp_path / f"out{suffix}"))
    assert str(back["ra"].unit) == str(back["dec"].unit) == "deg"


def test_an_existing_file_is_replaced_and_nothing_is_left_beside_it(tmp_path, results):
    export.write(results, tmp_path / "out.fits")
    export.write(results.iloc[:2], tmp_path / "out.fits")
    assert len(read(tmp_path / "out.fits")) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["out.fits"]


def test_an_unknown_suffix_is_answered_with_the_known_ones(tmp_path, results):
    with pytest.raises(ValueError, match=r"out\.xlsx.*\.csv.*\.parquet"):
        export.write(results, tmp_path / "out.xlsx")


@pytest.mark.parametrize("suffix", [".ecsv", ".vot", ".fits"])
def test_every_type_of_column_keeps_its_values_and_its_gaps(tmp_path, results, suffix):
    numbers = {"int8": -128, "uint16": 65535, "Int64": -(2**63), "UInt64": 2**64 - 1}
    texts = {
        "boolean": [True, None, False],
        "category": ["x", None, "y"],
        "datetime64": ["2026-01-02 03:04:05", None, "2026-01-02 03:04:06"],
    }
    for dtype, value in numbers.items():
        gap = None if dtype[0].isupper() else 0
        results[dtype] = pd.Series([value, gap, 1], dtype=dtype, index=results.index)
    for dtype, values in texts.items():
        unit = "[ns]" if dtype == "datetime64" else ""
        results[dtype] = pd.Series(values, dtype=dtype + unit, index=results.index)
    results["float16"] = np.array([0.5, np.nan, 2], dtype=np.float16)
    results["Float64"] = pd.Series([0.5, None, 2], dtype="Float64", index=results.index)
    back = read(export.write(results, tmp_path / f"out{suffix}"))
    for dtype, value in numbers.items():
        first, gap, last = words(back[dtype])
        assert (first, last) == (str(value), "1")
        assert (gap in ("", "--")) == dtype[0].isupper()
    for dtype, values in texts.items():
        assert [w for w in words(back[dtype]) if w not in ("", "--")] == [
            str(value) for value in values if value is not None
        ]
    for dtype in ("float16", "Float64"):
        found = np.ma.filled(np.ma.asarray(back[dtype], dtype=float), np.nan)
        np.testing.assert_array_equal(found, [0.5, np.nan, 2])


@pytest.mark.parametrize("suffix", [".ecsv", ".vot", ".fits"])
def test_no_whole_number_is_taken_for_a_gap_beside_it(tmp_path, results, suffix):
    numbers = [999_999, None, np.iinfo(np.int64).min]
    results["n"] = pd.array(numbers, dtype="Int64")
    assert read(export.write(results, tmp_path / f"out{suffix}"))["n"].tolist() == numbers


def test_columns_of_any_name_go_into_a_fits_file(tmp_path, results):
    names = ["ñ_v", "z", "Z", "x\ny", "Größe " + 80 * "n", "Größe " + 80 * "n" + "2"]
    for k, name in enumerate(names):
        results[name] = float(k)
    table = Table.read(export.write(results, tmp_path / "out.fits"))
    new = table.colnames[-len(names) :]
    assert new[:4] == ["__v", "z", "Z_2", "x_y"]
    assert [float(table[name][0]) for name in new] == list(range(len(names)))
    assert len({name.lower() for name in table.colnames}) == len(table.colnames)


def test_a_column_of_words_and_numbers_is_text_in_parquet(tmp_path, results):
    results["mixed"] = pd.Series([1, "a", None], index=results.index, dtype=object)
    back = pd.read_parquet(export.write(results, tmp_path / "out.parquet"))
    assert back["mixed"].fillna("").tolist() == ["1", "a", ""]


def words_and_signs(text):
    """What stays of a text: these formats cut blanks, and take no control characters."""
    return re.sub("[\x00-\x08\x0e-\x1b\x1f\ufffe\uffff]", "\ufffd", text).split()


@pytest.mark.parametrize(
    "values",
    [pd.cut([0, 1, 2], 3), pd.Categorical([1, "a", None]), np.array([1j, 2, 3])],
    ids=["bins", "categories", "complex"],
)
def test_what_parquet_does_not_know_is_text_there(tmp_path, results, values):
    results["kind"] = values
    expected = ["" if pd.isna(value) else str(value) for value in results["kind"]]
    again = pd.read_parquet(export.write(results, tmp_path / "out.parquet"))
    assert again["kind"].tolist() == expected


@settings(max_examples=25)
@given(
    texts=st.lists(
        st.text(max_size=6).filter(lambda text: text != "--")  # what is missing is shown so
        | st.sampled_from(
            ["NA", "None", "", "a\x0bb", "\x1b[1m", "a\u2028b", "]]>", "\x00", "a\rb"]
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_text_spoils_a_file(texts, tmp_path_factory):
    ids = [f"{k} {text}." for k, text in enumerate(texts)]
    table = pd.DataFrame({"tags": [(text,) for text in texts], "comment": texts}, index=ids)
    table["time"] = pd.Timestamp("2026-01-02", tz="UTC")
    folder = tmp_path_factory.mktemp("export")
    for suffix in (".ecsv", ".vot", ".fits"):
        back = read(export.write(table, folder / f"out{suffix}"))
        for column, given_texts in (("object_id", ids), ("comment", texts)):
            found = ["" if word == "--" else word for word in words(back[column])]
            assert list(map(words_and_signs, found)) == list(map(words_and_signs, given_texts))
    back = pd.read_parquet(export.write(table, folder / "out.parquet"))
    assert (back.index.tolist(), back["comment"].tolist()) == (ids, texts)


@given(
    st.lists(st.text(min_size=1, max_size=6) | st.sampled_from([";", '"', "\r", "\n"]), max_size=4)
)
def test_tags_are_parted_again_as_they_were(tags):
    assert export.split_tags(export.join_tags(tags)) == tuple(tags)


def test_a_carriage_return_does_not_end_a_line_of_a_csv_file(tmp_path, results):
    results["comment"] = ["one\rtwo", "", "one\r\ntwo"]
    results["kind"] = pd.Categorical(["x", None, "y"])
    back = pd.read_csv(export.write(results, tmp_path / "out.csv"), index_col="object_id")
    assert back["comment"].fillna("").tolist() == ["one\ntwo", "", "one\ntwo"]
    assert back.index.tolist() == results.index.tolist()


@pytest.mark.parametrize("suffix", [".ecsv", ".vot", ".fits"])
def test_units_of_the_catalog_are_exported(results, tmp_path, suffix):
    results = results.assign(
        mag=[20.1, 20.2, np.nan], width=[1.0, 2.0, 3.0], odd=1.5, type=["A"] * 3
    )
    units = {"mag": "mag", "width": "km / s", "odd": "furlong/fortnight", "type": "deg"}
    results.attrs["units"] = {**units, "ra": "hourangle"}
    path = export.write(results, tmp_path / f"r{suffix}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # astropy says that one unit is odd
        found = read(path)
    assert [str(found[name].unit) for name in ("mag", "width", "ra", "dec")] == [
        "mag",
        "km / s",
        "h",
        "deg",
    ]
    np.testing.assert_array_equal(found["odd"], 1.5)
    assert found["type"].unit is None  # text has none
    assert found["anomaly_score"].unit is None
