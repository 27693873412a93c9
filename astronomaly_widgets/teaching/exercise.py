"""A search whose truth is known, but not shown."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .. import _display
from ..exceptions import ProjectError
from ..session import Session
from ..simulation import Oracle, label_with
from ._records import hand_in_of
from ._truth import true_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

_N_EXPERT = 300  # labels the simulated expert gives, and batches of the person's pace
_EXPERT_BATCH = 24
_N_HINTED = 12  # objects a hint shows


class Exercise:
    """A search with known truth: feedback on gold objects, a score board, hints, a hand-in.

    Some objects are gold: they stand among the suggested ones, unmarked, and when one is scored
    the gallery says at once whether the score was right. Of all others the truth stays hidden
    until the end. At the end of a cell the dashboard is shown, with the score board.

    Parameters
    ----------
    session : Session
        What is searched. Its `truth` should be None, else the recall panel shows it.
    scores : mapping or Series
        The true score, 0..5, of every object, by object id; a truth of only yes and no counts as
        5 and 0.
    n_gold : int
        Number of gold objects, as far as there are so many; half of them interesting, the others
        half ordinary and half anomalous but dull, which is what is learned here.
    every : int
        A gold object stands at every so-manieth place, at least 2.
    words : mapping or Series, optional
        From object id to what is said of it as feedback, such as "two nuclei: a merger".
    hints : sequence of str
        What :meth:`hint` says first, one after the other.
    n_expert : int
        How many labels the simulated expert of the score board gives.
    random_state : int
        Another number, other gold objects.

    Attributes
    ----------
    gold_ids : tuple of str
    last_feedback : str
        What was said of the gold object that was scored last.

    Raises
    ------
    ValueError
        If an object has no true score, a score is not in 0..5, or nothing is interesting.
    """

    def __init__(
        self,
        session: Session,
        scores: Mapping[str, float] | pd.Series[Any],
        *,
        n_gold: int = 16,
        every: int = 6,
        words: Mapping[str, str] | pd.Series[Any] | None = None,
        hints: Sequence[str] = (),
        n_expert: int = _N_EXPERT,
        random_state: int = 0,
    ) -> None:
        self.session = session
        self._scores = _truth_of(session, scores)
        self._interesting = self._scores >= session.interesting_from
        if not self._interesting.any():
            raise ValueError(
                f"no object has a true score of {session.interesting_from:g} or more: "
                "there is nothing to find"
            )
        self._words = {} if words is None else dict(words)
        self._hints = tuple(hints)
        self._n_expert = n_expert
        self._expert: NDArray[np.intp] | None = None
        self._watchers: list[Callable[[], Any]] = []
        self._view: Any = None
        self.gold_ids = self._choose_gold(n_gold, random_state)
        self.last_feedback = ""
        session.mixed_every = every
        session.mixed_in = self.gold_ids
        session.observe(self._on_label, "label_revision")
        self._answered = {name for name in self.gold_ids if session.score_of(name) is not None}

    # -- gold --------------------------------------------------------------------------------

    def _choose_gold(self, n: int, random_state: int) -> tuple[str, ...]:
        rng = np.random.default_rng(random_state)
        liked, dull = np.flatnonzero(self._interesting), np.flatnonzero(~self._interesting)
        odd = dull[np.argsort(-self.session.anomaly_score[dull], kind="stable")][: 4 * n]
        n_liked = min(-(-n // 2), -(-len(liked) // 4))  # most are left to be found
        chosen = rng.choice(liked, n_liked, replace=False)
        confusing = rng.choice(odd, min(n // 4, len(odd)), replace=False)
        rest = np.setdiff1d(dull, confusing)
        others = rng.choice(rest, min(n - n_liked - len(confusing), len(rest)), replace=False)
        rows = rng.permutation(np.concatenate([chosen, confusing, others]))
        return tuple(self.session.ids_of(rows))

    def _on_label(self, _change: Any) -> None:
        for name in self.gold_ids:
            score = self.session.score_of(name)
            if score is None:
                self._answered.discard(name)
            elif name not in self._answered:
                self._answered.add(name)
                self.last_feedback = self.feedback(name)
                self.session.notice = self.last_feedback
        for told in self._watchers:
            told()

    def feedback(self, object_id: str) -> str:
        """Return what is said when a gold object has been scored.

        Raises
        ------
        KeyError
            If the object is not gold: its truth stays hidden.
        """
        if object_id not in self.gold_ids:
            raise KeyError(f"{object_id!r} is not one of the {len(self.gold_ids)} gold objects")
        given = self.session.score_of(object_id)
        row = self.session.row_of(object_id)
        known = float(self._scores[row])
        if given is None:
            return f"gold: {object_id} has no score yet"
        right = (given >= self.session.interesting_from) == bool(self._interesting[row])
        word = "right" if right else "not quite"
        said = f": {self._words[object_id]}" if object_id in self._words else ""
        return f"gold, {word}: experts give {known:g}, you {given:g}{said} ({object_id})"

    @property
    def gold_right(self) -> tuple[int, int]:
        """How many gold objects were scored on the right side of the threshold, and how many."""
        rows = self.session.rows_of(self.gold_ids)
        given = [self.session.score_of(name) for name in self.gold_ids]
        right = [
            (score >= self.session.interesting_from) == bool(self._interesting[row])
            for row, score in zip(rows, given, strict=True)
            if score is not None
        ]
        return sum(right), len(right)

    # -- score board -------------------------------------------------------------------------

    @property
    def n_interesting(self) -> int:
        """How many objects are truly interesting."""
        return int(self._interesting.sum())

    def found(self) -> NDArray[np.intp]:
        """Return how many truly interesting objects had been found after each label, (m,).

        An object is found when it is interesting and was given a score that says so.
        """
        ids, scores = self.session.label_sequence()
        hits = self._interesting[self.session.rows_of(ids)]
        return np.cumsum(hits & (scores >= self.session.interesting_from))

    def score_board(self) -> pd.DataFrame:
        """Return what was found with as many labels: by you, an expert, the detector, by chance.

        Returns
        -------
        DataFrame
            Rows "you", "simulated expert" (who never errs, and uses the same learner; NaN until
            the simulation in the background is done, or beyond its labels), "detector alone"
            (the highest anomaly scores) and "at random" (expected). Columns ``found`` and
            ``share`` of all interesting objects, 0..1.
        """
        found = self.found()
        m = len(found)
        order = np.argsort(-self.session.anomaly_score, kind="stable")
        expert = np.nan
        if self._expert is not None and m <= len(self._expert):
            expert = float(self._expert[m - 1]) if m else 0.0
        rows = {
            "you": float(found[-1]) if m else 0.0,
            "simulated expert": expert,
            "detector alone": float(self._interesting[order[:m]].sum()),
            "at random": m * self.n_interesting / self.session.n_objects,
        }
        table = pd.DataFrame({"found": pd.Series(rows)})
        table["share"] = table["found"] / self.n_interesting
        return table.rename_axis(f"after {m} labels")

    def start_expert(self) -> Thread:
        """Let the simulated expert search, in the background; the score board then shows it."""
        thread = Thread(target=self.run_expert, name="simulated expert", daemon=True)
        thread.start()
        return thread

    def run_expert(self) -> NDArray[np.intp]:
        """Let the simulated expert search the same objects; return what it found, (k,)."""
        if self._expert is None:
            session = self.session
            names = session.object_ids
            other = Session(
                session.features,
                names,
                anomaly_score=session.anomaly_score,
                learner=deepcopy(session.learner),  # the person's may be learning meanwhile
                random_state=session.random_state,
            )
            other.interesting_from = session.interesting_from
            oracle = Oracle(pd.Series(self._scores, index=names))
            given = label_with(other, oracle, self._n_expert, _EXPERT_BATCH)
            other.close()
            self._expert = given["found"].to_numpy(dtype=np.intp)
            for told in self._watchers:
                told()
        return self._expert

    # -- hints -------------------------------------------------------------------------------

    @property
    def n_hints(self) -> int:
        """How many hints were taken; the hand-in says it."""
        return int(self.session.view_state.get("hints", 0))

    def hint(self) -> str:
        """Give a hint: words at first, then a dozen objects with an interesting one among them."""
        session, taken = self.session, self.n_hints
        session.save_view_state(hints=taken + 1)
        if taken < len(self._hints):
            session.notice = f"hint: {self._hints[taken]}"
            return self._hints[taken]
        labeled = session.rows_of(session.label_sequence()[0])
        free = np.setdiff1d(np.arange(session.n_objects), labeled)
        liked = free[self._interesting[free]]
        if not len(liked):
            word = "nothing is left: you have seen every interesting object"
            session.notice = f"hint: {word}"
            return word
        rng = np.random.default_rng(taken)
        one = rng.choice(liked)
        others = rng.choice(free[free != one], min(_N_HINTED - 1, len(free) - 1), replace=False)
        session.selected_ids = tuple(session.ids_of(rng.permutation(np.append(others, one))))
        word = f"at least one of these {len(others) + 1} objects is what you are looking for"
        session.notice = f"hint: {word}"
        return word

    # -- the end -----------------------------------------------------------------------------

    def hand_in(self, path: str | Path, name: str | None = None) -> Path:
        """Write what was done to one JSON file, for the teacher.

        It holds every label with the seconds it took, in order, what was found of what is true,
        the gold objects and the number of hints; see :func:`compare`.

        Parameters
        ----------
        path : str or Path
            A file name that ends in ``.json``.
        name : str, optional
            Whose work it is; by default the annotator of the labels.

        Raises
        ------
        ValueError
            If nothing is labeled yet, or the file is not named ``.json``.
        ProjectError
            If it cannot be written.
        """
        target = Path(path)
        if target.suffix != ".json":
            raise ValueError(f"{target.name} is not a .json file: name it so")
        if not self.session.n_labeled:
            raise ValueError("nothing is labeled yet, so there is nothing to hand in")
        right, answered = self.gold_right
        record = hand_in_of(self.session, name) | {
            "found": self.found().tolist(),
            "n_interesting": self.n_interesting,
            "gold": {"right": right, "answered": answered},
            "n_hints": self.n_hints,
        }
        try:
            target.write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            raise ProjectError(f"{target} could not be written ({error.strerror})") from error
        return target

    # -- life --------------------------------------------------------------------------------

    def watch(self, told: Callable[[], Any]) -> Callable[[], None]:
        """Call ``told()`` when the score board changes, on any thread; return how to stop."""
        self._watchers.append(told)
        return lambda: self._watchers.remove(told)

    def close(self) -> None:
        """Let go of the session, which stays open."""
        self.session.unobserve(self._on_label, "label_revision")
        self.session.mixed_in = ()

    def __repr__(self) -> str:
        right, answered = self.gold_right
        return (
            f"<Exercise {self.session.title!r}: {self.n_interesting} to find among "
            f"{self.session.n_objects} objects, {self.session.n_labeled} labeled, "
            f"gold {right} of {answered} right>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if _display.make_classroom is None:
            return {"text/plain": repr(self)}
        if self._view is None:
            self._view = _display.make_classroom(self)
        return self._view._repr_mimebundle_(**kwargs)


def _truth_of(
    session: Session, scores: Mapping[str, float] | pd.Series[Any]
) -> NDArray[np.float64]:
    """Return the true score of every object, (n,) float64, 0..5."""
    values = np.asarray(true_scores(scores).reindex(session.object_ids), dtype=np.float64)
    missing = int(np.isnan(values).sum())
    if missing:
        first = session.object_ids[np.isnan(values)][0]
        raise ValueError(
            f"{missing} of {len(values)} objects have no true score, {first!r} the first: "
            "index the scores by object id"
        )
    return values
