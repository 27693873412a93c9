"""A session owns the scores and the labels of one search."""

import sqlite3
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from traitlets import TraitError

import astronomaly_widgets as aw
from astronomaly_widgets import clustering, compute, embedding
from astronomaly_widgets._protocols import LearnerScores
from astronomaly_widgets.exceptions import ProjectError, ReadOnlyProjectError
from astronomaly_widgets.project import Project
from astronomaly_widgets.session import _background


def blob(n=60, d=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).astype(np.float32)
    X[:4] += 6
    return X, np.array([f"obj-{i:03d}" for i in range(n)], dtype=object)


@pytest.fixture
def session():
    X, ids = blob()
    catalog = pd.DataFrame(
        {"mag": np.linspace(20, 14, 60), "kind": ["b", "a", "c"] * 20}, index=ids
    )
    session = aw.Session(X, ids, catalog=catalog, learner="neighbor_score")
    yield session
    session.close()


class SlowLearner:
    """Goes on until it is let go or cancelled."""

    def __init__(self):
        self.started, self.go = threading.Event(), threading.Event()

    def fit(self, X, rows, y, anomaly_score):
        self.rows = len(rows)
        return self

    def score(self, X, anomaly_score):
        self.started.set()
        for _ in range(2000):
            compute.report(0.5)
            if self.go.wait(0.01):
                break
        flipped = (5 - np.asarray(anomaly_score)).astype(np.float32)
        return LearnerScores(flipped, flipped, np.full_like(flipped, np.nan), flipped)


class BrokenLearner(SlowLearner):
    def score(self, X, anomaly_score):
        raise ZeroDivisionError("the learner divided by zero")


# -- what goes in --------------------------------------------------------------------------


def test_a_table_names_the_objects_and_the_features():
    X, ids = blob()
    session = aw.Session(pd.DataFrame(X, index=ids, columns=list("abcd")))
    assert session.object_ids.tolist() == ids.tolist()
    assert session.feature_names == ("a", "b", "c", "d")
    session.close()


def test_an_astropy_table_is_a_table():
    from astropy.table import Table

    session = aw.Session(Table({"u": [0.0, 1, 2], "g": [1, 2, 9]}))
    assert session.features.shape == (3, 2)
    assert session.object_ids.tolist() == ["0", "1", "2"]
    session.close()


def test_a_column_of_words_is_named_in_the_error():
    with pytest.raises(ValueError, match=r"not: name;.*aw\.explore"):
        aw.Session(pd.DataFrame({"x": [1.0, 2], "name": ["a", "b"]}))


def test_values_too_large_for_float32_are_set_aside():
    X, ids = blob()
    X = X.astype(np.float64)
    X[5, 1] = 1e60
    session = aw.Session(X, ids)
    assert session.set_aside.loc["obj-005"].tolist() == ["features", "a feature is NaN or infinite"]
    assert session.n_objects == 59
    session.close()


@pytest.mark.parametrize("bad", [np.full(60, 7.0), np.full(60, np.nan), np.zeros(59)])
def test_an_anomaly_score_off_the_scale_is_refused(bad):
    X, ids = blob()
    with pytest.raises(ValueError, match="anomaly_score must"):
        aw.Session(X, ids, anomaly_score=bad)


@pytest.mark.parametrize("name", ["detector", "learner"])
def test_a_wrong_name_is_refused_at_once(name):
    X, ids = blob()
    with pytest.raises(ValueError, match="no-such-thing"):
        aw.Session(X, ids, **{name: "no-such-thing"})


def test_the_catalog_follows_the_objects_whatever_its_order():
    X, ids = blob()
    catalog = pd.DataFrame({"z": np.arange(60.0)}, index=ids)
    session = aw.Session(X, ids, catalog=catalog.iloc[::-1].iloc[:30])
    assert session.catalog["z"].tolist()[30:] == list(range(30, 60))
    assert session.catalog["z"].isna().sum() == 30
    session.close()
    with pytest.raises(ValueError, match="index the catalog by object id"):
        aw.Session(X, ids, catalog=pd.DataFrame({"z": [1.0]}, index=["other"]))


