import time
from concurrent.futures import Future
from threading import Event, current_thread

import numpy as np
import pytest

import astronomaly_widgets as aw
from astronomaly_widgets import widgets
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets._refresh import Refresher
from astronomaly_widgets.widgets.dashboard import Dashboard


@pytest.fixture
def session(monkeypatch):
    ids = [f"o{i:03d}" for i in range(80)]
    X = np.random.default_rng(0).normal(size=(80, 3))
    made = Session(X, ids, anomaly_score=np.linspace(5, 0, 80))
    monkeypatch.setattr(made, "start_embedding", Future)
    yield made
    made.close()


@pytest.fixture
def dashboard(session):
    made = Dashboard(session, per_page=10)
    yield made
    made.close()


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def ids_of(gallery):
    return [record["object_id"] for record in gallery.page["records"]]


def step(dashboard, view_of, by):
    view_of(dashboard.inspector, f"view-{time.monotonic()}").send("step", by=by)


def test_a_session_shows_itself_as_a_dashboard(session):
    bundle = session._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert isinstance(session._dashboard, aw.Dashboard)


def test_without_a_kernel_a_notebook_says_what_the_dashboard_showed(dashboard):
    shown = dashboard._repr_mimebundle_()["text/plain"]
    assert shown == f"<Dashboard of {dashboard.session!r}>"
    assert "0 labeled" in shown


def test_the_public_names_are_these_and_sorted():
    assert widgets.__all__ == sorted(widgets.__all__)
    assert [getattr(widgets, name).__name__ for name in widgets.__all__] == widgets.__all__
    assert dir(widgets) == widgets.__all__
    with pytest.raises(AttributeError, match="Scatter"):
        widgets.Scatter  # noqa: B018 - the look-up is what is tested


def test_inspecting_in_the_gallery_enlarges_the_inspector(dashboard, session, view_of):
    view = view_of(dashboard.gallery)
    view.hello()
    view.send("inspect", object_id="o003")
    assert session.current_id == "o003"
    assert [m["type"] for m in dashboard.inspector.comm.messages()] == ["enlarge"]


def test_the_inspector_steps_in_the_order_of_the_gallery(dashboard, session, view_of):
    shown = ids_of(dashboard.gallery)
    session.current_id = shown[3]
    step(dashboard, view_of, 1)
    assert session.current_id == shown[4]
    step(dashboard, view_of, -1)
    step(dashboard, view_of, -1)
    assert session.current_id == shown[2]


def test_stepping_beyond_the_page_turns_it(dashboard, session, view_of):
    shown = ids_of(dashboard.gallery)
    session.label("o010", 0)  # labeled objects are not stepped to beyond the page
    session.current_id = shown[-1]
    step(dashboard, view_of, 1)
    assert session.current_id == "o011"
    wait_until(lambda: "o011" in ids_of(dashboard.gallery))


def test_stepping_stays_within_the_selection(dashboard, session, view_of):
    session.selected_ids = ("o002", "o030")
    wait_until(lambda: ids_of(dashboard.gallery) == ["o002", "o030"])
    session.current_id = "o030"
    step(dashboard, view_of, 1)
    assert session.current_id == "o030"


def test_before_the_first_object_there_is_none(dashboard, session, view_of):
    session.current_id = ids_of(dashboard.gallery)[0]
    step(dashboard, view_of, -1)
    assert session.current_id == ids_of(dashboard.gallery)[0]


def test_two_dashboards_of_one_session_are_in_step(dashboard, session, view_of):
    other = Dashboard(session, per_page=10)
    view_of(dashboard.inspector).send("label", object_id="o004", score=5, tags=[], comment="")
    session.current_id = "o004"
    for each in (dashboard, other):
        each.inspector._refresher.flush()
        each.feature_map._refresher.flush()
        each.recall_panel._refresher.flush()
        assert each.inspector.label["score"] == 5
        assert each.feature_map._renderer.labeled[5].visible
        assert each.recall_panel.found.y.tolist() == [0, 1]
        assert each.feature_map._scene.current == 4
    other.close()


def listeners(session):
    return [
        handler
        for by_type in session._trait_notifiers.values()
        for handlers in by_type.values()
        for handler in handlers
    ]


