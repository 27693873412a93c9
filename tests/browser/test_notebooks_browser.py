"""The notebooks as a person opens them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = """() => [...document.querySelectorAll('.jp-RenderedMarkdown img')]
    .filter((image) => !image.complete || image.naturalWidth === 0).map((image) => image.src)"""


@pytest.fixture(scope="module")
def folder(server):
    """The notebooks, and the pictures of the docs where they look for them."""
    shutil.copytree(ROOT / "docs" / "_static", server.root / "docs" / "_static")
    shutil.copytree(ROOT / "notebooks", server.root / "notebooks")
    return "notebooks"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_with_all_its_pictures_and_without_an_error(lab_page, folder, path):
    lab_page.page.goto(f"{lab_page.server.url}/lab/tree/{folder}/{path.name}?reset")
    lab_page.wait_for_kernel()
    lab_page.wait_for("() => document.querySelectorAll('.jp-RenderedMarkdown').length > 0")
    lab_page.wait_for(f"() => ({PICTURES})().length === 0")
