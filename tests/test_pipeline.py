"""From what a person has to a session, in one call."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import SourceError


def draw(folder, n=12, seed=0):
    """Write n small galaxies as PNG; number 3 is empty sky."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48] - 23.5
    folder.mkdir(exist_ok=True)
    for k in range(n):
        angle, axis = rng.uniform(0, np.pi), rng.uniform(0.4, 1)
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        light = 0 if k == 3 else 200 * np.exp(-np.hypot(u, v / axis) / 5)
        image = np.clip(light + rng.normal(20, 4, x.shape), 0, 255).astype(np.uint8)
        Image.fromarray(image).save(folder / f"galaxy {k:02d}.png")
    return folder


def test_a_search_of_a_pattern_is_called_by_its_folder(tmp_path, monkeypatch):
    draw(tmp_path / "cutouts")
    monkeypatch.chdir(tmp_path)
    for pattern in ("cutouts/*.png", "cutouts/**/galaxy*.png", "cutouts/galaxy 0?.png"):
        session = aw.explore(pattern, features=lambda image: [image.mean()], progress=False)
        assert session.title == "cutouts"
        session.close()


def test_a_folder_becomes_a_session_with_pictures_and_reasons(tmp_path):
    folder = draw(tmp_path / "cutouts")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    session = aw.explore(folder, progress=False)
    assert session.title == "cutouts"
    assert session.n_objects + len(session.set_aside) == 13
    assert "broken" in session.set_aside.index
    assert session.set_aside.loc["broken", "stage"] == "read"
    assert session.features.shape[1] == len(session.feature_names) == 21
    np.testing.assert_allclose(session.features.mean(axis=0), 0, atol=1e-4)
    assert session.source.read("galaxy 00").shape == (48, 48)
    session.close()


def test_what_the_detector_needs_is_imported_while_objects_are_measured(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(aw.detectors, "load", loaded.append)
    aw.explore(draw(tmp_path / "cutouts"), n_jobs=2, progress=False).close()
    assert loaded == ["isolation_forest"]


def test_running_again_continues_and_measures_only_what_changed(tmp_path, monkeypatch):
    folder = draw(tmp_path / "cutouts")
    first = aw.explore(folder, project=tmp_path / "p", progress=False, n_jobs=1)
    first.label("galaxy 00", 5)
    first.close()
    measured = []
    original = aw.features.EllipseFeatures.extract

    def counting(self, data):
        measured.append(data.shape)
        return original(self, data)

    monkeypatch.setattr(aw.features.EllipseFeatures, "extract", counting)
    again = aw.explore(folder, project=tmp_path / "p", progress=False, n_jobs=1)
    assert measured == []
    assert again.labels["score"].to_dict() == {"galaxy 00": 5}
    again.close()
    draw(tmp_path / "other", n=13, seed=9)
    (tmp_path / "other" / "galaxy 12.png").rename(folder / "galaxy 12.png")
    more = aw.explore(folder, project=tmp_path / "p", progress=False, n_jobs=1)
    assert len(measured) == 1
    assert more.n_objects == again.n_objects + 1
    assert more.score_of("galaxy 00") == 5
    more.close()


def test_a_project_of_images_opens_with_its_pictures(tmp_path):
    folder = draw(tmp_path / "cutouts")
    aw.explore(folder, project=tmp_path / "p", progress=False).close()
    session = aw.Session.open(tmp_path / "p")
    assert session.source.read("galaxy 01").shape == (48, 48)
    assert session.title == "cutouts"
    session.close()


@pytest.mark.parametrize("display", [None, "grey"])
def test_a_project_whose_images_were_moved_says_so_when_it_is_opened(tmp_path, display):
    folder = draw(tmp_path / "cutouts")
    aw.explore(folder, project=tmp_path / "p", display=display, progress=False).close()
    moved = folder.rename(tmp_path / "moved")
    session = aw.Session.open(tmp_path / "p")
    assert session.status == (
        f"no pictures: there is no ImageFolder {str(folder)!r} any more; give what was moved to "
        "Session.open(project, source=...)"
    )
    session.close()
    session = aw.Session.open(tmp_path / "p", source=aw.sources.ImageFolder(moved))
    assert session.status == ""
    assert session.source.read("galaxy 01").shape == (48, 48)
    session.close()


@pytest.mark.parametrize(
    "suffix", ["csv", "csv.gz", "parquet", "pq", "fits", "fits.gz", "votable", "npy"]
)
def test_a_table_is_recognized_by_its_file(tmp_path, suffix):
    from astropy.table import Table

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 3)), columns=["u", "g", "r"])
    frame.insert(0, "object_id", [f"s{k}" for k in range(30)])
    path = tmp_path / f"stars.{suffix}"
    if "csv" in suffix:
        frame.to_csv(path, index=False)
    elif suffix in {"parquet", "pq"}:
        frame.to_parquet(path)
    elif suffix != "npy":
        Table.from_pandas(frame).write(path, format="votable" if suffix == "votable" else "fits")
    else:
        np.save(path, frame[["u", "g", "r"]].to_numpy())
    session = aw.explore(path, progress=False)
    assert session.features.shape == (30, 3)
    assert suffix == "npy" or session.object_ids[2] == "s2"
    assert session.title == "stars"
    session.close()