def test_a_closed_dashboard_leaves_nothing_on_the_session(session):
    before = listeners(session)
    dashboard = Dashboard(session)
    assert len(listeners(session)) > len(before)
    dashboard.close()
    dashboard.close()
    assert listeners(session) == before


# -- drawing again, soon and once ----------------------------------------------------------


def test_a_burst_of_requests_is_drawn_at_most_twice():
    drawn = []
    refresher = Refresher(drawn.append, pytest.fail, interval=0.2)
    for k in range(100):
        refresher.request(str(k))
    wait_until(lambda: sum(map(len, drawn)) == 100)
    assert len(drawn) <= 2


def test_the_first_drawing_is_there_at_once_but_for_many_objects():
    drawn = []
    refresher = Refresher(drawn.append, pytest.fail, delay=3600)
    refresher.begin("curves", n_objects=1000)
    assert drawn == [{"curves"}]
    refresher.begin("points", n_objects=4_000_000)
    assert drawn == [{"curves"}]
    refresher.flush()
    assert drawn == [{"curves"}, {"points"}]
    refresher.close()


def test_a_dashboard_of_many_objects_is_drawn_like_one_of_few(session, monkeypatch):
    few = Dashboard(session)
    monkeypatch.setattr("astronomaly_widgets.widgets._refresh._MANY", 0)
    monkeypatch.setattr(Refresher, "_run", lambda _: None)  # when the page is up, not before
    many = Dashboard(session)
    assert many.feature_map._view.head["embedding"] == "is being drawn"
    for shown in (few, many):
        shown.feature_map._refresher.flush()
        shown.recall_panel._refresher.flush()
    assert many.recall_panel._head.note == few.recall_panel._head.note
    assert many.feature_map._view.head == few.feature_map._view.head
    np.testing.assert_array_equal(many.feature_map._scene.points, few.feature_map._scene.points)
    for shown in (few, many):
        shown.close()


def test_who_waits_for_a_drawing_is_not_kept_waiting():
    drawn, done = [], Event()
    refresher = Refresher(lambda parts: (drawn.append(parts), done.set()), pytest.fail, 3600)
    refresher.request("colors")
    assert done.wait(10)
    done.clear()
    refresher.request("labels")
    refresher.request("view", at_once=True)
    assert done.wait(10)
    assert drawn == [{"colors"}, {"labels", "view"}]
    refresher.close()


def test_what_drawing_raises_is_told_and_the_next_request_is_drawn():
    errors, drawn = [], []

    def draw(parts):
        if "bad" in parts:
            raise ValueError("no ink")
        drawn.append(parts)

    refresher = Refresher(draw, errors.append, interval=0)
    refresher.request("bad")
    refresher.flush()
    refresher.request("good")
    refresher.flush()
    wait_until(lambda: drawn == [{"good"}])
    assert [str(error) for error in errors] == ["no ink"]


def test_a_closed_refresher_draws_nothing():
    refresher = Refresher(lambda _: pytest.fail("closed"), pytest.fail, interval=0)
    refresher.close()
    refresher.request("x")
    refresher.flush()
    assert refresher._thread is None


def test_a_refresher_draws_on_one_thread_that_ends_with_it():
    threads = set()
    refresher = Refresher(lambda _: threads.add(current_thread()), pytest.fail, interval=0)
    for part in "abc":
        refresher.request(part)
        wait_until(lambda: not refresher._parts)
    (thread,) = threads
    refresher.close()
    thread.join(5)
    assert not thread.is_alive()


def test_a_thread_that_draws_nothing_ends_and_comes_back(monkeypatch):
    monkeypatch.setattr("astronomaly_widgets.widgets._refresh._IDLE", 0.01)
    drawn = []
    refresher = Refresher(drawn.append, pytest.fail, interval=0)
    for part in "ab":
        refresher.request(part)
        wait_until(lambda: refresher._thread is None)
    assert drawn == [{"a"}, {"b"}]


def test_what_is_no_session_is_refused_in_words():
    with pytest.raises(TypeError, match=r"shows a session, not ndarray: make one with aw\.explore"):
        Dashboard(np.zeros((3, 2)))
