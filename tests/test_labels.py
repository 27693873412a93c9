"""The label log: nothing is lost, everything can be taken back."""

import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astronomaly_widgets.exceptions import (
    ProjectError,
    ProjectVersionError,
    ReadOnlyProjectError,
)
from astronomaly_widgets.labels import Entry, LabelStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def store(path):
    store = LabelStore(path, annotator="ada")
    yield store
    store.close()


def scores(store):
    return {label.object_id: label.score for label in store.current()}


def test_a_label_remembers_who_when_and_what(store):
    before = datetime.now(UTC)
    store.append([Entry("m31", 4.5, ("spiral", "a, b"), "Größe ≥ 3°")], seconds=1.5)
    label = store.get("m31")
    assert label[:5] == ("m31", 4.5, ("spiral", "a, b"), "Größe ≥ 3°", "ada")
    assert before <= label.time <= datetime.now(UTC)
    assert store.events()["seconds"].tolist() == [1.5]


def test_the_last_label_of_an_object_counts(store):
    store.append([Entry("a", 1.0)])
    store.append([Entry("a", 5.0)])
    assert scores(store) == {"a": 5.0}
    store.append([Entry("a", None)])
    assert scores(store) == {}
    assert len(store.events()) == 3


def test_a_repeated_message_is_stored_once(store):
    assert store.append([Entry("a", 1.0)], event_id="e1")
    assert not store.append([Entry("a", 2.0)], event_id="e1")
    assert scores(store) == {"a": 1.0}
    store.undo(event_id="u1")
    assert store.undo(event_id="u1") == ()
    assert len(store.events()) == 2


def test_one_undo_takes_back_a_whole_step(store):
    store.append([Entry("a", 1.0)])
    store.append([Entry("a", 0.0), Entry("b", 0.0), Entry("c", 0.0)], event_id="rest")
    assert store.undo() == ("a", "b", "c")
    assert scores(store) == {"a": 1.0}
    assert store.redo() == ("a", "b", "c")
    assert scores(store) == {"a": 0.0, "b": 0.0, "c": 0.0}


def test_undo_and_redo_go_on_after_opening_again(store, path):
    for k in range(50):
        store.append([Entry(f"o{k}", k % 6)])
    for _ in range(10):
        store.undo()
    store.close()
    again = LabelStore(path, annotator="ada")
    for _ in range(40):
        assert again.undo()
    assert not again.can_undo
    assert scores(again) == {}
    for _ in range(50):
        assert again.redo()
    assert not again.can_redo
    assert scores(again) == {f"o{k}": k % 6 for k in range(50)}
    again.close()


def test_a_new_label_ends_the_chance_to_redo(store):
    store.append([Entry("a", 1.0)])
    store.undo()
    assert store.can_redo
    store.append([Entry("b", 1.0)])
    assert not store.can_redo
    assert store.redo() == ()


def test_undo_takes_back_only_ones_own_steps(store, path):
    other = LabelStore(path, annotator="bob")
    store.append([Entry("a", 1.0)])
    other.append([Entry("a", 5.0)])
    assert store.undo() == ("a",)
    assert scores(store) == {"a": 5.0}
    other.undo()
    store.refresh()
    assert scores(store) == {}
    other.close()


def test_two_stores_of_one_log_see_each_other(store, path):
    other = LabelStore(path, annotator="ada")
    store.append([Entry("a", 1.0)])
    other.append([Entry("b", 2.0)])
    assert store.refresh() == 1
    assert scores(store) == scores(other) == {"a": 1.0, "b": 2.0}
    assert other.undo() == ("b",)
    store.refresh()
    assert store.undo() == ("a",)
    other.close()


def test_labels_from_many_threads_all_arrive(store, path):
    other = LabelStore(path, annotator="bob")

    def work(k):
        target = store if k % 2 else other
        for i in range(25):
            target.append([Entry(f"{k}-{i}", i % 6)])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.refresh()
    assert scores(store) == {f"{k}-{i}": i % 6 for k in range(4) for i in range(25)}
    other.close()


