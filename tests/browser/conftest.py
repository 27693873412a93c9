"""A private JupyterLab and a browser for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab_driver import LabPage
from private_jupyter import JupyterServer, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and let them run last: they are the slow ones.

    Playwright's event loop stays in the main thread until the session ends, so tests that
    start a loop of their own must come before.
    """
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        item.add_marker(pytest.mark.browser)
    items[:] = [item for item in items if item not in ours] + ours


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """One Jupyter server for the whole run."""
    with JupyterServer(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; fails where there is none."""
    with chromium() as running:
        yield running


@pytest.fixture
def lab_page(browser: Browser, server: JupyterServer) -> Iterator[LabPage]:
    """A page on JupyterLab that must end without an error and without a foreign request."""
    page = LabPage(browser, server)
    try:
        yield page
    finally:
        page.close()
    assert page.errors == []
    assert page.external == []
