import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.exceptions import ReadError
from astronomaly_widgets.labels import Entry
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets import _facts
from astronomaly_widgets.widgets.inspector import Inspector

ODD = ["<script>alert(1)</script>", "two words", "'\"&", "\U0001f30c"]


class Pictures:
    """A source that remembers what was read, and can make a reader wait."""

    kind = "image"
    catalog = None
    during = None

    def __init__(self, ids):
        self.object_ids = np.array(ids, dtype=object)
        self.fingerprints = self.object_ids

    def read(self, object_id):
        if self.during is not None:
            self.during(object_id)
        grey = 10 + 3 * list(self.object_ids).index(object_id)
        return np.full((16, 24, 3), grey, dtype=np.uint8)


@pytest.fixture
def session():
    ids = [f"obj-{i:02d}" for i in range(36)] + ODD
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5)).astype(np.float32)
    X[4] = [0, 0, 12, 0, -5]
    catalog = pd.DataFrame(
        {
            "ra": np.linspace(150.1234567, 151, 40),
            "dec": np.linspace(-2.2057831, 3, 40),
            "objid": np.arange(40) + 587742009504530442,
            "z": np.linspace(0.1, 0.2, 40).astype(np.float32),
            "name": [f"<b>{i}</b>" for i in ids],
        },
        index=ids,
    )
    made = Session(
        X, ids, anomaly_score=np.linspace(5, 0, 40), source=Pictures(ids), catalog=catalog
    )
    yield made
    made.close()


@pytest.fixture
def view(inspector, view_of):
    return view_of(inspector)


def settle(inspector):
    inspector._refresher.flush()
    for _ in range(2):  # an object must stay for its neighbors to be looked for
        inspector._neighborhood.flush()


def look_at(inspector, object_id):
    inspector.session.current_id = object_id
    settle(inspector)
    return inspector.record


def test_without_a_current_object_nothing_is_shown(inspector):
    assert inspector.record["object_id"] is None
    assert inspector.label["score"] is None


def test_the_catalog_row_is_shown_in_full_precision(inspector):
    rows = dict(look_at(inspector, "obj-00")["catalog"])
    assert rows["ra"] == "150.1234567"
    assert rows["dec"] == "-2.2057831"
    assert rows["objid"] == "587742009504530442"
    assert rows["z"] == "0.1"  # a float32, in its own digits
    assert rows["name"] == "<b>obj-00</b>"


def test_a_position_is_shown_with_its_links(inspector):
    sky = look_at(inspector, "obj-00")["sky"]
    assert (sky["ra"], sky["dec"], sky["copy"]) == (
        "150.1234567",
        "-2.2057831",
        "150.1234567 -2.2057831",
    )
    assert [name for name, _ in sky["links"]] == ["Legacy", "Aladin", "ESASky", "SIMBAD", "NED"]
    assert all(url.startswith("https://") and "150.1234567" in url for _, url in sky["links"])


def test_a_position_that_only_the_source_knows_is_shown_too(inspector, session):
    session.source.position = {"obj-00": (12.5, -0.25), "obj-01": (13.5, 0.5)}.get
    assert look_at(inspector, "obj-00")["sky"]["copy"] == "150.1234567 -2.2057831"
    session.catalog.loc["obj-01":"obj-02", "dec"] = np.nan
    record = look_at(inspector, "obj-01")
    assert record["sky"]["copy"] == "13.5 0.5"
    assert record["catalog"][:2] == [["ra", "13.5"], ["dec", "0.5"]]
    assert look_at(inspector, "obj-02")["sky"] is None
    session.catalog = None
    assert look_at(inspector, "obj-00")["sky"]["copy"] == "12.5 -0.25"


def test_a_galactic_position_is_shown_in_icrs_where_there_is_no_other():
    row = [("GLON", 359.94423), ("GLAT", -0.04616)]
    sky = _facts.sky("Sgr A*", row, _facts.in_full, {})
    assert sky["copy"] == "266.4168132 -29.0078298"
    known = _facts.sky("a", [*row, ("ra", 10.5), ("dec", 1.5)], _facts.in_full, {})
    assert known["copy"] == "10.5 1.5"


