import io
from concurrent.futures import Future

import numpy as np
import pytest
from PIL import Image

from astronomaly_widgets import clustering, density
from astronomaly_widgets.density import PointIndex
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets import _map_view, feature_map
from astronomaly_widgets.widgets._canvas_map import CanvasMap
from astronomaly_widgets.widgets._marks_map import MarksMap
from astronomaly_widgets.widgets.feature_map import FeatureMap


def make_session(monkeypatch, n=60):
    rng = np.random.default_rng(0)
    session = Session(
        rng.normal(size=(n, 4)),
        [f"obj-{i:03d}" for i in range(n)],
        anomaly_score=np.linspace(5, 0, n),
    )
    session.pending = Future()  # no UMAP: it takes half a minute and is tested where it belongs
    monkeypatch.setattr(session, "start_embedding", lambda: session.pending)
    return session


@pytest.fixture
def session(monkeypatch):
    made = make_session(monkeypatch)
    yield made
    made.close()


def settle(shown):
    shown._refresher.flush()


def on(shown, object_id, reach=0.01):
    """Where the pointer is when it is on an object, as the front end tells it."""
    window = density.frame(shown.session.best_embedding)
    x, y = map(float, shown.session.best_embedding[shown.session.row_of(object_id)])
    return {
        "x": (x - window.x_min) / (window.x_max - window.x_min),
        "y": (window.y_max - y) / (window.y_max - window.y_min),
        "x_reach": reach,
        "y_reach": reach,
        "window": list(window),
    }


def dots(mark):
    """Places of the dots of a bqplot line that is broken after each of them."""
    if not mark.visible:
        return np.empty((0, 2))
    assert np.isnan(mark.x[1::2]).all()
    assert np.isnan(mark.y[1::2]).all()
    return np.column_stack([mark.x[::2], mark.y[::2]])


def cards(shown):
    return shown._view.comm.messages("card")


def test_the_renderer_is_chosen_by_the_number_of_objects(session, monkeypatch):
    assert isinstance(FeatureMap(session)._renderer, MarksMap)
    monkeypatch.setattr(feature_map, "MOST_MARKS", session.n_objects - 1)
    assert isinstance(FeatureMap(session)._renderer, CanvasMap)


def test_a_click_makes_the_object_current(any_map, session, view_of):
    view_of(any_map._view).send("click", **on(any_map, "obj-007"))
    assert session.current_id == "obj-007"


def test_a_click_on_nothing_changes_nothing(any_map, session, view_of):
    session.current_id = "obj-003"
    answer = view_of(any_map._view).send("click", **{**on(any_map, "obj-007"), "x": 9.0})
    assert answer["type"] == "ack"
    assert session.current_id == "obj-003"


def test_the_pointer_brings_one_message_with_id_score_and_picture(any_map, session, view_of):
    session.label("obj-009", 2)
    answer = view_of(any_map._view).send("hover", **on(any_map, "obj-009"))
    settle(any_map)
    assert answer["found"]
    [card] = cards(any_map)
    score = f"trained score {session.trained_score[9]:.2f}"
    assert (card["object_id"], card["score"], card["label"]) == ("obj-009", score, 2)
    picture = next(m for m in any_map._view.comm.sent if m.get("content") == card)["buffers"][0]
    assert bytes(picture).startswith(b"\xff\xd8")


def test_of_many_hovers_only_the_last_is_drawn(any_map):
    with any_map._refresher._drawing:  # as if one took long
        for row in range(20):
            any_map._point_at(row)
    settle(any_map)
    assert [card["object_id"] for card in cards(any_map)] == ["obj-019"]


def test_a_polygon_selects_what_it_holds(any_map, session, view_of):
    left = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    window = list(density.frame(session.best_embedding))
    answer = view_of(any_map._view).send("select", polygon=left, window=window)
    points = session.best_embedding
    middle = (points[:, 0].min() + points[:, 0].max()) / 2
    want = set(session.object_ids[points[:, 0] < middle])
    assert set(session.selected_ids) == want
    assert answer["n_selected"] == len(want) > 5
    settle(any_map)
    assert any_map._view.head["n_selected"] == len(want)


