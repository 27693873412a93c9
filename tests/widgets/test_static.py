"""Style sheets and scripts keep to themselves: a notebook belongs to its author."""

import re
from pathlib import Path

import pytest

import astronomaly_widgets
from astronomaly_widgets.density import PALETTE

STATIC = Path(astronomaly_widgets.__file__).parent / "widgets" / "static"
SHEETS = sorted(STATIC.glob("*.css"))
SCRIPTS = sorted(STATIC.glob("*.js"))


def selectors(css):
    """Yield the selectors of a style sheet, one by one, without those of key frames."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"@keyframes [\w-]+\s*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)
    for head in re.findall(r"([^{}]+)\{", css):
        if not head.strip().startswith("@"):
            yield from (part.strip() for part in re.split(r",(?![^(]*\))", head) if part.strip())


def test_there_are_sheets_and_scripts_to_look_at():
    assert len(SHEETS) >= 3
    assert len(SCRIPTS) >= 3


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_rule_is_about_our_own_elements(sheet):
    foreign = [name for name in selectors(sheet.read_text()) if ".aw-" not in name]
    assert foreign == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_no_rule_overrules_those_of_others(sheet):
    assert "!important" not in sheet.read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_names_from_data_are_never_parsed_as_html(script):
    text = script.read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in text


@pytest.mark.parametrize("path", SHEETS + SCRIPTS, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path):
    text = path.read_text()
    assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//|\bimport\s*\(|\bfetch\s*\(", text)


def test_a_score_has_the_same_color_everywhere():
    (colors,) = re.findall(r"SCORE_COLORS = \[(.*?)\]", (STATIC / "score_colors.js").read_text())
    assert tuple(re.findall(r'"(.+?)"', colors)) == PALETTE