def test_an_array_is_a_table_or_a_stack_by_its_shape():
    rng = np.random.default_rng(0)
    table = aw.explore(rng.normal(size=(40, 5)), progress=False)
    assert table.source.kind == "table"
    table.close()
    stack = aw.explore(rng.normal(size=(12, 8, 8)), features="raw", progress=False)
    assert stack.features.shape == (12, 64)
    stack.close()
    with pytest.raises(SourceError, match=r"5 dimensions.*known are"):
        aw.explore(np.zeros((2, 2, 2, 2, 2)))


def draw_mosaic(path, seed=0, n=9):
    """Write a mosaic with n x n galaxies on a grid, and return their positions."""
    from astropy.io import fits
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150, 2]
    wcs.wcs.crpix, wcs.wcs.cdelt = [200, 200], [-1e-4, 1e-4]
    rng = np.random.default_rng(seed)
    pixels = rng.normal(10, 1, (40 * n, 40 * n)).astype(np.float32)
    places = 40 * np.argwhere(np.ones((n, n))) + 20
    y, x = np.mgrid[-20:20, -20:20]
    for top, left in places - 20:
        angle, axis = rng.uniform(0, np.pi), rng.uniform(0.4, 1)
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        pixels[top : top + 40, left : left + 40] += 90 * np.exp(-np.hypot(u, v / axis) / 3)
    fits.writeto(path, pixels, wcs.to_header())
    ra, dec = wcs.all_pix2world(places[:, 1], places[:, 0], 0)
    return pd.DataFrame({"id": [f"g{k}" for k in range(len(ra))], "ra": ra, "dec": dec})


def test_a_mosaic_and_its_catalog_become_a_session_that_opens_again(tmp_path):
    catalog = draw_mosaic(tmp_path / "field_g.fits")
    draw_mosaic(tmp_path / "field_r.fits", seed=1)
    catalog.loc[len(catalog)] = ["far away", 10.0, -5.0]
    files = [str(tmp_path / f"field_{band}.fits") for band in "gr"]
    session = aw.explore(files, catalog=catalog, project=tmp_path / "p", progress=False)
    assert session.n_objects + len(session.set_aside) == 82
    assert "off the images" in session.set_aside.loc["far away", "reason"]
    assert session.status.startswith("opened <FITSCutouts: 82 objects")
    picture = session.source.read("g40")
    assert picture.shape == (64, 64, 2)
    session.close()
    again = aw.Session.open(tmp_path / "p")
    np.testing.assert_array_equal(again.source.read("g40"), picture)
    assert again.catalog.loc["g40", "ra"] == catalog.loc[40, "ra"]
    again.close()
    by_band = aw.explore({"r": files[1]}, catalog=catalog, progress=False)
    assert by_band.source.bands == ("r",)
    by_band.close()


def test_a_mosaic_without_a_catalog_is_searched_for_objects(tmp_path):
    pytest.importorskip("sep")
    draw_mosaic(tmp_path / "field.fits")
    session = aw.explore(tmp_path / "field.fits", progress=False)
    assert session.source.catalog.shape[0] == 81
    assert session.title == "field"
    session.close()


