"""A search begun in Astronomaly goes on here: its folder, as its pipeline leaves it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.exchange import from_astronomaly

N = 12
IDS = [f"{k:05d}" for k in range(N)]


@pytest.fixture
def raw():
    rng = np.random.default_rng(0)
    values = rng.normal([5, -3, 100], [1, 10, 0.1], (N, 3))
    return pd.DataFrame(values, index=IDS, columns=["Residual_90", "Offset_80", "Aspect_80"])


@pytest.fixture
def folder(tmp_path, raw):
    """What Astronomaly 2.0 leaves after its Galaxy Zoo example and a few labels."""
    out = tmp_path / "astronomaly_output"
    out.mkdir()
    raw.to_parquet(out / "EllipseFitFeatures_output.parquet")
    scaled = (raw - raw.mean()) / raw.std(ddof=0)
    scaled.to_parquet(out / "FeatureScaler_output.parquet")
    forest = pd.DataFrame({"score": -np.linspace(0.35, 0.7, N)}, index=IDS)
    forest.to_parquet(out / "IforestAlgorithm_output.parquet")
    pd.DataFrame(np.zeros((N, 2)), index=IDS).rename(columns=str).to_parquet(
        out / "UMAP_Plot_output.parquet"
    )
    converted = pd.DataFrame({"score": np.linspace(0, 5, N)}, index=IDS)
    converted.to_parquet(out / "ScoreConverter_output.parquet")
    labels = converted.assign(human_label=-1)
    labels.loc[["00003", "00004", "00011"], "human_label"] = [5, 0, 3]
    labels.to_csv(out / "ml_scores.csv")
    (out / "astronomaly.log").write_text("11-21-26 10:00 - INFO\n")
    return out


def test_it_has_its_own_name_at_the_door():
    assert aw.from_astronomaly is from_astronomaly


def test_features_scores_labels_and_names_are_those_of_astronomaly(folder, raw):
    session = from_astronomaly(folder)
    assert session.object_ids.tolist() == IDS
    assert session.feature_names == tuple(raw.columns)
    expected = (raw - raw.mean()) / raw.std(ddof=0)
    np.testing.assert_allclose(session.features, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(session.anomaly_score, np.linspace(0, 5, N), rtol=1e-6)
    assert session.labels["score"].to_dict() == {"00003": 5.0, "00004": 0.0, "00011": 3.0}
    assert session.set_aside.empty
    assert session.status == "3 labels of Astronomaly taken"
    assert session.title == "astronomaly_output"


def test_the_search_can_be_retrained_at_once(folder):
    session = from_astronomaly(folder, learner="neighbor_score")
    session.retrain().result()
    assert session.history["n_labels"].tolist() == [3]
    assert np.isfinite(session.relevance).all()


def test_nothing_in_the_folder_changes(folder, tmp_path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    from_astronomaly(folder, project=tmp_path / "search").label("00000", 4)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_features_that_were_not_scaled_are_scaled(folder, raw):
    (folder / "FeatureScaler_output.parquet").unlink()
    session = from_astronomaly(folder)
    expected = (raw - raw.mean()) / raw.std(ddof=0)
    np.testing.assert_allclose(session.features, expected, rtol=1e-4, atol=1e-4)


def test_components_are_left_on_their_own_scale(folder, raw):
    for name in ("FeatureScaler", "EllipseFitFeatures"):
        (folder / f"{name}_output.parquet").unlink()
    raw.to_parquet(folder / "PCA_Decomposer_output.parquet")
    np.testing.assert_allclose(from_astronomaly(folder).features, raw, rtol=1e-6)


def test_csv_files_and_numbers_for_names_are_understood(folder, raw):
    for path in folder.glob("*.parquet"):
        path.unlink()
    raw.to_csv(folder / "FeatureScaler_output.csv")
    session = from_astronomaly(folder)
    assert session.object_ids.tolist() == IDS  # leading zeros and all
    assert len(session.labels) == 3


def test_an_index_of_integers_is_the_name(folder, raw):
    raw.set_axis(range(N)).to_parquet(folder / "FeatureScaler_output.parquet")
    labels = pd.read_csv(folder / "ml_scores.csv", index_col=0)
    labels.set_axis(range(N)).to_csv(folder / "ml_scores.csv")
    session = from_astronomaly(folder)
    assert session.object_ids.tolist() == [str(k) for k in range(N)]
    assert session.labels["score"].to_dict() == {"3": 5.0, "4": 0.0, "11": 3.0}


def test_scores_that_were_never_converted_are_turned_round(folder):
    pd.DataFrame({"score": -np.linspace(0.35, 0.7, N)}, index=IDS).to_csv(folder / "ml_scores.csv")
    session = from_astronomaly(folder)
    np.testing.assert_allclose(session.anomaly_score, np.linspace(0, 5, N), atol=1e-6)
    assert session.labels.empty


def test_without_any_score_or_if_asked_the_detector_scores(folder):
    anew = from_astronomaly(folder, detector="isolation_forest", random_state=3)
    for name in ("ScoreConverter_output.parquet", "ml_scores.csv"):
        (folder / name).unlink()
    session = from_astronomaly(folder, random_state=3)
    reference = aw.detectors.anomaly_score(session.features, "isolation_forest", random_state=3)
    np.testing.assert_array_equal(session.anomaly_score, reference)
    np.testing.assert_array_equal(anew.anomaly_score, reference)


def test_before_the_first_label_the_scores_come_from_the_converter(folder):
    (folder / "ml_scores.csv").unlink()
    session = from_astronomaly(folder)
    np.testing.assert_allclose(session.anomaly_score, np.linspace(0, 5, N), rtol=1e-6)
    assert session.labels.empty
    assert session.status == ""


def test_what_astronomaly_dropped_is_set_aside_with_a_reason(folder):
    labels = pd.read_csv(folder / "ml_scores.csv", index_col=0, dtype={0: str})
    labels = labels.set_axis(IDS).drop(index="00002")
    labels.loc["gone"] = [4.9, 5]
    labels.to_csv(folder / "ml_scores.csv")
    session = from_astronomaly(folder)
    assert session.set_aside["stage"].to_dict() == {"00002": "detector", "gone": "features"}
    assert "00002" not in session.object_ids
    assert session.status.endswith("1 are labels of objects without features or score")


def test_running_again_goes_on_where_it_stopped(folder, tmp_path):
    project = tmp_path / "search"
    first = from_astronomaly(folder, project=project)
    first.label("00003", 1)  # another opinion than in Astronomaly
    first.unlabel("00004")
    first.label("00007", 4)
    first.close()
    again = from_astronomaly(folder, project=project)
    assert again.labels["score"].to_dict() == {"00003": 1.0, "00011": 3.0, "00007": 4.0}
    assert again.status.startswith("0 labels of Astronomaly taken; 3 objects")


def test_the_project_opens_without_astronomalys_folder(folder, tmp_path):
    from_astronomaly(folder, project=tmp_path / "search").close()
    for path in folder.iterdir():
        path.unlink()
    session = aw.Session.open(tmp_path / "search")
    assert len(session.labels) == 3


def test_pictures_come_from_the_folder_of_cutouts(folder, tmp_path):
    cutouts = tmp_path / "cutouts"
    cutouts.mkdir()
    for k, name in enumerate(IDS):
        Image.fromarray(np.full((8, 8), k, np.uint8)).save(cutouts / f"{name}.png")
    catalog = pd.DataFrame({"ra": np.arange(N) * 1.5}, index=IDS)
    session = from_astronomaly(folder, source=cutouts, catalog=catalog)
    assert session.source.read("00007").max() == 7
    assert session.catalog["ra"]["00004"] == 6.0


def test_objects_without_a_picture_stay_and_are_counted(folder, tmp_path):
    cutouts = tmp_path / "cutouts"
    cutouts.mkdir()
    for name in IDS[:9]:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(cutouts / f"{name}.png")
    session = from_astronomaly(folder, source=cutouts)
    assert session.n_objects == N
    assert session.status.endswith("; 3 objects have no picture in the source")


def test_features_are_the_picture_where_there_are_no_pictures(folder):
    session = from_astronomaly(folder)
    np.testing.assert_allclose(session.source.read("00007"), session.features[7])


def test_pictures_of_other_objects_are_refused(folder, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "strange.png")
    with pytest.raises(SourceError, match=r"'strange'.*'00000'"):
        from_astronomaly(folder, source=tmp_path)


def test_scores_of_other_objects_are_refused(folder):
    pd.DataFrame({"score": [1.0]}, index=["other"]).to_csv(folder / "ml_scores.csv")
    with pytest.raises(SourceError, match=r"'00000'.*'other'"):
        from_astronomaly(folder)


def test_a_highest_score_that_its_arithmetic_put_just_above_five_is_five(folder):
    scores = pd.DataFrame({"score": np.linspace(0, 5.000000000000001, N)}, index=IDS)
    scores.to_csv(folder / "ml_scores.csv")
    assert from_astronomaly(folder).anomaly_score.max() == 5


def test_scores_on_no_known_scale_are_refused(folder):
    pd.DataFrame({"score": np.linspace(-1, 9, N)}, index=IDS).to_csv(folder / "ml_scores.csv")
    with pytest.raises(SourceError, match=r"-1\.\.9.*detector="):
        from_astronomaly(folder)
    assert from_astronomaly(folder, detector="isolation_forest").n_objects == N


def test_several_files_of_features_are_a_question(folder, raw):
    raw.to_parquet(folder / "PCA_Decomposer_output.parquet")
    with pytest.raises(SourceError, match=r"several files of features.*features="):
        from_astronomaly(folder)
    named = from_astronomaly(folder, features="PCA_Decomposer_output.parquet")
    np.testing.assert_allclose(named.features, raw, rtol=1e-6)
    with pytest.raises(SourceError, match=r"no file of features 'no\.csv'.*PCA_Decomposer"):
        from_astronomaly(folder, features="no.csv")


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no features of Astronomaly"):
        from_astronomaly(tmp_path)
    with pytest.raises(SourceError, match="no folder"):
        from_astronomaly(tmp_path / "absent")
