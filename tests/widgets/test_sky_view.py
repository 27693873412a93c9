"""The sky around the current object."""

import socket
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from astronomaly_widgets.exceptions import MissingDependencyError
from astronomaly_widgets.session import Session
from astronomaly_widgets.widgets.sky_view import SkyView

needs_aladin = pytest.mark.skipif(find_spec("ipyaladin") is None, reason="needs the extra sky")


@pytest.fixture
def session():
    catalog = pd.DataFrame(
        {"ra": [np.nan, 150.1234567, 359.9], "dec": [0.0, -2.2, 45.0]}, index=["none", "a", "b"]
    )
    made = Session(
        np.random.default_rng(0).normal(size=(3, 2)), list(catalog.index), catalog=catalog
    )
    yield made
    made.close()


@pytest.fixture
def _offline(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a position in degrees needs no name server")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@needs_aladin
@pytest.mark.usefixtures("_offline")
def test_it_follows_the_current_object(session):
    view = SkyView(session, field_of_view=6)
    assert view.aladin.fov.deg == pytest.approx(0.1)
    assert view.aladin.target.ra.deg == 150.1234567  # the first that has a position
    session.current_id = "b"
    assert (view.aladin.target.ra.deg, view.aladin.target.dec.deg) == (359.9, 45)
    assert view.children[1].value == "b at 359.9 45.0"
    session.current_id = "none"
    assert view.children[1].value == "none has no position"
    assert view.aladin.target.ra.deg == 359.9
    view.close()
    session.current_id = "a"
    assert view.aladin.target.ra.deg == 359.9


@needs_aladin
@pytest.mark.usefixtures("_offline")
def test_it_starts_at_the_current_object(session):
    session.current_id = "b"
    view = SkyView(session)
    assert view.aladin.target.ra.deg == 359.9
    view.close()


@needs_aladin
def test_a_session_without_positions_is_refused():
    session = Session(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="no object has a position"):
        SkyView(session)
    session.close()


def test_a_field_that_is_none_is_refused(session):
    with pytest.raises(ValueError, match="positive angle"):
        SkyView(session, field_of_view=0)


def test_without_ipyaladin_the_extra_is_named(session, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipyaladin", None)
    with pytest.raises(MissingDependencyError, match=r"astronomaly-widgets\[sky\]"):
        SkyView(session)