def test_a_polygon_is_meant_in_the_window_that_was_visible(canvas_map, session, view_of):
    x, y = map(float, session.best_embedding[4])
    around = [x - 0.01, x + 0.01, y - 0.01, y + 0.01]
    everything = [[0, 0], [1, 0], [1, 1], [0, 1]]
    view_of(canvas_map._view).send("select", polygon=everything, window=around)
    assert session.selected_ids == ("obj-004",)


def test_clear_ends_the_selection(any_map, session, view_of):
    session.selected_ids = ("obj-001", "obj-002")
    view_of(any_map._view).send("clear")
    settle(any_map)
    assert session.selected_ids == ()
    assert any_map._view.head["n_selected"] == 0


def test_a_polygon_that_is_none_is_refused_in_words(any_map, session, view_of):
    answer = view_of(any_map._view).send(
        "select", polygon=[[0, 0], [1, 1]], window=[0.0, 1.0, 0.0, 1.0]
    )
    assert answer["type"] == "nack"
    assert "at least 3 corners" in answer["error"]
    assert session.selected_ids == ()


def test_a_polygon_is_meant_in_the_window_bqplot_was_moved_to(marks_map, session, view_of):
    x, y = map(float, session.best_embedding[4])
    scales = marks_map._renderer.figure
    scales.scale_x.min, scales.scale_x.max = x - 0.01, x + 0.01
    scales.scale_y.min, scales.scale_y.max = y - 0.01, y + 0.01
    everything = [[0, 0], [1, 0], [1, 1], [0, 1]]
    view_of(marks_map._view).send("select", polygon=everything, window=None)
    assert session.selected_ids == ("obj-004",)


def test_the_whole_map_comes_back(marks_map, session, view_of):
    figure = marks_map._renderer.figure
    figure.scale_x.min, figure.scale_x.max = 40, 41
    view_of(marks_map._view).send("reset")
    settle(marks_map)
    assert marks_map._renderer.window() == density.frame(session.best_embedding)


def test_a_zoom_keeps_the_place_it_is_asked_for(marks_map, view_of):
    before = marks_map._renderer.window()
    view_of(marks_map._view).send("zoom", factor=0.5, x=0.25, y=1.0)
    after = marks_map._renderer.window()
    assert after.x_max - after.x_min == pytest.approx((before.x_max - before.x_min) / 2)
    quarter = [0.75 * seen.x_min + 0.25 * seen.x_max for seen in (before, after)]
    assert quarter[0] == pytest.approx(quarter[1])
    assert after.y_min == pytest.approx(before.y_min)
    assert after.y_max == pytest.approx((before.y_min + before.y_max) / 2)


def test_every_object_is_drawn_once_in_the_color_of_its_score(marks_map, session):
    *colored, neutral = marks_map._renderer.objects
    drawn = [dots(mark) for mark in colored]
    assert sum(map(len, drawn)) == 60
    assert not neutral.visible
    np.testing.assert_array_equal(
        drawn[-1], session.best_embedding[session.trained_score >= 4.6875]
    )
    assert colored[0].colors == [density.PALETTE[0]]
    assert colored[-1].colors == [density.PALETTE[-1]]


def test_a_selection_stands_out(marks_map, session):
    session.selected_ids = ("obj-003", "obj-009")
    settle(marks_map)
    renderer = marks_map._renderer
    np.testing.assert_array_equal(dots(renderer.chosen), session.best_embedding[[3, 9]])
    faint = renderer.objects[0].opacities
    session.selected_ids = ()
    settle(marks_map)
    assert not renderer.chosen.visible
    assert renderer.objects[0].opacities[0] > 3 * faint[0]