def test_a_folder_of_mosaics_is_told_from_one_of_images_by_its_catalog(tmp_path):
    from astropy.table import Table

    folder = tmp_path / "mosaics"
    folder.mkdir()
    catalog = draw_mosaic(folder / "field_g.fits")
    draw_mosaic(folder / "field_r.fits", seed=1)
    Table({"id": ["a"], "x": [1.0]}).write(folder / "no_image.fits")
    for given in (catalog, catalog.to_dict("list"), catalog.assign(file="field_g.fits")):
        session = aw.explore(folder, catalog=given, project=tmp_path / "p", progress=False)
        assert session.status.startswith("opened <FITSCutouts: 81 objects")
        assert session.source.bands == ("r", "g")
        session.close()
    again = aw.Session.open(tmp_path / "p")
    assert again.source.read("g40").shape == (64, 64, 2)
    again.close()
    globbed = aw.sources.open_source(folder.glob("field_*.fits"), catalog=catalog)
    assert globbed.bands == ("r", "g")
    images = aw.sources.open_source(folder)
    assert repr(images).startswith("<ImageFolder")
    names = pd.DataFrame({"id": ["field_r", "b", "c", "d"], "ra": 1.0, "dec": 2.0})
    assert repr(aw.sources.open_source(folder, catalog=names)).startswith("<ImageFolder")
    with pytest.raises(SourceError, match="names the images"):
        aw.sources.open_source(folder, catalog=catalog[["id"]])


def test_a_folder_without_a_mosaic_says_so(tmp_path):
    from astropy.table import Table

    Table({"id": ["a"], "x": [1.0]}).write(tmp_path / "t.fits")
    with pytest.raises(SourceError, match=r"none of the 1 FITS files in .* holds an image"):
        aw.sources.FITSCutouts(tmp_path, {"ra": [1.0], "dec": [2.0]})


def test_a_fits_file_without_an_image_is_no_mosaic(tmp_path):
    from astropy.table import Table

    Table({"id": ["a"], "x": [1.0]}).write(tmp_path / "t.fits")
    with pytest.raises(SourceError, match="holds no image"):
        aw.explore(tmp_path / "t.fits", catalog={"ra": [1.0], "dec": [2.0]})
    assert not aw.sources.FITSCutouts.recognizes([tmp_path / "t.fits"])


def long_table(n=12):
    """Sine curves of several periods in two bands, and one object with a single point."""
    rng = np.random.default_rng(0)
    parts = []
    for k in range(n):
        time = np.sort(rng.uniform(0, 100, 1 if k == 3 else 60))
        mag = 18 + np.sin(2 * np.pi * time / (2 + k)) + rng.normal(0, 0.01, len(time))
        band = rng.choice(["g", "r"], len(time))
        star = f"star {k}"
        parts.append(pd.DataFrame({"id": star, "mjd": time, "mag": mag, "filter": band, "ra": k}))
    return pd.concat(parts)


@pytest.mark.parametrize("form", ["csv", "parquet", "frame", "folder", "mapping", "source"])
def test_light_curves_are_recognized_measured_and_folded(tmp_path, form):
    table = long_table()
    curves = {str(name): rows.drop(columns="id") for name, rows in table.groupby("id", sort=False)}
    source = {"frame": table, "mapping": curves}.get(form)
    if form == "csv":
        table.to_csv(source := tmp_path / "stars.csv", index=False)
    elif form == "parquet":
        table.to_parquet(source := tmp_path / "stars.parquet")
    elif form == "folder":
        source = tmp_path / "stars"
        source.mkdir()
        for name, rows in curves.items():
            rows.to_csv(source / f"{name}.csv", index=False)
    elif form == "source":
        source = aw.sources.LightCurves(table)
    session = aw.explore(source, progress=False, n_jobs=1)
    assert "LightCurves: 12 objects" in session.status
    assert list(session.set_aside.index) == ["star 3"]
    assert session.set_aside.loc["star 3", "reason"] == "1 point; wanted 4"
    assert "log_period" in session.feature_names
    assert session.catalog.loc["star 5", "period"] == pytest.approx(7, rel=0.01)
    assert session.source.read("star 5").dtype.names[1] == "magnitude"
    session.close()


def test_a_project_of_light_curves_opens_with_its_curves(tmp_path):
    long_table().to_csv(tmp_path / "stars.csv", index=False)
    aw.explore(tmp_path / "stars.csv", project=tmp_path / "p", progress=False, n_jobs=1).close()
    session = aw.Session.open(tmp_path / "p")
    assert len(session.source.read("star 5")) == 60
    assert session.catalog.loc["star 5", "ra"] == 5
    session.close()