@pytest.mark.parametrize(
    "truth", ["kind_is_a", np.arange(60) % 3 == 1, {f"obj-{i:03d}": i % 3 == 1 for i in range(60)}]
)
def test_truth_comes_as_a_column_an_array_or_a_mapping(truth):
    X, ids = blob()
    catalog = pd.DataFrame({"kind_is_a": np.arange(60) % 3 == 1}, index=ids)
    session = aw.Session(X, ids, catalog=catalog, truth=truth)
    assert session.truth.sum() == 20
    session.close()


# -- labels --------------------------------------------------------------------------------


def test_bad_scores_and_ids_store_nothing(session):
    for bad in (-0.1, 5.01, np.nan, np.inf, "3", b"3", None, True, [1]):
        with pytest.raises(ValueError, match="0 to 5"):
            session.label("obj-000", bad)
    for bad in ("nobody", 0, None, ("a", "b")):
        with pytest.raises(KeyError):
            session.label(bad, 3)
    with pytest.raises(KeyError):
        session.label_many(["obj-000", "nobody"], 3)
    assert len(session.events) == 0


def test_an_object_set_aside_says_so_when_labeled():
    X, ids = blob()
    X[7] = np.nan
    session = aw.Session(X, ids)
    with pytest.raises(KeyError, match="set aside"):
        session.label("obj-007", 3)
    session.close()


def test_rest_of_page_keeps_tags_and_is_one_step(session):
    session.label("obj-001", 4, tags="arc", comment="nice")
    session.label_many(["obj-001", "obj-002"], 0)
    assert session.labels.loc["obj-001", ["score", "tags", "comment"]].tolist() == [
        0,
        ("arc",),
        "nice",
    ]
    assert set(session.undo()) == {"obj-001", "obj-002"}
    assert session.score_of("obj-001") == 4
    assert session.score_of("obj-002") is None


def test_one_word_is_one_object():
    session = aw.Session(blob()[0])
    session.label_many("12", 3)
    assert session.labels["score"].to_dict() == {"12": 3.0}
    session.close()


def test_half_an_emoji_does_not_lose_a_label(session):
    session.label("obj-000", 5, tags=("new \ud83e",), comment="a planet: \ud83e")
    assert session.label_of("obj-000")[1:4] == (5.0, ("new ?",), "a planet: ?")


def test_observers_hear_of_every_change_of_labels(session):
    heard = []
    session.observe(lambda change: heard.append(session.n_labeled), "label_revision")
    session.label("obj-001", 4)
    session.undo()
    session.redo()
    session.unlabel("obj-001")
    assert heard == [1, 0, 1, 0]


def test_a_failing_observer_does_not_lose_the_label(session):
    def fail(_):
        raise RuntimeError("observer")

    session.observe(fail, "label_revision")
    session.label("obj-001", 4)
    assert session.score_of("obj-001") == 4
    assert str(session.last_error) == "observer"


def test_only_an_object_of_the_session_can_be_looked_at(session):
    session.current_id = "obj-003"
    with pytest.raises(KeyError, match="no object 'obj-099' among 60"):
        session.current_id = "obj-099"
    assert session.current_id == "obj-003"
    session.current_id = None


@pytest.mark.parametrize("kind", [np.array, pd.Index, pd.Series, list, tuple])
def test_objects_are_selected_by_whatever_holds_their_names(session, kind):
    session.selected_ids = kind(["obj-003", "obj-001"])
    assert session.selected_ids == ("obj-003", "obj-001")
    with pytest.raises(TraitError, match="tuple"):
        session.selected_ids = "obj-001"


def test_what_no_score_can_reach_does_not_count_as_interesting(session):
    with pytest.raises(TraitError, match=r"'interesting_from'.*5.*9"):
        session.interesting_from = 9
    assert session.interesting_from == 4


def test_found_counts_from_the_score_that_interests(session):
    for k, score in enumerate([0, 3, 4, 5]):
        session.label(f"obj-00{k}", score)
    assert (session.n_labeled, session.n_found) == (4, 2)
    session.interesting_from = 3
    assert session.n_found == 3


# -- retraining ----------------------------------------------------------------------------


