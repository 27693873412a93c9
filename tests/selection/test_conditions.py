"""Conditions select here what their ADQL selects at a service."""

import sqlite3

import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.selection import all_of, any_of, column, cone

NAN = float("nan")
TABLE = pd.DataFrame(
    {
        "g": [1.0, 2.0, NAN, 4.0, 5.0, -1.0],
        "r": [1.0, 3.0, 3.0, NAN, 2.0, 0.0],
        "type": ["PSF", "EXP", None, "DEV", "it's", ""],
        "n": pd.array([1, None, 3, 2**53 + 1, 5, 0], dtype="Int64"),
    }
)


_SQL = {"f": "REAL", "i": "INTEGER", "u": "INTEGER", "b": "INTEGER", "O": "TEXT"}


def selected_by_sql(condition, table=TABLE):
    """Return the rows that a database selects by the text of a condition."""
    with sqlite3.connect(":memory:") as connection:
        types = {name: _SQL[values.dtype.kind] for name, values in table.items()}
        table.reset_index(drop=True).astype(object).where(table.notna(), None).to_sql(
            "catalog", connection, index_label="row", dtype=types
        )
        rows = connection.execute(f"SELECT row FROM catalog WHERE {condition.text}").fetchall()  # noqa: S608
    connection.close()
    mask = np.zeros(len(table), bool)
    mask[[row for (row,) in rows]] = True
    return mask


CONDITIONS = [
    column("g") > 1,
    column("g") <= column("r"),
    column("g") - column("r") * 2 > -3,
    2 / column("g") < 1,
    (1 - column("g")) + 3 >= -1,
    column("type") == "PSF",
    column("type") != "PSF",
    column("type") == "it's",
    column("g").between(1, 4),
    column("g").is_in([1, 5, -1]),
    ~column("g").is_in([1, 5]),
    column("type").is_in(["EXP", "DEV"]) & (column("g") > 2),
    column("g").is_known(),
    ~column("r").is_known(),
    column("n") == 2**53 + 1,
    (column("g") > 1) & (column("r") > 1),
    (column("g") > 1) | (column("r") > 1),
    ~((column("g") > 1) | (column("r") > 1)),
    ~((column("g") > 1) & (column("r") > 1)),
    ((column("g") > 4) | (column("r") > 2)) & (column("type") != "EXP"),
    (column("g") > 4) | (column("r") > 2) & (column("type") != "EXP"),
    column("g") == -1,
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: each.text)
def test_rows_are_those_that_a_database_selects(condition):
    np.testing.assert_array_equal(condition.mask(TABLE), selected_by_sql(condition))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint32])
def test_whole_numbers_of_few_bytes_do_not_overflow(dtype):
    table = pd.DataFrame({"a": np.array([1, 5, 120], dtype), "b": np.array([3, 2, 100], dtype)})
    a, b = column("a"), column("b")
    for condition in (a - b < 0, a + b > 200, a * b > 300, 2 - a < 0):
        np.testing.assert_array_equal(condition.mask(table), selected_by_sql(condition, table))


atoms = st.sampled_from(CONDITIONS)
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        inner.map(lambda each: ~each),
        st.lists(inner, min_size=1, max_size=3).map(all_of),
        st.lists(inner, min_size=1, max_size=3).map(any_of),
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(trees)
def test_however_they_are_combined(condition):
    np.testing.assert_array_equal(condition.mask(TABLE), selected_by_sql(condition))


def test_missing_values_are_neither_true_nor_false():
    condition = column("g") > 1
    true, false = condition.evaluate(TABLE)
    assert not (true | false)[2]
    assert not condition.mask(TABLE)[2]
    assert not (~condition).mask(TABLE)[2]


def test_tables_of_every_kind_give_the_same():
    masked = Table(
        {
            "g": MaskedColumn([1.0, 2, 3], mask=[False, True, False]),
            "type": MaskedColumn([b"PSF", b"EXP", b"EXP"], mask=[False, False, True]),
            "flag": [0, 1, 1],
        }
    )
    frame = masked.to_pandas()
    fits_like = masked.filled(0).as_array()
    condition = (column("g") > 0) & (column("type") != "PSF")
    assert condition.mask(masked).tolist() == [False, False, False]
    assert condition.mask(frame).tolist() == [False, False, False]
    on = column("flag") == 1
    for table in (masked, frame, fits_like):
        assert on.mask(table).tolist() == [False, True, True]
    big_endian = np.array([1, 2, 3], dtype=[("g", ">f4")][0][1])
    assert (column("g") >= 2).mask(Table({"g": big_endian})).tolist() == [False, True, True]


def test_columns_of_mixed_types_are_text_or_an_error():
    table = pd.DataFrame({"a": [1, "x", 2.0], "b": pd.Series([1, 2.5, None], dtype=object)})
    assert (column("b") > 1).mask(table).tolist() == [False, True, False]
    with pytest.raises(SourceError, match="a > 1 compares text with numbers"):
        (column("a") > 1).mask(table)


def test_a_missing_column_says_which_there_are():
    with pytest.raises(SourceError, match="no column 'z'; it has g, r, type, n"):
        (column("z") > 1).mask(TABLE)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flux_g", "flux_g"),
        ("[3.6]", '"[3.6]"'),
        ("size", '"size"'),
        ("Order", '"Order"'),
        ('a"b', '"a""b"'),
        ("1st", '"1st"'),
        ("x); DROP TABLE y; --", '"x); DROP TABLE y; --"'),
    ],
)
def test_names_are_quoted_where_they_are_no_ordinary_words(name, text):
    assert column(name).text == text


def test_texts_cannot_end_their_own_quotes():
    assert (column("a") == "x' OR '1'='1").text == "a = 'x'' OR ''1''=''1'"


def test_what_is_no_condition_is_refused():
    with pytest.raises(TypeError, match="combine conditions by &"):
        bool(column("a") > 1)
    with pytest.raises(TypeError, match="combine conditions by &"):
        1 < column("a") < 3  # noqa: B015 - the comparison is the test
    with pytest.raises(TypeError, match="is no condition"):
        all_of([column("a")])
    with pytest.raises(TypeError, match="no condition was given"):
        any_of([])
    with pytest.raises(TypeError, match="neither a column nor a number"):
        column("a") > [1]  # noqa: B015 - the comparison is the test
    with pytest.raises(TypeError, match="no true and false"):
        column("a") == True  # noqa: B015, E712 - the comparison is the test
    with pytest.raises(ValueError, match="is_known"):
        column("a") == NAN  # noqa: B015 - the comparison is the test
    with pytest.raises(ValueError, match="at least one value"):
        column("a").is_in([])
    with pytest.raises(ValueError, match="is text"):
        column(3)


def test_a_cone_reaches_over_zero_hours_and_over_the_pole():
    sky = pd.DataFrame({"ra": [359.9, 0.1, 1.5, 180.0, NAN], "dec": [0.0, 0.0, 0.0, 89.9, 0.0]})
    zero = cone(0.0, 0.0, 0.5)
    assert zero.mask(sky).tolist() == [True, True, False, False, False]
    assert (~zero).mask(sky).tolist() == [False, False, True, True, False]
    assert cone(0.0, 89.95, 0.2).mask(sky).tolist() == [False, False, False, True, False]
    assert cone(-0.1, 0.0, 0.25).text == (
        "1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 359.9, 0.0, 0.25))"
    )
    with pytest.raises(ValueError, match="no circle on the sky"):
        cone(0, 95, 1)
