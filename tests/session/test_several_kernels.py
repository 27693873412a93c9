"""Several kernels on one project: none reads or reverts what belongs to the objects of another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets import clustering, embedding
from astronomaly_widgets.exceptions import ProjectError
from astronomaly_widgets.labels import LabelStore
from astronomaly_widgets.project import Project, _folder

N = 80
IDS = np.array([f"o{k}" for k in range(N)], dtype=object)
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
X.setflags(write=False)
S = np.linspace(0, 5, N, dtype=np.float32)
OTHER_ORDER = np.random.default_rng(1).permutation(N)


def session_of(project, rows=None, **kwargs):
    rows = np.arange(N) if rows is None else rows
    given = {"anomaly_score": S[rows], "learner": "neighbor_score", **kwargs}
    return aw.Session(X[rows], IDS[rows], project=project, **given)


def teach(session):
    session.label("o1", 5)
    session.label("o2", 0)
    session.retrain().result(60)
    session._threads[-1].join()


def assert_each_row_belongs_to_its_id(session):
    rows = [int(name[1:]) for name in session.object_ids]
    np.testing.assert_array_equal(session.features, X[rows])
    np.testing.assert_array_equal(session.anomaly_score, S[rows])
    assert session.trained_score.shape == (len(rows),)


@pytest.fixture(autouse=True)
def _map_at_once(monkeypatch):
    """Make a map without a process of its own."""
    monkeypatch.setattr(embedding, "compute", lambda X, **_: X[:, :2] + np.float32(1))


def files_of(project):
    files = [path for path in Path(project).rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files if "labels" not in path.name}


@pytest.mark.parametrize("rows_of_ada", [np.arange(60), OTHER_ORDER], ids=["fewer", "reordered"])
def test_a_retrain_on_former_objects_leaves_those_of_now_as_they_are(tmp_path, rows_of_ada):
    ada = session_of(tmp_path / "p", rows_of_ada)
    ben = session_of(tmp_path / "p")
    before = ben.trained_score.copy()
    teach(ada)
    assert "gone over to other objects" in ada.status
    assert np.isfinite(ada.relevance).all()  # Ada can go on all the same
    for again in (aw.Session.open(tmp_path / "p"), session_of(tmp_path / "p")):
        assert_each_row_belongs_to_its_id(again)
        np.testing.assert_array_equal(again.trained_score, before)
        assert again.n_labeled == 2
        assert again.status == ""
        again.close()
    ada.close()
    ben.close()


def test_clusters_and_a_map_of_former_objects_leave_those_of_now_as_they_are(tmp_path):
    ada = session_of(tmp_path / "p", OTHER_ORDER)
    ben = session_of(tmp_path / "p")
    before = files_of(tmp_path / "p")
    ada.find_clusters("kmeans", n_clusters=2).result(60)
    assert "gone over to other objects" in ada.status
    assert ada.start_embedding("tsne").result(60).shape == (N, 2)
    after = files_of(tmp_path / "p")
    del after[tmp_path / "p" / "view" / "embedding.json"]  # what is set is for all who open it
    assert after == before
    again = aw.Session.open(tmp_path / "p")
    assert_each_row_belongs_to_its_id(again)
    assert again.clusters is None
    for session in (ada, ben, again):
        session.close()


def test_whoever_brings_the_former_objects_back_finds_them_whole(tmp_path):
    ada = session_of(tmp_path / "p", OTHER_ORDER)
    session_of(tmp_path / "p").close()
    again = session_of(tmp_path / "p", OTHER_ORDER)
    assert "the data have changed" in again.status
    assert_each_row_belongs_to_its_id(again)
    teach(ada)  # the objects are Ada's again, and so is the project
    assert "not kept" not in ada.status
    again.close()
    ada.close()
    opened = aw.Session.open(tmp_path / "p")
    np.testing.assert_array_equal(opened.trained_score, ada.trained_score)
    opened.close()


def test_a_second_kernel_on_the_same_objects_reverts_no_retrain(tmp_path, monkeypatch):
    ada = session_of(tmp_path / "p")
    load = Project.load_arrays

    def load_then_ada_learns(project, *given):
        stored = load(project, *given)
        if np.isnan(ada.relevance).all():
            teach(ada)
        return stored

    with monkeypatch.context() as patch:
        patch.setattr(Project, "load_arrays", load_then_ada_learns)
        ben = session_of(tmp_path / "p", title="Ben's")
    assert np.isfinite(ada.relevance).all()
    for session in (ben, aw.Session.open(tmp_path / "p")):
        np.testing.assert_array_equal(session.trained_score, ada.trained_score)
        session.close()
    ada.close()


def test_two_kernels_that_score_at_once_agree_on_what_was_learned(tmp_path, monkeypatch):
    first = aw.Session._detect
    made = []

    def detect_while_ada_is_quicker(session, given):
        if not made:
            made.append(None)
            made[0] = session_of(tmp_path / "p")
            teach(made[0])
        return first(session, given)

    monkeypatch.setattr(aw.Session, "_detect", detect_while_ada_is_quicker)
    ben = session_of(tmp_path / "p")
    np.testing.assert_array_equal(ben.trained_score, made[0].trained_score)
    ben.close()
    made[0].close()


def test_the_truth_of_a_later_kernel_is_kept_beside_what_was_learned(tmp_path):
    ada = session_of(tmp_path / "p")
    teach(ada)
    session_of(tmp_path / "p", truth=np.arange(N) < 3).close()
    again = aw.Session.open(tmp_path / "p")
    assert again.truth.sum() == 3
    np.testing.assert_array_equal(again.trained_score, ada.trained_score)
    again.close()
    ada.close()


def test_what_two_kernels_write_into_the_manifest_is_there_afterwards(tmp_path):
    ada, ben = Project(tmp_path), Project(tmp_path)
    ada.update_manifest(one=1)
    ben.update_manifest(two=2)
    ada.update_manifest(three=3)
    manifest = Project(tmp_path).manifest
    assert [manifest[name] for name in ("one", "two", "three")] == [1, 2, 3]


def test_who_waits_in_vain_for_another_kernel_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(_folder, "_PATIENCE", 0.0)
    ada, ben = Project(tmp_path), Project(tmp_path)
    with (
        ada.alone(),
        pytest.raises(ProjectError, match=r"cannot be locked.*close what"),
    ):
        ben.update_manifest()
    ben.update_manifest()


# -- a kill at any moment ------------------------------------------------------------------


class _Killed(BaseException):
    """Nobody catches it."""


class _Disk:
    """A disk on which a process dies at its k-th change: from then on nothing happens there."""

    def __init__(self, patch, k):
        self.left, self.dead = k, False
        for owner, name in [
            (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (shutil, "rmtree")
        ]:  # fmt: skip
            patch.setattr(owner, name, self._dying(getattr(owner, name)))

    def _dying(self, real):
        def change(*args, **kwargs):
            if self.dead or self.left == 0:
                self.dead = True
                raise _Killed
            self.left -= 1
            return real(*args, **kwargs)

        return change


def test_a_kill_at_any_moment_leaves_the_objects_of_before_or_those_of_after(tmp_path, monkeypatch):
    ada = session_of(tmp_path / "p", OTHER_ORDER)
    teach(ada)
    ada.close()
    seen = set()
    for k in range(40):
        project = shutil.copytree(tmp_path / "p", tmp_path / f"p{k}")
        killed = False
        with monkeypatch.context() as patch:
            _Disk(patch, k)
            try:
                session_of(project).close()
            except _Killed:
                killed = True
        opened = aw.Session.open(project)
        assert_each_row_belongs_to_its_id(opened)
        assert opened.n_labeled == 2
        after = opened.object_ids[0] == "o0"
        seen.add(after)
        if not after:
            np.testing.assert_array_equal(opened.trained_score, ada.trained_score)
        opened.close()
        session_of(project).close()  # and it is no obstacle for the next
        left = [path.name for path in (project / "data").rglob("*")]
        assert sorted(left[1:]) == ["features.npy", "objects.parquet", "scores.npz"]
        if not killed:
            break
    assert not killed
    assert seen == {False, True}


def test_a_kill_while_a_session_is_saved_leaves_its_labels_here_or_there(tmp_path, monkeypatch):
    found = set()
    for k in range(40):
        session = session_of(None)
        teach(session)
        before, killed = session.project.path / "labels.sqlite", False
        with monkeypatch.context() as patch:
            _Disk(patch, k)
            try:
                session.save(tmp_path / f"p{k}")
            except _Killed:
                killed = True
        if (tmp_path / f"p{k}" / "manifest.json").exists():
            opened = aw.Session.open(tmp_path / f"p{k}")
            assert opened.n_labeled == 2
            np.testing.assert_array_equal(opened.trained_score, session.trained_score)
            opened.close()
            found.add("there")
        else:
            log = LabelStore(before)
            assert len(log.current()) == 2
            log.close()
            found.add("here")
        session.close()
        if not killed:
            break
    assert not killed
    assert found == {"here", "there"}


# -- projects of before --------------------------------------------------------------------


def in_schema_1(project):
    """Lay the files of a project as they lay before each set of objects had a folder."""
    folder = Project(project)
    stages = {"features": folder.key}
    for name in ("scores", "embedding", "clusters"):
        arrays = folder.load_arrays(name)
        if arrays:
            stages[name] = str(arrays.pop("key"))
            np.savez(folder.path / f"{name}.npz", **arrays)
    for name in ("objects.parquet", "features.npy"):
        shutil.copy(folder.data / name, folder.path)
    shutil.rmtree(folder.path / "data")
    manifest = {**folder.manifest, "schema": 1, "stages": stages}
    (folder.path / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def old(tmp_path):
    """Return a trained session with clusters and a map, closed, its project now in schema 1."""
    session = session_of(tmp_path / "old")
    teach(session)
    session.find_clusters("kmeans", n_clusters=2).result(60)
    session.start_embedding("tsne").result(60)
    for thread in session._threads:
        thread.join()
    session.close()
    in_schema_1(tmp_path / "old")
    return session


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("how", ["opened", "explored again"])
def test_a_project_of_schema_1_opens_where_it_was_left(tmp_path, monkeypatch, old, read_only, how):
    def fail(*_, **__):
        raise AssertionError("it is in the project")

    monkeypatch.setattr(embedding, "compute", fail)
    monkeypatch.setattr(clustering, "cluster", fail)
    monkeypatch.setattr(aw.Session, "_detect", fail)
    if read_only:
        monkeypatch.setattr(_folder, "_writable", lambda _: False)
    before = files_of(tmp_path / "old")
    for _ in range(2):
        if how == "opened":
            again = aw.Session.open(tmp_path / "old")
        else:
            again = session_of(tmp_path / "old")
        np.testing.assert_array_equal(again.features, X)
        np.testing.assert_array_equal(again.trained_score, old.trained_score)
        np.testing.assert_array_equal(again.clusters.labels, old.clusters.labels)
        np.testing.assert_array_equal(again.start_embedding("tsne").result(60), old.best_embedding)
        again.close()
    at_top = (tmp_path / "old" / "features.npy").exists()
    assert at_top == read_only
    if read_only:
        assert files_of(tmp_path / "old") == before


def test_a_kill_while_an_old_project_is_taken_over_leaves_it_whole(tmp_path, monkeypatch, old):
    for k in range(40):
        shutil.copytree(tmp_path / "old", tmp_path / f"p{k}")
        killed = False
        with monkeypatch.context() as patch:
            _Disk(patch, k)
            try:
                Project(tmp_path / f"p{k}")
            except _Killed:
                killed = True
        again = aw.Session.open(tmp_path / f"p{k}")
        np.testing.assert_array_equal(again.trained_score, old.trained_score)
        np.testing.assert_array_equal(again.clusters.labels, old.clusters.labels)
        again.close()
        if not killed:
            break
    assert not killed
    assert k > 5


@pytest.mark.parametrize("read_only", [False, True])
def test_an_old_project_that_two_kernels_mixed_up_is_refused_and_can_be_explored_again(
    tmp_path, monkeypatch, old, read_only
):
    other = session_of(tmp_path / "q", OTHER_ORDER)
    shutil.copy(other.project.data / "objects.parquet", tmp_path / "old")
    other.close()
    with monkeypatch.context() as patch:
        if read_only:
            patch.setattr(_folder, "_writable", lambda _: False)
        with pytest.raises(ProjectError, match=r"run aw\.explore.*labels in it are safe"):
            aw.Session.open(tmp_path / "old")
    again = session_of(tmp_path / "old")
    assert_each_row_belongs_to_its_id(again)
    assert again.n_labeled == 2
    again.close()
    assert not (tmp_path / "old" / "features.npy").exists()


# -- what one has not heard of yet ------------------------------------------------------------


@pytest.fixture
def two(tmp_path):
    session_of(tmp_path / "p").close()
    both = [aw.Session.open(tmp_path / "p", annotator=name) for name in ("ada", "ben")]
    yield both
    for each in both:
        each.close()


def test_words_that_another_wrote_meanwhile_stay_when_objects_are_scored_together(two):
    ada, ben = two
    ada.label("o1", 5, tags=("arc",), comment="at last")
    ben.label_many(["o1", "o2"], 3)
    assert ben.label_of("o1")[1:5] == (3.0, ("arc",), "at last", "ben")


def test_words_that_another_wrote_meanwhile_stay_when_one_is_scored_in_the_gallery(two):
    ada, ben = two
    gallery = aw.Gallery(ben)
    ada.label("o1", 5, tags=("arc",), comment="at last")
    gallery._on_score({"object_id": "o1", "score": 2, "event_id": "e"})
    assert ben.label_of("o1")[1:5] == (2.0, ("arc",), "at last", "ben")
    gallery.close()


def test_a_label_that_another_gave_meanwhile_can_be_taken_away(two):
    ada, ben = two
    ada.label("o1", 5)
    ben.unlabel("o1")
    assert ben.score_of("o1") is None
    ada.refresh_labels()
    assert ada.score_of("o1") is None
