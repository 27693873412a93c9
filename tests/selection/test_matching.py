"""Objects of two catalogs at the same place."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.selection import cross_match

ARCSEC = 1 / 3600


def test_the_nearest_is_found_and_the_near_are_counted():
    mine = pd.DataFrame({"ra": [10.0, 20.0, 30.0], "dec": [0.0, 0.0, 0.0]}, index=[*"abc"])
    known = pd.DataFrame(
        {"RAJ2000": [10 + 5 * ARCSEC, 10 + 8 * ARCSEC, 10 - 20 * ARCSEC, 20 + 20 * ARCSEC]}
        | {"DEJ2000": [0.0] * 4},
        index=["near", "next", "far", "only"],
    )
    found = cross_match(mine, known, [10, 30])
    assert found["match"].tolist()[:2] == ["near", "only"]
    assert found["match"].isna().tolist() == [False, False, True]
    np.testing.assert_allclose(found["separation"][:2], [5, 20], rtol=1e-6)
    assert found["n_within_10"].tolist() == [2, 0, 0]
    assert found["n_within_30"].tolist() == [3, 1, 0]
    assert list(found.index) == [*"abc"]


def test_it_agrees_with_a_search_among_all_pairs():
    rng = np.random.default_rng(0)
    ra, dec = (rng.uniform(-0.01, 0.01, (2, 300)) % 360, rng.uniform(-0.01, 0.01, (2, 300)))
    tables = [pd.DataFrame({"ra": a, "dec": d}) for a, d in zip(ra, dec, strict=True)]
    first, second = (SkyCoord(a, d, unit="deg") for a, d in zip(ra, dec, strict=True))
    distance = first[:, None].separation(second[None]).arcsec
    found = cross_match(*tables, 4.0)
    near = distance.min(axis=1) <= 4
    assert 0 < near.sum() < 300
    np.testing.assert_array_equal(found["match"].notna(), near)
    assert found["match"][near].tolist() == distance.argmin(axis=1)[near].tolist()
    np.testing.assert_allclose(found["separation"][near], distance.min(axis=1)[near], rtol=1e-6)
    np.testing.assert_array_equal(found["n_within_4"], (distance <= 4).sum(axis=1))


def test_units_sexagesimal_text_and_missing_positions_are_understood():
    sky = SkyCoord([0.001, 359.999] * u.deg, [-1, -1] * u.deg)
    mine = Table({"ra": sky.ra.hourangle * u.hourangle, "dec": sky.dec})
    known = pd.DataFrame(
        {
            "ra": [*sky.ra.to_string(unit="hour", sep=":", precision=5), "00:10:00", None],
            "dec": [*sky.dec.to_string(sep=":", precision=4), "5", None],
        }
    )
    assert cross_match(mine, known, 0.1)["match"].tolist() == [0, 1]
    back = cross_match(known, mine, 10.0)  # 7.2 arcsec from one to the other
    assert back["match"].tolist()[:2] == [0, 1]
    assert back["n_within_10"].tolist() == [2, 2, 0, 0]


def test_nothing_to_match_with_is_no_match():
    mine = pd.DataFrame({"ra": [1.0], "dec": [1.0]})
    nothing = pd.DataFrame({"ra": [], "dec": []})
    found = cross_match(mine, nothing)
    assert found["match"].isna().all()
    assert found["n_within_10"].tolist() == [0]
    assert not len(cross_match(nothing, mine))


def test_what_cannot_be_matched_says_why():
    good = pd.DataFrame({"ra": [1.0], "dec": [1.0]})
    for table, message in [
        (pd.DataFrame({"lon": [1.0]}), "no columns like ra and dec; it has lon"),
        (Table({"ra": [1.0] * u.Jy, "dec": [1.0]}), "'ra' is no position: the unit 'Jy'"),
        (pd.DataFrame({"ra": ["left"], "dec": [1.0]}), "'left' is not an angle"),
        ([1.0, 2.0], "a list is not a table"),
    ]:
        with pytest.raises(SourceError, match=message):
            cross_match(good, table)
    with pytest.raises(SourceError, match="no column 'b'; it has ra, dec"):
        cross_match(good, good, columns=("ra", "b"))
    for radius in (0, -1, np.nan, []):
        with pytest.raises(ValueError, match="positive numbers of arcsec"):
            cross_match(good, good, radius)


def test_galactic_positions_match_those_in_icrs():
    place = SkyCoord([10.0, 200.0], [-5.0, 60.0], unit="deg")
    mine = pd.DataFrame(
        {"GLON": place.galactic.l.deg, "GLAT": place.galactic.b.deg}, index=["a", "b"]
    )
    known = pd.DataFrame({"ra": place.ra.deg[::-1], "dec": place.dec.deg[::-1]})
    found = cross_match(mine, known, radius=1)
    assert found["match"].tolist() == [1, 0]
    renamed = mine.rename(columns={"GLON": "l", "GLAT": "b"})
    assert cross_match(renamed, known, radius=1, columns=("l", "b"))["match"].tolist() == [1, 0]
