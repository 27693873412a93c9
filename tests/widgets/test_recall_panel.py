import numpy as np
import pytest

from astronomaly_widgets import evaluation
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets import _curves, recall_panel
from astronomaly_widgets.widgets.recall_panel import RecallPanel


def make_session(**more):
    rng = np.random.default_rng(0)
    ids = [f"o{i:02d}" for i in range(50)]
    return Session(rng.normal(size=(50, 3)), ids, anomaly_score=np.linspace(5, 0, 50), **more)


@pytest.fixture
def session():
    made = make_session()
    yield made
    made.close()


@pytest.fixture
def panel(session):
    made = RecallPanel(session)
    yield made
    made.close()


def settle(panel):
    panel._refresher.flush()


def texts(panel):
    return list(panel.names.text)


def test_nothing_is_drawn_before_the_first_label(panel):
    assert panel.found.y.tolist() == [0]
    assert texts(panel) == []
    assert panel._head.note == "score objects to see what is found"


def test_the_line_counts_what_was_found(panel, session):
    for object_id, score in [("o00", 5), ("o01", 0), ("o30", 4), ("o31", 3)]:
        session.label(object_id, score)
    settle(panel)
    assert panel.found.x.tolist() == [0, 1, 2, 3, 4]
    assert panel.found.y.tolist() == [0, 1, 1, 2, 2]
    assert panel._head.note == "2 interesting of 4 labeled"


def test_thousands_are_written_with_commas():
    session = Session(np.random.default_rng(0).normal(size=(1200, 3)))
    session.label_many(session.object_ids[:1100], 5)
    panel = RecallPanel(session)
    settle(panel)
    assert panel._head.note == "1,100 interesting of 1,100 labeled"
    assert texts(panel)[0] == "you 1,100"
    panel.close()
    session.close()


def test_what_is_left_opens_as_a_band_and_is_told(panel, session):
    for k in range(24):
        session.label(f"o{k:02d}", 5 if k in (1, 2, 22) else 0)
    settle(panel)
    assert panel.band.y.tolist() == [0]
    session.retrain().result(60)
    settle(panel)
    left = session.remaining()
    assert panel.band.x.tolist() == [24, panel._x.max]
    assert panel.band.y.tolist() == [[3, 3 + left.low], [3, 3 + left.high]]
    interval = f"90%: {left.low:.0f}-{left.high:.0f}"
    assert panel._head.note == f"last 20: 1 found · about {left.expected:.0f} left ({interval})"
    assert left.low <= left.expected <= left.high
    assert panel._x.max > 24


def test_an_interval_that_says_nothing_is_not_shown(panel, session, monkeypatch):
    vague = evaluation.Remaining(20.0, 3.0, 731.0, 0.9)
    monkeypatch.setattr(type(session), "remaining", lambda self, level=0.9: vague)
    for k in range(24):
        session.label(f"o{k:02d}", 5 if k < 3 else 0)
    settle(panel)
    assert panel.band.y.tolist() == [0]
    assert panel._head.note == "3 interesting of 24 labeled"


def test_what_a_random_sample_says_is_told(panel, session):
    for object_id in session.draw_audit(20):
        session.label(object_id, 0)
    settle(panel)
    left = session.remaining_by_audit()
    sample = f"random sample: {left.low:.0f}-{left.high:.0f} left"
    assert panel._head.note == f"last 20: 0 found · {sample}"


def test_the_band_never_squeezes_the_line(panel, session, monkeypatch):
    far = evaluation.Remaining(30.0, 10.0, 55.0, 0.9)
    monkeypatch.setattr(type(session), "remaining", lambda self, level=0.9: far)
    for k in range(24):
        session.label(f"o{k:02d}", 5 if k < 6 else 0)
    settle(panel)
    assert panel._y.max <= 20


