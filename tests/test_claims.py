"""What pages and docstrings say in numbers is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from astronomaly_widgets import batches

REPOSITORY = Path(__file__).parents[1]


def page(name: str) -> str:
    """Return a page with its lines joined."""
    return " ".join((REPOSITORY / "docs" / name).read_text(encoding="utf-8").split())


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
    said = re.search(r"By default (\w+ in \w+) of the first objects", page("moving/astronomaly.md"))
    assert of_other_kinds([]) == words[said[1]]
