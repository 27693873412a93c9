"""A map that is colored by a column of the catalog, and what its legend says."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from astronomaly_widgets import density
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets import feature_map
from astronomaly_widgets.widgets.feature_map import FeatureMap

N = 60
HTML = "<img src=x onerror=alert(1)>"


@pytest.fixture
def session():
    redshift = np.linspace(0.1, 0.9, N)
    redshift[:4] = [np.nan, np.nan, -999.0, 99.0]
    kinds = [None, "", "rare", *["<b>lens</b>"] * 5, *["disk"] * 32, *"abcdefghijabcdefghij"]
    catalog = pd.DataFrame(
        {
            "redshift": redshift,
            "kind": kinds,
            "variable": pd.array([True, None, *[False] * (N - 2)], dtype="boolean"),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), "D"),
            "empty": np.full(N, np.nan),
            "label": np.arange(N),
            HTML: np.arange(N),
            7: np.arange(N),
        }
    )
    X = np.random.default_rng(0).normal(size=(N, 4))
    ids = [f"obj-{i:03d}" for i in range(N)]
    made = Session(X, ids, anomaly_score=np.linspace(5, 0, N), catalog=catalog)
    made.max_embedded = 0  # the map stays what it is
    yield made
    made.close()


def color(shown, by):
    """Color a map, and return its legend."""
    shown.color_by = by
    shown._refresher.flush()
    assert shown.session.last_error is None
    assert shown._view.head["color_by"] == by
    return shown._view.head["legend"]


def drawn(shown):
    """How many dots of bqplot are of each color."""
    marks = [*shown._renderer.objects, *shown._renderer.kinds]
    return {mark.colors[0]: int(np.isfinite(mark.x).sum()) for mark in marks if mark.visible}


def painted(shown):
    """The colors of the kernel's picture."""
    pixels = np.asarray(Image.open(io.BytesIO(shown._view.picture["png"])).convert("RGBA"))
    seen = np.unique(pixels[pixels[..., 3] > 0][:, :3], axis=0)
    return {"#" + bytes(one.tolist()).hex() for one in seen}


def test_every_column_is_offered_after_the_usual_choices(any_map):
    own, columns = any_map._view.head["colors"][:4], any_map._view.head["colors"][4:]
    assert [value for value, _, group in own if not group] == [
        "trained_score", "anomaly_score", "label", "cluster",
    ]  # fmt: skip
    names = ["redshift", "kind", "variable", "seen", "empty", "label (catalog)", HTML, "7"]
    assert columns == [[name, name, "catalog"] for name in names]


def test_numbers_get_a_scale_that_odd_values_do_not_stretch(any_map):
    legend = color(any_map, "redshift")
    assert legend["scale"] == ["≤ 0.15", "≥ 0.90", density.SCALE]
    assert legend["kinds"] == [[-1, "no value", density.NEUTRAL, 2, "those without a value"]]


def test_numbers_are_drawn_in_their_place_on_the_scale(marks_map):
    color(marks_map, "redshift")
    counts = drawn(marks_map)
    assert counts.pop(density.NEUTRAL) == 2
    assert counts.keys() == set(density.shades(16, density.SCALE))
    assert sum(counts.values()) == N - 2
    assert counts[density.SCALE[-1]] == counts[density.SCALE[0]]  # 99 and -999 are at the ends


def test_the_scores_have_their_own_colors_again_after_a_column(marks_map):
    color(marks_map, "redshift")
    assert color(marks_map, "anomaly_score")["scale"] == ["0", "5", density.PALETTE]
    assert drawn(marks_map).keys() == set(density.shades(16))


def test_kinds_too_many_to_be_told_apart_are_other(any_map):
    kinds = color(any_map, "kind")["kinds"]
    assert [text for _, text, *_ in kinds[:2]] == ["disk", "<b>lens</b>"]
    assert [size for *_, size, _ in kinds] == [32, 5, 2, 2, 2, 2, 2, 11, 2]
    assert kinds[-2][1:4] == ["other", density.OTHER, 11]
    assert kinds[-1][1:4] == ["no value", density.NEUTRAL, 2]
    assert len({tint for _, _, tint, *_ in kinds}) == len(kinds) == 9


def test_kinds_are_drawn_in_the_colors_of_the_legend(any_map):
    kinds = color(any_map, "kind")["kinds"]
    wanted = {tint: size for _, _, tint, size, _ in kinds}
    if hasattr(any_map._renderer, "kinds"):
        assert drawn(any_map) == wanted
    else:
        assert painted(any_map) == set(wanted)


def test_the_canvas_is_painted_on_the_scale_of_a_column(session, monkeypatch):
    monkeypatch.setattr(feature_map, "MOST_MARKS", 10)
    shown = FeatureMap(session, color_by="redshift")
    assert painted(shown) <= {*density.shades(18, density.SCALE), density.NEUTRAL}
    assert len(painted(shown)) > 9
    shown.close()