def test_a_retrain_follows_the_persons_taste(session):
    for i in range(4):
        session.label(f"obj-{i:03d}", 0)
    before = session.trained_score[:4].copy()
    row = session.retrain().result(60)
    assert (row["n_labels"], row["found"], row["learner"]) == (4, 0, "NeighborScore")
    assert (session.trained_score[:4] < before / 5).all()
    assert session.history["n_labels"].tolist() == [4]
    assert session.retraining is False
    assert np.isfinite(session.relevance).all()


def test_labels_given_during_a_retrain_are_kept_for_the_next(session):
    session.learner = learner = SlowLearner()
    session.label("obj-000", 5)
    future = session.retrain()
    assert learner.started.wait(10)
    assert session.retraining
    session.label("obj-001", 5)
    learner.go.set()
    assert future.result(10)["n_labels"] == 1
    assert session.n_labeled == 2
    session.retrain().result(10)
    assert learner.rows == 2


def test_a_cancelled_retrain_leaves_the_ranking(session):
    session.learner = learner = SlowLearner()
    session.label("obj-000", 5)
    before = session.ranking("trained_score").tolist()
    future = session.retrain()
    assert learner.started.wait(10)
    assert future.cancel()
    with pytest.raises(CancelledError):
        future.result(10)
    with session._one_retrain:
        assert session.ranking("trained_score").tolist() == before
        assert len(session.history) == 0
        assert not session.retraining
    assert not session.cancel_retrain()


def test_a_failed_retrain_says_why_and_leaves_the_ranking(session):
    session.learner = BrokenLearner()
    session.label("obj-000", 5)
    revision = session.score_revision
    with pytest.raises(ZeroDivisionError, match="divided"):
        session.retrain().result(10)
    assert "divided by zero" in session.status
    assert isinstance(session.last_error, ZeroDivisionError)
    assert session.score_revision == revision
    session.learner = "neighbor_score"
    session.retrain().result(60)


def test_labels_that_cannot_be_read_fail_a_retrain_in_words(session, monkeypatch):
    class Locked:
        def execute(self, *_):
            raise sqlite3.OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(session._store, "_connection", Locked())
        with pytest.raises(ProjectError, match=r"cannot be read.*database is locked"):
            session.retrain().result(10)
    assert session.status.startswith("retrain failed, the ranking is as it was")
    assert not session.retraining


def test_a_learner_of_the_wrong_shape_is_refused(session):
    class Short(SlowLearner):
        def score(self, X, anomaly_score):
            return LearnerScores(*[np.zeros(3, np.float32)] * 4)

    session.learner = Short()
    session.label("obj-000", 5)
    with pytest.raises(ValueError, match="shape"):
        session.retrain().result(10)


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 2)])
def test_what_a_learner_leaves_out_must_be_one_number_per_label(session, shape):
    class Odd(SlowLearner):
        def score(self, X, anomaly_score):
            return LearnerScores(*[anomaly_score] * 4, left_out=np.zeros(shape))

    session.learner = Odd()
    session.label("obj-000", 5)
    session.label("obj-001", 0)
    with pytest.raises(ValueError, match="left_out has shape"):
        session.retrain().result(10)


def test_closing_cancels_everything_in_the_background(session, monkeypatch):
    def find(*_, **__):
        looking.set()
        for _ in range(2000):
            compute.report(0.5)
            session.learner.go.wait(0.01)

    looking = threading.Event()
    monkeypatch.setattr(clustering, "cluster", find)
    session.learner = SlowLearner()
    session.label("obj-000", 5)
    futures = [session.retrain(), session.retrain(), session.find_clusters()]
    assert session.learner.started.wait(10)
    assert looking.wait(10)
    session.close()
    assert [future.cancelled() for future in futures] == [True, True, True]
    assert not any(thread.is_alive() for thread in session._threads)


def test_what_was_learned_is_not_learned_from_again(session):
    for i in range(12):
        session.label(f"obj-{i:03d}", i % 6)
    session.retrain().result(60)
    once = session.trained_score.copy()
    session.retrain().result(60)
    np.testing.assert_array_equal(session.trained_score, once)


