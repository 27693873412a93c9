"""Images in tar files."""

import gzip
import io
import json
import pickle
import tarfile

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from PIL import Image

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.sources import ImageFolder, TarShards

rng = np.random.default_rng(0)


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def pack(path, files, *, form=tarfile.PAX_FORMAT):
    """Write a tar file of name to bytes."""
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def picture():
    return rng.integers(0, 256, (8, 9), dtype=np.uint8)


@pytest.fixture(name="shards")
def two_tar_files(tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    pack(folder / "s-00.tar", {f"{k:03d}.png": png(picture()) for k in range(4)})
    pack(folder / "s-01.tar", {f"{k:03d}.png": png(picture()) for k in range(4, 7)})
    return folder


def test_images_are_those_of_the_same_files_in_a_folder(tmp_path):
    plane = rng.normal(size=(6, 7)).astype(np.float32)
    file = io.BytesIO()
    fits.PrimaryHDU(plane).writeto(file)
    files = {
        "grey.png": png(picture()),
        "color.PNG": png(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)),
        "plane.fits": file.getvalue(),
        "packed.fits.gz": gzip.compress(file.getvalue()),
    }
    (tmp_path / "folder").mkdir()
    for name, data in files.items():
        (tmp_path / "folder" / name).write_bytes(data)
    folder = ImageFolder(tmp_path / "folder")
    shards = TarShards(pack(tmp_path / "a.tar", files))
    assert list(shards.object_ids) == ["grey", "color", "plane", "packed"]
    for object_id in folder.object_ids:
        np.testing.assert_array_equal(shards.read(object_id), folder.read(object_id))
    np.testing.assert_array_equal(shards.read("plane"), plane[::-1])


def test_an_array_is_an_image_with_its_bands_last(tmp_path):
    cube = rng.normal(size=(3, 8, 9)).astype(np.float32)
    shards = TarShards(pack(tmp_path / "a.tar", {"x.npy": npy(cube)}))
    np.testing.assert_array_equal(shards.read("x"), np.moveaxis(cube, 0, 2))


@pytest.mark.parametrize(
    "given",
    [
        lambda folder: folder,
        lambda folder: f"{folder}/*.tar",
        lambda folder: f"{folder}/s-{{00..01}}.tar",
        lambda folder: [folder / "s-00.tar", f"{folder}/s-01.tar"],
    ],
    ids=["folder", "pattern", "range", "list"],
)
def test_many_files_are_one_source_and_a_search(shards, given, tmp_path):
    path = given(shards)
    source = TarShards(path)
    assert list(source.object_ids) == [f"{k:03d}" for k in range(7)]
    assert TarShards.recognizes(path)
    project = tmp_path / "search"
    with_project = {"project": project, "n_jobs": 1, "progress": False}
    session = aw.explore(path, features=lambda image: image.mean(), **with_project)
    means = [source.read(i).mean() for i in source.object_ids]
    assert np.corrcoef(session.features[:, 0], means)[0, 1] == pytest.approx(1)
    session.close()
    again = aw.Session.open(project)
    np.testing.assert_array_equal(again.source.read("005"), source.read("005"))
    again.close()


def test_a_folder_with_images_beside_tar_files_is_a_folder_of_images(shards):
    (shards / "a.png").write_bytes(png(picture()))
    assert not TarShards.recognizes(shards)
    assert not TarShards.recognizes(shards.parent)
    assert not TarShards.recognizes("images.npy")
    assert not TarShards.recognizes([])
    assert not TarShards.recognizes(np.zeros((3, 4)))


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_folders_are_read(tmp_path, form):
    name = f"{'deep/' * 30}{'n' * 120}-é.png"
    image = picture()
    source = TarShards(pack(tmp_path / "a.tar", {name: png(image)}, form=form))
    assert list(source.object_ids) == [f"{'n' * 120}-é"]
    np.testing.assert_array_equal(source.read(source.object_ids[0]), image)


def test_one_name_twice_asks_for_whole_names(tmp_path):
    first, second = picture(), picture()
    pack(tmp_path / "a.tar", {"x/1.png": png(first)})
    pack(tmp_path / "b.tar", {"x/1.png": png(second)})
    with pytest.raises(SourceError, match="ids='name'"):
        TarShards(tmp_path)
    source = TarShards(tmp_path, ids="name")
    assert list(source.object_ids) == ["a/x/1.png", "b/x/1.png"]
    np.testing.assert_array_equal(source.read("b/x/1.png"), second)
    with pytest.raises(ValueError, match="wanted 'stem' or 'name'"):
        TarShards(tmp_path, ids="path")