@pytest.mark.parametrize(("unit", "shown"), [("hourangle", "150.0 1.5"), ("furlong", "10.0 1.5")])
def test_a_position_in_another_unit_is_shown_in_degrees(inspector, session, unit, shown):
    session.catalog = session.catalog.assign(ra=10.0, dec=1.5)
    session.catalog.attrs["units"] = {"ra": unit, "dec": "deg"}
    assert look_at(inspector, "obj-00")["sky"]["copy"] == shown


@pytest.mark.parametrize(
    "row",
    [
        [("ra", 150.0)],
        [("glon", 361.0), ("glat", 0.0)],
        [("glon", 10.0), ("glat", np.nan)],
        [("l", 10.0), ("b", 1.0), ("a", 2.0)],
        [("ra", 361.0), ("dec", 0.0)],
        [("ra", 10.0), ("dec", np.nan)],
        [("ra", "10:00:00"), ("dec", "+01:00:00")],
        [("ra", True), ("dec", False)],
    ],
)
def test_what_cannot_be_a_position_in_degrees_is_not_shown_as_one(row):
    assert _facts.sky("a", row, _facts.in_full, {}) is None


def test_a_position_is_shown_in_hours_too_with_every_digit(inspector):
    record = look_at(inspector, "obj-00")
    assert record["sky"]["sexagesimal"] == "10:00:29.629608 -02:12:20.81916"
    assert record["catalog"][-1] == ["position", "10:00:29.629608 -02:12:20.81916"]


def test_links_of_ones_own_are_shown_at_once(inspector, session):
    look_at(inspector, "two words")
    inspector.links = {
        "Mine": "https://example.org/{object_id}?p={ra_hms}{dec_dms}&id={objid}",
        "Not here": "https://example.org/{no_such_column}",
    }
    settle(inspector)
    [[name, url]] = inspector.record["sky"]["links"]
    assert name == "Mine"
    objid = session.catalog.loc["two words", "objid"]
    assert url.startswith("https://example.org/two%20words?p=10%3A")
    assert url.endswith(f"&id={objid}")


@pytest.mark.parametrize(
    "template", ["javascript:alert({ra})", "example.org/{ra}", "https://example.org/{ra", "{ra}"]
)
def test_a_link_that_is_no_web_address_is_refused(inspector, template):
    with pytest.raises(ValueError, match="wanted a web address"):
        inspector.links = {"Mine": template}
    assert "Mine" not in inspector.links


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ([("RA_ICRS", 1e-5), ("DE_ICRS", -1e-7)], ("0.00001", "-0.0000001")),
        ([("RAJ2000", 7), ("DEJ2000", 0)], ("7", "+0")),
        ([("ra", 10.0), ("dec", 2.0), ("ra_deg", 150.0), ("dec_deg", 2.0)], ("150.0", "+2.0")),
        ([("ra", "10:00"), ("dec", "2"), ("ra_deg", 150.0), ("dec_deg", 2.0)], ("150.0", "+2.0")),
        ([("place.ra", 3.5), ("place.dec", -4.5)], ("3.5", "-4.5")),
        ([("ra", np.nan), ("dec", np.nan), ("x", 1), ("ramean", 3.5), ("decmean", -4.5)],
         ("3.5", "-4.5")),
    ],
)  # fmt: skip
def test_positions_are_found_and_written_without_exponents(row, place):
    sky = _facts.sky("a", row, _facts.in_full, {})
    assert (sky["ra"], sky["dec"]) == place


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (150.1234567, "150.1234567"),
        (np.float64(0.1) + 0.2, "0.30000000000000004"),
        (np.float32(150.1234567), "150.12346"),
        (np.int64(587742009504530442), "587742009504530442"),
        (np.bool_(True), "True"),
        (float("nan"), "-"),
        (None, "-"),
        (pd.NA, "-"),
        (pd.NaT, "-"),
        (b"abc", "abc"),
        ("x", "x"),
    ],
)
def test_values_are_written_so_that_nothing_is_lost(value, text):
    assert _facts.in_full(value) == text


