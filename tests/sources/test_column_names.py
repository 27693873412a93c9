"""What columns are called, with and without units."""

import pytest

from astronomaly_widgets.sources._column_names import plain_name, unit_of_name


@pytest.mark.parametrize(
    ("name", "plain", "unit"),
    [
        ("flux", "flux", ""),
        ("Flux_Err", "fluxerr", ""),
        ("flux(mJy)", "flux", "mJy"),
        ("MJD [d]", "mjd", "d"),
        ("time (days)", "time", "d"),
        ("wavelength (A)", "wavelength", "Angstrom"),
        ("lambda [Å]", "lambda", "Å"),
        ("flux (10^(-17) erg/(s cm2 Angstrom))", "flux", "10^(-17) erg/(s cm2 Angstrom)"),
        ("flux (PSF) (raw)", "flux", ""),
        ("flux [erg/(s cm2 Angstrom)]", "flux", "erg/(s cm2 Angstrom)"),
        ("mag (AB)", "mag", "mag"),
        ("JD (2450000+)", "jd", ""),
        ("JD (2450000)", "jd", ""),
        ("time (BJD - 2457000)", "time", ""),
        ("(mJy)", "mjy", "mJy"),
        ("flux ()", "flux", ""),
        ("", "", ""),
        (7, "7", ""),
    ],
)
def test_a_name_is_told_from_its_unit(name, plain, unit):
    assert (plain_name(name), unit_of_name(name)) == (plain, unit)