@pytest.mark.parametrize("form", ["npz", "folder", "source"])
def test_spectra_are_recognized_and_measured(tmp_path, form):
    rng = np.random.default_rng(0)
    axis = np.linspace(4000, 7000, 400)
    flux = axis / 5000 + rng.normal(0, 0.02, (12, 400))
    names = [f"spectrum {k}" for k in range(12)]
    source = aw.sources.Spectra(flux, axis, object_ids=names)
    if form == "npz":
        np.savez(source := tmp_path / "all.npz", wavelength=axis, flux=flux, id=names)
    elif form == "folder":
        source = tmp_path / "all"
        source.mkdir()
        for name, row in zip(names, flux, strict=True):
            np.savetxt(source / f"{name}.txt", np.stack([axis, row], axis=1))
    session = aw.explore(source, project=tmp_path / "p", progress=False, n_jobs=1)
    assert "Spectra: 12 objects" in session.status
    assert {"strongest_emission", "line_h_alpha", "pc_1", "residual"} <= set(session.feature_names)
    session.close()
    if form != "source":
        again = aw.Session.open(tmp_path / "p")
        assert len(again.source.read("spectrum 7")) == 400
        again.close()


def test_components_replace_the_features_when_asked():
    X = np.random.default_rng(0).normal(size=(50, 6))
    session = aw.explore(X, n_components=2, progress=False)
    assert session.feature_names == ("PC1", "PC2")
    assert session.features.shape == (50, 2)
    session.close()


def test_components_weigh_the_same_where_they_are_whitened():
    X = np.random.default_rng(0).normal(size=(50, 6)) * [1, 2, 3, 4, 5, 6]
    session = aw.explore(X, n_components=0.9, whiten=True, progress=False)
    scores = session.features.astype(float)
    np.testing.assert_allclose(scores.T @ scores / 50, np.eye(scores.shape[1]), atol=1e-5)
    session.close()
    with pytest.raises(ValueError, match="no components to whiten; give n_components"):
        aw.explore(X, whiten=True, progress=False)


class Alike(aw.features.RawFeatures):
    """Pixels of which two principal components do."""

    name = "alike"
    keep_components = 2


def test_numbers_that_say_the_same_are_reduced_and_weigh_no_more_than_others():
    rng = np.random.default_rng(0)
    stack = rng.normal(50, 9, (40, 6, 6)).astype(np.float32)
    stack += 100 * rng.normal(size=(40, 1, 1)).astype(np.float32)
    session = aw.explore(stack, features=[aw.features.RawFeatures(1), Alike()], progress=False)
    assert session.feature_names == ("raw_pixel_0_0", "alike_PC1", "alike_PC2")
    pixels = stack.reshape(40, 36) - stack.reshape(40, 36).mean(axis=0)
    u, s, _ = np.linalg.svd(pixels, full_matrices=False)
    expected = u[:, :2] * s[:2] / np.sqrt(np.mean((u[:, :2] * s[:2]) ** 2))
    found = session.features[:, 1:]
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
    np.testing.assert_allclose(session.features[:, 0].std(), 1, rtol=1e-5)
    session.close()


@pytest.mark.parametrize("whiten", [False, True])
def test_a_fraction_of_the_variance_may_be_kept_of_a_group(whiten):
    stack = np.random.default_rng(0).normal(50, 9, (40, 6, 6)).astype(np.float32)
    some, one = Alike(), aw.features.RawFeatures(1)
    some.keep_components = 0.8
    session = aw.explore(stack, features=[some, one], whiten=whiten, progress=False)
    components = session.features[:, :-1].astype(float)
    spread = components.std(axis=0)
    np.testing.assert_allclose(np.mean(spread**2), 1, rtol=1e-5)
    if whiten:
        np.testing.assert_allclose(spread, 1, rtol=1e-5)
    variance = np.linalg.svd(stack.reshape(40, 36) - stack.reshape(40, 36).mean(axis=0))[1] ** 2
    explained = np.cumsum(variance) / variance.sum()
    assert components.shape[1] == np.searchsorted(explained, 0.8) + 1
    session.close()


@pytest.mark.parametrize(
    ("features", "n_components", "names"),
    [
        (Alike(), None, ("alike_PC1", "alike_PC2")),
        (Alike(), 3, ("alike_PC1", "alike_PC2", "alike_PC3")),
        ([Alike(), aw.features.RawFeatures(1)], 2, ("PC1", "PC2")),
        ([Alike(), Alike()], None, ("alike0_PC1", "alike0_PC2", "alike1_PC1", "alike1_PC2")),
    ],
)
def test_the_number_of_components_may_be_given_for_those_too(features, n_components, names):
    stack = np.random.default_rng(0).normal(50, 9, (40, 6, 6)).astype(np.float32)
    session = aw.explore(stack, features=features, n_components=n_components, progress=False)
    assert session.feature_names == names
    session.close()


