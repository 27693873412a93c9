"""Cut-outs from FITS mosaics: the right pixels, the right way up, and nothing lost."""

import gc
import gzip
import io
import json
import pickle
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.sources import FITSCutouts, _pixels

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "fits_mosaics"
HEIGHT, WIDTH = 120, 200  # not square, so that x and y cannot be swapped unseen


def tan(ra=150.0, dec=2.0, scale=1.0, turned=0.0, shape=(HEIGHT, WIDTH)):
    """Return a tangential WCS; `turned` degrees from north towards east, `scale` in arcsec."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [shape[1] / 2 + 0.5, shape[0] / 2 + 0.5]
    c, s = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * scale / 3600
    wcs.array_shape = shape
    return wcs


def noise(shape=(HEIGHT, WIDTH), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def write(path, pixels, wcs=None, **keywords):
    hdu = fits.PrimaryHDU(pixels, None if wcs is None else wcs.to_header(relax=True))
    hdu.header.update(keywords)
    hdu.writeto(path)
    return path


def catalog_of(wcs, x, y):
    ra, dec = wcs.all_pix2world(x, y, 0)
    ids = [f"s{k}" for k in range(len(ra))]
    return pd.DataFrame({"id": ids, "ra": ra, "dec": dec})


def plain_cutout(pixels, position, size):
    """Return what astropy cuts out, with its row 0 at the top."""
    cut = Cutout2D(pixels, position, size, mode="partial", fill_value=np.nan)
    return cut.data[::-1]


def wcs_of_file(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        return WCS(fits.getheader(path))


@pytest.fixture
def mosaic(tmp_path):
    return write(tmp_path / "mosaic.fits", noise(), tan(turned=25))


# -- which pixels


@pytest.mark.parametrize("size", [20, 21])
@pytest.mark.parametrize("dtype", [">f4", ">f8", "u1", ">i2", ">i4"])
def test_pixels_are_those_of_astropy(tmp_path, dtype, size):
    pixels = (100 * noise()).clip(0 if dtype == "u1" else None, None).astype(dtype)
    path = write(tmp_path / "m.fits", pixels, tan())
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-0.5, WIDTH - 0.5, 60), rng.uniform(-0.5, HEIGHT - 0.5, 60)
    source = FITSCutouts(path, catalog_of(tan(), x, y), size=size)
    n_partial = 0
    for k, object_id in enumerate(source.object_ids):
        wanted = plain_cutout(pixels.astype(float), (x[k], y[k]), size)
        np.testing.assert_array_equal(source.read(object_id), wanted)
        n_partial += np.isnan(wanted).any()
    assert 0 < n_partial < 60
    np.testing.assert_array_equal(source.coverage["image"] < 1 - 1e-9, _partial(x, y, size))


def _partial(x, y, size):
    half = size / 2
    inside = (x >= half - 0.5) & (x <= WIDTH - 0.5 - half)
    return ~(inside & (y >= half - 0.5) & (y <= HEIGHT - 0.5 - half))


def test_memory_that_was_mapped_is_given_back_and_read_again(tmp_path, monkeypatch):
    pixels = noise()
    path = write(tmp_path / "m.fits", pixels, tan())
    source = FITSCutouts(path, {"id": ["a", "b"], "x": [50.3, 90.3], "y": [60.3, 40.3]}, size=32)
    given_back = []
    original = _pixels._Mapped._return_pages

    def counting(self):
        given_back.append(self)
        original(self)

    monkeypatch.setattr(_pixels._Mapped, "_return_pages", counting)
    monkeypatch.setattr(_pixels, "_RELEASE", 100)
    for _ in range(8):
        np.testing.assert_array_equal(source.read("a"), plain_cutout(pixels, (50.3, 60.3), 32))
        np.testing.assert_array_equal(source.read("b"), plain_cutout(pixels, (90.3, 40.3), 32))
    assert len(given_back) == 4


def test_positions_in_pixels_give_the_same_as_positions_on_the_sky(mosaic):
    x, y = np.array([30.3, 170.8]), np.array([80.1, 15.5])
    sky = FITSCutouts(mosaic, catalog_of(tan(turned=25), x, y), size=16)
    for names, start in ((("x", "y"), 0), (("X_IMAGE", "Y_IMAGE"), 1)):
        frame = pd.DataFrame({"id": ["s0", "s1"], names[0]: x + start, names[1]: y + start})
        pixels = FITSCutouts(mosaic, frame, size=16)
        for object_id in ("s0", "s1"):
            np.testing.assert_array_equal(pixels.read(object_id), sky.read(object_id))
        found = pixels.catalog[["ra_deg", "dec_deg"]].to_numpy()
        np.testing.assert_allclose(found, sky.catalog[["ra", "dec"]].to_numpy(), atol=1e-10)


def test_a_mosaic_without_coordinates_takes_pixels_and_no_sky(tmp_path):
    pixels = noise()
    path = write(tmp_path / "m.fits", pixels)
    source = FITSCutouts(path, pd.DataFrame({"id": [7], "x": [50.0], "y": [20.0]}), size=10)
    np.testing.assert_array_equal(source.read("7"), plain_cutout(pixels, (50, 20), 10))
    assert source.wcs("7") is None
    with pytest.raises(SourceError, match="no columns of positions"):
        FITSCutouts(path, pd.DataFrame({"a": [1.0]}))
    with pytest.raises(SourceError, match="no celestial coordinates"):
        FITSCutouts(path, pd.DataFrame({"ra": [1.0], "dec": [1.0]}))
    with pytest.raises(SourceError, match="north_up needs"):
        FITSCutouts(path, pd.DataFrame({"x": [1.0], "y": [1.0]}), north_up=True)


@pytest.mark.parametrize("packing", ["gz", "bz2", "rice_1", "gzip_2"])
def test_compressed_files_give_the_same_pixels(tmp_path, packing):
    pixels = (100 * noise()).astype(np.int16)
    plain = write(tmp_path / "m.fits", pixels, tan(), BSCALE=1)
    catalog = catalog_of(tan(), np.array([30.3, 2.0]), np.array([80.1, 119.0]))
    if packing in {"gz", "bz2"}:
        packed = tmp_path / f"m.fits.{packing}"
        fits.PrimaryHDU(pixels, tan().to_header()).writeto(packed)
    else:
        packed = tmp_path / "m.fits.fz"
        header = tan().to_header()
        fits.CompImageHDU(pixels, header, compression_type=packing.upper()).writeto(packed)
    ours, wanted = (FITSCutouts(path, catalog, size=25) for path in (packed, plain))
    for object_id in ("s0", "s1"):
        np.testing.assert_array_equal(ours.read(object_id), wanted.read(object_id))
        assert ours.read(object_id).dtype == np.float32


def test_a_compressed_image_that_is_asked_often_is_unpacked_once(tmp_path, monkeypatch):
    pixels = noise()
    path = tmp_path / "m.fits.fz"
    fits.CompImageHDU(
        pixels, tan().to_header(), quantize_level=0, compression_type="GZIP_1"
    ).writeto(path)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.uniform(0, WIDTH - 1, 40), "y": rng.uniform(0, HEIGHT - 1, 40)})
    source = FITSCutouts(path, frame.assign(id=[f"s{k}" for k in range(40)]), size=12)
    reads = []
    original = _pixels._Sections._read

    def counting(self, *window):
        reads.append(window)
        return original(self, *window)

    monkeypatch.setattr(_pixels._Sections, "_read", counting)
    for k, object_id in enumerate(source.object_ids):
        at = frame.loc[k, "x"], frame.loc[k, "y"]
        np.testing.assert_array_equal(source.read(object_id), plain_cutout(pixels, at, 12))
    assert reads[-1] == (0, HEIGHT, 0, WIDTH)
    assert 5 < len(reads) < 20
    # in rows of the image, which are the tiles: no more than twice all of it
    assert sum(top - bottom for bottom, top, _, _ in reads) <= 2 * HEIGHT + 12


def test_only_so_much_of_what_is_unpacked_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(_pixels, "UNPACKED", noise().nbytes)
    catalog = {"id": ["a"], "x": [50.0], "y": [60.0]}
    wanted, sources = [], []
    for k in range(3):
        fits.PrimaryHDU(noise(seed=k)).writeto(tmp_path / f"{k}.fits.gz")
        sources.append(FITSCutouts(tmp_path / f"{k}.fits.gz", catalog, size=8))
        wanted.append(plain_cutout(noise(seed=k), (50, 60), 8))
    for _ in range(2):
        for source, pixels in zip(sources, wanted, strict=True):
            np.testing.assert_array_equal(source.read("a"), pixels)
            assert len(_pixels._unpacked._images) == 1
    del source
    sources.clear()
    gc.collect()
    assert not _pixels._unpacked._images


def test_scaled_pixels_and_blanks_are_what_they_stand_for(tmp_path):
    stored = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    hdu = fits.PrimaryHDU(0.5 * stored + 100, tan().to_header())
    hdu.scale("int16", bscale=0.5, bzero=100)
    hdu.header["BLANK"] = int(stored[60, 100])
    hdu.writeto(tmp_path / "m.fits")
    source = FITSCutouts(tmp_path / "m.fits", {"id": ["a"], "x": [100.0], "y": [60.0]}, size=3)
    wanted = 0.5 * stored[59:62, 99:102][::-1] + 100
    wanted[1, 1] = np.nan
    np.testing.assert_array_equal(source.read("a"), wanted)


def test_one_plane_of_a_radio_cube_is_an_image(tmp_path):
    wcs = WCS(naxis=4)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN", "FREQ", "STOKES"]
    wcs.wcs.crval = [10, -30, 1.4e9, 1]
    wcs.wcs.crpix = [100, 60, 1, 1]
    wcs.wcs.cdelt = [-1e-3, 1e-3, 1e6, 1]
    pixels = noise()
    path = write(tmp_path / "m.fits", pixels[None, None], wcs)
    source = FITSCutouts(path, pd.DataFrame({"ra": [10.0], "dec": [-30.0]}), size=12)
    np.testing.assert_array_equal(
        source.read(source.object_ids[0]), plain_cutout(pixels, (99, 59), 12)
    )


# -- coordinates of the cut-outs


@pytest.mark.parametrize("make", ["cd", "pc", "crota", "sip", "latitude first"])
@pytest.mark.parametrize("options", [{}, {"resize": 11}, {"north_up": True}])
def test_the_wcs_of_a_cutout_finds_the_same_places(tmp_path, make, options):
    wcs = tan(turned=40)
    header = wcs.to_header()
    if make == "crota":
        header = fits.Header({k: v for k, v in header.items() if not k.startswith("PC")})
        header.update({"CDELT1": -1 / 3600, "CDELT2": 1 / 3600, "CROTA2": 33.0})
    elif make == "pc":
        header["PC1_1"] *= 1.1
    elif make == "sip":
        header.update({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"})
        header.update({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 3e-5, "B_1_1": -2e-5, "B_0_2": 4e-5})
    elif make == "latitude first":
        header.update({"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN"})
        header["CRVAL1"], header["CRVAL2"] = header["CRVAL2"], header["CRVAL1"]
    fits.PrimaryHDU(noise(), header).writeto(tmp_path / "m.fits")
    whole = wcs_of_file(tmp_path / "m.fits")
    place = whole.pixel_to_world(61.3, 72.9)
    catalog = pd.DataFrame({"id": ["a"], "ra": [place.icrs.ra.deg], "dec": [place.icrs.dec.deg]})
    source = FITSCutouts(tmp_path / "m.fits", catalog, size=33, **options)
    cut = source.wcs("a")
    middle = cut.world_to_pixel(place)
    n = source.read("a").shape[0]
    if options:
        np.testing.assert_allclose(middle, (n - 1) / 2, atol=0.01)
    else:  # whole pixels are cut: row 0 is the uppermost
        np.testing.assert_allclose(middle, (61.3 - 45, 32 - (72.9 - 57)), atol=0.01)
    assert cut.array_shape == (n, n)


def test_the_wcs_of_an_old_photographic_plate_turns_too():
    path = REAL / "M6707HH.fits"
    if not path.exists():
        pytest.skip("the Digitized Sky Survey plate is not at hand")
    source = FITSCutouts(path, REAL / "M6707HH_sep_catalog.csv", size=40)
    whole = wcs_of_file(path)
    for object_id in source.object_ids[::300]:
        row = source.catalog.loc[object_id]
        left, bottom = np.ceil(row["x"] - 20), np.ceil(row["y"] - 20)
        cut = source.wcs(object_id)
        ours = cut.all_pix2world([[3, 5], [30, 38]], 0)
        wanted = whole.all_pix2world([[left + 3, bottom + 34], [left + 30, bottom + 1]], 0)
        np.testing.assert_allclose(ours, wanted, atol=1e-6)


@pytest.mark.parametrize("turned", [0, 30, 100, 200])
def test_north_up_turns_what_lies_north_to_the_top_and_east_to_the_left(tmp_path, turned):
    wcs = tan(turned=turned)
    ra, dec = 150.0, 2.0
    step = 20 / 3600
    pixels = np.zeros((HEIGHT, WIDTH), np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for height, (east, north) in ((4, (0, 0)), (8, (0, step)), (16, (step, 0))):
        at = wcs.all_world2pix([[ra + east / np.cos(np.radians(dec)), dec + north]], 0)[0]
        pixels += height * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 40)
    path = write(tmp_path / "m.fits", pixels, wcs)
    source = FITSCutouts(path, {"id": ["a"], "ra": [ra], "dec": [dec]}, size=51, north_up=True)
    image = source.read("a")
    found = image[[25, 5, 25], [25, 25, 5]]
    np.testing.assert_allclose(found, [4, 8, 16], rtol=0.02)


def test_resizing_keeps_the_brightness_and_where_data_are_missing(tmp_path):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    path = write(tmp_path / "m.fits", (3 * x + 7 * y).astype(np.float32), tan())
    frame = pd.DataFrame({"id": ["a", "edge"], "x": [80.0, 2.0], "y": [50.0, 50.0]})
    source = FITSCutouts(path, frame, size=40, resize=10)
    step = 4 * (np.arange(10) - 4.5)
    wanted = 3 * (80 + step) + 7 * (50 - step[:, None])
    np.testing.assert_allclose(source.read("a"), wanted, rtol=1e-6)
    lost = np.isnan(source.read("edge")).all(axis=0)
    assert lost.tolist() == [True] * 4 + [False] * 6
    larger = FITSCutouts(path, frame, size=10, resize=40).read("a")
    step = (np.arange(40) - 19.5) / 4
    np.testing.assert_allclose(larger, 3 * (80 + step) + 7 * (50 - step[:, None]), rtol=1e-5)


# -- bands and tiles


def test_bands_of_one_grid_are_stacked_from_red_to_blue(tmp_path):
    pixels = {band: noise(seed=k) for k, band in enumerate("gri")}
    paths = [write(tmp_path / f"field_{b}_v2.fits", pixels[b], tan()) for b in "gri"]
    frame = catalog_of(tan(), np.array([50.0]), np.array([60.0]))
    source = FITSCutouts(paths, frame, size=12)
    assert source.bands == ("i", "r", "g")
    image = source.read("s0")
    for k, band in enumerate("irg"):
        np.testing.assert_array_equal(image[..., k], plain_cutout(pixels[band], (50, 60), 12))
    turned = FITSCutouts(paths, frame, size=12, bands=["g", "i"])
    np.testing.assert_array_equal(turned.read("s0"), image[..., [2, 0]])
    named = FITSCutouts(paths, frame, size=12, bands=["blue", "green", "red"])
    assert named.bands == ("blue", "green", "red")  # the files' order is what a person sees
    np.testing.assert_array_equal(named.read("s0"), image[..., ::-1])
    mapped = FITSCutouts(dict(zip("gri", paths, strict=True)), frame, size=12)
    assert mapped.bands == ("g", "r", "i")
    with pytest.raises(SourceError, match="no band 'z'; there are 'g', 'r', 'i'"):
        FITSCutouts(paths, frame, bands=["g", "z"])


def test_bands_are_called_by_their_filter_unless_it_is_wrong(tmp_path):
    for k, (right, wrong) in enumerate([("g", "g"), ("r", "g")]):
        write(tmp_path / f"a{k}.fits", noise(seed=k), tan(), FILTER=right)
        write(tmp_path / f"b{k}.fits", noise(seed=k), tan(), FILTER=wrong)
    frame = catalog_of(tan(), np.array([50.0]), np.array([60.0]))
    good = FITSCutouts([tmp_path / "a0.fits", tmp_path / "a1.fits"], frame)
    assert good.bands == ("r", "g")
    copied = FITSCutouts([tmp_path / "b0.fits", tmp_path / "b1.fits"], frame)
    assert copied.bands == ("0", "1")


def test_extensions_are_bands_and_weights_are_none(tmp_path):
    planes = {"F115W": noise(seed=1), "F200W": noise(seed=2), "WHT": noise(seed=3)}
    images = [fits.ImageHDU(p, tan().to_header(), name=name) for name, p in planes.items()]
    table = fits.BinTableHDU(Table({"a": [1, 2]}), name="CATALOG")
    path = tmp_path / "m.fits"
    fits.HDUList([fits.PrimaryHDU(), *images, table]).writeto(path)
    frame = pd.DataFrame({"id": ["a"], "x": [50.0], "y": [60.0]})
    source = FITSCutouts(path, frame, size=12)
    assert source.bands == ("F115W", "F200W")
    one = FITSCutouts(f"{path}[F200W]", frame, size=12)
    np.testing.assert_array_equal(one.read("a"), source.read("a")[..., 1])
    np.testing.assert_array_equal(one.read("a"), plain_cutout(planes["F200W"], (50, 60), 12))
    mapped = FITSCutouts({"w": f"{path}[3]", "j": f"{path}[1]"}, frame, size=12)
    assert mapped.bands == ("w", "j")
    np.testing.assert_array_equal(
        mapped.read("a")[..., 0], plain_cutout(planes["WHT"], (50, 60), 12)
    )
    with pytest.raises(SourceError, match=r"no image 'CATALOG'; it holds: \[0\] PRIMARY"):
        FITSCutouts(f"{path}[CATALOG]", frame)
    with pytest.raises(SourceError, match="several images of the same place"):
        FITSCutouts({"j": path}, frame)


def test_bands_of_another_place_are_left_out_unless_they_are_named(tmp_path):
    here, there = tan(), tan(ra=40, dec=60)
    for band, wcs in (("r", here), ("g", here), ("B", there)):
        write(tmp_path / f"{band}.fits", noise(), wcs, FILTER=band)
    catalog = catalog_of(here, [20, 30], [20, 30])
    files = sorted(tmp_path.glob("*.fits"))
    source = FITSCutouts(files, catalog, size=8)
    assert source.bands == ("r", "g")
    assert source.read("s0").shape == (8, 8, 2)
    assert list(source.coverage.columns) == ["r", "g"]
    named = FITSCutouts(files, catalog, size=8, bands=["r", "B"])
    assert np.isnan(named.read("s0")[..., 1]).all()


def test_planes_of_a_cube_are_bands(tmp_path):
    cube = np.stack([noise(seed=k) for k in range(3)])
    path = write(tmp_path / "m.fits", cube, tan())
    source = FITSCutouts(path, {"id": ["a"], "x": [50.0], "y": [60.0]}, size=8)
    image = source.read("a")
    assert image.shape == (8, 8, 3)
    np.testing.assert_array_equal(image[..., 2], plain_cutout(cube[2], (50, 60), 8))


def test_a_cube_of_very_many_planes_is_not_taken_for_bands(tmp_path):
    path = write(tmp_path / "m.fits", np.zeros((40, 8, 8), np.float32))
    with pytest.raises(SourceError, match=r"a cube of 40 planes.*ImageStack"):
        FITSCutouts(path, {"x": [1.0], "y": [1.0]})


def test_files_with_an_image_are_recognized(tmp_path):
    write(tmp_path / "m.fits", noise())
    Table({"a": [1.0]}).write(tmp_path / "t.fits")
    (tmp_path / "bad.fits").write_text("no")
    (tmp_path / "m.jpg").write_bytes((tmp_path / "m.fits").read_bytes())
    known = {name: FITSCutouts.recognizes(tmp_path / name) for name in ("m.fits", "m.fits[0]")}
    assert known == {"m.fits": True, "m.fits[0]": True}
    for name in ("t.fits", "bad.fits", "m.jpg", "typo.fits"):
        assert not FITSCutouts.recognizes(tmp_path / name)
    assert FITSCutouts.recognizes("https://example.org/m.fits.fz")


def test_a_band_shifted_by_whole_pixels_is_cut_not_interpolated(tmp_path):
    shifted = tan()
    shifted.wcs.crpix += [5, -3]
    write(tmp_path / "a_g.fits", noise(seed=1), tan())
    other = noise(seed=2)
    write(tmp_path / "a_r.fits", other, shifted)
    frame = catalog_of(tan(), np.array([50.0, 1.0]), np.array([60.0, 1.0]))
    source = FITSCutouts({b: tmp_path / f"a_{b}.fits" for b in "gr"}, frame, size=14)
    np.testing.assert_array_equal(source.read("s0")[..., 1], plain_cutout(other, (55, 57), 14))
    assert np.isnan(source.read("s1")[..., 1]).all()  # it lies below the other image
    assert np.isfinite(source.read("s1")[..., 0]).any()
    assert source.coverage.loc["s1", "r"] == 0 < source.coverage.loc["s1", "g"] < 1


def test_a_band_of_other_pixels_is_brought_to_those_of_the_first(tmp_path):
    fine, coarse = tan(turned=10), tan(scale=2.5, turned=-20, shape=(90, 110))

    def sky(wcs, shape):  # a smooth scene on the sky, as each camera sees it
        y, x = np.mgrid[: shape[0], : shape[1]]
        ra, dec = wcs.all_pix2world(x, y, 0)
        return (np.sin(2e4 * np.radians(ra)) + np.cos(3e4 * np.radians(dec))).astype(np.float32)

    paths = {
        "u": write(tmp_path / "u.fits", sky(fine, (HEIGHT, WIDTH)), fine),
        "w": write(tmp_path / "w.fits", sky(coarse, (90, 110)), coarse),
    }
    frame = catalog_of(fine, np.array([90.0]), np.array([70.0]))
    for options in ({}, {"north_up": True}, {"resize": 24}):
        image = FITSCutouts(paths, frame, size=30, **options).read("s0")
        assert np.abs(image[..., 0] - image[..., 1]).max() < 0.03  # linear interpolation
        assert image[..., 0].std() > 0.1
    fractions = FITSCutouts(paths, frame, size=30).coverage.loc["s0"]
    assert fractions.tolist() == [1, 1]


def test_pixels_of_bands_that_differ_must_be_told(tmp_path):
    write(tmp_path / "a_g.fits", noise(seed=1), tan())
    coarse = noise((90, 110), seed=2)
    write(tmp_path / "a_r.fits", coarse, tan(scale=2.5, shape=(90, 110)))
    files = [tmp_path / "a_g.fits", tmp_path / "a_r.fits"]
    frame = {"id": ["a"], "x": [60.2], "y": [50.3]}
    with pytest.raises(SourceError, match=r"name the band that is meant first: bands="):
        FITSCutouts(files, frame)
    source = FITSCutouts(files, frame, bands=["r", "g"], size=9)
    image = source.read("a")
    np.testing.assert_array_equal(image[..., 0], plain_cutout(coarse, (60.2, 50.3), 9))
    assert np.isfinite(image[..., 1]).all()


def test_tiles_are_one_band_and_each_object_comes_from_where_it_is_farthest_inside(tmp_path):
    left, right = tan(), tan()
    right.wcs.crpix -= [WIDTH - 20, 0]  # 20 columns are on both
    pixels = noise(seed=1), noise(seed=2)
    paths = [
        write(tmp_path / f"{n}.fits", p, w)
        for n, p, w in zip("ab", pixels, (left, right), strict=True)
    ]
    x = np.array([30.0, WIDTH - 12.0, WIDTH - 8.0, WIDTH + 60.0])
    source = FITSCutouts(paths, catalog_of(left, x, np.full(4, 60.0)), size=10)
    assert source.bands == ("image",)
    for k, (tile, at) in enumerate([(0, 30.0), (0, WIDTH - 12.0), (1, 12.0), (1, 80.0)]):
        wanted = plain_cutout(pixels[tile], (at, 60.0), 10)
        np.testing.assert_array_equal(source.read(f"s{k}"), wanted)
    with pytest.raises(SourceError, match="which of several images"):
        FITSCutouts(paths, {"x": [1.0], "y": [1.0]})


# -- positions


def test_objects_off_the_image_are_set_aside_with_a_reason(mosaic):
    wcs = tan(turned=25)
    frame = catalog_of(wcs, np.array([50.0, -30.0, 20.0]), np.array([60.0, 5.0, 119.4]))
    frame.loc[len(frame)] = ["other side", 330.0, -2.0]
    frame.loc[len(frame)] = ["nowhere", np.nan, 2.0]
    frame.loc[len(frame)] = ["above", 150.0, 95.0]
    frame.loc[len(frame)] = ["endless", np.inf, 2.0]
    source = FITSCutouts(mosaic, frame, size=8)
    assert len(source) == 7
    aside = source.set_aside
    assert list(aside.index) == ["s1", "other side", "nowhere", "above", "endless"]
    assert set(aside["stage"]) == {"read"}
    assert (
        aside.loc["other side", "reason"] == "its position (330.000000 -2.000000) is off the images"
    )
    assert "no position" in aside.loc["nowhere", "reason"]
    for object_id, reason in aside["reason"].items():
        with pytest.raises(ReadError) as error:
            source.read(object_id)
        assert str(error.value) == reason
        with pytest.raises(ReadError):
            source.wcs(object_id)
    assert source.read("s2").shape == (8, 8)
    assert "5 of them cannot be cut out" in repr(source)


def test_a_catalog_of_another_place_says_where_both_are(mosaic):
    with pytest.raises(
        SourceError, match=r"none of the 1 positions.*10\.00000 \+20\.00000.*150\.0"
    ):
        FITSCutouts(mosaic, {"ra": [10.0], "dec": [20.0]})
    with pytest.raises(SourceError, match="none of the 2 rows of the catalog has a position"):
        FITSCutouts(mosaic, {"ra": [np.nan, 4000.0], "dec": [0.0, 0.0]})


@pytest.mark.parametrize("ra", [[359.995, 0.004], [-0.005, 0.004], [359.995, 360.004]])
def test_right_ascension_may_cross_zero(tmp_path, ra):
    wcs = tan(ra=0.0, dec=-1.0)
    pixels = noise()
    path = write(tmp_path / "m.fits", pixels, wcs)
    source = FITSCutouts(path, {"id": ["w", "e"], "ra": ra, "dec": [-1.0, -1.0]}, size=9)
    x = wcs.all_world2pix([[-0.005, -1.0], [0.004, -1.0]], 0)
    for k, object_id in enumerate("we"):
        np.testing.assert_array_equal(source.read(object_id), plain_cutout(pixels, x[k], 9))
    assert not len(source.set_aside)
    shown = source.catalog["ra_deg" if min(ra) < 0 or max(ra) > 360 else "ra"]
    np.testing.assert_allclose(shown, np.array(ra) % 360)


def test_units_and_sexagesimal_positions_are_understood(mosaic):
    wcs = tan(turned=25)
    plain = catalog_of(wcs, np.array([50.3, 120.3]), np.array([60.3, 30.3]))
    sky = SkyCoord(plain["ra"], plain["dec"], unit="deg")
    tables = [
        QTable({"id": ["s0", "s1"], "ra": sky.ra.to(u.hourangle), "dec": sky.dec.to(u.rad)}),
        QTable({"id": ["s0", "s1"], "coord": sky}),
        pd.DataFrame(
            {
                "id": ["s0", "s1"],
                "RAJ2000": sky.ra.to_string(unit="hourangle", sep=" ", precision=6),
                "DEJ2000": sky.dec.to_string(sep=" ", precision=5),
            }
        ),
        pd.DataFrame(
            {
                "id": ["s0", "s1"],
                "ra": sky.ra.to_string(unit="hourangle", precision=6),
                "dec": [str(value) for value in sky.dec.deg],
            }
        ),
    ]
    wanted = FITSCutouts(mosaic, plain, size=12)
    for table in tables:
        source = FITSCutouts(mosaic, table, size=12)
        for object_id in ("s0", "s1"):
            np.testing.assert_array_equal(source.read(object_id), wanted.read(object_id))
    assert list(source.catalog.columns) == ["id", "ra", "dec", "ra_deg", "dec_deg"]
    np.testing.assert_allclose(source.catalog["ra_deg"], plain["ra"], atol=1e-8)


def test_what_is_no_position_is_refused_by_name(mosaic):
    for table, message in [
        (
            Table({"ra": [150.0] * u.Jy, "dec": [2.0]}),
            "'ra' cannot be used as a position: the unit 'Jy'",
        ),
        (Table({"ra": ["left"], "dec": [2.0]}), "'left' is not an angle"),
        (pd.DataFrame({"a": [1.0], "b": [2.0]}), "no columns of positions.*it has a, b"),
        (pd.DataFrame({"x": ["wide"], "y": [2.0]}), "'wide', not a number"),
        (pd.DataFrame({"ra": [], "dec": []}), "no rows"),
    ]:
        with pytest.raises(SourceError, match=message):
            FITSCutouts(mosaic, table)
    with pytest.raises(SourceError, match="no column 'lon'; it has ra, dec"):
        FITSCutouts(mosaic, {"ra": [1.0], "dec": [2.0]}, columns=("lon", "dec"))


def test_columns_of_other_names_can_be_named(mosaic):
    plain = catalog_of(tan(turned=25), np.array([50.0]), np.array([60.0]))
    wanted = FITSCutouts(mosaic, plain, size=12).read("s0")
    renamed = plain.rename(columns={"id": "who", "ra": "lon", "dec": "lat"})
    source = FITSCutouts(mosaic, renamed, size=12, columns=("lon", "lat"), id_column="who")
    np.testing.assert_array_equal(source.read("s0"), wanted)


def test_positions_name_what_has_no_name(mosaic):
    ra, dec = [150.0, 150.0, 150.001], [2.0, 2.0, 1.9999]
    source = FITSCutouts(mosaic, {"ra": ra, "dec": dec}, size=8)
    assert list(source.object_ids) == [
        "J100000.00+020000.0",
        "J100000.00+020000.0-2",
        "J100000.24+015959.6",
    ]


def test_galactic_and_old_equatorial_mosaics_take_positions_in_icrs(tmp_path):
    place = SkyCoord(150.0, 2.0, unit="deg")
    old = place.transform_to("fk4")
    for name, ctype, center in [
        ("galactic", ("GLON-CAR", "GLAT-CAR"), (place.galactic.l.deg, place.galactic.b.deg)),
        ("fk4", ("RA---TAN", "DEC--TAN"), (old.ra.deg, old.dec.deg)),
    ]:
        wcs = tan()
        wcs.wcs.ctype = list(ctype)
        wcs.wcs.crpix += 0.2  # nothing to be rounded one way or the other
        wcs.wcs.crval = [center[0], 0 if name == "galactic" else center[1]]
        if name == "galactic":
            wcs.wcs.crpix[1] -= center[1] * 3600 + 0.3
        if name == "fk4":
            wcs.wcs.radesys, wcs.wcs.equinox = "FK4", 1950.0
        pixels = noise()
        path = write(tmp_path / f"{name}.fits", pixels, wcs)
        source = FITSCutouts(path, {"id": ["a"], "ra": [150.0], "dec": [2.0]}, size=11)
        at = [float(v) for v in wcs_of_file(path).world_to_pixel(place)]
        np.testing.assert_array_equal(source.read("a"), plain_cutout(pixels, at, 11))
        assert abs(at[0] - (WIDTH - 1) / 2) < 1


def test_a_map_of_the_whole_sky_has_every_position(tmp_path):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---CAR", "DEC--CAR"], [180, 0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [180.5, 90.5], [-1, 1]
    pixels = noise((180, 360))
    path = write(tmp_path / "m.fits", pixels, wcs)
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 50), rng.uniform(-90, 90, 50)
    frame = pd.DataFrame({"id": [f"s{k}" for k in range(50)], "ra": ra, "dec": dec})
    source = FITSCutouts(path, frame, size=5)
    assert not len(source.set_aside)
    for k, object_id in enumerate(source.object_ids):
        at = 179.5 + 180 - ra[k], 89.5 + dec[k]
        np.testing.assert_array_equal(source.read(object_id), plain_cutout(pixels, at, 5))


# -- sizes


def test_sizes_may_be_pixels_angles_or_columns(mosaic):
    frame = catalog_of(tan(turned=25), np.array([50.0, 90.0]), np.array([60.0, 60.0]))
    frame["r"] = [10.2, 20.7]
    arcmin = Table.from_pandas(frame)
    arcmin["r"] = [0.25, 0.5] * u.arcmin
    for catalog, size, wanted in [
        (frame, None, [64, 64]),
        (frame, 31, [31, 31]),
        (frame, "r", [10, 21]),
        (frame, [12, 14], [12, 14]),
        (frame, "0.5 arcmin", [30, 30]),
        (frame, 20 * u.arcsec, [20, 20]),
        (frame, [15, 25] * u.arcsec, [15, 25]),
        (arcmin, "r", [15, 30]),
    ]:
        source = FITSCutouts(mosaic, catalog, size=size)
        assert source.side.tolist() == wanted
        assert [source.read(i).shape[0] for i in source.object_ids] == wanted
    assert "15 to 30 pixels" in repr(source)


def test_sizes_that_are_none_are_refused_or_set_aside(mosaic):
    frame = catalog_of(tan(turned=25), np.array([50.0, 90, 70]), np.array([60.0, 60, 60]))
    for size, message in [
        ("huge", "'huge', neither a column of the catalog .*nor an angle"),
        ("3 Jy", "'Jy', which is no angle"),
        ([1, 2], "shape"),
        (0, "size is 0, by which all cut-outs would have no pixels"),
        (-8, "size is -8"),
        (9000, r"or more than 64000000 \(max_pixels\)"),
    ]:
        with pytest.raises(SourceError, match=message):
            FITSCutouts(mosaic, frame, size=size)
    frame["r"] = [20.0, np.nan, 1e9]
    source = FITSCutouts(mosaic, frame, size="r")
    assert list(source.set_aside.index) == ["s1", "s2"]
    assert "2 of them cannot be cut out, 20 pixels across" in repr(source)
    with pytest.raises(ReadError, match="no pixels, or more than"):
        source.read("s2")
    with pytest.raises(ValueError, match="at least 2 pixels"):
        FITSCutouts(mosaic, frame, resize=1)


# -- what is broken


def test_a_cutout_without_data_is_an_error_of_its_own(tmp_path):
    pixels = noise()
    pixels[:, :60] = np.nan
    path = write(tmp_path / "m.fits", pixels, tan())
    source = FITSCutouts(path, {"id": ["a", "b"], "x": [20.0, 60.0], "y": [60.0, 60.0]}, size=20)
    with pytest.raises(ReadError, match="finite"):
        source.read("a")
    assert np.isnan(source.read("b")).any()


def test_a_band_without_data_leaves_the_others(tmp_path):
    good = write(tmp_path / "a_g.fits", noise(), tan())
    empty = write(tmp_path / "a_r.fits", np.full((HEIGHT, WIDTH), np.nan, np.float32), tan())
    source = FITSCutouts({"g": good, "r": empty}, {"id": ["a"], "x": [50.0], "y": [60.0]}, size=20)
    image = source.read("a")
    assert np.isfinite(image[..., 0]).all()
    assert np.isnan(image[..., 1]).all()


def test_files_that_are_none_say_so(tmp_path):
    (tmp_path / "text.fits").write_text("not at all")
    Table({"a": [1]}).write(tmp_path / "table.fits")
    for name, message in [
        ("nothing.fits", "there is no file"),
        ("text.fits", "cannot be opened as FITS"),
        ("table.fits", r"holds no image; it holds: \[0\] PRIMARY, \[1\]"),
    ]:
        with pytest.raises(SourceError, match=message):
            FITSCutouts(tmp_path / name, {"x": [1.0], "y": [1.0]})


def test_a_packed_file_whose_header_is_none_is_refused_and_not_read_for_ever(tmp_path):
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(noise((20, 30)))]).writeto(file)
    damaged = file.getvalue().replace(b"XTENSION= 'IMAGE   '", b"XTENSION= = = = = = ")
    (tmp_path / "m.fits.gz").write_bytes(gzip.compress(damaged))
    with pytest.raises(SourceError, match="the header of one of its parts is none"):
        FITSCutouts(tmp_path / "m.fits.gz", {"x": [9.0], "y": [9.0]})


def test_a_truncated_or_vanished_file_is_the_fault_of_its_objects(tmp_path):
    path = write(tmp_path / "m.fits", noise(), tan())
    source = FITSCutouts(path, {"id": ["a"], "x": [50.0], "y": [60.0]}, size=8)
    before = source.fingerprints[0]
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(ReadError, match="truncated"):
        source.read("a")
    assert source.fingerprints[0] != before
    path.unlink()
    with pytest.raises(ReadError, match="damaged or not readable"):
        source.read("a")


# -- found again


def test_fingerprints_change_with_file_position_and_settings(tmp_path):
    path = write(tmp_path / "m.fits", noise(), tan())
    frame = pd.DataFrame({"id": ["a", "b"], "x": [50.0, 80.0], "y": [60.0, 60.0]})
    first = FITSCutouts(path, frame, size=8).fingerprints
    moved = frame.assign(x=[50.0, 81.0])
    assert (FITSCutouts(path, moved, size=8).fingerprints == first).tolist() == [True, False]
    for options in ({"size": 9}, {"size": 8, "north_up": True}, {"size": 8, "resize": 20}):
        assert not (FITSCutouts(path, frame, **options).fingerprints == first).any()


@pytest.mark.parametrize("on_disk", [True, False])
def test_its_spec_opens_the_same_again(tmp_path, on_disk):
    write(tmp_path / "a_g.fits", noise(seed=1), tan())
    write(tmp_path / "a_r.fits", noise(seed=2), tan())
    frame = catalog_of(tan(), np.array([50.0, 80.0, -900.0]), np.array([60.0, 30.0, 5.0]))
    frame.loc[2, "ra"] = np.nan
    frame["r"] = [10, 12, 14]
    frame.to_csv(tmp_path / "c.csv", index=False)
    files = [tmp_path / "a_g.fits", tmp_path / "a_r.fits"]
    catalog = tmp_path / "c.csv" if on_disk else frame
    source = FITSCutouts(files, catalog, size="r", bands=["r", "g"], north_up=True, resize=9)
    spec = json.loads(json.dumps(source.spec))
    assert (spec["room"], spec["name"]) == ("sources", "FITSCutouts")
    again = FITSCutouts(**spec["arguments"])
    assert list(again.object_ids) == list(source.object_ids)
    assert list(again.fingerprints) == list(source.fingerprints)
    np.testing.assert_array_equal(again.read("s1"), source.read("s1"))


def test_an_opened_mosaic_travels_light_to_another_process(tmp_path):
    path = write(tmp_path / "m.fits", noise((2000, 1000)), tan(shape=(2000, 1000)))
    source = FITSCutouts(path, {"id": ["a"], "x": [50.0], "y": [60.0]}, size=8, north_up=True)
    image = source.read("a")
    data = pickle.dumps(source)
    assert len(data) < 50_000
    np.testing.assert_array_equal(pickle.loads(data).read("a"), image)  # noqa: S301 - our own


def test_a_file_at_an_address_is_read_in_parts(tmp_path):
    pytest.importorskip("fsspec")
    pixels = noise()
    path = write(tmp_path / "m.fits", pixels, tan())
    source = FITSCutouts(path.as_uri(), {"id": ["a"], "x": [50.0], "y": [60.0]}, size=8)
    np.testing.assert_array_equal(source.read("a"), plain_cutout(pixels, (50, 60), 8))
    assert source.spec["arguments"]["mosaics"] == path.as_uri()
    before = source.fingerprints[0]
    assert FITSCutouts(**source.spec["arguments"]).fingerprints[0] == before


class _InRanges(SimpleHTTPRequestHandler):
    """A web server that hands out parts of files, and counts the bytes."""

    protocol_version = "HTTP/1.1"
    n_bytes = 0

    def do_GET(self):
        data = Path(self.translate_path(self.path)).read_bytes()
        asked = self.headers.get("Range")
        first, last = 0, len(data) - 1
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            first, last = int(first), min(int(last or len(data)), len(data) - 1)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        type(self).n_bytes += last - first + 1
        self.wfile.write(data[first : last + 1])

    def log_message(self, *_args):
        pass


@pytest.fixture
def web(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_InRanges, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_of_a_large_file_on_a_server_only_parts_are_fetched(tmp_path, web):
    pytest.importorskip("aiohttp")
    pixels = noise((4000, 2500))
    write(tmp_path / "m.fits", pixels, tan(shape=(4000, 2500)))
    source = FITSCutouts(f"{web}/m.fits", {"id": ["a"], "x": [900.0], "y": [60.0]}, size=8)
    np.testing.assert_array_equal(source.read("a"), plain_cutout(pixels, (900, 60), 8))
    assert 0 < _InRanges.n_bytes < pixels.nbytes / 2
    with pytest.raises(SourceError, match="cannot be opened as FITS"):
        FITSCutouts(f"{web}/typo.fits", {"x": [1.0], "y": [1.0]})


# -- without a catalog


@pytest.fixture
def stars(tmp_path):
    """A field with nine round stars on a sky that is not flat."""
    rng = np.random.default_rng(3)
    wcs = tan(shape=(300, 420))
    y, x = np.mgrid[:300, :420]
    pixels = rng.normal(50 + x / 40, 1, x.shape)
    places = np.array([(60.2 + 130 * i, 50.7 + 95 * j) for j in range(3) for i in range(3)])
    for a, b in places:
        pixels += 80 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 18)
    pixels[:40, :40] = np.nan
    return write(tmp_path / "stars.fits", pixels.astype(np.float32), wcs), places, wcs


def in_rows(found):
    """Bring places to the order of the rows of stars."""
    return found[np.lexsort((found[:, 0], found[:, 1].round(-1)))]


def test_objects_are_detected_where_there_is_no_catalog(stars):
    pytest.importorskip("sep")
    path, places, wcs = stars
    source = FITSCutouts(path)
    assert len(source) == 9
    found = source.catalog[["x", "y"]].to_numpy()
    np.testing.assert_allclose(in_rows(found), places, atol=0.3)
    sky = wcs.all_pix2world(found, 0)
    np.testing.assert_allclose(source.catalog[["ra", "dec"]].to_numpy(), sky, atol=1e-9)
    np.testing.assert_allclose(source.catalog["a"], 3, rtol=0.25)
    assert all(32 <= side <= 256 for side in source.side)
    np.testing.assert_array_equal(source.side, np.clip(11 * source.catalog["a"], 32, 256).round())
    again = FITSCutouts(**json.loads(json.dumps(source.spec))["arguments"])
    np.testing.assert_array_equal(
        again.read(again.object_ids[4]), source.read(source.object_ids[4])
    )


def test_a_large_image_is_searched_in_parts_and_nothing_twice(stars, monkeypatch):
    pytest.importorskip("sep")
    path, places, _ = stars
    from astronomaly_widgets.sources import _detection

    monkeypatch.setattr(_detection, "_PART_SIDE", 100)
    monkeypatch.setattr(_detection, "_MARGIN", 40)
    source = FITSCutouts(path)
    found = source.catalog[["x", "y"]].to_numpy()
    np.testing.assert_allclose(in_rows(found), places, atol=0.3)


def test_an_object_on_two_tiles_is_detected_once(stars, tmp_path):
    pytest.importorskip("sep")
    path, places, wcs = stars
    pixels = fits.getdata(path)
    right = wcs.deepcopy()
    right.wcs.crpix[0] -= 150
    write(tmp_path / "left.fits", pixels[:, :270], wcs)
    write(tmp_path / "right.fits", pixels[:, 150:], right)
    source = FITSCutouts([tmp_path / "left.fits", tmp_path / "right.fits"])
    assert len(source) == 9
    found = wcs.all_world2pix(source.catalog[["ra", "dec"]].to_numpy(), 0)
    np.testing.assert_allclose(in_rows(found), places, atol=0.3)


def test_an_empty_field_says_what_to_do(tmp_path):
    pytest.importorskip("sep")
    path = write(tmp_path / "m.fits", np.zeros((200, 200), np.float32), tan(shape=(200, 200)))
    with pytest.raises(SourceError, match=r"nothing was detected.*lower threshold"):
        FITSCutouts(path)
    path = write(tmp_path / "n.fits", np.full((200, 200), np.nan, np.float32))
    with pytest.raises(SourceError, match="nothing was detected"):
        FITSCutouts(path)


# -- real mosaics


@pytest.mark.skipif(not REAL.is_dir(), reason="the real mosaics are not at hand")
@pytest.mark.parametrize(
    ("mosaics", "catalog", "n"),
    [
        (["sdss_ngc6976_g.fits", "sdss_ngc6976_r.fits"], "sdss_ngc6976_r_sep_catalog.csv", 623),
        ("M6707HH.fits", "M6707HH_sep_catalog.csv", 1527),
        ("w5.fits", "w5_psc.csv", 17771),
    ],
)
def test_every_position_of_a_real_catalog_is_cut_or_set_aside(mosaics, catalog, n):
    files = [REAL / name for name in ([mosaics] if isinstance(mosaics, str) else mosaics)]
    source = FITSCutouts(files, REAL / catalog, size=24)
    aside = set(source.set_aside.index)
    assert len(source) == n
    for object_id in source.object_ids[::7]:
        if object_id in aside:
            with pytest.raises(ReadError):
                source.read(object_id)
        else:
            assert source.read(object_id).shape[:2] == (24, 24)


@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk4"])
def test_a_column_of_coordinates_is_found_by_any_name_and_in_any_frame(tmp_path, frame):
    path = write(tmp_path / "m.fits", noise(), tan())
    sky = catalog_of(tan(), [20.0, 40.0], [30.0, 50.0])
    place = SkyCoord(sky["ra"], sky["dec"], unit="deg")
    source = FITSCutouts(path, Table({"place": place.transform_to(frame)}), size=8)
    assert np.allclose(source.catalog["place.ra"], sky["ra"], atol=1e-9)
    wanted = FITSCutouts(path, sky, size=8)
    for mine, theirs in zip(source.object_ids, wanted.object_ids, strict=True):
        np.testing.assert_array_equal(source.read(mine), wanted.read(theirs))


def test_on_the_sky_a_catalog_without_positions_is_asked_for_those_of_the_sky(tmp_path):
    path = write(tmp_path / "m.fits", noise(), tan())
    with pytest.raises(SourceError, match="such as ra and dec"):
        FITSCutouts(path, pd.DataFrame({"u": [1.0], "v": [2.0]}))


@pytest.mark.parametrize("columns", [("GLON", "GLAT"), ("l", "b")])
def test_galactic_positions_are_found_on_a_galactic_mosaic(tmp_path, columns):
    sky = WCS(naxis=2)
    sky.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    sky.wcs.crval, sky.wcs.crpix, sky.wcs.cdelt = [330, 0], [100, 100], [-4e-4, 4e-4]
    image = np.zeros((200, 200), np.float32)
    image[50, 150] = 1
    fits.writeto(tmp_path / "plane.fits", image, sky.to_header())
    place = sky.pixel_to_world(150, 50)
    catalog = pd.DataFrame({"id": ["a"], columns[0]: place.l.deg, columns[1]: place.b.deg})
    for given in (None, columns):
        source = FITSCutouts(tmp_path / "plane.fits", catalog, size=11, columns=given)
        cutout = source.read("a")
        assert np.unravel_index(cutout.argmax(), cutout.shape) == (5, 5)
        shown = source.catalog.loc["a", ["ra_deg", "dec_deg"]]
        np.testing.assert_allclose(
            shown, [place.icrs.ra.deg, place.icrs.dec.deg], rtol=0, atol=1e-9
        )
    again = FITSCutouts(**source.spec["arguments"])
    np.testing.assert_array_equal(again.read("a"), cutout)
