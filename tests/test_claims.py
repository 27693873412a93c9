"""What pages and docstrings say in numbers is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import astronomaly_widgets as aw
from astronomaly_widgets import batches

REPOSITORY = Path(__file__).parents[1]


def page(name: str) -> str:
    """Return the text of a page."""
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


def of_other_kinds(scores: list[float]) -> int:
    """How many of a batch of 100 are there because they are of another kind."""
    rng = np.random.default_rng(0)
    X, worth = rng.normal(size=(3000, 4)), rng.uniform(0, 5, 3000)
    batch = batches.suggest(X, worth, range(len(scores)), scores, 100)
    return batch.reasons.count("diverse")


def test_how_much_of_a_batch_is_of_other_kinds_is_what_docstring_and_page_say():
    text = " ".join(batches.suggest.__doc__.split())
    top = int(re.search(r'"start": (\d+) % from the top', text)[1])
    fruitless = int(re.search(r"clusters of everything for (\d+) % while nothing", text)[1])
    assert of_other_kinds([]) == 100 - top
    assert of_other_kinds([0.0] * 5) == fruitless
    words = {"one in five": 20, "three in ten": 30, "one in ten": 10}
    said = re.search(
        r"By default (\w+ in \w+) of the first objects",
        " ".join(page("moving/astronomaly.md").split()),
    )
    assert of_other_kinds([]) == words[said[1]]


def test_what_to_cite_is_what_the_citation_file_says():
    known = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    entries = re.findall(r"@(\w+)\{(.*?)^\}", page("cite.md"), re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in entries] == ["article"] * 3 + ["software"]
    assert f"version = {{{aw.__version__}}}" in entries[-1][1]
    assert f"\nversion: {aw.__version__}\n" in known
    for _, entry in entries[:3]:
        fields = dict(re.findall(r"(\w+) = \{(.*)\}", entry))
        paper = next(part for part in known.split("- type: article") if fields["doi"] in part)
        title = fields["title"].replace("{", "").replace("}", "")
        assert f'title: "{title}"' in paper
        assert f'start: "{fields["pages"]}"' in paper
        assert f"volume: {fields['volume']}\n" in paper
        assert f"year: {fields['year']}\n" in paper
        families = [name.partition(",")[0] for name in fields["author"].split(" and ")]
        assert families == re.findall(r"family-names: (\w+)", paper)


def test_papers_that_are_cited_by_letters_are_named_by_the_package_and_in_the_reference():
    home = Path(aw.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in home.rglob("*.py"))
    letters = set(re.findall(r"\b(?:LB|E|ML|LR|W)2\d\b", code))
    assert {"LB21", "E24", "ML24"} <= letters
    assert letters <= set(re.findall(r"^\* (\w+): ", aw.__doc__, re.MULTILINE))
    assert letters <= set(re.findall(r"^(\w+)\n: ", page("api/index.md"), re.MULTILINE))
