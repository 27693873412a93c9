"""What a log of labels means: the events of the past, folded into the labels of now."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


class Label(NamedTuple):
    """The current label of one object.

    Attributes
    ----------
    object_id : str
    score : float
        0 (uninteresting) .. 5 (exactly what I am looking for).
    tags : tuple of str
    comment : str
    annotator : str
    time : datetime
        When it was given, UTC.
    """

    object_id: str
    score: float
    tags: tuple[str, ...]
    comment: str
    annotator: str
    time: datetime


class _Decision(NamedTuple):
    """What one step said of one object; `label` is None where it took the label away."""

    step: int
    label: Label | None


@dataclass
class Person:
    """One annotator's steps, oldest first: those that can be undone, and those undone."""

    done: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)


@dataclass
class Ledger:
    """The state that a log leads to.

    The label of an object is what the last step said of it that has not been undone. A step is
    one or more events that are undone together, named by the number of its first event.

    Attributes
    ----------
    last : int
        Number of the last event taken in.
    current : dict of str to Label
        The labels of now.
    first_labeled : dict of str to int
        The event that first labeled each object.
    objects_of : dict of int to list of str
        The objects that each step concerns.
    """

    last: int = 0
    current: dict[str, Label] = field(default_factory=dict)
    first_labeled: dict[str, int] = field(default_factory=dict)
    objects_of: dict[int, list[str]] = field(default_factory=dict)
    _decisions: dict[str, list[_Decision]] = field(default_factory=dict)
    _undone: set[int] = field(default_factory=set)
    _people: dict[str, Person] = field(default_factory=dict)

    def person(self, annotator: str) -> Person:
        """Return the steps of one annotator."""
        return self._people.setdefault(annotator, Person())

    def apply(self, row: tuple[Any, ...]) -> None:
        """Take in the next event of the log, as a row of its table."""
        seq, kind, step, object_id, score, tags, comment, annotator, time, *_ = row
        self.last = seq
        person = self.person(annotator)
        if kind in ("label", "unlabel"):
            label = None
            if kind == "label":
                at = datetime.fromisoformat(time)
                label = Label(object_id, score, tuple(json.loads(tags)), comment, annotator, at)
                self.first_labeled.setdefault(object_id, seq)
            self._decisions.setdefault(object_id, []).append(_Decision(step, label))
            self.objects_of.setdefault(step, []).append(object_id)
            if step == seq:
                person.done.append(step)
                person.undone.clear()
            self._derive(object_id)
            return
        undo = kind == "undo"
        source, target = (person.done, person.undone) if undo else (person.undone, person.done)
        source.remove(step)
        target.append(step)
        (self._undone.add if undo else self._undone.discard)(step)
        for touched in self.objects_of[step]:
            self._derive(touched)

    def _derive(self, object_id: str) -> None:
        for decision in reversed(self._decisions[object_id]):
            if decision.step not in self._undone:
                if decision.label is None:
                    break
                self.current[object_id] = decision.label
                return
        self.current.pop(object_id, None)
