"""Where an image is on the sky, by the header of its own FITS file."""

import warnings

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

from astronomaly_widgets.preprocess import PreparedSource
from astronomaly_widgets.sources import ImageFolder, ImageStack

HEIGHT, WIDTH = 20, 30
PIXELS = np.random.default_rng(0).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
PLACE = SkyCoord(150.25, -2.5, unit="deg")


def header(kind="plain"):
    """Coordinates of which PLACE is in the middle, as cameras and surveys write them."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.crval = [PLACE.ra.deg, PLACE.dec.deg]
    wcs.wcs.crpix = [(WIDTH + 1) / 2, (HEIGHT + 1) / 2]
    wcs.wcs.cdelt = [-1e-4, 1e-4]
    if kind == "galactic":
        wcs.wcs.ctype, wcs.wcs.radesys = ["GLON-TAN", "GLAT-TAN"], ""
        wcs.wcs.crval = [PLACE.galactic.l.deg, PLACE.galactic.b.deg]
    elif kind == "latitude first":
        wcs.wcs.ctype, wcs.wcs.crval = ["DEC--TAN", "RA---TAN"], wcs.wcs.crval[::-1]
    elif kind == "B1950":
        old = PLACE.transform_to("fk4")
        wcs.wcs.crval, wcs.wcs.radesys, wcs.wcs.equinox = [old.ra.deg, old.dec.deg], "FK4", 1950.0
    made = wcs.to_header()
    if kind == "SIP":
        made.update({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"})
        made.update({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 3e-4, "B_1_1": -2e-4})
    return made


def position_of(folder, *hdus):
    fits.HDUList(list(hdus)).writeto(folder / "a.fits")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ImageFolder(folder).position("a")


@pytest.mark.parametrize("kind", ["plain", "galactic", "latitude first", "B1950", "SIP"])
def test_it_is_that_of_the_middle_in_icrs_whatever_the_axes(tmp_path, kind):
    found = position_of(tmp_path, fits.PrimaryHDU(PIXELS, header(kind)))
    assert found == pytest.approx((PLACE.ra.deg, PLACE.dec.deg), abs=1e-8)


def test_a_distortion_is_taken_into_account(tmp_path):
    skewed = header("SIP")
    skewed["CRPIX1"] -= 10
    x, y = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
    truth = WCS(skewed).pixel_to_world(x, y).icrs
    plain = WCS(skewed).wcs_pix2world(x, y, 0)
    found = position_of(tmp_path, fits.PrimaryHDU(PIXELS, skewed))
    assert found == pytest.approx((truth.ra.deg, truth.dec.deg), abs=1e-8)
    assert abs(found[0] - plain[0]) > 1e-6


def test_it_is_that_of_the_image_that_is_read(tmp_path):
    elsewhere = header()
    elsewhere["CRVAL1"] = 10.0
    cube = fits.ImageHDU(np.stack([PIXELS] * 3), header())
    second = fits.ImageHDU(PIXELS, elsewhere)
    found = position_of(tmp_path, fits.PrimaryHDU(), cube, second)
    assert found == pytest.approx((PLACE.ra.deg, PLACE.dec.deg), abs=1e-8)


def test_right_ascension_is_below_360(tmp_path):
    at_zero = header()
    at_zero["CRVAL1"] = 360 - 1e-11
    ra, _ = position_of(tmp_path, fits.PrimaryHDU(PIXELS, at_zero))
    assert ra == 0


@pytest.mark.parametrize(
    "cards",
    [
        {},
        {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"},
        {"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"},
        {"CTYPE2": "LINEAR"},
        {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"},
        {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "CRPIX1": 1e9},
        {"CRVAL2": 95.0},
    ],
    ids=["none", "linear", "unknown", "one axis", "sun", "off the sky", "beyond a pole"],
)
def test_a_header_of_which_nothing_can_be_had_is_no_position(tmp_path, cards):
    given = header() if cards else fits.Header()
    if cards.get("CTYPE1", "").startswith("HPLN"):
        given.remove("RADESYS")
    given.update(cards)
    assert position_of(tmp_path, fits.PrimaryHDU(PIXELS, given)) is None


def test_what_is_no_whole_fits_file_has_no_position(tmp_path):
    fits.PrimaryHDU(PIXELS, header()).writeto(tmp_path / "cut.fits")
    whole = (tmp_path / "cut.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[:1000])
    (tmp_path / "words.fits").write_text("nothing of the kind")
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "empty.fits")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "picture.png")
    source = ImageFolder(tmp_path)
    assert [source.position(name) for name in source.object_ids] == [None] * 4
    with pytest.raises(KeyError):
        source.position("another")


def test_no_file_is_opened_before_it_is_asked_about(tmp_path, monkeypatch):
    fits.PrimaryHDU(PIXELS, header()).writeto(tmp_path / "a.fits")

    def refuse(*_args, **_options):
        raise AssertionError("a header was read")

    monkeypatch.setattr(fits, "open", refuse)
    source = ImageFolder(tmp_path)
    assert source.catalog is None
    assert len(source.fingerprints) == 1
    with pytest.raises(AssertionError, match="a header was read"):
        source.position("a")


def test_all_positions_are_a_catalog(tmp_path):
    fits.PrimaryHDU(PIXELS, header()).writeto(tmp_path / "b.fits.gz")
    fits.PrimaryHDU(PIXELS).writeto(tmp_path / "a.fits")
    source = ImageFolder(tmp_path)
    again = ImageFolder(tmp_path, catalog=source.positions()).catalog
    assert list(again.index) == ["a", "b"]
    assert again.loc["b"].tolist() == pytest.approx([PLACE.ra.deg, PLACE.dec.deg])
    assert again.loc["a"].isna().all()


def test_what_is_prepared_for_the_eye_is_where_its_source_is(tmp_path):
    fits.PrimaryHDU(PIXELS, header()).writeto(tmp_path / "a.fits")
    folder = ImageFolder(tmp_path)
    assert PreparedSource(folder, ["sigma_clip"]).position("a") == folder.position("a")
    stack = ImageStack(PIXELS[None])
    assert PreparedSource(stack, ["sigma_clip"]).position(stack.object_ids[0]) is None
