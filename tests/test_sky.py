"""Positions on the sky: found, converted, written."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from astronomaly_widgets import _sky

DEGREES = st.floats(0, 360, exclude_max=True), st.floats(-90, 90)


@given(*DEGREES)
def test_sexagesimal_text_says_what_the_degrees_say(ra, dec):
    hms, dms = _sky.sexagesimal(ra, dec)
    away = abs(Angle(hms, unit=u.hourangle).deg - ra)
    assert min(away, 360 - away) < 5e-9
    assert abs(Angle(dms, unit=u.deg).deg - dec) < 5e-9
    assert ":60" not in hms + dms


@pytest.mark.parametrize(
    ("ra", "dec", "text"),
    [
        ("150.1234567", "-2.2057831", ("10:00:29.629608", "-02:12:20.81916")),
        ("359.999999999999", "-0.0000000001", ("00:00:00.0", "-00:00:00.0")),
        ("0", "90", ("00:00:00.0", "+90:00:00.0")),
        ("14.99999999999", "59.999999999999", ("01:00:00.0", "+60:00:00.0")),
        ("-15", "5", ("23:00:00.0", "+05:00:00.0")),
    ],
)
def test_no_digit_is_lost_and_sixty_is_carried(ra, dec, text):
    assert _sky.sexagesimal(ra, dec) == text


@given(*DEGREES)
def test_names_are_truncated_as_the_iau_wants(ra, dec):
    [name] = _sky.position_names(np.array([ra]), np.array([dec]))
    sign = 1 if "+" in name else -1
    split = name.index("+" if sign > 0 else "-")
    h, m, s = name[1:3], name[3:5], name[5:split]
    d, am, a_s = name[split + 1 : split + 3], name[split + 3 : split + 5], name[split + 5 :]
    east = 15 * (int(h) + int(m) / 60 + float(s) / 3600)
    north = int(d) + int(am) / 60 + float(a_s) / 3600
    assert len(name) == 19
    beyond = (ra - east + 180) % 360 - 180  # next to the tick of 24 h, a position is named 0 h
    assert -1e-9 < beyond < 15 * 0.01 / 3600 + 1e-9
    assert -1e-9 < abs(dec) - north < 0.1 / 3600 + 1e-9


def test_what_has_no_position_has_no_name():
    assert _sky.position_names(np.array([np.nan, 1]), np.array([1, np.nan])) == ["", ""]


def test_columns_are_found_in_any_case_and_only_as_pairs():
    assert _sky.find_columns(["Z", "RAJ2000", "DEJ2000"]) == ("RAJ2000", "DEJ2000")
    assert _sky.find_columns(["ra", "dec", "ra_deg", "dec_deg"]) == ("ra_deg", "dec_deg")
    assert _sky.find_columns(["ra", "dej2000", 3]) is None


def test_text_and_numbers_become_degrees():
    sky = SkyCoord(150.1234567, -2.2057831, unit="deg")
    column = [
        sky.ra.to_string(unit="hour", sep=":", precision=8),
        sky.ra.to_string(unit="hour", precision=8),
        sky.ra.to_string(unit="deg", precision=8),
        "150.1234567",
        None,
        "",
        b"10 00 29.629608",
    ]
    found = _sky.degrees(pd.Series(column, dtype=object), hours=True)
    np.testing.assert_allclose(found[[0, 1, 2, 3, 6]], 150.1234567, atol=1e-9)
    assert np.isnan(found[[4, 5]]).all()
    south = _sky.degrees([sky.dec.to_string(sep=" ", precision=8)], hours=False)
    np.testing.assert_allclose(south, -2.2057831, atol=1e-9)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [(None, 1), ("deg", 1), ("rad", 180 / np.pi), ("h", 15), ("hourangle", 15), ("mas", 1 / 3.6e6)],
)
def test_units_are_converted(unit, factor):
    values = np.array([1.0, 2.5])
    np.testing.assert_allclose(_sky.degrees(values, hours=True, unit=unit), values * factor)


def test_what_is_no_angle_says_so():
    with pytest.raises(ValueError, match="'m' is not that of an angle"):
        _sky.degrees([1.0], hours=False, unit="m")
    with pytest.raises(ValueError, match="'north' is not an angle"):
        _sky.degrees(["north"], hours=False)


def test_galactic_columns_are_known_but_b_is_an_axis_beside_a():
    assert _sky.galactic_columns(["id", "GLON", "GLAT"]) == ("GLON", "GLAT")
    assert _sky.galactic_columns(["l", "b", "z"]) == ("l", "b")
    assert _sky.galactic_columns(["l", "a", "b"]) is None
    assert _sky.galactic_columns(["a", "b", "l", "_Glon", "_Glat"]) == ("_Glon", "_Glat")


def test_galactic_positions_become_icrs_and_what_is_none_is_missing():
    # Reid & Brunthaler 2004: Sgr A* is at l = 359.94423 deg, b = -0.04616 deg
    ra, dec = _sky.from_galactic(
        np.array([359.94423, np.nan, 10.0]), np.array([-0.04616, 1.0, 90.1])
    )
    sgr_a = SkyCoord("17h45m40.041s", "-29d00m28.12s")
    assert SkyCoord(ra[0] * u.deg, dec[0] * u.deg).separation(sgr_a) < 0.2 * u.arcsec
    assert np.isnan([*ra[1:], *dec[1:]]).all()