@pytest.mark.parametrize("by", ["redshift", "kind", "empty"])
def test_the_compiled_picture_of_a_column_is_the_plain_one(session, monkeypatch, by):
    monkeypatch.setattr(feature_map, "MOST_MARKS", 10)
    pictures = []
    for many in (10, 10_000):
        monkeypatch.setattr("astronomaly_widgets.widgets._canvas_map._MANY", many)
        shown = FeatureMap(session, color_by=by)
        shown._scene.make_index()
        shown._refresher.request("view")
        shown._refresher.flush()
        pictures.append(shown._view.picture["png"])
        shown.close()
    assert pictures[0] == pictures[1]


def test_true_and_false_are_kinds(any_map):
    kinds = color(any_map, "variable")["kinds"]
    assert [(text, size) for _, text, _, size, _ in kinds] == [
        ("False", 58), ("True", 1), ("no value", 1),
    ]  # fmt: skip


def test_times_are_a_scale_of_dates(any_map):
    assert color(any_map, "seen")["scale"][:2] == ["2020-01-01", "2020-02-29"]


def test_a_column_without_a_value_is_grey_and_says_so(any_map):
    legend = color(any_map, "empty")
    assert legend["scale"] is None
    assert legend["kinds"] == [[-1, "no value", density.NEUTRAL, N, "those without a value"]]


def test_a_kind_and_what_has_no_value_can_be_shown_alone(any_map, session, view_of):
    view = view_of(any_map._view)
    color(any_map, "kind")
    view.send("kind", number=1)
    assert session.selected_ids == tuple(session.object_ids[3:8])
    color(any_map, "redshift")
    view.send("kind", number=-1)
    assert session.selected_ids == ("obj-000", "obj-001")
    color(any_map, "label (catalog)")
    assert "no object" in view.send("kind", number=-1)["error"]


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("redshift", "redshift 0.154237"),
        ("kind", "kind <b>lens</b>"),
        ("label (catalog)", "label (catalog) 4"),
        ("label", "trained score 4.66"),
        ("cluster", "trained score 4.66"),
    ],
)
def test_the_card_says_the_value_that_colors_an_object(any_map, session, monkeypatch, by, words):
    monkeypatch.setattr(session, "find_clusters", lambda: None)
    color(any_map, by)
    any_map._point_at(4)
    any_map._refresher.flush()
    assert session.last_error is None
    assert any_map._view.comm.messages("card")[-1]["score"] == words


def test_the_card_of_an_object_without_a_value_says_so(any_map):
    color(any_map, "redshift")
    any_map._point_at(0)
    any_map._refresher.flush()
    assert any_map._view.comm.messages("card")[-1]["score"] == "redshift -"


def test_a_long_text_is_shortened_in_the_legend_and_on_the_card(any_map, session):
    session.catalog["kind"] = "x" * 10_000
    (kind,) = color(any_map, "kind")["kinds"]
    any_map._point_at(0)
    any_map._refresher.flush()
    words = any_map._view.comm.messages("card")[-1]["score"]
    assert [len(kind[1]), kind[1][-1], words] == [60, "…", f"kind {kind[1]}"]


def test_a_column_is_sorted_out_once(marks_map, session):
    color(marks_map, "kind")
    before = marks_map._scene.coloring
    session.score_revision += 1
    marks_map._refresher.flush()
    assert marks_map._scene.coloring is before


def test_an_unknown_column_is_refused_with_those_there_are(session):
    with pytest.raises(ValueError, match=r"of the catalog \(redshift, kind, .* got 'mood'"):
        FeatureMap(session, color_by="mood")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([14.25, 22.75], ["14.2", "22.8"]),
        ([150.1234, 151.2], ["150.1", "151.2"]),
        ([59000.125, 59000.976], ["59,000.12", "59,000.98"]),
        ([2459000.5, 2459900.5], ["2,459,000", "2,459,900"]),
        ([-0.0004, 1.0], ["0.0", "1.0"]),
        ([2e-17, 5.1e-16], ["2e-17", "5.1e-16"]),
        ([1000000004295806727, 1000123456789012345], ["1e+18", "1.00012e+18"]),
        ([0, 5], ["0", "5"]),
        ([0.25, 0.25], ["0.25", "0.25"]),
        ([3, 3], ["3", "3"]),
        ([0, 0], ["0", "0"]),
    ],
)
def test_the_ends_of_a_scale_have_the_digits_that_tell_them_apart(values, wanted):
    X = np.random.default_rng(0).normal(size=(2, 3))
    session = Session(X, ["a", "b"], catalog=pd.DataFrame({"x": values}))
    session.max_embedded = 0
    shown = FeatureMap(session)
    assert color(shown, "x")["scale"][:2] == wanted
    shown.close()
    session.close()