def test_what_lies_beside_an_image_is_its_catalog(tmp_path):
    notes = [
        {"id": 2**61 + 1, "z": 0.5, "name": "M 31", "shape": [1, 2], "star": True},
        {"id": 7, "z": 2},
    ]
    files = {
        "a.png": png(picture()),
        "a.json": json.dumps(notes[0]).encode(),
        "b.json": json.dumps(notes[1]).encode(),
        "b.image.png": png(picture()),
        "c.json": b"{broken",
        "c.png": png(picture()),
        "c.cls": b"3",
    }
    source = TarShards(pack(tmp_path / "a.tar", files))
    assert source.ignored == 1
    catalog = source.catalog
    assert list(catalog.index) == ["a", "b.image", "c"]
    assert list(catalog.columns) == ["id", "z", "name", "star"]
    assert catalog["id"].iloc[:2].tolist() == [2**61 + 1, 7]
    assert catalog["id"].isna().tolist() == [False, False, True]
    np.testing.assert_array_equal(catalog["z"], [0.5, 2, np.nan])
    assert catalog["name"].iloc[0] == "M 31"
    assert catalog["name"].isna().tolist() == [False, True, True]
    assert catalog["star"].iloc[0]


def test_a_catalog_is_matched_by_names_in_any_order(tmp_path):
    pack(tmp_path / "a.tar", {"b.png": png(picture()), "a.npy": npy(np.ones((3, 3)))})
    table = pd.DataFrame({"file": ["a", "b.png"], "z": [1, 2]})
    source = TarShards(tmp_path / "a.tar", catalog=table)
    assert source.catalog["z"].tolist() == [2, 1]
    assert list(source.catalog.index) == ["b", "a"]


def test_without_notes_there_is_no_catalog(shards):
    assert TarShards(shards).catalog is None


def test_a_changed_tar_file_changes_the_fingerprints_of_its_objects_only(shards):
    before = TarShards(shards).fingerprints
    pack(shards / "s-01.tar", {f"{k:03d}.png": png(picture()) for k in (4, 5, 6, 7)})
    after = TarShards(shards).fingerprints
    assert list(after[:4]) == list(before[:4])
    assert not set(after[4:]) & set(before)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"no image", "not a PNG, JPEG, TIFF or FITS image"),
        (png(picture())[:60], "damaged or not readable"),
        (npy(np.ones(5)), r"shape \(5,\) is not an image"),
        (npy(np.ones((3, 3)))[:90], "damaged or not readable"),
        (gzip.compress(b"SIMPLE  = no image")[:-3], "damaged or not readable"),
        (npy(np.array([["a", None]], dtype="U4")), "too small|not numbers"),
    ],
)
def test_what_is_damaged_says_so_and_the_others_are_read(tmp_path, data, reason):
    files = {"bad.png": data, "good.png": png(picture())}
    source = TarShards(pack(tmp_path / "a.tar", files))
    with pytest.raises(ReadError, match=reason):
        source.read("bad")
    assert source.read("good").shape == (8, 9)


def test_large_images_are_refused_before_they_are_decoded(shards):
    source = TarShards(shards)
    source.max_pixels = 70
    with pytest.raises(ReadError, match="max_pixels"):
        source.read("000")


def test_a_tar_file_that_is_gone_or_shorter_now_is_a_reason(shards):
    source = TarShards(shards)
    whole = (shards / "s-00.tar").read_bytes()
    (shards / "s-00.tar").write_bytes(whole[:600])
    with pytest.raises(ReadError, match=r"s-00\.tar.* ends before"):
        source.read("000")
    (shards / "s-00.tar").unlink()
    with pytest.raises(ReadError, match=r"s-00\.tar.* cannot be read"):
        source.read("000")
    assert source.fingerprints[0].startswith("missing")
    assert source.read("004").shape == (8, 9)


def test_a_file_that_is_no_tar_file_says_what_to_do(tmp_path, shards):
    with pytest.raises(SourceError, match="there is no file"):
        TarShards(tmp_path / "nothing.tar")
    with pytest.raises(SourceError, match=r"there are no \.tar files at"):
        TarShards(tmp_path / "*.tar")
    packed = tmp_path / "packed.tar"
    packed.write_bytes(gzip.compress((shards / "s-00.tar").read_bytes()))
    with pytest.raises(SourceError, match="unpack it"):
        TarShards(packed)
    cut = tmp_path / "cut.tar"
    cut.write_bytes((shards / "s-00.tar").read_bytes()[:700])
    with pytest.raises(SourceError, match="copy it again"):
        TarShards(cut)
    with pytest.raises(SourceError, match=r"no images in .* \(found: 1 \.txt; wanted: "):
        TarShards(pack(tmp_path / "text.tar", {"a.txt": b"a", ".hidden.png": b""}))


def test_links_and_folders_in_a_tar_file_are_no_objects(tmp_path):
    pack(tmp_path / "a.tar", {"a.png": png(picture())})
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        for kind, name in ((tarfile.DIRTYPE, "d.png"), (tarfile.SYMTYPE, "l.png")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    assert list(TarShards(tmp_path / "a.tar").object_ids) == ["a"]


def test_what_goes_to_other_processes_is_small(tmp_path):
    files = {f"{k}.png": png(rng.integers(0, 256, (64, 64), dtype=np.uint8)) for k in range(50)}
    source = TarShards(pack(tmp_path / "a.tar", files))
    assert len(pickle.dumps(source)) < 200 * 50