def test_labels_from_two_processes_all_arrive(path, store):
    code = """
        import sys
        from pathlib import Path
        from astronomaly_widgets.labels import Entry, LabelStore
        store = LabelStore(Path(sys.argv[1]), annotator=sys.argv[2])
        for i in range(60):
            store.append([Entry(f"{sys.argv[2]}-{i}", i % 6)])
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    children = [subprocess.Popen([*command, name]) for name in ("x", "y")]
    assert [child.wait() for child in children] == [0, 0]
    store.refresh()
    assert scores(store) == {f"{n}-{i}": i % 6 for n in ("x", "y") for i in range(60)}


def test_a_log_that_moves_takes_along_all_steps_and_who_waits(store, path, monkeypatch):
    for k in range(5):
        store.append([Entry(f"o{k}", k)])
    store.undo()
    waiting = threading.Thread(target=store.append, args=([Entry("late", 5.0)],))
    replace = Path.replace

    def while_somebody_labels(*given):
        waiting.start()
        waiting.join(0.1)
        return replace(*given)

    monkeypatch.setattr(Path, "replace", while_somebody_labels)
    store.move_to(path.with_name("new.sqlite"))
    waiting.join()
    store.append([Entry("later", 1.0)])
    expected = {"o0": 0.0, "o1": 1.0, "o2": 2.0, "o3": 3.0, "late": 5.0, "later": 1.0}
    assert scores(store) == expected
    store.close()
    again = LabelStore(path.with_name("new.sqlite"), annotator="ada")
    assert scores(again) == expected
    assert again.undo() == ("later",)
    again.close()


def test_a_log_that_cannot_move_stays_where_it_is(store, path):
    store.append([Entry("a", 1.0)])
    with pytest.raises(ProjectError, match="could not be copied to"):
        store.move_to(path.parent / "nowhere" / "labels.sqlite")
    store.append([Entry("b", 2.0)])
    store.close()
    again = LabelStore(path)
    assert scores(again) == {"a": 1.0, "b": 2.0}
    again.close()


def test_the_order_is_that_of_first_being_labeled(store):
    for name in ("c", "a", "b"):
        store.append([Entry(name, 1.0)])
    store.append([Entry("c", 2.0)])
    assert [label.object_id for label in store.current()] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "'; DROP TABLE events; --", "🪐", "x" * 200, ""]
)
def test_odd_names_are_only_names(store, name):
    store.append([Entry(name, 3.0, (name,), name)])
    assert store.get(name)[:4] == (name, 3.0, (name,), name)


def test_a_failed_write_leaves_memory_as_the_disk_is(store):
    store.append([Entry("a", 1.0)])
    with pytest.raises(ProjectError, match="could not be stored"):
        store.append([Entry("b", 2.0), Entry("c", 3.0, comment=object())])
    assert scores(store) == {"a": 1.0}
    store.append([Entry("b", 4.0)])
    assert scores(store) == {"a": 1.0, "b": 4.0}


def test_a_failed_write_is_said_and_forgets_nothing_though_the_disk_is_gone(store):
    store.append([Entry("a", 1.0)])
    store._connection.close()
    with pytest.raises(ProjectError, match="could not be stored"):
        store.append([Entry("b", 2.0)])
    assert scores(store) == {"a": 1.0}


@pytest.mark.parametrize("fate", ["deleted", "renamed", "replaced"])
def test_no_label_goes_to_a_file_that_is_not_there_any_more(store, path, fate):
    store.append([Entry("a", 1.0)])
    if fate == "replaced":  # as what keeps folders alike, or restores one, does
        LabelStore(path.with_name("other.sqlite")).close()
        path.with_name("other.sqlite").replace(path)
    elif fate == "renamed":
        path.rename(path.with_name("other.sqlite"))
    else:
        path.unlink()
    for change in (lambda: store.append([Entry("b", 2.0)]), store.undo):
        with pytest.raises(ProjectError, match=r"not stored.*open it again"):
            change()
    assert scores(store) == {"a": 1.0}


def test_a_log_that_cannot_be_read_says_so(store):
    store.close()
    for read in (store.refresh, store.events):
        with pytest.raises(ProjectError, match=r"cannot be read.*closed"):
            read()


def test_a_file_that_is_no_log_is_refused(path):
    path.write_text("not a database, but long enough to look at" * 50)
    with pytest.raises(ProjectError, match="label log"):
        LabelStore(path)


def test_a_log_of_a_newer_schema_is_refused(store, path):
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProjectVersionError, match=r"schema 99.*upgrade"):
        LabelStore(path)


def test_a_read_only_store_shows_and_refuses(store, path):
    store.append([Entry("a", 1.0)])
    looking = LabelStore(path, read_only=True)
    assert scores(looking) == {"a": 1.0}
    with pytest.raises(ReadOnlyProjectError, match="not stored"):
        looking.append([Entry("b", 1.0)])
    with pytest.raises(ReadOnlyProjectError):
        looking.undo()
    store.append([Entry("b", 2.0)])
    assert looking.refresh() == 1
    looking.close()


@pytest.mark.parametrize("earlier", [0, 3])
def test_a_read_only_store_shows_what_a_dead_kernel_left_beside_the_log(path, tmp_path, earlier):
    store = LabelStore(path)
    store.append([Entry(f"o{k}", 1.0) for k in range(earlier)])
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.append([Entry("last", 5.0)])
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copyfile(path.with_name(name), folder / name)
    (folder / f"{path.name}-shm").symlink_to("nowhere/at all")  # no index can be made
    looking = LabelStore(folder / path.name, read_only=True)
    assert scores(looking) == scores(store)
    looking.close()
    store.close()


def test_a_read_only_store_without_a_log_is_empty(tmp_path):
    store = LabelStore(tmp_path / "none.sqlite", read_only=True)
    assert store.current() == []
    assert not (tmp_path / "none.sqlite").exists()
    store.close()


actions = st.lists(
    st.one_of(
        st.tuples(st.just("label"), st.sampled_from("abc"), st.integers(0, 5)),
        st.tuples(st.just("unlabel"), st.sampled_from("abc"), st.none()),
        st.tuples(st.sampled_from(["undo", "redo", "reopen"]), st.none(), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=40)
@given(actions=actions)
def test_the_log_behaves_like_a_stack_of_snapshots(tmp_path_factory, actions):
    path = tmp_path_factory.mktemp("log") / "labels.sqlite"
    store = LabelStore(path, annotator="ada")
    past, future, now = [], [], {}
    for kind, name, score in actions:
        if kind in ("label", "unlabel"):
            past.append(dict(now))
            future.clear()
            now.pop(name, None)
            if kind == "label":
                now[name] = score
            store.append([Entry(name, None if score is None else float(score))])
        elif kind == "undo" and past:
            future.append(dict(now))
            now = past.pop()
            store.undo()
        elif kind == "redo" and future:
            past.append(dict(now))
            now = future.pop()
            store.redo()
        elif kind == "reopen":
            store.close()
            store = LabelStore(path, annotator="ada")
        assert scores(store) == now
    store.close()
