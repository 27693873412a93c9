"""Queries that are sent to a service: a small one of our own, that answers as TAP does."""

import gc
import re
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
from astropy.io.votable import from_table, parse_single_table
from astropy.table import Table

from astronomaly_widgets.exceptions import SourceError
from astronomaly_widgets.selection import Selection, column, known_classes, query

pytest.importorskip("pyvo")

CATALOG = Table(
    {"ra": [10.0, 11.0], "dec": [1.0, 2.0], "flux_r": [8.5, 9.5], "type": ["EXP", "DEV"]}
)
_ERROR = """<?xml version="1.0"?>
<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">
<INFO name="QUERY_STATUS" value="ERROR">no table called typo</INFO></RESOURCE></VOTABLE>"""


_JOB = """<?xml version="1.0"?>
<uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink"
 version="1.1"><uws:jobId>1</uws:jobId><uws:phase>{phase}</uws:phase>
<uws:executionDuration>0</uws:executionDuration><uws:parameters/><uws:results>
<uws:result id="result" xlink:href="{address}/async/1/results/result"/></uws:results></uws:job>"""


class _Tap(BaseHTTPRequestHandler):
    """As much of TAP 1.1 and its jobs (UWS) as pyvo needs for one question."""

    def do_POST(self):
        if self.path.endswith("/sync"):
            form = self._form()
            self._send(_ERROR.encode() if "typo" in form["QUERY"] else self._answer(form))
            return
        if self.path.endswith("/async"):
            self._form()
        else:
            self.server.phase = "COMPLETED"
            self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(303)
        self.send_header("Location", f"{self.server.address}/async/1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        if self.path.endswith("/results/result"):
            self._send(self._answer(self.server.forms[-1]))
        else:
            text = _JOB.format(phase=self.server.phase, address=self.server.address)
            self._send(text.encode())

    def do_DELETE(self):
        self.server.phase = "DELETED"
        self._send(b"")

    def _form(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        if kind.startswith("multipart"):
            head = f"Content-Type: {kind}\r\n\r\n".encode()
            parts = message_from_bytes(head + body, policy=HTTP).iter_parts()
            fields = {p.get_param("name", header="content-disposition"): p for p in parts}
            found = {name: p.get_payload(decode=True) for name, p in fields.items()}
            form = {n: v.decode() for n, v in found.items() if n in {"QUERY", "MAXREC", "UPLOAD"}}
            name = re.search(r"param:(\w+)", form["UPLOAD"])[1]
            form["table"] = parse_single_table(BytesIO(found[name])).to_table()
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.server.forms.append(form)
        return form

    def _send(self, answer):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-votable+xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, form):
        table = self.server.answer
        if "MAXREC" in form:
            table = table[: int(form["MAXREC"])]
        out = BytesIO()
        from_table(table).to_xml(out)
        data = out.getvalue()
        status = b'<INFO name="QUERY_STATUS" value="OK"/>'
        return re.sub(rb"(<RESOURCE[^>]*>)", rb'<RESOURCE type="results">' + status, data, count=1)

    def log_message(self, *_args):
        pass


@pytest.fixture
def tap():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tap)
    server.forms, server.answer, server.phase = [], CATALOG, "PENDING"
    server.address = f"http://127.0.0.1:{server.server_address[1]}/tap"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_selection_is_sent_and_its_answer_is_a_table(tap):
    adql = Selection({"flux": column("flux_r") > 7}).adql("ls.tractor", columns=["ra", "dec"])
    found = query(adql, tap.address)
    assert tap.forms[0]["QUERY"] == adql
    assert tap.forms[0]["LANG"] == "ADQL"
    assert found.colnames == CATALOG.colnames
    assert list(found["flux_r"]) == [8.5, 9.5]
    assert list(found["type"]) == ["EXP", "DEV"]


@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")  # pyvo leaves one open
def test_a_large_answer_is_made_as_a_job_and_the_job_is_cleared_away(tap):
    found = query("SELECT * FROM t", tap.address, wait=False)
    assert list(found["ra"]) == [10, 11]
    assert tap.forms[0]["QUERY"] == "SELECT * FROM t"
    assert tap.phase == "DELETED"
    gc.collect()


def test_at_most_so_many_rows_are_asked_for(tap):
    assert len(query("SELECT * FROM t", tap.address, max_rows=1)) == 1
    assert tap.forms[0]["MAXREC"] == "1"


def test_what_the_service_refuses_is_said_in_its_words(tap):
    with pytest.raises(SourceError, match="no table called typo"):
        query("SELECT * FROM typo", tap.address)


def test_a_service_that_is_not_there_says_so():
    with pytest.raises(SourceError, match=r"the service at .* says"):
        query("SELECT * FROM t", "http://127.0.0.1:9/tap")


def test_known_classes_are_those_of_the_nearest_object(tap):
    tap.answer = Table(
        {
            "main_id": ["NGC 1", "QSO B", "far"],
            "otype": ["G", "QSO", "*"],
            "ra": [10.0, 10.001, 50.0],
            "dec": [1.0, 1.0, 1.0],
        }
    )
    mine = pd.DataFrame(
        {"ra": [10.0009, 20.0, np.nan], "dec": [1.0, 1.0, 1.0]}, index=["a", "b", "c"]
    )
    found = known_classes(mine, radius=5, service=tap.address)
    assert list(found.index) == ["a", "b", "c"]
    assert found.loc["a", ["name", "object_type", "n_within"]].tolist() == ["QSO B", "QSO", 2]
    np.testing.assert_allclose(found.loc["a", "separation"], 0.36, rtol=1e-3)
    assert found["name"].isna().tolist() == [False, True, True]
    sent = tap.forms[0]
    assert "JOIN TAP_UPLOAD.mine" in sent["QUERY"]
    assert f"{5 / 3600!r}" in sent["QUERY"]
    np.testing.assert_allclose(sent["table"]["mine_ra"], [10.0009, 20.0])  # no NaN is sent


def test_a_radius_that_is_none_is_refused():
    with pytest.raises(ValueError, match="positive number of arcsec"):
        known_classes(pd.DataFrame({"ra": [1.0], "dec": [1.0]}), radius=0)
