"""Folders of images: every format, every name, and every way a file can be bad."""

import contextlib
import gzip
import io
import os
import struct
import zlib

import cv2
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.sources import ImageFolder

rng = np.random.default_rng(0)
GREY = rng.integers(0, 256, (20, 30), dtype=np.uint8)
RGB = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def write(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def read_one(folder, **options):
    (object_id,) = (source := ImageFolder(folder, **options)).object_ids
    return source.read(object_id)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".TIFF"])
@pytest.mark.parametrize("array", [GREY, RGB], ids=["grey", "rgb"])
def test_lossless_pixels_come_back_exactly(tmp_path, suffix, array):
    write(tmp_path / f"a{suffix}", array)
    image = read_one(tmp_path)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, array)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG"])
@pytest.mark.parametrize("array", [GREY, RGB], ids=["grey", "rgb"])
def test_a_jpeg_is_decoded_as_pillow_decodes_it(tmp_path, suffix, array):
    path = write(tmp_path / f"a{suffix}", array, quality=95)
    np.testing.assert_array_equal(read_one(tmp_path), np.asarray(Image.open(path)))


def test_a_cmyk_jpeg_becomes_rgb(tmp_path):
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "a.jpg")
    assert read_one(tmp_path).shape == RGB.shape


def test_transparency_is_dropped(tmp_path):
    rgba = np.dstack([RGB, GREY])
    write(tmp_path / "a.png", rgba)
    np.testing.assert_array_equal(read_one(tmp_path), RGB)


def test_a_palette_is_looked_up(tmp_path):
    Image.fromarray(GREY // 64).convert("P").save(tmp_path / "a.png")
    assert read_one(tmp_path).shape == (20, 30, 3)


def test_black_and_white_is_0_and_255(tmp_path):
    Image.fromarray(GREY > 99).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_one(tmp_path), (GREY > 99) * 255)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("bands", [1, 3], ids=["grey", "rgb"])
def test_sixteen_bits_are_kept(tmp_path, suffix, bands):
    deep = rng.integers(0, 65536, (20, 30, bands), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / f"a{suffix}"), deep[..., ::-1].squeeze())
    image = read_one(tmp_path)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, deep.squeeze())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bands", [1, 3], ids=["grey", "rgb"])
def test_a_floating_tiff_is_read_as_it_is(tmp_path, dtype, bands):
    floating = rng.normal(size=(20, 30, bands)).astype(dtype)
    cv2.imwrite(str(tmp_path / "a.tif"), floating[..., ::-1].squeeze())
    np.testing.assert_array_equal(read_one(tmp_path), floating.squeeze())


@pytest.mark.parametrize("name", ["a.fits", "a.FIT", "a.fts", "a.fits.gz", "a.FITS.GZ"])
def test_row_0_of_a_fits_file_is_at_the_bottom(tmp_path, name):
    array = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    fits.writeto(tmp_path / "plain", array)
    data = (tmp_path / "plain").read_bytes()
    (tmp_path / "plain").unlink()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.lower().endswith("gz") else data)
    source = ImageFolder(tmp_path)
    assert list(source.object_ids) == ["a"]
    np.testing.assert_array_equal(source.read("a"), array[::-1])


@pytest.mark.parametrize("shape", [(5, 20, 30), (20, 30, 5), (1, 1, 20, 30), (1, 5, 20, 30)])
def test_bands_of_a_fits_cube_come_last(tmp_path, shape):
    cube = rng.normal(size=shape).astype(np.float32)
    fits.writeto(tmp_path / "a.fits", cube)
    image = read_one(tmp_path)
    squeezed = cube.squeeze()
    if squeezed.shape[0] == 5:
        squeezed = np.moveaxis(squeezed, 0, -1)
    np.testing.assert_array_equal(image, squeezed[::-1])


def test_the_first_image_of_a_fits_file_may_be_an_extension(tmp_path):
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(GREY), fits.ImageHDU(GREY[:3, :3])]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    np.testing.assert_array_equal(read_one(tmp_path), GREY[::-1])


def test_nan_pixels_of_a_fits_file_stay_nan(tmp_path):
    array = np.ones((5, 5), np.float32)
    array[0, 0] = np.nan
    fits.writeto(tmp_path / "a.fits", array)
    image = read_one(tmp_path)
    assert np.isnan(image[4, 0])
    assert np.isnan(image).sum() == 1


def test_the_content_decides_not_the_suffix(tmp_path):
    write(tmp_path / "a.png", RGB, format="JPEG")
    assert read_one(tmp_path).shape == RGB.shape


