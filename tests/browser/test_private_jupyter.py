"""The harness itself: what it says where it cannot work."""

from __future__ import annotations

import pytest
from private_jupyter import NoBrowserError, find_chromium


def test_a_missing_browser_fails_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(NoBrowserError, match="apt-get install -y chromium"):
        find_chromium()


def test_nothing_off_the_loopback_interface_can_be_reached(lab_page):
    """The other tests could not notice a foreign request if this were not so."""
    lab_page.open("offline", ["1"])
    failed = lab_page.page.evaluate(
        "() => fetch('https://example.org/x.js').then(() => false, () => true)"
    )
    assert failed
    assert lab_page.external == ["https://example.org/x.js"]
    lab_page.external.clear()
    lab_page.errors.clear()
