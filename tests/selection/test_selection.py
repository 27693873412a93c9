"""Named cuts: what each removes, and the query that makes them."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.selection import Selection, column, etsebeth_2024

NAN = float("nan")


def survey(**changes):
    """Return a catalog of galaxies that pass all cuts of E24, but for the changes."""
    n = max(map(len, changes.values()), default=1)
    good = {"type": "EXP", "shapedev_r": 0.0, "shapeexp_r": 4.0}
    for band in "grz":
        good |= {f"allmask_{band}": 0, f"rchisq_{band}": 1.2, f"snr_{band}": 9.0}
        good[f"flux_{band}"] = 20.0
    return pd.DataFrame({name: [value] * n for name, value in good.items()} | changes)


def test_the_cuts_are_those_of_the_paper():
    text = etsebeth_2024().condition.text
    for line in (
        "type != 'PSF'",
        "allmask_g = 0 AND allmask_r = 0 AND allmask_z = 0",
        "(rchisq_g > 1 OR rchisq_r > 1 OR rchisq_z > 1)",
        "snr_g > 0 AND snr_r > 0 AND snr_z > 0",
        "(flux_g > 7.0 OR flux_r > 7.0 OR flux_z > 7.0)",
        "(shapedev_r > 3.0 OR shapeexp_r > 3.0)",
    ):
        assert line in text
    assert etsebeth_2024().mask(survey()).all()


@pytest.mark.parametrize(
    ("cut", "changes", "passed"),
    [
        ("type", {"type": ["PSF", "DEV"]}, [False, True]),
        ("allmask", {"allmask_z": [0, 2]}, [True, False]),
        ("reduced chi-square", {f"rchisq_{b}": [0.9, 1.0] for b in "grz"}, [False, False]),
        ("reduced chi-square", {"rchisq_g": [0.2], "rchisq_r": [0.2]}, [True]),
        ("snr", {"snr_r": [0.0, 0.1]}, [False, True]),
        ("flux", {f"flux_{b}": [7.0, 7.1] for b in "grz"}, [False, True]),
        ("flux", {"flux_g": [0.1], "flux_r": [NAN]}, [True]),
        ("shape", {"shapeexp_r": [3.0, 2.0], "shapedev_r": [3.0, 3.1]}, [False, True]),
    ],
)
def test_each_cut_removes_what_the_paper_says(cut, changes, passed):
    table = survey(**changes)
    selection = etsebeth_2024()
    assert selection[cut].mask(table).tolist() == passed
    assert selection.mask(table).tolist() == passed
    assert selection.without(cut).mask(table).all()


def test_removals_count_each_cut_alone_and_in_turn():
    table = pd.DataFrame({"a": [1, 2, 3, 4, NAN, 6], "b": [1, 0, 0, 1, 1, 1]})
    selection = Selection({"bright": column("a") > 2, "clean": column("b") == 1})
    counts = selection.removals(table)
    assert list(counts.index) == ["bright", "clean"]
    assert counts["condition"].tolist() == ["a > 2", "b = 1"]
    assert counts["removed"].tolist() == [3, 2]
    assert counts["missing"].tolist() == [1, 0]
    assert counts["only_this"].tolist() == [2, 1]
    assert counts["left"].tolist() == [3, 2]
    assert selection.mask(table).sum() == counts["left"].iloc[-1]


def test_rows_that_pass_come_as_the_kind_of_table_that_was_given():
    frame = pd.DataFrame({"id": ["x", "y"], "a": [1.0, 5.0]})
    selection = Selection({"bright": column("a") > 2})
    assert selection.apply(frame)["id"].tolist() == ["y"]
    table = selection.apply(Table.from_pandas(frame))
    assert isinstance(table, Table)
    assert list(table["id"]) == ["y"]


def test_selections_are_composed_and_taken_apart():
    bright, blue = Selection({"bright": column("r") < 20}), Selection({"blue": column("g") < 1})
    both = bright & blue
    assert list(both) == ["bright", "blue"]
    assert both.columns == ("r", "g")
    assert list(both.without("bright")) == ["blue"]
    assert list(both & bright) == ["bright", "blue"]
    with pytest.raises(ValueError, match="both selections have a cut called 'bright'"):
        both & Selection({"bright": column("r") < 21})
    with pytest.raises(KeyError, match="no cut 'red'; there are bright, blue"):
        both.without("red")
    with pytest.raises(ValueError, match="at least one cut"):
        both.without("bright", "blue")
    with pytest.raises(TypeError, match="not a condition"):
        Selection({"bright": "r < 20"})


def test_the_query_names_table_columns_and_limit():
    selection = Selection({"any": (column("a") > 1) | (column("b") > 1), "c": column("c") == "x"})
    assert selection.adql("ls_dr8.tractor", columns=["ra", "size"], limit=50) == (
        "SELECT TOP 50 ra, \"size\" FROM ls_dr8.tractor WHERE (a > 1 OR b > 1) AND c = 'x'"
    )
    alone = selection.without("c").adql("II/246/out")
    assert alone == 'SELECT * FROM "II/246/out" WHERE a > 1 OR b > 1'
    with pytest.raises(TypeError, match="list of names"):
        selection.adql("t", columns="ra")
    with pytest.raises(ValueError, match="at least 1"):
        selection.adql("t", limit=0)


def test_a_catalog_without_a_named_column_says_which():
    with pytest.raises(SourceError, match="no column 'flux_z'"):
        etsebeth_2024().removals(survey().drop(columns="flux_z"))


def test_other_bands_and_thresholds_can_be_asked_for():
    text = etsebeth_2024("ri", min_flux=3, min_radius=1.5).condition.text
    assert "flux_r > 3 OR flux_i > 3" in text
    assert "shapedev_r > 1.5" in text
    assert "_g" not in text
    with pytest.raises(ValueError, match="bands is empty"):
        etsebeth_2024("")


def test_a_million_rows_are_no_trouble():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=1_000_000)})
    counts = Selection({"positive": column("a") > 0}).removals(table)
    assert counts.loc["positive", "left"] == (table["a"] > 0).sum()