def test_two_retrains_run_one_after_the_other(session):
    session.label("obj-000", 5)
    futures = [session.retrain() for _ in range(3)]
    assert [f.result(60)["n_labels"] for f in futures] == [1, 1, 1]
    assert len(session.history) == 3


# -- rankings ------------------------------------------------------------------------------


def test_every_order_names_each_object_once(session):
    session.label("obj-010", 5)
    session.retrain().result(60)
    for order in session.orders:
        ids = session.ranking(order)
        assert sorted(ids) == sorted(session.object_ids), order
        assert ids[-1] == "obj-010", order
        assert session.ranking(order, unlabeled_first=False).tolist().count("obj-010") == 1


def test_a_catalog_column_is_an_order(session):
    assert session.ranking("mag")[0] == "obj-000"
    assert session.ranking("-mag")[0] == "obj-059"
    assert session.ranking("kind")[:2].tolist() == ["obj-001", "obj-004"]
    with pytest.raises(ValueError, match=r"no order 'color'.*mag"):
        session.ranking("color")


def test_a_condition_narrows_the_ranking(session):
    assert len(session.ranking("mag", where="mag > 19 and kind == 'a'")) == 3
    assert (
        len(session.ranking(where=session.anomaly_score > 2)) == (session.anomaly_score > 2).sum()
    )
    with pytest.raises(ValueError, match="not understood"):
        session.ranking(where="colour > 1")
    with pytest.raises(ValueError, match="bool array"):
        session.ranking(where=[1, 2])


def test_the_random_order_stays_the_same(session):
    assert session.ranking("random").tolist() == session.ranking("random").tolist()
    assert session.ranking("random").tolist() != session.ranking("original").tolist()


def test_neighbors_are_the_nearest_and_not_the_object_itself(session):
    near = session.similar_to("obj-000", 3)
    distance = np.linalg.norm(session.features - session.features[0], axis=1)
    assert near.tolist() == [f"obj-{i:03d}" for i in np.argsort(distance)[1:4]]
    assert len(session.similar_to("obj-000", 500)) == 59


# -- the project ---------------------------------------------------------------------------


