"""An exercise as a student sees it: a score board over the dashboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import numpy as np
import traitlets as t

from ._channel import Channel
from ._refresh import Refresher
from ._static import bundle
from .dashboard import Dashboard

if TYPE_CHECKING:
    from ..teaching import Exercise


class ScoreBoard(anywidget.AnyWidget):
    """What was found with as many labels: by you, a simulated expert, the detector, by chance.

    Parameters
    ----------
    exercise : Exercise

    Attributes
    ----------
    rows : list of dict
        ``name``, ``found`` (None: not known yet) and ``share`` of all interesting objects, 0..1.
    title, gold : str
        What is searched, and how many gold objects were scored right, in words.
    feedback : str
        What is said of the gold object that was scored last.
    """

    _esm = bundle("keeper.js", "channel.js", "own_keys.js", "score_board.js")
    _css = bundle("theme.css", "panel.css", "score_board.css")

    rows = t.List().tag(sync=True)
    title = t.Unicode().tag(sync=True)
    gold = t.Unicode().tag(sync=True)
    feedback = t.Unicode().tag(sync=True)

    def __init__(self, exercise: Exercise, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exercise = exercise
        self.channel = Channel(
            self,
            exercise.session,
            {"hint": lambda _: self._later("hint"), "hand_in": lambda _: self._later("hand_in")},
            hello=self._on_hello,
        )
        self._expert: Any = None
        self._refresher = Refresher(self._draw, self._keep_error, interval=0.3, delay=0.05)
        self._unwatch = exercise.watch(lambda: self._refresher.request("board"))
        self.add_class("aw-panel")
        self.add_class("aw-score-board")
        self._draw({"board"})

    def close(self) -> None:
        """Let go of the exercise, and leave the page."""
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
            self._refresher.close()
            self.channel.close()
        super().close()

    def _on_hello(self) -> dict[str, Any]:
        if self._expert is None:
            self._expert = self.exercise.start_expert()
        return {}

    def _later(self, what: str) -> dict[str, Any]:
        self._refresher.request(what, "board")
        return {}

    def _keep_error(self, error: Exception) -> None:
        self.exercise.session.last_error = error

    def _draw(self, parts: set[str]) -> None:
        exercise = self.exercise
        if "hint" in parts:
            exercise.hint()
        if "hand_in" in parts:
            path = exercise.hand_in(Path(_file_name(exercise)))
            exercise.session.notice = f"handed in as {path.name}"
        board = exercise.score_board()
        rows = [
            {
                "name": str(name),
                "found": None if np.isnan(found) else round(float(found), 1),
                "share": 0.0 if np.isnan(share) else float(share),
            }
            for name, found, share in board.itertuples()
        ]
        right, answered = exercise.gold_right
        n, hints = exercise.session.n_labeled, exercise.n_hints
        gold = f"gold {right} of {answered} right" if answered else "no gold object met yet"
        if hints:
            gold += f" · {hints} {'hint' if hints == 1 else 'hints'}"
        run = self.channel.run
        run(setattr, self, "title", f"found of {exercise.n_interesting} after {n} labels")
        run(setattr, self, "gold", gold)
        run(setattr, self, "feedback", exercise.last_feedback)
        run(setattr, self, "rows", rows)


class Classroom(ipywidgets.VBox):
    """The dashboard of an exercise, with its score board.

    Parameters
    ----------
    exercise : Exercise
    **gallery
        Passed on to :class:`Dashboard`.

    Attributes
    ----------
    score_board, dashboard : Widget
    """

    def __init__(self, exercise: Exercise, **gallery: Any) -> None:
        self.score_board = ScoreBoard(exercise)
        self.dashboard = Dashboard(exercise.session, **gallery)
        super().__init__([self.score_board, self.dashboard])
        self.add_class("aw-classroom")

    def close(self) -> None:
        """Let go of the exercise, and leave the page."""
        self.score_board.close()
        self.dashboard.close()
        super().close()


def _file_name(exercise: Exercise) -> str:
    """Return a file name of the exercise and the person, of plain letters."""
    labels = exercise.session.labels
    words = f"{exercise.session.title}-{labels['annotator'].iloc[-1] if len(labels) else ''}"
    return re.sub(r"\W+", "-", words).strip("-").lower() + ".json"