def test_three_images_are_enough_for_the_numbers_of_a_network():
    torch = pytest.importorskip("torch")
    network = aw.features.CNNFeatures(torch.nn.Conv2d(3, 40, 3), size=8)
    stack = np.random.default_rng(0).integers(0, 255, (3, 12, 12, 3), dtype=np.uint8)
    session = aw.explore(stack, features=network, progress=False)
    assert len(session.feature_names) == 3
    session.label("object-1", 5)
    session.retrain().result()
    assert len(session.ranking()) == 3
    assert np.isfinite(session.trained_score).all()
    session.close()


def test_one_chain_is_for_what_is_measured_and_another_for_what_is_shown():
    rng = np.random.default_rng(0)
    stack = rng.normal(50, 9, (6, 16, 16, 3)).astype(np.float32)
    steps = [("select_bands", {"bands": [1]}), ("center_crop", {"size": 2})]
    session = aw.explore(
        stack, features="raw", preprocess=steps, display=["lupton_rgb"], progress=False, n_jobs=1
    )
    wanted = stack[:, 7:9, 7:9, 1].reshape(6, 4)
    wanted = (wanted - wanted.mean(axis=0)) / wanted.std(axis=0)
    np.testing.assert_allclose(session.features, wanted, atol=1e-4)
    shown = session.source.read(session.object_ids[0])
    np.testing.assert_array_equal(shown, aw.preprocess.lupton_rgb(stack[0]))


def test_what_is_not_a_source_is_answered_with_what_is(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    for bad in (tmp_path / "notes.txt", 3, {"a": 1}):
        with pytest.raises(SourceError, match="known are: a folder of images"):
            aw.explore(bad)
    (tmp_path / "cut off.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(SourceError, match=r"cut off.npy' is not an array file: EOF"):
        aw.explore(tmp_path / "cut off.npy")
    with pytest.raises(SourceError, match="nothing at"):
        aw.explore(tmp_path / "typo")
    with pytest.raises(SourceError, match="own catalog"):
        aw.explore(pd.DataFrame({"x": [1.0, 2]}), catalog=pd.DataFrame({"y": [1]}))


def test_a_status_says_why_most_objects_were_set_aside():
    table = pd.DataFrame({"id": list("abcde"), "size": range(5), "redshift": [np.nan] * 4 + [1.0]})
    session = aw.explore(table, progress=False)
    assert session.object_ids.tolist() == ["e"]
    assert session.status.endswith(
        "; 4 objects set aside, most often: '1 of 2 values are missing or infinite: redshift' "
        "(4 times)"
    )
    assert "set aside" not in aw.explore(table.assign(redshift=1.0), progress=False).status
    with pytest.raises(SourceError, match=r"infinite: redshift' \(5 times\); leave out columns"):
        aw.explore(table.assign(redshift=np.nan), progress=False)


def test_a_status_counts_the_objects_of_which_the_catalog_says_nothing():
    stack = np.random.default_rng(0).normal(size=(6, 8, 8))
    catalog = pd.DataFrame({"object_id": ["object-1", "object-4"], "redshift": [0.1, np.nan]})
    source = aw.sources.ImageStack(stack, catalog=catalog)
    session = aw.explore(source, features="raw", progress=False)
    assert session.status.endswith("; the catalog says nothing of 4 of 6 objects")
    table = pd.DataFrame({"size": [1.0, 2.0], "class": [None, "star"]})
    assert "catalog" not in aw.explore(table, progress=False).status


def test_a_survey_in_which_nothing_can_be_measured_says_why(tmp_path):
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"none of the 3 objects.*empty"):
        aw.explore(tmp_path, progress=False)


def test_the_truth_of_a_table_is_no_feature_of_it(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("pqr"))
    table["pulsar"] = (np.arange(60) < 6).astype(int)
    table.to_csv(tmp_path / "t.csv", index=False)
    for source in (table, tmp_path / "t.csv"):
        session = aw.explore(source, truth="pulsar", project=tmp_path / "p", progress=False)
        assert session.feature_names == ("p", "q", "r")
        np.testing.assert_array_equal(session.truth, np.arange(60) < 6)
        session.close()
    again = aw.Session.open(tmp_path / "p")
    assert again.source.column_names == ("p", "q", "r")
    again.close()
    with pytest.raises(ValueError, match=r"truth='lens' is not a column of the catalog \(pulsar\)"):
        aw.explore(aw.sources.FeatureTable(table).without("pulsar"), truth="lens", progress=False)