def test_the_current_object_is_ringed(marks_map, session):
    session.current_id = "obj-020"
    settle(marks_map)
    ring = marks_map._renderer.current
    assert ring.visible
    assert [ring.x[0], ring.y[0]] == session.best_embedding[20].tolist()
    session.current_id = None
    settle(marks_map)
    assert not ring.visible


def test_the_canvas_rings_the_current_object(canvas_map, session):
    session.current_id = "obj-020"
    settle(canvas_map)
    assert canvas_map._view.marks["current"] == session.best_embedding[20].tolist()


def test_labels_are_marked_in_the_color_of_their_score(marks_map, session):
    session.label("obj-050", 5)
    session.label("obj-010", 0)
    settle(marks_map)
    renderer, points = marks_map._renderer, session.best_embedding
    np.testing.assert_array_equal(dots(renderer.rims), points[[50, 10]])
    assert [mark.visible for mark in renderer.labeled] == [True, *[False] * 4, True]
    np.testing.assert_array_equal(dots(renderer.labeled[5]), points[[50]])
    assert renderer.labeled[5].colors == [density.PALETTE[5]]
    session.undo()
    settle(marks_map)
    assert [mark.visible for mark in renderer.labeled] == [*[False] * 5, True]


def test_the_canvas_gets_labels_and_top_as_floats(canvas_map, session):
    session.label("obj-050", 5)
    settle(canvas_map)
    labeled = np.frombuffer(canvas_map._view.marks["labeled"], "<f4").reshape(-1, 3)
    np.testing.assert_array_equal(labeled, [[*session.best_embedding[50], 5]])
    top = np.frombuffer(canvas_map._view.marks["top"], "<f4").reshape(-1, 2)
    best = session.row_of(session.ranking("suggested", unlabeled_first=False)[0])
    np.testing.assert_array_equal(top[0], session.best_embedding[best])


