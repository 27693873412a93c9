"""What is known of the objects finds its object, whole, and stands beside what the session says."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

import astronomaly_widgets as aw

IDS = [f"o{k}" for k in range(6)]


def session_of(catalog, ids=IDS, **arguments):
    features = np.random.default_rng(0).normal(size=(6, 3))
    return aw.Session(features, ids, anomaly_score=[5, 4, 3, 2, 1, 0], catalog=catalog, **arguments)


# -- whose row it is -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["object_id", "Object_ID", "source_id", "name"])
def test_a_column_of_ids_says_whose_row_it_is(name):
    session = session_of(pd.DataFrame({name: IDS[::-1], "z": np.arange(6.0)}))
    assert session.catalog["z"].tolist() == [5, 4, 3, 2, 1, 0]
    assert session.catalog.index.tolist() == IDS


def test_ids_that_are_numbers_are_found_in_a_column_of_numbers():
    ids = [17, 5, 3, 2, 1, 0]
    session = session_of(pd.DataFrame({"objid": ids[::-1], "z": np.arange(6.0)}), ids)
    assert session.catalog["z"].tolist() == [5, 4, 3, 2, 1, 0]


def test_a_catalog_that_names_some_objects_leaves_the_others_empty():
    catalog = pd.DataFrame({"object_id": ["o4", None, "o1"], "z": [4.0, 9.0, 1.0]})
    found = session_of(catalog).catalog["z"]
    assert found.dropna().to_dict() == {"o1": 1.0, "o4": 4.0}


def test_the_index_and_a_column_of_other_ids_do_not_disturb_each_other():
    others = [f"SDSS {k}" for k in range(6)]
    by_index = pd.DataFrame({"object_id": others, "z": np.arange(6.0)}, index=IDS[::-1])
    assert session_of(by_index).catalog["z"].tolist() == [5, 4, 3, 2, 1, 0]


def test_rows_are_counted_only_where_nothing_names_the_objects():
    catalog = pd.DataFrame({"name": [f"NGC {k}" for k in range(6)], "z": np.arange(6.0)})
    assert session_of(catalog).catalog["z"].tolist() == [0, 1, 2, 3, 4, 5]
    assert session_of(catalog, [1, 2, 3, 4, 5, 6]).catalog["z"].tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="no row of the catalog has the id of an object"):
        session_of(catalog[:4])


def test_rows_that_were_chosen_from_a_table_keep_their_numbers():
    table = pd.DataFrame({"z": np.arange(10.0)})
    chosen = [7, 3, 9, 0, 4, 5]
    assert session_of(table, chosen).catalog["z"].tolist() == chosen
    shuffled = [5, 3, 1, 0, 4, 2]
    assert session_of(table[:6], shuffled).catalog["z"].tolist() == shuffled


def test_two_rows_of_an_object_are_refused_and_rows_of_nobody_are_not():
    catalog = pd.DataFrame({"z": np.arange(8.0)}, index=[*IDS, "other", "other"])
    assert session_of(catalog).catalog["z"].tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="several rows for 'o0'"):
        session_of(pd.DataFrame({"z": [1.0, 2.0]}, index=["o0", "o0"]))


@pytest.mark.parametrize("read", [Table.read, lambda path: Table.read(path).to_pandas()])
def test_words_of_a_fits_catalog_are_words_and_no_bytes(read, tmp_path):
    kinds = ["galaxy", "é", "", "star", "star", "qso"]
    in_bytes = np.char.encode(kinds, "utf-8")
    Table({"object_id": IDS, "kind": in_bytes}).write(tmp_path / "catalog.fits")
    session = session_of(read(tmp_path / "catalog.fits"))
    assert session.catalog["kind"].fillna("").tolist() == kinds
    session.export(tmp_path / "results.ecsv")
    assert Table.read(tmp_path / "results.ecsv")["kind"].filled("").tolist() == kinds


def test_two_columns_of_one_name_are_refused():
    catalog = pd.DataFrame(np.zeros((6, 2)), index=IDS, columns=pd.Index([3, "3"], dtype=object))
    with pytest.raises(ValueError, match="several columns called '3'"):
        session_of(catalog)


# -- beside what the session says ------------------------------------------------------------------


def as_table(path):
    if path.suffix == ".parquet":
        return Table.from_pandas(pd.read_parquet(path).reset_index())
    return Table.read(path)


def words(column):
    return [each.decode() if isinstance(each, bytes) else str(each) for each in column]


@pytest.mark.parametrize("suffix", [".csv", ".ecsv", ".vot", ".fits", ".parquet"])
def test_a_column_called_like_one_of_ours_stands_beside_it(suffix, tmp_path):
    names = ["score", "tags", "comment", "annotator", "time", "Relevance", "object_id"]
    catalog = pd.DataFrame({name: [f"{name} {k}" for k in range(6)] for name in names}, index=IDS)
    session = session_of(catalog)
    session.label("o2", 4, tags=("arc",), comment="mine")
    table = as_table(session.export(tmp_path / f"out{suffix}"))
    assert words(table["object_id"]) == IDS
    assert words(table["comment"])[2] == "mine"
    for name in names:
        assert words(table[f"catalog_{name}"]) == [f"{name} {k}" for k in range(6)]
    assert len({name.lower() for name in table.colnames}) == len(table.colnames)
    assert not {f"catalog_{name}" for name in names} & set(session.catalog)


def test_a_column_called_like_its_new_name_keeps_its_own():
    catalog = pd.DataFrame({"catalog_time": 1.0, "time": 2.0}, index=IDS)
    table = session_of(catalog).results()
    assert table["catalog_time"].eq(1).all()
    assert table["catalog_catalog_time"].eq(2).all()


def test_the_ids_are_not_said_twice():
    catalog = pd.DataFrame({"object_id": ["o3", "o1"], "z": [3.0, 1.0]})
    table = session_of(catalog).results()
    assert "catalog_object_id" not in table
    assert table["z"].dropna().to_dict() == {"o1": 1.0, "o3": 3.0}


# -- every digit of it -----------------------------------------------------------------------------

LONG = 10**18 + 7


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64"])
def test_long_integers_keep_every_digit_when_an_object_has_no_row(dtype, tmp_path):
    catalog = pd.DataFrame({"n": np.arange(6) + LONG, "z": 1.0}, index=IDS)
    catalog = catalog.astype({"n": dtype}).drop("o5")
    session_of(catalog, project=tmp_path / "p").close()
    session = aw.Session.open(tmp_path / "p")
    assert session.catalog["n"].tolist()[:5] == [LONG + k for k in range(5)]
    assert session.catalog["n"].isna().tolist() == [False] * 5 + [True]
    for suffix in (".csv", ".ecsv", ".vot", ".fits"):
        table = Table.read(session.export(tmp_path / f"out{suffix}"))
        assert words(table["n"])[:5] == [str(LONG + k) for k in range(5)], suffix


def test_an_object_without_a_row_is_not_known_to_be_interesting():
    catalog = pd.DataFrame({"rare": [True, False, True]}, index=["o0", "o1", "o2"])
    session = session_of(catalog, truth="rare")
    assert session.truth.tolist() == [True, False, True, False, False, False]


# -- orders and conditions -------------------------------------------------------------------------

STRANGE = pd.DataFrame(
    {
        3: [0.5, 2.0, 1.0, np.nan, 4.0, 3.0],
        "words and numbers": ["b", 10, "a", 9, None, 2.5],
        "lists": [[2], [1, 0], [], None, [3], [1]],
        "-minus": [0, 5, 4, 3, 2, 1],
        "known": pd.array([True, None, False, True, None, False], dtype="boolean"),
        "maybe": pd.Series([True, None, False, True, np.nan, False], dtype=object).to_numpy(),
        "anomaly_score": [0, 1, 2, 3, 4, 5],
        "when": pd.to_datetime(["2026-01-02", None, "2026-01-01", None, None, "2025-01-01"]),
    },
    index=IDS,
)


def test_every_order_that_is_offered_can_be_had_and_turned_round():
    session = session_of(STRANGE)
    for name in STRANGE.columns:
        assert str(name) in session.orders
    for order in (*session.orders, *(f"-{name}" for name in STRANGE.columns)):
        assert sorted(session.ranking(order)) == IDS, order
    assert session.ranking("3").tolist() == ["o4", "o5", "o1", "o2", "o0", "o3"]
    assert session.ranking("-minus").tolist() == ["o1", "o2", "o3", "o4", "o5", "o0"]
    assert session.ranking("--minus").tolist() == ["o0", "o5", "o4", "o3", "o2", "o1"]


def test_words_and_numbers_in_one_column_are_sorted_as_text():
    ids = session_of(STRANGE).ranking("words and numbers").tolist()
    assert ids == ["o1", "o5", "o3", "o2", "o0", "o4"]


def test_what_is_not_known_does_not_meet_a_condition():
    session = session_of(STRANGE)
    for name in ("known", "maybe"):
        assert session.ranking("original", where=name).tolist() == ["o0", "o3"]
    assert session.ranking("original", where="known and `3` < 1").tolist() == ["o0"]
    assert session.ranking("original", where=STRANGE["known"]).tolist() == ["o0", "o3"]


def test_a_score_in_a_condition_is_ours_and_the_catalogs_stands_beside_it():
    session = session_of(STRANGE)
    assert session.ranking("original", where="anomaly_score > 3").tolist() == ["o0", "o1"]
    assert session.ranking("original", where="catalog_anomaly_score > 3").tolist() == ["o4", "o5"]
    assert session.ranking("original", where="object_id == 'o2'").tolist() == ["o2"]


@pytest.mark.parametrize(
    ("where", "came"),
    [
        ("3 > 2", "bool"),
        ("anomaly_score", "float32"),
        ("`words and numbers`", "object"),
        ("z = 3", "DataFrame"),
        ([1] * 6, "list"),
        (np.ones(7, dtype=bool), "bool"),
    ],
)
def test_what_is_no_condition_is_refused(where, came):
    with pytest.raises(ValueError, match=rf"(?s)where=.* gives {came}.*wanted yes or no for each"):
        session_of(STRANGE).ranking(where=where)


def test_units_of_a_catalog_are_those_of_the_results():
    table = Table({"id": ["a", "b"], "time": [1.0, 2.0], "z": [0.1, 0.2]})
    table["time"].unit = "d"
    X = np.random.default_rng(0).normal(size=(2, 3))
    session = aw.Session(X, ["a", "b"], catalog=table)
    assert session.results().attrs["units"] == {"catalog_time": "d"}
    session.close()
