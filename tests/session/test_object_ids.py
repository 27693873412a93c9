"""Ids are found as a dict finds them, whatever they look like."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astronomaly_widgets.project import fingerprint
from astronomaly_widgets.session import _object_ids
from astronomaly_widgets.session._object_ids import ObjectIds

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = ["M 31", "", "ngc 224", "\U0001f30c", "a" * 300, "0"]


@given(st.lists(TEXT, unique=True, min_size=1), st.lists(TEXT))
def test_rows_are_those_of_a_dict(names, others):
    ids, rows = ObjectIds(names), {name: row for row, name in enumerate(names)}
    assert [ids.row_of(name) for name in names] == list(range(len(names)))
    asked = [*others, *names]
    assert ids.rows_of(asked).tolist() == [rows.get(name, -1) for name in asked]
    assert [name in ids for name in others] == [name in rows for name in others]


@pytest.mark.parametrize(
    "given",
    [
        NAMES,
        tuple(NAMES),
        np.array(NAMES),
        np.array(NAMES, dtype=object),
        pd.Index(NAMES),
        pd.Series(NAMES),
        pa.array(NAMES),
        pa.chunked_array([NAMES[:2], NAMES[2:]]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_every_kind_of_list_gives_the_same_ids(given):
    ids = ObjectIds(given)
    assert list(ids.names) == NAMES
    assert {type(name) for name in ids.names} == {str}
    assert list(ids.index) == NAMES


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (np.arange(3), ["0", "1", "2"]),
        ([1.5, None, "x"], ["1.5", "None", "x"]),
        (np.array([2.0, np.nan]), ["2.0", "nan"]),
        (pd.Series(["a", None]), ["a", str(pd.Series(["a", None])[1])]),  # None in pandas 2
        (np.array([b"NGC 1", b"M 2"]), ["NGC 1", "M 2"]),
    ],
    ids=["whole numbers", "a mixture", "numbers", "a gap", "bytes"],
)
def test_what_is_no_text_becomes_text(given, names):
    assert list(ObjectIds(given).names) == names


def test_ids_whose_hashes_are_equal_are_told_apart(monkeypatch):
    monkeypatch.setattr(
        _object_ids, "_hashes", lambda strings: np.full(len(strings), 7 << 32, dtype=np.uint64)
    )
    ids = ObjectIds(NAMES)
    assert ids.rows_of(["0", "none", "M 31"]).tolist() == [5, -1, 0]
    with pytest.raises(ValueError, match="1 object ids stand for more than one object: 'M 31'"):
        ObjectIds([*NAMES, "M 31"])


def test_what_is_not_there_is_no_row():
    ids = ObjectIds(NAMES)
    for absent in ("M 32", 0, None, "\ud800"):
        assert absent not in ids
        with pytest.raises(KeyError):
            ids.row_of(absent)
    assert ids.rows_of([]).shape == (0,)


def test_an_id_that_is_not_text_is_refused():
    with pytest.raises(ValueError, match="not text that can be stored"):
        ObjectIds(["good", "b\udcffd"])


def test_ids_that_stand_for_two_objects_are_named():
    with pytest.raises(ValueError, match=r"2 object ids .*: 'a', 'b'; labels belong to ids"):
        ObjectIds(["a", "b", "a", "c", "b", "a"])


def test_many_ids_in_chunks_are_found_and_cut_out(monkeypatch):
    monkeypatch.setattr(_object_ids, "_CHUNK", 7)
    names = [f"obj{i}" for i in range(100)]
    ids = ObjectIds(names)
    assert ids.rows_of(names[::-1]).tolist() == list(range(99, -1, -1))
    odd = ids.keep(np.arange(100) % 2 == 1)
    assert odd.row_of("obj33") == 16
    assert list(odd.take([0, -1 + len(odd)])) == ["obj1", "obj99"]
    assert ids[42] == "obj42"


def test_the_fingerprint_of_ids_is_that_of_their_array(monkeypatch):
    monkeypatch.setattr(_object_ids, "_CHUNK", 4)
    names = [f"obj{i}" for i in range(10)]
    assert fingerprint(ObjectIds(names).letters()) == fingerprint(np.array(names, dtype=object))


def test_a_part_of_an_id_is_found_in_any_case():
    ids = ObjectIds(["NGC 1", "ngc 10", "M 1", "NGC 100"])
    assert ids.containing("nGc 1", 10).tolist() == [0, 1, 3]
    assert ids.containing("ngc", 2).tolist() == [0, 1]
    assert ids.containing("xyz", 2).tolist() == []
