from threading import Event

import numpy as np
import pytest

from astronomaly_widgets import render
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets._thumbnails import Thumbnails


class CountingSource:
    """Noise, and a note of what was read."""

    kind = "image"
    catalog = None

    def __init__(self, n=12):
        self.object_ids = np.array([f"o{i}" for i in range(n)], dtype=object)
        self.fingerprints = self.object_ids
        self.reads = []
        self.broken = set()

    def read(self, object_id):
        self.reads.append(object_id)
        if object_id in self.broken:
            raise RuntimeError("no connection")
        rng = np.random.default_rng(int(object_id[1:]))
        return rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)


@pytest.fixture
def source():
    return CountingSource()


@pytest.fixture
def thumbnails(source):
    features = np.random.default_rng(0).normal(size=(12, 3))
    session = Session(features, source.object_ids, source=source)
    made = Thumbnails(session, 60, capacity=8)
    yield made
    made.close()
    session.close()


def test_an_object_is_read_once_and_remembered(thumbnails, source):
    first = thumbnails.get(["o1", "o2"])
    assert thumbnails.get(["o2", "o1"]) == [first[1], first[0]]
    assert sorted(source.reads) == ["o1", "o2"]


def test_what_was_not_seen_for_long_is_forgotten(thumbnails, source):
    thumbnails.get([f"o{i}" for i in range(12)])
    thumbnails.get(["o11", "o0"])
    assert source.reads.count("o11") == 1
    assert source.reads.count("o0") == 2


def test_what_could_not_be_read_is_tried_again_once_it_was_shown(thumbnails, source):
    source.broken = {"o3"}
    good, bad = thumbnails.get(["o2", "o3"])
    assert thumbnails.get(["o2", "o3"]) == [good, bad]  # not while it is shown
    thumbnails.forget_failed()
    source.broken = set()
    again = thumbnails.get(["o2", "o3"])
    assert again[0] == good
    assert again[1] != bad
    assert sorted(source.reads) == ["o2", "o3", "o3"]


def test_what_could_not_be_drawn_is_tried_again(thumbnails, source, monkeypatch):
    source.kind = "table"
    drawn = render.profile
    monkeypatch.setattr(render, "profile", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        thumbnails.get(["o3"])
    thumbnails.forget_failed()
    monkeypatch.setattr(render, "profile", drawn)
    assert thumbnails.get(["o3"])[0].startswith(b"\xff\xd8")


def test_magnified_is_another_picture(thumbnails, source):
    (whole,) = thumbnails.get(["o3"])
    thumbnails.zoom = 2.0
    assert thumbnails.get(["o3"]) != [whole]


def test_prepared_pictures_are_there_when_they_are_wanted(thumbnails, source):
    ready = Event()
    thumbnails.prepare(["o4", "o5"], ready.set)
    assert ready.wait(10)
    before = len(source.reads)
    thumbnails.get(["o4", "o5"])
    assert len(source.reads) == before == 2


def test_objects_without_a_picture_are_drawn_from_their_features():
    session = Session(np.random.default_rng(0).normal(size=(6, 5)), [f"o{i}" for i in range(6)])
    thumbnails = Thumbnails(session, 60)
    try:
        drawn = thumbnails.get(["o1", "o2"])
        assert all(picture.startswith(b"\xff\xd8") for picture in drawn)
        assert drawn[0] != drawn[1]
    finally:
        thumbnails.close()
        session.close()
