"""Objects reach a program at a SAMP hub of our own, on this computer."""

import time
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

import astronomaly_widgets as aw
from astronomaly_widgets.exceptions import AstronomalyError
from astronomaly_widgets.exchange import send_to_samp

samp = pytest.importorskip("pyvo.samp")

IDS = ["a", "b", "c", "d"]


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch):
    """No hub but ours is found, and nobody asks the internet."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'lock').as_uri()}")
    with samp.conf.set_temp("use_internet", False):
        yield


@pytest.fixture
def hub(tmp_path):
    server = samp.SAMPHubServer(
        addr="127.0.0.1", lockfile=str(tmp_path / "lock"), web_profile=False, mode="single"
    )
    server.start()
    yield server
    server.stop()


class Program:
    """Stands for TOPCAT: remembers which tables it was sent."""

    def __init__(self, name):
        self.tables = []
        self.client = samp.SAMPIntegratedClient(name, addr="127.0.0.1")
        self.client.connect()
        self.client.bind_receive_notification("table.load.votable", self.receive)

    def receive(self, private_key, sender_id, mtype, params, extra):
        path = url2pathname(urlparse(params["url"]).path)
        self.tables.append((params["name"], Table.read(path, format="votable")))

    def wait(self):
        end = time.monotonic() + 20
        while not self.tables and time.monotonic() < end:
            time.sleep(0.02)
        ((name, table),) = self.tables
        return name, table


@pytest.fixture
def program(hub):
    programs = []

    def start(name):
        programs.append(Program(name))
        return programs[-1]

    yield start
    for each in programs:
        each.client.disconnect()


@pytest.fixture
def session():
    catalog = pd.DataFrame({"ra": [1.5, 2.5, 3.5, 4.5], "dec": 0.25}, index=IDS)
    return aw.Session(
        np.eye(4), IDS, anomaly_score=[0, 1, 2, 3], catalog=catalog, title="My search"
    )


def test_the_selection_arrives_with_scores_labels_and_coordinates(session, program):
    topcat = program("topcat")
    session.label("c", 5)
    session.selected_ids = ("c", "a")
    assert send_to_samp(session) == ("topcat",)
    name, table = topcat.wait()
    assert name == "My search"
    assert list(table["object_id"]) == ["c", "a"]
    assert list(table["ra"]) == [3.5, 1.5]
    assert str(table["ra"].unit) == "deg"
    assert table["score"][0] == 5.0


def test_without_a_selection_all_objects_arrive(session, program):
    topcat = program("topcat")
    send_to_samp(session)
    assert len(topcat.wait()[1]) == 4


def test_one_program_can_be_chosen_by_its_name(session, program):
    topcat, aladin = program("topcat"), program("Aladin")
    assert send_to_samp(session, ["b"], to="aladin") == ("Aladin",)
    assert list(aladin.wait()[1]["object_id"]) == ["b"]
    assert topcat.tables == []
    with pytest.raises(AstronomalyError, match=r"'ds9' .* at the SAMP hub: Aladin, topcat"):
        send_to_samp(session, to="ds9")


def test_nobody_who_listens_is_said(session, hub):
    with pytest.raises(AstronomalyError, match=r"any program .* at the SAMP hub: nobody"):
        send_to_samp(session)


def test_no_hub_is_said_with_what_to_do(session):
    with pytest.raises(AstronomalyError, match=r"no SAMP hub is running.*start TOPCAT"):
        send_to_samp(session)


def test_an_unknown_object_is_refused(session):
    with pytest.raises(KeyError, match="no object 'z'"):
        send_to_samp(session, ["z"])