def test_a_project_opens_exactly_where_it_was_left(tmp_path):
    X, ids = blob()
    X[9] = np.nan
    first = aw.Session(
        X, ids, project=tmp_path / "p", catalog=pd.DataFrame({"ra": X[:, 0]}, index=ids)
    )
    first.label("obj-003", 5, tags=["ring"], comment="ü")
    first.retrain().result(60)
    first.save_view_state(current_id="obj-003", order="relevance")
    first.interesting_from = 2.5
    first.close()
    again = aw.Session.open(tmp_path / "p")
    for name in ("trained_score", "relevance", "anomaly_score", "features", "object_ids"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert again.labels.loc["obj-003", "tags"] == ("ring",)
    assert again.history["n_labels"].tolist() == [1]
    assert again.interesting_from == 2.5
    assert (again.current_id, again.view_state["order"]) == ("obj-003", "relevance")
    assert again.set_aside.index.tolist() == ["obj-009"]
    assert again.catalog.columns.tolist() == ["ra"]
    assert again.undo() == ("obj-003",)
    again.close()


def test_the_same_data_again_keep_the_trained_ranking(tmp_path):
    X, ids = blob()
    first = aw.Session(X, ids, project=tmp_path / "p")
    first.label("obj-000", 0)
    first.retrain().result(60)
    second = aw.Session(X, ids, project=tmp_path / "p")
    np.testing.assert_array_equal(second.trained_score, first.trained_score)
    second.label("obj-001", 2)
    first.label("obj-002", 3)
    assert first.retrain().result(60)["n_labels"] == 3
    second.refresh_labels()
    assert second.labels["score"].to_dict() == first.labels["score"].to_dict()
    first.close()
    second.close()


def test_changed_data_are_scored_anew_and_said_so(tmp_path):
    X, ids = blob()
    first = aw.Session(X, ids, project=tmp_path / "p")
    first.label("obj-000", 0)
    first.retrain().result(60)
    first.close()
    second = aw.Session(X + 1, ids, project=tmp_path / "p")
    assert "changed" in second.status
    np.testing.assert_array_equal(second.trained_score, second.anomaly_score)
    assert second.n_labeled == 1
    second.close()


def test_labels_of_objects_that_are_gone_wait_apart(tmp_path):
    X, ids = blob()
    first = aw.Session(X, ids, project=tmp_path / "p")
    first.label("obj-000", 5)
    first.label("obj-050", 1)
    first.close()
    second = aw.Session(X[:20], ids[:20], project=tmp_path / "p")
    assert second.labels.index.tolist() == ["obj-000"]
    assert second.absent_labels.index.tolist() == ["obj-050"]
    second.retrain().result(60)
    second.close()


def test_a_session_without_a_project_can_be_saved_into_one(tmp_path, session):
    session.label("obj-000", 5)
    session.undo()
    session.redo()
    session.retrain().result(60)
    assert session.is_temporary
    session.save(tmp_path / "kept")
    session.label("obj-001", 1)
    again = aw.Session.open(tmp_path / "kept")
    assert again.labels["score"].to_dict() == {"obj-000": 5, "obj-001": 1}
    assert again.title == session.title == "kept"
    np.testing.assert_array_equal(again.trained_score, session.trained_score)
    again.close()
    with pytest.raises(ProjectError, match="already"):
        session.save(tmp_path / "elsewhere")


def test_clusters_and_the_map_are_saved_with_a_session(tmp_path, session, monkeypatch):
    monkeypatch.setattr(embedding, "compute", lambda X, **_: X[:, 1:3].copy())
    found = session.find_clusters("kmeans", n_clusters=2).result(60)
    xy = session.start_embedding("tsne").result(60)
    session.save(tmp_path / "kept")
    monkeypatch.setattr(embedding, "compute", lambda X, **_: X[:, :2])
    again = aw.Session.open(tmp_path / "kept")
    np.testing.assert_array_equal(again.clusters.labels, found.labels)
    np.testing.assert_array_equal(again.start_embedding("tsne").result(60), xy)
    again.close()


def test_a_label_given_while_a_session_is_saved_is_in_the_project(tmp_path, session, monkeypatch):
    session.label("obj-000", 5)
    labeling = threading.Thread(target=session.label, args=("obj-001", 4))
    connect = sqlite3.connect

    def while_somebody_labels(path, *given, **more):
        if "labels" in str(path) and not labeling.ident:
            labeling.start()
            labeling.join(0.1)
        return connect(path, *given, **more)

    monkeypatch.setattr(sqlite3, "connect", while_somebody_labels)
    session.save(tmp_path / "kept")
    labeling.join()
    again = aw.Session.open(tmp_path / "kept")
    assert again.labels["score"].to_dict() == {"obj-000": 5, "obj-001": 4}
    again.close()


def test_a_session_that_could_not_be_saved_goes_on_where_it_was(tmp_path, session, monkeypatch):
    session.label("obj-000", 5)
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            session.save(tmp_path / "kept")
    assert session.is_temporary
    session.label("obj-001", 4)
    session.save(tmp_path / "kept")
    again = aw.Session.open(tmp_path / "kept")
    assert again.n_labeled == 2
    again.close()


def test_a_temporary_folder_stays_only_if_it_holds_labels():
    empty, used = aw.Session(blob()[0]), aw.Session(blob()[0])
    folders = [session.project.path for session in (empty, used)]
    assert all(folder.is_dir() for folder in folders)
    used.label("0", 3)
    empty.close()
    used.close()
    assert [folder.is_dir() for folder in folders] == [False, True]


def test_a_read_only_project_shows_and_refuses(tmp_path, monkeypatch):
    X, ids = blob()
    first = aw.Session(X, ids, project=tmp_path / "p")
    first.label("obj-000", 5)
    first.close()
    monkeypatch.setattr("astronomaly_widgets.project._folder._writable", lambda _: False)
    session = aw.Session.open(tmp_path / "p")
    assert session.read_only
    assert session.n_labeled == 1
    with pytest.raises(ReadOnlyProjectError, match="read-only"):
        session.label("obj-001", 5)
    session.retrain().result(60)
    assert np.isfinite(session.relevance).all()
    session.close()


def test_a_project_that_was_never_finished_says_so(tmp_path):
    Project(tmp_path / "p").update_manifest()
    with pytest.raises(ProjectError, match="never finished"):
        aw.Session.open(tmp_path / "p")


def test_a_manifest_cannot_make_a_session_run_code(tmp_path):
    X, ids = blob()
    aw.Session(X, ids, project=tmp_path / "p").close()
    project = Project(tmp_path / "p")
    spec = {"room": "os", "name": "system", "arguments": {"command": "touch pwned"}}
    project.update_manifest(session={**project.manifest["session"], "source": spec})
    session = aw.Session.open(tmp_path / "p")
    assert session.source is None
    session.close()


def test_pictures_that_a_chain_prepares_are_there_again(tmp_path):
    images = np.random.default_rng(0).normal(size=(12, 20, 20, 3)).astype("float32")
    np.save(tmp_path / "stack.npy", images)
    session = aw.explore(
        tmp_path / "stack.npy",
        features="raw",
        display=["lupton_rgb"],
        project=tmp_path / "p",
        progress=False,
    )
    name, shown = session.object_ids[0], session.source.read(session.object_ids[0])
    session.close()
    again = aw.Session.open(tmp_path / "p")
    np.testing.assert_array_equal(again.source.read(name), shown)
    assert shown.dtype == np.uint8
    again.close()
    (tmp_path / "stack.npy").unlink()
    assert aw.Session.open(tmp_path / "p").source is None


@pytest.mark.parametrize("name", ["Chain", "grey", "PreparedSource"])
def test_a_manifest_can_only_name_a_prepared_source_of_a_source(tmp_path, name):
    X, ids = blob()
    aw.Session(X, ids, project=tmp_path / "p").close()
    project = Project(tmp_path / "p")
    inner = {"room": "os", "name": "system", "arguments": {"command": "touch pwned"}}
    spec = {"room": "preprocess", "name": name, "arguments": {"source": inner, "chain": []}}
    project.update_manifest(session={**project.manifest["session"], "source": spec})
    session = aw.Session.open(tmp_path / "p")
    assert session.source is None
    session.close()


# -- results -------------------------------------------------------------------------------


def test_results_hold_every_object_and_every_digit(session, tmp_path):
    session.label("obj-002", 4.5, tags=("a", "b;c"), comment='"quoted"\nü')
    session.export(tmp_path / "out.csv")
    back = pd.read_csv(tmp_path / "out.csv", index_col="object_id")
    assert len(back) == 60
    assert back.loc["obj-002", ["score", "comment"]].tolist() == [4.5, '"quoted"\nü']
    # the reader of pandas 2 rounds the last digit
    assert back["mag"].tolist() == pytest.approx(session.catalog["mag"].tolist(), rel=1e-15)
    with pytest.raises(ValueError, match=r"\.xlsx.*\.csv"):
        session.export(tmp_path / "out.xlsx")


def test_it_says_what_it_is(session):
    assert repr(session) == "<Session 'Session': 60 objects, 0 set aside, 0 labeled, 0 found>"


def test_the_first_map_does_not_hold_labels_up(session):
    with ThreadPoolExecutor(1) as pool, session.lock:  # as while a label is stored
        assert pool.submit(lambda: session.embedding_preview).result(60).shape == (60, 2)


def test_a_map_is_the_one_that_was_asked_for_and_another_takes_its_place(session, monkeypatch):
    begun, computed = [], []

    class Late(threading.Thread):
        def start(self):
            begun.append(self)

    def compute_map(X, *, method, random_state):
        computed.append(method)
        return np.zeros((len(X), 2), np.float32)

    monkeypatch.setattr(_background, "Thread", Late)
    monkeypatch.setattr(embedding, "compute", compute_map)
    first, second = session.start_embedding("umap"), session.start_embedding("tsne")
    for thread in begun:
        threading.Thread.start(thread)
    assert second.result(10).shape == (60, 2)
    for thread in begun:
        thread.join(10)
    assert first.cancelled()
    assert computed == ["tsne"]
    assert session.embedding_name == "t-SNE"
