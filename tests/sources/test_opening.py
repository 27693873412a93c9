"""What is given to `explore` is known for what it is, also where it is many files."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from PIL import Image

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import ReadError, SourceError
from astronomaly_widgets.sources import (
    FeatureTable,
    FITSCutouts,
    ImageFolder,
    LightCurves,
    Spectra,
    open_source,
)

RNG = np.random.default_rng(0)


def bright(image):
    return [image.mean(), image.std()]


def draw(*paths, side=16):
    for k, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True, parents=True)
        pixels = RNG.integers(0, 255, (side, side), np.uint8)
        if path.suffix == ".fits":
            fits.writeto(path, (pixels + k).astype(np.float32))
        else:
            Image.fromarray(pixels).save(path)
    return list(paths)


@pytest.fixture
def pictures(tmp_path):
    return draw(*(tmp_path / "cutouts" / f"g{k}.png" for k in range(4)))


def test_a_list_a_pattern_and_a_generator_of_images_are_as_good_as_their_folder(
    pictures, monkeypatch
):
    folder = pictures[0].parent
    monkeypatch.chdir(folder.parent)
    whole = open_source(folder)
    given = (pictures, tuple(map(str, pictures)), folder.glob("*.png"), "cutouts/*.png")
    for several in (*given, str(folder / "g?.png"), str(folder / "g[0-3].png")):
        source = open_source(several)
        assert isinstance(source, ImageFolder)
        np.testing.assert_array_equal(source.object_ids, whole.object_ids)
        np.testing.assert_array_equal(source.fingerprints, whole.fingerprints)
        np.testing.assert_array_equal(source.read("g2"), whole.read("g2"))


def test_a_pattern_fits_no_hidden_files_but_those_of_a_hidden_folder(tmp_path):
    files = draw(*(tmp_path / ".cache" / f"g{k}.png" for k in range(3)))
    folder = files[0].parent
    (folder / "._g1.png").write_bytes(b"\0\5\x16\7")  # as macOS does
    draw(folder / ".ipynb_checkpoints" / "g1-checkpoint.png")
    for pattern in ("*.png", "**/*.png", "*"):
        assert list(open_source(str(folder / pattern)).object_ids) == ["g0", "g1", "g2"]


def test_a_listed_image_that_is_missing_is_set_aside(pictures):
    session = aw.explore(
        [*pictures, pictures[0].with_name("gone.png")], progress=False, features=bright
    )
    assert session.n_objects == 4
    assert "missing" in session.set_aside.loc["gone", "reason"]
    session.close()


def test_images_of_one_name_in_several_folders_are_told_apart_by_their_paths(tmp_path):
    files = draw(*(tmp_path / kind / "1.png" for kind in ("spiral", "ring")))
    with pytest.raises(SourceError, match=r"'spiral/1.png' and 'ring/1.png'.*ids='name'"):
        ImageFolder(files)
    source = ImageFolder(files, ids="name")
    assert list(source.object_ids) == ["ring/1.png", "spiral/1.png"]
    assert source.path == tmp_path
    np.testing.assert_array_equal(source.read("ring/1.png"), np.asarray(Image.open(files[1])))
    with pytest.raises(SourceError, match=r"'1.png' in .*ring is listed twice"):
        ImageFolder([files[1], files[1]])
    with pytest.raises(SourceError, match="is empty"):
        ImageFolder([])


def test_a_project_finds_listed_files_again(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = [str(path.relative_to(tmp_path)) for path in pictures[:3]]
    aw.explore(listed, project=tmp_path / "p", features=bright, progress=False).close()
    monkeypatch.chdir("/")
    again = aw.Session.open(tmp_path / "p")
    assert again.source.read("g1").shape == (16, 16)
    assert again.n_objects == 3
    again.close()


def test_small_fits_images_in_a_list_are_objects_and_large_ones_mosaics(tmp_path):
    small = draw(*(tmp_path / "small" / f"{k}.fits" for k in range(3)))
    large = draw(*(tmp_path / "large" / f"{k}.fits" for k in range(2)), side=513)
    assert not FITSCutouts.recognizes(small)
    assert FITSCutouts.recognizes(large)
    assert FITSCutouts.recognizes([f"{small[0]}[0]"])
    assert isinstance(open_source(small), ImageFolder)
    positions = pd.DataFrame({"id": ["a", "b"], "x": [5.0, 6.0], "y": [7.0, 8.0]})
    assert isinstance(open_source(small[:1], catalog=positions), FITSCutouts)
    names = positions.assign(file=["0.fits", "1.fits"])
    source = open_source(small, catalog=names)
    assert isinstance(source, ImageFolder)
    assert source.catalog.loc["1", "x"] == 6.0
    (tmp_path / "small" / "3.fits").write_text("broken")
    source = open_source(str(tmp_path / "small" / "*.fits"))
    with pytest.raises(ReadError):
        source.read("3")


def curve(n=30):
    time = 58_000 + np.sort(RNG.uniform(0, 100, n))
    return pd.DataFrame({"mjd": time, "mag": RNG.normal(18, 0.1, n), "magerr": 0.1})


def test_listed_light_curves_are_called_by_their_files(tmp_path):
    files = [tmp_path / f"star{k}.csv" for k in (2, 0, 1)]
    for file in files:
        curve().to_csv(file, index=False)
    source = open_source(files)
    assert isinstance(source, LightCurves)
    assert list(source.object_ids) == ["star2", "star0", "star1"]
    again = LightCurves(**source.spec["arguments"])
    np.testing.assert_array_equal(again.fingerprints, source.fingerprints)
    files[0].write_text("no table\n")
    with pytest.raises(ReadError):
        open_source(str(tmp_path / "*.csv")).read("star2")
    with pytest.raises(SourceError, match=r"would have the same id, 'star0'; give a mapping"):
        LightCurves([files[1], files[1]])


def test_listed_spectra_are_called_by_their_files_or_as_asked(tmp_path):
    files = [tmp_path / f"{name}.txt" for name in "xyz"]
    for file in files:
        np.savetxt(file, np.column_stack([np.linspace(4000, 7000, 40), RNG.normal(5, 1, 40)]))
    source = open_source(tuple(files))
    assert isinstance(source, Spectra)
    assert list(source.object_ids) == ["x", "y", "z"]
    again = Spectra(**source.spec["arguments"])
    np.testing.assert_array_equal(again.read("y")["flux"], source.read("y")["flux"])
    named = Spectra(tmp_path, object_ids=["a", "b", "c"])
    assert list(Spectra(**named.spec["arguments"]).object_ids) == ["a", "b", "c"]
    np.testing.assert_array_equal(named.read("b")["flux"], source.read("y")["flux"])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_parts_of_a_long_table_are_the_whole(tmp_path, form):
    rows = pd.concat([curve(12).assign(oid=10**11 + k) for k in range(60)], ignore_index=True)
    parts = np.array_split(np.arange(len(rows)), 2)  # in the middle of an object, too
    for k, part in enumerate(parts):
        piece, file = rows.iloc[part], tmp_path / f"part-{k}.{form}"
        piece.to_csv(file, index=False) if form == "csv" else piece.to_parquet(file)
    source = open_source(tmp_path)
    assert list(source.object_ids) == [str(10**11 + k) for k in range(60)]
    np.testing.assert_array_equal(source.fingerprints, LightCurves(rows).fingerprints)
    again = LightCurves(**source.spec["arguments"])
    np.testing.assert_array_equal(again.object_ids, source.object_ids)


def test_an_id_per_band_does_not_make_parts_of_the_files_of_single_objects(tmp_path):
    for name in "ab":
        table = curve(30).assign(oid=np.repeat([1, 2, 3], 10))
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    assert list(open_source(tmp_path).object_ids) == ["a", "b"]


@pytest.mark.parametrize("form", ["csv", "fits", "parquet", "indexed"])
def test_parts_of_a_table_of_features_are_the_whole(tmp_path, form):
    whole = pd.DataFrame(RNG.normal(size=(30, 3)), columns=list("abc"))
    whole.insert(0, "source_id", 10**18 + np.arange(30))
    files = [tmp_path / f"{k}.{'parquet' if form == 'indexed' else form}" for k in range(3)]
    for k, file in enumerate(files):
        part = whole.iloc[10 * k : 10 * k + 10]
        if form == "csv":
            part.to_csv(file, index=False)
        elif form == "fits":
            Table.from_pandas(part).write(file)
        else:
            part = part.set_index("source_id") if form == "indexed" else part
            part.to_parquet(file)
    given = [files, str(tmp_path / f"*{files[0].suffix}")]
    given += [tmp_path] * (files[0].suffix == ".parquet")
    for several in given:
        source = open_source(several)
        assert isinstance(source, FeatureTable)
        np.testing.assert_array_equal(source.object_ids, whole["source_id"].astype(str))
        np.testing.assert_array_equal(source.values, whole[list("abc")].to_numpy(np.float32))
        again = FeatureTable(**source.spec["arguments"])
        np.testing.assert_array_equal(again.object_ids, source.object_ids)


def test_tables_that_are_no_parts_of_one_are_refused(tmp_path):
    pd.DataFrame({"id": ["a"], "x": [1.5]}).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"id": ["b"], "y": [1.5]}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(SourceError, match=r"a.csv' and .*b.csv' are no parts .* columns x, y"):
        open_source(str(tmp_path / "*.csv"))


def test_tables_without_ids_are_not_taken_for_parts(tmp_path):
    files = [tmp_path / f"{k}.csv" for k in range(2)]
    for file in files:
        pd.DataFrame({"p": [1.5, 2.5], "q": [0.5, 1.0]}).to_csv(file, index=False)
    with pytest.raises(SourceError, match=r"2 files \(such as '0.csv'\) are neither"):
        open_source(files)
    assert len(FeatureTable(files)) == 4


def test_images_with_a_parquet_catalog_beside_them_are_images(pictures):
    catalog = pd.DataFrame({"id": [p.stem for p in pictures], "z": [0.1, 0.2, 0.3, 0.4]})
    catalog.to_parquet(pictures[0].with_name("catalog.parquet"))
    assert isinstance(open_source(pictures[0].parent), ImageFolder)


def test_a_pattern_that_fits_nothing_says_so(tmp_path):
    with pytest.raises(SourceError, match=r"no file fits the pattern .*\*\.png"):
        open_source(str(tmp_path / "*.png"))
    with pytest.raises(SourceError, match="there is nothing at"):
        open_source(str(tmp_path / "what?"))


def test_arrays_of_images_are_a_stack_by_number_or_by_name():
    images = [RNG.normal(size=(6, 7)) for _ in range(3)]
    np.testing.assert_array_equal(open_source(images).read("object-2"), images[2])
    catalog = pd.DataFrame({"id": ["b", "a"], "z": [0.2, 0.1]})
    named = open_source(dict(zip("abc", images, strict=True)), catalog=catalog)
    np.testing.assert_array_equal(named.read("b"), images[1])
    assert named.catalog.loc["a", "z"] == 0.1
    with pytest.raises(SourceError, match=r"2 different shapes, such as \(6, 7\) and \(8, 8\)"):
        open_source([*images, np.zeros((8, 8))])
    with pytest.raises(SourceError, match="a list is not a source"):
        open_source([])
