"""How many interesting objects are left: what the labels say, and what a random sample says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import evaluation
from ._grouping import Grouping

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AUDIT = 50


class Remainder(Grouping):
    """What has not been found yet."""

    def remaining(self, level: float = 0.9) -> evaluation.Remaining | None:
        """Estimate how many interesting objects are left among those not labeled yet.

        As of the last retrain, less what was found since; see
        :func:`astronomaly_widgets.evaluation.estimate_remaining` for what it can and cannot know,
        and :meth:`draw_audit` for an estimate that assumes nothing.

        Parameters
        ----------
        level : float
            Probability of the interval, 0..1.

        Returns
        -------
        Remaining or None
            None before the first retrain, or if the learner does not say what it would make of
            labeled objects without their labels.
        """
        with self.lock:
            arrays = self._scores
        if "left_out" not in arrays:
            return None
        rows, scores, worth = (arrays[name] for name in ("rows", "scores", "left_out"))
        left = evaluation.estimate_remaining(
            scores >= self.interesting_from,
            worth,
            np.delete(arrays["trained_score"], rows.astype(np.intp)),
            level=level,
            random_state=self.random_state,
        )
        _, now, current = self._labeled()
        found = int((current[~np.isin(now, rows)] >= self.interesting_from).sum())
        return _less(left, found)

    # -- the random sample -----------------------------------------------------------------

    def draw_audit(self, n: int = _AUDIT) -> NDArray[Any]:
        """Draw unlabeled objects at random, select them, and remember that they were drawn.

        Once labeled they tell how many interesting objects are left, whatever the learner thinks
        of them: :meth:`remaining_by_audit`. A sample that is not yet labeled to its end is selected
        again rather than replaced, because to drop it for what it shows would bias the estimate;
        also if it was drawn in another kernel of the project.

        Parameters
        ----------
        n : int
            Size of the sample; fewer if fewer objects are unlabeled.

        Returns
        -------
        ndarray of str, shape (m,)
            Ids, in the order in which they are to be labeled.

        Raises
        ------
        ValueError
            If `n` is less than 1.
        """
        if n < 1:
            raise ValueError(f"a sample of {n} objects was asked for; give 1 or more")
        project = self.project
        with project.alone():  # two kernels that ask at once get one sample
            self.refresh_labels()
            drawn = project.load_view().get("audit")
            if drawn is not None:
                with self.lock:
                    self.view_state = {**self.view_state, "audit": drawn}
            if all(self.score_of(name) is not None for name in self.audit_ids):
                self.save_view_state(audit=self._new_audit(n))
        self._tell(selected_ids=self.audit_ids)
        return np.array(self.audit_ids, dtype=object)

    def _new_audit(self, n: int) -> dict[str, Any]:
        _, labeled, _ = self._labeled()
        rest = np.delete(np.arange(self.n_objects), labeled)
        rng = np.random.default_rng((self.random_state, self._store.revision))
        sample = rng.choice(rest, size=min(n, len(rest)), replace=False)
        return {
            "ids": self.ids_of(sample).tolist(),
            "n_rest": len(rest) - len(sample),
            "revision": self._store.revision,
        }

    @property
    def audit_ids(self) -> tuple[str, ...]:
        """The last sample of :meth:`draw_audit`, in its order; empty if there is none."""
        audit = self.view_state.get("audit")
        ids = audit.get("ids", ()) if isinstance(audit, dict) else ()
        return tuple(name for name in ids if name in self._ids)

    def reason_of(self, object_id: str) -> str:
        """Return in a few words why an object is shown, or "" if nothing is to be said.

        "predicted interesting", "anomalous", "diverse" (unlike the others of its batch),
        "unexplored" (the learner is unsure, or the object was drawn at random), or "random
        sample" (of :meth:`draw_audit`).
        """
        reason = super().reason_of(object_id)
        drawn = object_id in self.selected_ids and object_id in self.audit_ids
        return "random sample" if drawn else reason

    def remaining_by_audit(self, level: float = 0.9) -> evaluation.Remaining | None:
        """Estimate how many interesting objects are left from the sample of :meth:`draw_audit`.

        From as much of the sample as is labeled from its beginning without a gap, less what was
        found elsewhere since it was drawn. It assumes nothing, and is as wide as the sample is
        small; see :func:`astronomaly_widgets.evaluation.estimate_from_audit`.

        Parameters
        ----------
        level : float
            Probability of the interval, 0..1.

        Returns
        -------
        Remaining or None
            None if there is no sample, or its first object is not labeled yet.
        """
        ids = self.audit_ids
        scores = [self.score_of(name) for name in ids]
        n_done = scores.index(None) if None in scores else len(scores)
        if n_done == 0:
            return None
        audit = self.view_state["audit"]
        hits = [score is not None and score >= self.interesting_from for score in scores]
        n_rest = int(audit["n_rest"]) + len(ids) - n_done
        left = evaluation.estimate_from_audit(hits[:n_done], n_rest, level=level)
        # not a difference of two counts: scores and `interesting_from` may have been changed
        since = self._store.labeled_since(int(audit.get("revision", self._store.revision)))
        known = {*ids[:n_done]}
        elsewhere = [a for a in since if a.object_id in self._ids and a.object_id not in known]
        return _less(left, sum(a.score >= self.interesting_from for a in elsewhere))


def _less(left: evaluation.Remaining, found: int) -> evaluation.Remaining:
    """Take what was found since from what was left."""
    expected, low, high = (max(x - found, 0.0) for x in (left.expected, left.low, left.high))
    return evaluation.Remaining(expected, low, high, left.level)