def test_without_truth_the_others_are_lower_bounds_and_say_so(panel, session):
    for object_id, score in [("o00", 5), ("o01", 0), ("o30", 4), ("o31", 3)]:
        session.label(object_id, score)
    settle(panel)
    assert panel.detector.y.tolist() == [0, 1, 1, 1, 1]
    np.testing.assert_allclose(panel.random.y, np.arange(5) * 2 / 50)
    assert texts(panel) == ["you 2", "detector ≥ 1", "random ≥ 0"]
    assert len(panel.ranking.y) == 1


def test_with_truth_the_lines_are_exact_and_the_ranking_is_drawn():
    truth = np.zeros(50, dtype=bool)
    truth[[0, 2, 40]] = True
    session = make_session(truth=truth)
    panel = RecallPanel(session)
    session.label("o02", 0)
    settle(panel)
    assert texts(panel) == ["you 1", "detector 1", "random 0", "ranking"]
    assert panel.ranking.y[:4].tolist() == [0, 1, 1, 2]
    assert panel._head.note == "1 of 3 · half of them in the ranking's first 3"
    panel.close()
    session.close()


def test_interesting_starts_where_the_session_says(panel, session):
    session.label("o00", 3)
    session.interesting_from = 2.5
    settle(panel)
    assert panel.found.y.tolist() == [0, 1]


def test_each_retrain_gets_a_line(panel, session):
    session.label("o00", 5)
    session.retrain().result(60)
    session.label("o01", 0)
    session.label("o02", 0)
    session.retrain().result(60)
    settle(panel)
    assert panel.retrains.x.tolist() == [[1, 1], [3, 3]]
    assert panel.retrains.y[0].tolist() == [0, panel._y.max]


def test_undo_takes_the_point_back(panel, session):
    session.label("o00", 5)
    session.undo()
    settle(panel)
    assert panel.found.y.tolist() == [0]


def test_axes_are_whole_numbers_and_hold_the_lines(panel, session):
    session.label_many(session.object_ids[:37], 5)
    settle(panel)
    x_axis, y_axis = panel.figure.axes
    assert x_axis.tick_values.tolist() == [0, 10, 20, 30, 40]
    assert y_axis.tick_values.tolist() == [0, 10, 20, 30, 40]
    assert (panel._x.max, panel._y.max) == (40, 40)


def test_many_labels_at_once_are_drawn_once(panel, session, monkeypatch):
    drawn = []
    monkeypatch.setattr(panel, "_show", lambda curves, *_: drawn.append(len(curves.found)))
    with panel._refresher._drawing:  # as if one took long
        for object_id in session.object_ids[:30]:
            session.label(object_id, 1)
    settle(panel)
    assert drawn == [31]


@pytest.mark.parametrize(
    ("highest", "n", "want"),
    [
        (5, 4, [0, 2, 4, 6]),
        (1, 4, [0, 1]),
        (37, 4, [0, 10, 20, 30, 40]),
        (1000, 5, [0, 200, 400, 600, 800, 1000]),
    ],
)
def test_ticks_are_round_and_reach_the_top(highest, n, want):
    assert _curves.ticks(highest, n).tolist() == want


def test_names_keep_apart_in_their_order():
    assert recall_panel.apart([5, 5, 1, 1.5], 1) == [5, 6, 1, 2]
    assert recall_panel.apart([], 1) == []


def test_names_at_the_top_make_room_below():
    assert recall_panel.apart([10, 10, 10, 2], 1, highest=10) == [8, 9, 10, 2]


def test_all_three_curves_have_a_name_in_the_plot_when_all_is_labeled(panel, session):
    session.label_many(session.object_ids, 5)
    settle(panel)
    assert len(panel.names.text) >= 3
    assert max(panel.names.y) <= panel._y.max


def test_long_curves_are_thinned_but_keep_their_ends():
    x, y = _curves.thinned(np.arange(10_000))
    assert len(x) <= 400
    assert (x[0], x[-1], y[-1]) == (0, 9999, 9999)


def test_a_closed_panel_hears_nothing_more(panel, session):
    panel.close()
    panel.close()
    session.label("o00", 5)
    settle(panel)
    assert panel.found.y.tolist() == [0]