def test_the_most_unusual_features_come_first(inspector):
    features = look_at(inspector, "obj-04")["features"]
    assert [name for name, _, _ in features[:2]] == [
        inspector.session.feature_names[2],
        inspector.session.feature_names[4],
    ]
    assert features[0][1] == "12"
    assert features[0][2] > 5
    assert features[1][2] < -3


def test_scores_are_told_before_and_after_a_retrain(inspector, session):
    names = [name for name, _ in look_at(inspector, "obj-03")["facts"]]
    assert names == ["anomaly score", "trained score"]
    session.label("obj-01", 5)
    session.label("obj-30", 0)
    session.retrain().result(60)
    facts = dict(look_at(inspector, "obj-03")["facts"])
    spread = f"{session.uncertainty[3]:.1f}"
    assert facts["relevance"] == f"{session.relevance[3]:.1f} ± {spread}"
    assert facts["trained score"] == f"{session.trained_score[3]:.2f}"


def test_picture_and_id_travel_as_one_record(inspector, session):
    inspector.comm.sent.clear()
    for object_id in ["obj-05", "obj-06", *ODD, "obj-07"]:
        look_at(inspector, object_id)
    states = [sent for sent in inspector.comm.sent if "record" in sent.get("state", {})]
    assert len(states) == 7
    from astronomaly_widgets import render

    for sent in states:
        record = sent["state"]["record"]
        [picture] = [b for b, path in zip(sent["buffers"], sent["buffer_paths"], strict=True)
                     if path[-1] == "picture"]  # fmt: skip
        assert picture == render.picture(session.source, record["object_id"], 1024)
        assert sent["state"]["label"]["object_id"] == record["object_id"]


def test_requests_that_were_overtaken_are_not_drawn(inspector, session):
    drawn = []
    inspector._neighborhood.close()  # it would read pictures too
    session.source.during = drawn.append
    with inspector._refresher._drawing:  # as if one took long
        for k in range(20):
            session.current_id = f"obj-{k:02d}"
    inspector._refresher.flush()
    assert inspector.record["object_id"] == "obj-19"
    assert drawn == ["obj-19"]


def test_a_record_drawn_while_the_person_moves_on_keeps_its_own_name(inspector, session):
    def moves_on(object_id):
        if object_id == "obj-02":
            session.current_id = "obj-03"

    session.source.during = moves_on
    session.current_id = "obj-02"
    inspector._refresher.flush()
    session.source.during = None
    record = inspector.record
    assert record["catalog"][0][1] == in_full_ra(session, record["object_id"])
    settle(inspector)
    assert inspector.record["object_id"] == inspector.label["object_id"] == "obj-03"


def in_full_ra(session, object_id):
    return _facts.in_full(session.catalog["ra"][object_id])


def test_neighbors_are_those_of_the_session_with_their_scores(inspector, session):
    nearest = session.similar_to("obj-08", 12)
    session.label(nearest[0], 3)
    look_at(inspector, "obj-08")
    assert inspector.neighbors["object_id"] == "obj-08"
    found = inspector.neighbors["objects"]
    assert [each["object_id"] for each in found] == list(nearest)
    assert [each["score"] for each in found[:2]] == [3, None]
    assert found[0]["picture"].startswith(b"\xff\xd8")


def test_a_click_on_a_neighbor_makes_it_current(inspector, session, view):
    view.send("go", object_id="two words")
    assert session.current_id == "two words"
    answer = view.send("go", object_id="nobody")
    assert answer["type"] == "nack"
    assert "nobody" in answer["error"]
    assert session.current_id == "two words"


def test_score_tags_and_comment_are_stored_together(inspector, session, view):
    answer = view.send(
        "label", object_id=ODD[0], score=4, tags=["merger", "tail"], comment="<i>&", seconds=1.5
    )
    assert answer["type"] == "ack"
    label = session.label_of(ODD[0])
    assert (label.score, label.tags, label.comment) == (4, ("merger", "tail"), "<i>&")
    assert session.events["seconds"].iloc[-1] == 1.5