def test_the_canvas_never_gets_more_marks_than_it_can_draw(canvas_map, session, monkeypatch):
    monkeypatch.setattr("astronomaly_widgets.widgets._canvas_map.MOST_MARKS", 70)
    session.label_many(session.object_ids[:30], 1)
    session.selected_ids = tuple(session.object_ids)
    canvas_map._refresher.request("labels", "selection", "top")
    settle(canvas_map)
    marks = canvas_map._view.marks
    sizes = [len(marks["labeled"]) // 12, len(marks["top"]) // 8, len(marks["selected"]) // 8]
    assert sum(sizes) <= 70
    assert sizes[0] == 30
    assert marks["n_selected"] == 60


def test_color_by_follows_the_menu(marks_map, session, view_of):
    view = view_of(marks_map._view)
    *colored, neutral = marks_map._renderer.objects
    view.send("color", color_by="label")
    settle(marks_map)
    assert len(dots(neutral)) == 60
    assert not any(mark.visible for mark in colored)
    assert marks_map._view.head["color_by"] == "label"
    assert view.send("color", color_by="mood")["type"] == "nack"
    assert marks_map.color_by == "label"


@pytest.fixture
def clustered(session, monkeypatch):
    """A session whose clusters are found at once, when they are asked for."""
    labels = np.repeat(np.array([0, 1, -1], dtype=np.int32), [30, 20, 10])
    found = clustering.Clusters(labels, np.linspace(0, 1, 60, dtype=np.float32), "kmeans")
    asked = []

    def find():
        asked.append(True)
        session._clusters = found
        session.cluster_revision += 1

    monkeypatch.setattr(session, "find_clusters", find)
    session.asked = asked
    return session


def test_coloring_by_cluster_finds_them_once_and_lists_them(any_map, clustered, view_of):
    view = view_of(any_map._view)
    assert any_map._view.head["legend"]["kinds"] == []
    view.send("color", color_by="cluster")
    settle(any_map)
    assert clustered.asked == [True]
    first, second = density.KIND_COLORS[:2]
    assert any_map._view.head["legend"]["kinds"] == [
        [0, "0", first, 30, "cluster 0"],
        [1, "1", second, 20, "cluster 1"],
    ]
    any_map.color_by = "label"
    any_map.color_by = "cluster"
    settle(any_map)
    assert clustered.asked == [True]


def test_each_cluster_is_drawn_in_its_color_and_what_is_in_none_is_neutral(marks_map, clustered):
    marks_map.color_by = "cluster"
    settle(marks_map)
    renderer = marks_map._renderer
    drawn = [int(np.isfinite(mark.x).sum()) for mark in renderer.kinds if mark.visible]
    assert drawn == [30, 20]
    assert [mark for mark in renderer.objects if mark.visible] == [renderer.objects[-1]]
    marks_map.color_by = "anomaly_score"
    settle(marks_map)
    assert not any(mark.visible for mark in renderer.kinds)


def test_the_canvas_is_painted_by_cluster(canvas_map, clustered):
    canvas_map.color_by = "cluster"
    settle(canvas_map)
    picture = Image.open(io.BytesIO(canvas_map._view.picture["png"]))
    picture = np.asarray(picture.convert("RGBA"))
    seen = {tuple(color) for color in picture[picture[..., 3] > 0][:, :3].tolist()}
    assert {tuple(bytes.fromhex(c[1:])) for c in density.KIND_COLORS[:2]} <= seen


def test_a_cluster_is_selected_with_its_most_typical_first(any_map, clustered, view_of):
    any_map.color_by = "cluster"
    view = view_of(any_map._view)
    view.send("kind", number=1)
    assert clustered.selected_ids == tuple(clustered.object_ids[30:50])
    assert "no cluster 7" in view.send("kind", number=7)["error"]


def test_a_retrain_recolors(marks_map, session):
    session.label("obj-001", 5)
    session.label("obj-040", 0)
    session.retrain().result(60)
    settle(marks_map)
    color = np.minimum(session.trained_score / 5 * 16, 15).astype(int)
    assert not np.array_equal(session.trained_score, session.anomaly_score)
    for k, mark in enumerate(marks_map._renderer.objects):
        np.testing.assert_array_equal(dots(mark), session.best_embedding[color == k])


def test_an_unknown_color_or_mode_is_refused(session):
    with pytest.raises(ValueError, match="color_by must be one of trained_score"):
        FeatureMap(session, color_by="redshift")
    with pytest.raises(ValueError, match="mode must be one of point"):
        FeatureMap(session).mode = "scribble"


def test_clicks_arrive_unless_the_map_is_being_moved(marks_map, view_of):
    view = view_of(marks_map._view)
    figure = marks_map._renderer.figure
    assert figure.interaction is None
    view.send("mode", mode="pan")
    settle(marks_map)
    assert figure.interaction is not None
    view.send("mode", mode="lasso")
    settle(marks_map)
    assert figure.interaction is None


def test_the_embedding_replaces_the_preview_when_it_is_ready(
    any_map, session, view_of, monkeypatch
):
    assert any_map._view.head["embedding"] == "PCA"
    view_of(any_map._view).hello()
    settle(any_map)
    assert any_map._view.head["embedding"] == "PCA (UMAP is being computed)"
    better = np.random.default_rng(1).uniform(size=(60, 2)).astype(np.float32)
    monkeypatch.setattr(type(session), "best_embedding", better)
    monkeypatch.setattr(type(session), "embedding_name", "UMAP")
    session.pending.set_result(better)
    session.embedding_revision += 1
    settle(any_map)
    assert any_map._view.head["embedding"] == "UMAP"
    answer = view_of(any_map._view, "view-2").send("click", **on(any_map, "obj-044", 1e-5))
    assert answer["type"] == "ack"
    assert session.current_id == "obj-044"


def test_an_embedding_that_fails_is_said_and_the_preview_stays(any_map, session, view_of):
    view_of(any_map._view).hello()
    session.pending.set_exception(RuntimeError("no memory"))
    settle(any_map)
    assert any_map._view.head["embedding"] == "PCA (UMAP could not be computed)"


def test_an_embedding_that_comes_while_its_points_are_sorted_is_sorted_itself(
    canvas_map, session, view_of, monkeypatch
):
    settle(canvas_map)
    better = np.random.default_rng(1).uniform(size=(60, 2)).astype(np.float32)
    index_of = PointIndex

    def slow(points):
        monkeypatch.setattr(_map_view, "PointIndex", index_of)
        made = index_of(points)
        monkeypatch.setattr(type(session), "best_embedding", better)
        canvas_map._draw({"points"})
        return made

    monkeypatch.setattr(_map_view, "PointIndex", slow)
    canvas_map._draw({"points"})  # nothing is sorted now
    view = view_of(canvas_map._view)
    view.send("click", **on(canvas_map, "obj-007"))
    view.send("click", **on(canvas_map, "obj-044", 1e-5))
    assert session.current_id == "obj-044"


def test_a_map_that_was_replaced_is_not_said_to_have_failed(any_map, session, view_of):
    view_of(any_map._view).hello()
    session.pending.cancel()
    settle(any_map)
    assert any_map._view.head["embedding"] == "PCA"


def test_the_embedding_is_not_computed_for_a_map_nobody_sees(session, monkeypatch):
    monkeypatch.setattr(session, "start_embedding", lambda: pytest.fail("nobody looks"))
    FeatureMap(session)


def test_a_zoomed_canvas_gets_a_picture_of_what_is_visible(canvas_map, view_of):
    before = canvas_map._view.picture
    window = [-0.5, 0.5, -0.25, 0.25]
    view_of(canvas_map._view).send("view", window=window, width=200, height=100)
    settle(canvas_map)
    after = canvas_map._view.picture
    assert after["key"] > before["key"]
    assert after["window"] == window
    image = Image.open(io.BytesIO(after["png"]))
    assert (image.size, image.mode) == ((200, 100), "P")


@pytest.mark.parametrize("color_by", ["trained_score", "label", "cluster"])
def test_the_compiled_picture_is_the_plain_one(session, monkeypatch, color_by):
    monkeypatch.setattr("astronomaly_widgets.widgets.feature_map.MOST_MARKS", 10)
    if color_by == "cluster":
        session.find_clusters().result()
    pictures = []
    for many in (10, 10_000):
        monkeypatch.setattr("astronomaly_widgets.widgets._canvas_map._MANY", many)
        shown = FeatureMap(session, color_by=color_by)
        settle(shown)
        shown._scene.make_index()
        shown._refresher.request("view")
        settle(shown)
        pictures.append(shown._view.picture["png"])
        shown.close()
    assert pictures[0] == pictures[1]


def test_a_window_without_area_is_refused(canvas_map, view_of):
    view = view_of(canvas_map._view)
    answer = view.send("view", window=[1, 1, 0, 1], width=200, height=100)
    assert "no area" in answer["error"]


def test_a_label_of_an_object_that_is_gone_is_not_marked(tmp_path, monkeypatch):
    X = np.random.default_rng(0).normal(size=(20, 3))
    ids = [f"o{i}" for i in range(20)]
    first = Session(X, ids, project=tmp_path / "p")
    first.label("o3", 5)
    first.label("o4", 1)
    first.close()
    again = Session(X[4:], ids[4:], project=tmp_path / "p")
    shown = FeatureMap(again)
    np.testing.assert_array_equal(dots(shown._renderer.rims), again.best_embedding[[0]])
    assert shown._renderer.labeled[1].visible
    shown.close()
    again.close()


def test_a_closed_map_hears_nothing_more(any_map, session):
    any_map.close()
    any_map.close()
    session.current_id = "obj-001"
    settle(any_map)
    assert any_map._scene.current is None


def test_what_goes_wrong_while_drawing_is_kept_for_the_person(any_map, session, monkeypatch):
    monkeypatch.setattr(any_map._renderer, "draw", lambda *_: 1 / 0)
    any_map._refresher.request("colors")
    settle(any_map)
    assert isinstance(session.last_error, ZeroDivisionError)
