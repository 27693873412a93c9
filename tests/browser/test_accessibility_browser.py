"""The dashboard for people who do not see it, do not point, or need it large."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from lab_driver import LabPage

from astronomaly_widgets.widgets import Gallery

SETUP = """
import numpy as np
import astronomaly_widgets as aw
rng = np.random.default_rng(0)
images = rng.integers(0, 255, (60, 48, 48, 3), dtype="u1")
names = [f"obj-{i:02d}" for i in range(60)]
source = aw.sources.ImageStack(images, object_ids=names)
session = aw.Session(rng.normal(size=(60, 3)), names, anomaly_score=np.linspace(5, 0, 60),
                     source=source, title="Noise")
session.max_embedded = 0
session
"""
CLASS = """
aw.teaching.Exercise(session, dict.fromkeys(names[:9], 5) | dict.fromkeys(names[9:], 0),
                     hints=["look at the noise"], n_expert=24)
"""
PAINTED = """() => {
    const pictures = [...document.querySelectorAll('.aw-object img')];
    return pictures.length >= 24 && pictures.every((p) => p.complete && p.naturalWidth > 0)
        && ['.aw-feature-map', '.aw-recall-panel', '.aw-inspector']
            .every((part) => document.querySelector(`.aw-dashboard ${part}`));
}"""


@pytest.fixture(scope="module")
def notebook(browser, server):
    """One dashboard for all tests of this module."""
    page = LabPage(browser, server)
    page.open("accessibility", [SETUP])
    page.run(0)
    page.wait_for(PAINTED)
    yield page
    assert page.errors == []
    page.close()


def serious(page: LabPage, within: str) -> list[dict[str, Any]]:
    """What a scan finds that would keep somebody out."""
    found = Axe().run(page.page, context=within).response["violations"]
    return [
        {
            "rule": violation["id"],
            "nodes": [(node["html"][:160], node["failureSummary"]) for node in violation["nodes"]],
        }
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_scan_finds_nothing_serious_on_the_dashboard(notebook, theme):
    notebook.theme(theme)
    page = notebook.page
    page.locator(".aw-gallery").focus()
    page.keyboard.type("4031")
    page.wait_for_timeout(500)
    assert serious(notebook, ".aw-dashboard") == []


def contrast(one: str, other: str) -> float:
    """Contrast of two colors, "rgb(...)", by WCAG 2.2: from 1 to 21, and 4.5 for text."""
    linear = [
        [((v / 255 + 0.055) / 1.055) ** 2.4 if v > 10 else v / 255 / 12.92 for v in channels]
        for channels in ([int(v) for v in re.findall(r"\d+", color)] for color in (one, other))
    ]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


def test_every_score_can_be_read_on_its_color(notebook):
    page = notebook.page
    page.locator(".aw-object img").first.click()
    page.keyboard.type("012345")
    notebook.wait_for("() => document.querySelectorAll('.aw-object[data-score]').length >= 6")
    for k in range(6):
        page.locator(".aw-object .aw-picture").nth(k).click()
        notebook.wait_for(
            f"() => document.querySelector('.aw-inspector-root').dataset.score === '{k}'"
        )
        for name in (
            f".aw-object .aw-score[data-score='{k}'][aria-pressed='true']",
            f".aw-object[data-score='{k}'] .aw-badge",
            f".aw-inspector .aw-score[data-score='{k}'][aria-pressed='true']",
        ):
            ink, paper = page.locator(name).first.evaluate(
                "(one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
            )
            assert contrast(ink, paper) >= 4.5, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_scan_finds_nothing_serious_in_the_list_of_keys(notebook, theme):
    notebook.theme(theme)
    page = notebook.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("?")
    page.wait_for_timeout(300)
    assert serious(notebook, ".aw-dashboard") == []
    page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_scan_finds_nothing_serious_in_the_large_inspector(notebook, theme):
    notebook.theme(theme)
    page = notebook.page
    page.locator(".aw-gallery").focus()
    page.keyboard.press("Space")
    notebook.wait_for("() => document.querySelector('.aw-inspector dialog[open] img')?.complete")
    assert serious(notebook, ".aw-inspector") == []
    page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_scan_finds_nothing_serious_in_a_class_room(browser, server, theme):
    page = LabPage(browser, server)
    try:
        page.open(f"class-{theme}", [SETUP, CLASS], theme=theme)
        page.run(0)
        page.run(1)
        page.wait_for("() => document.querySelector('.aw-score-board')")
        page.wait_for("() => document.querySelectorAll('.aw-object img').length >= 48")
        page.scroll_to(1)
        page.page.wait_for_timeout(500)
        assert serious(page, ".aw-score-board") == []
        assert page.errors == []
    finally:
        page.close()


def test_the_scan_would_see_a_button_without_a_name(notebook):
    notebook.page.evaluate(
        "() => document.querySelector('.aw-head').append(document.createElement('button'))"
    )
    try:
        assert [found["rule"] for found in serious(notebook, ".aw-dashboard")] == ["button-name"]
    finally:
        notebook.page.evaluate("() => document.querySelector('.aw-head > button').remove()")


def test_at_twice_the_size_everything_is_within_reach(notebook):
    page = notebook.page
    whole = page.viewport_size
    page.set_viewport_size({"width": 750, "height": 550})  # what 200 % leaves of 1500 x 1100
    try:
        notebook.wait_for("() => document.querySelector('.aw-dashboard').clientWidth < 700")
        page.wait_for_timeout(500)
        outside = page.evaluate(
            """() => {
                const { left, right } = document.querySelector('.aw-dashboard')
                    .getBoundingClientRect();
                return [...document.querySelectorAll(
                    '.aw-dashboard :is(button, select, input, img, textarea)')]
                    .filter((e) => e.checkVisibility())
                    .map((e) => [e.className, e.getBoundingClientRect()])
                    .filter(([, box]) => box.left < left - 1 || box.right > right + 1)
                    .map(([name]) => name);
            }"""
        )
        assert outside == []
        page.locator(".aw-gallery").focus()
        page.keyboard.press("5")
        notebook.wait_for("() => document.querySelector('.aw-object[data-score=\"5\"]')")
        notebook.screenshot("twice-the-size")
    finally:
        page.set_viewport_size(whole)


@pytest.mark.parametrize(
    ("scheme", "host"),
    [
        ("light", ""),
        ("dark", ""),
        ("light", "--vscode-editor-background: #1f1f1f; --vscode-editor-foreground: #ccc"),
        ("light", "--colab-primary-surface-color: #383838; --colab-primary-text-color: #fff"),
    ],
)
def test_what_went_wrong_can_be_read_outside_jupyter(browser, scheme, host):
    page = browser.new_page(color_scheme=scheme)
    page.set_content(
        f'<div style="{host}"><div class="aw-gallery" style="background: var(--aw-bg)">'
        '<span class="aw-not-stored">1 not stored</span></div></div>'
    )
    page.add_style_tag(content=Gallery._css)
    contrast = page.evaluate("""() => {
        const pen = document.createElement("canvas").getContext("2d");
        const light = (color) => {
            pen.fillStyle = color;
            pen.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((level) => {
                const part = level / 255;
                return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
        };
        const words = light(getComputedStyle(document.querySelector("span")).color);
        const gallery = document.querySelector(".aw-gallery");
        const ground = light(getComputedStyle(gallery).backgroundColor);
        return Math.max(words / ground, ground / words);
    }""")
    page.close()
    assert contrast >= 4.5