def test_a_message_that_comes_twice_is_stored_once(inspector, session, view):
    for _ in range(2):
        inspector.comm.receive(
            type="label", client="again", seq=1, oldest=1, object_id="obj-01", score=2
        )
    assert len(session.events) == 1


def test_a_score_that_is_none_is_refused_and_not_stored(inspector, session, view):
    answer = view.send("label", object_id="obj-01", score=999)
    assert answer["type"] == "nack"
    assert session.n_labeled == 0


def test_a_label_given_elsewhere_is_shown(inspector, session):
    look_at(inspector, "obj-11")
    key = inspector.record["key"]
    session.label("obj-11", 5, ("ring",), "blue")
    settle(inspector)
    assert inspector.label["score"] == 5
    assert (inspector.label["tags"], inspector.label["comment"]) == (["ring"], "blue")
    assert inspector.record["key"] == key  # the picture is not sent again


def test_undo_and_redo_show_the_object_they_touched(inspector, session, view):
    session.label("obj-01", 5)
    session.current_id = "obj-20"
    view.send("undo")
    assert session.score_of("obj-01") is None
    assert session.current_id == "obj-01"
    view.send("redo")
    assert session.score_of("obj-01") == 5


def test_steps_go_in_the_order_that_is_suggested_now(inspector, session, view):
    session.current_id = "obj-03"
    view.send("step", by=1)
    assert session.current_id == "obj-04"
    session.mixed_in = ("obj-35",)
    view.send("step", by=1)
    assert session.current_id == "obj-35"


def test_undo_of_an_object_that_is_gone_stays_where_it_is(inspector, session, view):
    session.current_id = "obj-20"
    session._store.append([Entry("gone", 5.0)])  # in an earlier state of the data
    answer = view.send("undo")
    assert "error" not in answer
    assert session.current_id == "obj-20"
    assert session.absent_labels.empty


def test_unlabel_takes_the_label_away(inspector, session, view):
    session.label("obj-01", 5)
    view.send("unlabel", object_id="obj-01")
    assert session.score_of("obj-01") is None


def test_alone_it_steps_through_the_suggested_order(inspector, session, view):
    order = list(session.ranking("suggested", unlabeled_first=False))
    view.send("step", by=1)
    assert session.current_id == order[0]
    view.send("step", by=1)
    assert session.current_id == order[1]
    view.send("step", by=-1)
    view.send("step", by=-1)
    assert session.current_id == order[0]  # nothing before the first


def test_whoever_knows_the_order_steps(session, view_of):
    steps = []
    view_of(Inspector(session, on_step=steps.append)).send("step", by=-7)
    assert steps == [-1]


def test_enlarge_asks_every_view(inspector):
    inspector.enlarge()
    assert [m["type"] for m in inspector.comm.messages()] == ["enlarge"]


def test_without_a_source_features_are_drawn():
    session = Session(np.random.default_rng(0).normal(size=(30, 6)), [f"o{i}" for i in range(30)])
    inspector = Inspector(session)
    record = look_at(inspector, "o3")
    assert record["picture"].startswith(b"\xff\xd8")
    assert record["mime"] == "image/jpeg"
    assert (record["catalog"], record["sky"]) == ([], None)
    inspector.close()
    session.close()


@pytest.mark.parametrize("kind", ["image", "light_curve"])
@pytest.mark.parametrize("error", [ReadError("truncated"), RuntimeError("no connection")])
def test_an_object_that_cannot_be_read_is_shown_as_such(inspector, session, error, kind):
    def broken(_object_id):
        raise error

    session.source.during, session.source.kind = broken, kind
    record = look_at(inspector, "obj-13")
    assert record["object_id"] == "obj-13"
    assert len(record["picture"]) > 100
    assert session.last_error is None


def test_a_closed_inspector_hears_nothing_more(inspector, session):
    inspector.close()
    inspector.close()
    session.current_id = "obj-01"
    settle(inspector)
    assert inspector.record["object_id"] is None
