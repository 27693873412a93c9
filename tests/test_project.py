"""The project folder: whole files or none, and clear words when it cannot be used."""

import json
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.exceptions import ProjectError, ProjectVersionError
from astronomaly_widgets.project import Project, _folder, fingerprint
from astronomaly_widgets.session import Session


def project_of(path, key="a"):
    project = Project(path)
    project.key = key
    return project


def test_features_come_back_as_a_memory_map(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    project_of(tmp_path).save_features(X)
    back = project_of(tmp_path).load_features()
    assert isinstance(back, np.memmap)
    np.testing.assert_array_equal(back, X)


def test_objects_of_mixed_types_come_back(tmp_path):
    objects = pd.DataFrame(
        {
            "ra": [150.1234567, 1e-9],
            "id": [587742009504530442, 1],
            "note": ["a", 3.5],
            7: [None, "x"],
        },
        index=["<b>", "o 2"],
    )
    project_of(tmp_path).save_objects(objects)
    back = project_of(tmp_path).load_objects()
    assert back.index.tolist() == ["<b>", "o 2"]
    assert back["ra"].tolist() == [150.1234567, 1e-9]
    assert back["id"].tolist() == [587742009504530442, 1]
    assert back["note"].tolist() == ["a", "3.5"]
    assert back["7"].tolist()[1] == "x"


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    project = project_of(tmp_path)
    project.save_features(np.zeros((2, 2), np.float32))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ProjectError, match="No space left on device"):
        project.save_features(np.ones((2, 2), np.float32))
    assert project.load_features().sum() == 0
    assert [file.name for file in project.data.iterdir()] == ["features.npy"]


@pytest.mark.parametrize(
    ("column", "back"),
    [
        (pd.Categorical([3, None, 1]), [3, None, 1]),
        (pd.Categorical(["spiral", None, "disk"]), ["spiral", None, "disk"]),
        (pd.cut([0.5, np.nan, 1.5], [0, 1, 2]), ["(0, 1]", None, "(1, 2]"]),
        ([1 + 2j, 0j, 1j], ["(1+2j)", "0j", "1j"]),
        (pd.arrays.SparseArray([0.0, 0.0, 7.0]), ["0.0", "0.0", "7.0"]),
    ],
    ids=["numbers", "words", "intervals", "complex", "sparse"],
)
def test_a_catalog_of_any_type_of_column_is_kept(tmp_path, column, back):
    objects = pd.DataFrame({"kind": column}, index=["a", "b", "c"])
    project_of(tmp_path).save_objects(objects)
    column = project_of(tmp_path).load_objects()["kind"].astype(object)
    assert column.where(column.notna(), None).tolist() == back


@pytest.mark.parametrize("damage", [b"", b"PK or what else is no table", None])
@pytest.mark.parametrize("name", ["features.npy", "objects.parquet", "scores.npz"])
def test_a_damaged_file_is_named_and_made_again(tmp_path, name, damage):
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)

    def search():
        return Session(X, project=tmp_path, anomaly_score=np.zeros(60))

    with closing(search()) as session:
        session.label("7", 5)
    path = next(tmp_path.rglob(name))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if damage is None else damage)
    with pytest.raises(ProjectError, match=r"run aw.explore.*labels in it are safe"):
        Session.open(tmp_path)
    search().close()
    with closing(Session.open(tmp_path)) as session:
        np.testing.assert_array_equal(session.features, X)
        assert session.labels["score"].to_dict() == {"7": 5}


@pytest.mark.parametrize("remembered", ["6.5", "null", '"high"'])
def test_a_threshold_that_cannot_be_keeps_no_project_closed(tmp_path, remembered):
    Session(np.eye(9), project=tmp_path).close()
    (tmp_path / "view").mkdir(exist_ok=True)
    (tmp_path / "view" / "interesting_from.json").write_text(remembered)
    with closing(Session.open(tmp_path)) as session:
        assert session.interesting_from == 4


def test_a_newer_schema_is_refused_and_nothing_is_changed(tmp_path):
    Project(tmp_path).update_manifest()
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": 99}))
    before = manifest.read_text()
    with pytest.raises(ProjectVersionError, match=r"schema 99.*upgrade"):
        Project(tmp_path)
    assert manifest.read_text() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": null}', "{}"])
def test_a_broken_manifest_is_named_and_labels_are_said_to_be_safe(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ProjectError, match=r"manifest\.json.*labels beside it are safe"):
        Project(tmp_path)


def test_a_file_is_not_a_project(tmp_path):
    (tmp_path / "p").write_text("")
    with pytest.raises(ProjectError, match="is a file"):
        Project(tmp_path / "p")
    with pytest.raises(ProjectError, match="cannot be made"):
        Project(tmp_path / "p" / "q")


def test_opening_what_is_not_a_project_makes_no_folder(tmp_path):
    with pytest.raises(ProjectError, match="not a project"):
        Project(tmp_path / "typo", must_exist=True)
    assert not (tmp_path / "typo").exists()


def test_a_folder_that_cannot_be_written_is_read_only(tmp_path, monkeypatch):
    Project(tmp_path).update_manifest()
    monkeypatch.setattr(_folder, "_writable", lambda _: False)
    assert Project(tmp_path).read_only
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProjectError, match="cannot be written"):
        Project(tmp_path / "empty")


def test_a_history_that_is_no_text_is_left_out(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "history.jsonl").write_bytes(b"\xff\x00 from a disk that failed\n[1]\n")
    project.append_history({"n_labels": 1})
    assert project.load_history() == [{"n_labels": 1}]


def test_a_line_of_history_cut_short_is_left_out(tmp_path):
    project = Project(tmp_path)
    project.append_history({"n_labels": 3})
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"n_lab')
    assert project.load_history() == [{"n_labels": 3}]
    project.append_history({"n_labels": 5})  # and it does not spoil the next
    assert project.load_history() == [{"n_labels": 3}, {"n_labels": 5}]


def test_a_project_that_was_moved_leaves_nothing_in_its_old_place(tmp_path):
    project = Project(tmp_path / "p")
    project.update_manifest()
    (tmp_path / "p").rename(tmp_path / "q")
    for change in (lambda: project.save_view({"page": 3}), project.update_manifest):
        with pytest.raises(ProjectError, match=r"is gone .*open the project again where"):
            change()
    assert [folder.name for folder in tmp_path.iterdir()] == ["q"]


def test_what_was_remembered_stays_until_it_is_remembered_anew(tmp_path):
    (tmp_path / "view.json").write_text('{"current_id": "a", "hints": 1}')  # schema 1
    one, other = Project(tmp_path), Project(tmp_path)
    one.save_view({"current_id": "b"})
    other.save_view({"gallery": {"order": "random"}})
    (tmp_path / "view" / "broken.json").write_text("{")
    assert Project(tmp_path).load_view() == {
        "current_id": "b", "hints": 1, "gallery": {"order": "random"}
    }  # fmt: skip


def test_fingerprints_tell_data_types_shapes_and_words_apart():
    a = np.arange(6, dtype=np.float32)
    prints = [
        fingerprint(a),
        fingerprint(a.reshape(2, 3)),
        fingerprint(a.astype(np.float64)),
        fingerprint(a + 1),
        fingerprint(a, "x"),
        fingerprint(np.array(["ab", "c"], object)),
        fingerprint(np.array(["a", "bc"], object)),
        fingerprint({"a": 1}),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(a, {"b": 1, "a": 2}) == fingerprint(a.copy(), {"a": 2, "b": 1})