def headless():
    """A packed FITS file whose headers are none; astropy finds the second for ever."""
    whole = packed_fits(fits.ImageHDU(GREY))
    return gzip.compress(whole.replace(20 * b" ", 10 * b" ="))


def make_bad(folder):
    """One file of each kind that cannot be read, by name, with the reason that is wanted."""
    whole = write(folder / "whole.jpg", RGB, quality=95).read_bytes()
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "without its end.jpg").write_bytes(whole[:-2])
    png = write(folder / "whole_png.png", RGB).read_bytes()
    (folder / "half png.png").write_bytes(png[: len(png) // 2])
    deep = rng.integers(0, 65536, (90, 90, 3), dtype=np.uint16)
    cv2.imwrite(str(folder / "deep.png"), deep)
    data = (folder / "deep.png").read_bytes()
    (folder / "half deep.png").write_bytes(data[: len(data) // 2])
    fits.writeto(folder / "whole_fits.fits", rng.normal(size=(64, 64)))
    data = (folder / "whole_fits.fits").read_bytes()
    (folder / "half fits.fits").write_bytes(data[: len(data) // 2])
    (folder / "half packed.fits.gz").write_bytes(gzip.compress(data)[:4000])
    (folder / "headless.fits.gz").write_bytes(headless())
    (folder / "no image.fits").write_bytes(b"SIMPLE  =" + b"x" * 100)
    fits.BinTableHDU(Table({"x": [1]})).writeto(folder / "a table.fits")
    fits.writeto(folder / "all nan.fits", np.full((9, 9), np.nan))
    fits.writeto(folder / "four axes.fits", np.zeros((2, 2, 9, 9), np.float32))
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("an apology of the server")
    (folder / "a folder.png").mkdir()
    (folder / "link to nowhere.png").symlink_to(folder / "nothing here")
    (folder / "link to itself.png").symlink_to(folder / "link to itself.png")
    write(folder / "one pixel.png", GREY[:1, :1])
    return {
        "half": "truncated",
        "without its end": "truncated",
        "half png": "truncated",
        "half deep": "truncated",
        "half fits": "damaged",
        "half packed": "damaged",
        "headless": "the header of one of its parts is none",
        "no image": "damaged|no image",
        "a table": "no image",
        "all nan": "finite",
        "four axes": r"\(2, 2, 9, 9\)",
        "empty": "empty",
        "text": "not a PNG",
        "a folder": "folder",
        "link to nowhere": "missing",
        "link to itself": "link",
        "one pixel": "1 x 1",
    }


def test_every_bad_file_says_why_and_the_good_ones_are_read(tmp_path):
    bad = make_bad(tmp_path)
    source = ImageFolder(tmp_path)
    assert set(source.object_ids) == {*bad, "whole", "whole_png", "whole_fits", "deep"}
    assert len(source.fingerprints) == len(source)
    for object_id in source.object_ids:
        if object_id in bad:
            with pytest.raises(ReadError, match=bad[object_id]):
                source.read(object_id)
        else:
            assert min(source.read(object_id).shape[:2]) >= 20


def packed(**options):
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, **options)
    return file.getvalue()


def packed_fits(hdu):
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    return file.getvalue()


WHOLE = {
    "jpeg": packed(format="JPEG"),
    "progressive jpeg": packed(format="JPEG", progressive=True),
    "png": packed(format="PNG"),
    "tiff": packed(format="TIFF"),
    "tiff lzw": packed(format="TIFF", compression="tiff_lzw"),
    "fits": packed_fits(fits.ImageHDU(RGB[..., 0])),
    "fits.gz": gzip.compress(packed_fits(fits.ImageHDU(RGB[..., 0]))),
    "compressed fits": packed_fits(fits.CompImageHDU(RGB[..., 0].astype(np.int16))),
}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_anywhere_is_an_image_or_a_reason_and_nothing_else(tmp_path, whole, data):
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    (tmp_path / "a.png").write_bytes(damaged[:end])
    source = ImageFolder(tmp_path)
    source.max_pixels = 10_000  # damaged headers claim sizes that take long to fill
    with contextlib.suppress(ReadError):
        assert min(source.read("a").shape[:2]) >= 2


def test_a_file_that_went_away_says_so(tmp_path):
    path = write(tmp_path / "a.png", GREY)
    source = ImageFolder(tmp_path)
    path.unlink()
    with pytest.raises(ReadError, match="missing"):
        source.read("a")


def only_a_header(suffix, side):
    """The beginning of an image file of side x side pixels: more would not be there to decode."""
    if suffix == ".fits":
        header = fits.Header()
        header.update(SIMPLE=True, BITPIX=-32, NAXIS=2, NAXIS1=side, NAXIS2=side)
        return header.tostring().encode()
    if suffix == ".tif":
        entries = [struct.pack("<HHII", tag, 4, 1, x) for tag, x in [(256, side), (257, side)]]
        return b"II*\0" + struct.pack("<IH", 8, 2) + b"".join(entries) + bytes(4)
    file = io.BytesIO()
    Image.new("L", (7, 5)).save(file, {".jpg": "JPEG", ".png": "PNG"}[suffix])
    data = bytearray(file.getvalue())
    if suffix == ".jpg":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", side, side)
    else:
        data[16:24] = struct.pack(">II", side, side)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".fits"])
def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_bytes(only_a_header(suffix, 30_000))
    with pytest.raises(ReadError, match=r"30000 x 30000 pixels are more than the limit"):
        read_one(tmp_path)


def test_the_limit_of_size_can_be_changed(tmp_path):
    write(tmp_path / "a.png", GREY)
    source = ImageFolder(tmp_path)
    source.max_pixels = 100
    with pytest.raises(ReadError, match=r"30 x 20 .* 100"):
        source.read("a")


@pytest.mark.parametrize(
    "name",
    ["two words", "it's \"quoted\"", "<script>alert(1)</script>".replace("/", "-"), "☄ comète 🌌",
     "n" * 200, "-rf", "a.b.c", "50%", "semi;colon", "tab\there", "new\nline"],
    ids=range(11),
)  # fmt: skip
def test_strange_names_are_names_like_others(tmp_path, name):
    write(tmp_path / f"{name}.png", GREY)
    source = ImageFolder(tmp_path)
    assert list(source.object_ids) == [name]
    np.testing.assert_array_equal(source.read(name), GREY)


def test_a_name_that_is_not_utf8_can_be_shown_and_stored(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        os.rename(write(tmp_path / "a.png", GREY), path)  # noqa: PTH104 - bytes
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    source = ImageFolder(tmp_path)
    (object_id,) = source.object_ids
    assert object_id.encode("utf-8")
    np.testing.assert_array_equal(source.read(object_id), GREY)


def test_hidden_files_are_not_there_and_others_are_counted(tmp_path):
    write(tmp_path / "a.png", GREY)
    for name in (".hidden.png", "notes.txt", "labels.csv", "README"):
        (tmp_path / name).touch()
    (tmp_path / "subfolder").mkdir()
    source = ImageFolder(tmp_path)
    assert list(source.object_ids) == ["a"]
    assert source.ignored == 3
    assert "3 other files ignored" in repr(source)


def test_objects_are_sorted_by_name(tmp_path):
    for name in ("b", "a", "10", "9"):
        write(tmp_path / f"{name}.png", GREY)
    assert list(ImageFolder(tmp_path).object_ids) == ["10", "9", "a", "b"]


def test_two_files_of_one_stem_are_refused_and_names_tell_them_apart(tmp_path):
    write(tmp_path / "a.png", GREY)
    write(tmp_path / "a.tif", GREY)
    with pytest.raises(SourceError, match=r"'a.png' and 'a.tif'.*ids='name'"):
        ImageFolder(tmp_path)
    assert list(ImageFolder(tmp_path, ids="name").object_ids) == ["a.png", "a.tif"]


def test_subfolders_are_looked_into_once_each(tmp_path):
    for inside in ("x", "x/y", ".hidden"):
        (tmp_path / inside).mkdir()
        write(tmp_path / inside / f"in {inside[-1]}.png", GREY)
    (tmp_path / "x" / "back").symlink_to(tmp_path)
    assert list(ImageFolder(tmp_path, recursive=True).object_ids) == ["in x", "in y"]
    assert list(ImageFolder(tmp_path, recursive=True, ids="name").object_ids) == [
        "x/in x.png",
        "x/y/in y.png",
    ]


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(SourceError, match=r"found: 1 \.txt; wanted: .*\.png"):
        ImageFolder(tmp_path)


def test_what_is_no_folder_says_so(tmp_path):
    with pytest.raises(SourceError, match="there is no folder"):
        ImageFolder(tmp_path / "nothing")
    with pytest.raises(SourceError, match="is a file"):
        ImageFolder(write(tmp_path / "a.png", GREY))
    with pytest.raises(ValueError, match="'stem' or 'name'"):
        ImageFolder(tmp_path, ids="number")


def test_a_changed_file_has_another_fingerprint(tmp_path):
    write(tmp_path / "a.png", GREY)
    write(tmp_path / "b.png", GREY)
    source = ImageFolder(tmp_path)
    before = source.fingerprints
    write(tmp_path / "a.png", RGB)
    after = source.fingerprints
    assert before[0] != after[0]
    assert before[1] == after[1]


LONG = 587722981733826738  # more digits than a floating number holds


@pytest.fixture
def galaxies(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(3):
        write(folder / f"{LONG + k}.jpeg", GREY)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        lambda k: f"images/{LONG + k}.jpeg",
        lambda k: f"{LONG + k}.jpeg",
        lambda k: f"C:\\data\\{LONG + k}.fits",
        lambda k: f" {LONG + k} ",
        lambda k: LONG + k,
    ],
    ids=["relative path", "name", "other path and suffix", "padded stem", "integer"],
)
def test_catalog_rows_find_their_images_in_any_order(galaxies, name):
    frame = pd.DataFrame({"x": [30, 10, 20], "picture": [name(3), name(1), name(2)]})
    source = ImageFolder(galaxies, catalog=frame)
    assert list(source.catalog.index) == list(source.object_ids)
    x = source.catalog["x"]
    assert pd.isna(x.iloc[0])
    assert list(x.iloc[1:]) == [10, 20]


@pytest.mark.parametrize("suffix", ["csv", "fits", "vot", "ecsv", "parquet"])
def test_catalogs_of_every_kind_keep_all_digits(galaxies, tmp_path, suffix):
    frame = pd.DataFrame(
        {"objid": [LONG, LONG + 2], "ra": [150.123456789012, 2.0], "other": [LONG, LONG + 5]}
    )
    path = tmp_path / f"catalog.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        kind = {"csv": "ascii.csv", "vot": "votable", "ecsv": "ascii.ecsv"}.get(suffix, suffix)
        Table.from_pandas(frame).write(path, format=kind)
    catalog = ImageFolder(galaxies, catalog=path).catalog
    assert list(catalog.index) == [str(LONG + k) for k in range(3)]
    assert catalog["ra"].iloc[0] == 150.123456789012
    assert catalog["ra"].isna().tolist() == [False, True, False]
    assert catalog["other"].iloc[2] == LONG + 5


def test_the_index_of_a_catalog_may_name_the_images(galaxies):
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=[str(LONG + 1), str(LONG)])
    assert ImageFolder(galaxies, catalog=frame).catalog["x"].tolist()[:2] == [2.5, 1.5]


def test_leading_zeros_of_a_catalog_are_kept(tmp_path):
    write(tmp_path / "0012.png", GREY)
    (tmp_path / "labels.csv").write_text("id,x\n0012,7\n")
    assert ImageFolder(tmp_path, catalog=tmp_path / "labels.csv").catalog.loc["0012", "x"] == 7


def test_a_catalog_that_fits_no_image_says_so(galaxies):
    with pytest.raises(SourceError, match=f"names the images.*{LONG}"):
        ImageFolder(galaxies, catalog=pd.DataFrame({"name": ["a"], "x": [1]}))


def test_two_catalog_rows_for_one_image_are_refused(galaxies):
    frame = pd.DataFrame({"id": [LONG, LONG], "x": [1, 2]})
    with pytest.raises(SourceError, match=f"more than one row for '{LONG}'"):
        ImageFolder(galaxies, catalog=frame)


def test_a_catalog_that_is_no_table_says_so(galaxies, tmp_path):
    with pytest.raises(SourceError, match="there is no file"):
        ImageFolder(galaxies, catalog=tmp_path / "none.csv")
    (tmp_path / "a.doc").touch()
    with pytest.raises(SourceError, match="not a kind of table"):
        ImageFolder(galaxies, catalog=tmp_path / "a.doc")
    (tmp_path / "a.fits").write_text("nothing")
    with pytest.raises(SourceError, match="cannot be read as a table"):
        ImageFolder(galaxies, catalog=tmp_path / "a.fits")
    with pytest.raises(SourceError, match="a int is not a table"):
        ImageFolder(galaxies, catalog=3)


def test_a_folder_of_tables_that_are_not_known_says_what_their_columns_should_be(tmp_path):
    (tmp_path / "a.csv").write_text("wavelength (A),flux\n4000,1\n4001,2\n")
    with pytest.raises(SourceError, match="time and mag, or wavelength and flux"):
        ImageFolder(tmp_path)
