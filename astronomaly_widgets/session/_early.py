"""The first pages of a new ranking, while the rest is still being scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from .. import batches, compute
from .._protocols import EarlyLearner
from ._ranking import Ranking, scores_at
from ._scores import learned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import Learner
    from ._ranking import _Suggestion

_MANY = 1_000_000  # objects; fewer are all scored within a few seconds
_N_LISTED = 2**17  # that are scored first
# the best of the last scores, as shares of them; what liked objects attract, and a sample of all
_BEST = {"acquisition": 0.45, "exploration": 0.1, "anomaly_score": 0.1}
_ATTRACTED, _SAMPLE = 0.2, 0.15
_N_LIKED, _N_OTHERS = 64, 1024  # labels, the last ones, that say what is attracted
_WIDER = 4  # times as many are near something liked as are nearer to it than to other labels
_CHUNK = 2**14


@dataclass(frozen=True, slots=True)
class _Early:
    """What is known before all is scored.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
        Objects that are scored, rising.
    scores : dict of ndarray, each (k,)
        As those of the session.
    suggestion : tuple
        Of all objects: what is not scored yet follows in the order before.
    """

    rows: NDArray[np.intp]
    scores: dict[str, Any]
    suggestion: _Suggestion


class Early(Ranking):
    """What is suggested as soon as the objects that matter most are scored."""

    early_revision = t.Int(0)
    _early: _Early | None = None

    @property
    def ranking_revision(self) -> int:
        """Of what is suggested: that of the scores, or of the first pages of what will follow."""
        return max(self.score_revision, self.early_revision)

    def scores_of(self, object_id: str) -> dict[str, float]:
        """Return an object's anomaly score, trained score, relevance and uncertainty, by name.

        They are the newest there are: of an object on the first pages of a ranking that is being
        made, those of that ranking; see `early_revision`.

        Raises
        ------
        KeyError
            If there is no such object.
        """
        row, early = self.row_of(object_id), self._early
        if early is not None:
            place = int(np.searchsorted(early.rows, row))
            if place < len(early.rows) and early.rows[place] == row:
                return scores_at(early.scores, place)
        return super().scores_of(object_id)

    def _suggestion(self) -> _Suggestion:
        early = self._early
        return super()._suggestion() if early is None else early.suggestion

    def _suggest_early(
        self, learner: Learner, labeled: NDArray[np.intp], y: NDArray[np.float64]
    ) -> bool:
        """Score those that may come first, and suggest them, if that saves the person time.

        Returns
        -------
        bool
            Whether it did; :attr:`early_revision` is to be told then.
        """
        if self.n_objects < _MANY or not isinstance(learner, EarlyLearner):
            return False
        rows = shortlist(self._X, self._scores, labeled, labeled[y >= self.interesting_from])
        X, anomaly = np.ascontiguousarray(self._X[rows]), self.anomaly_score[rows]
        outcome = learner.score_some(X, anomaly)
        if outcome is None:
            return False
        scores = learned(anomaly, outcome)
        batch = self._early_batch(rows, X, scores)
        later = np.ones(self.n_objects, dtype=bool)
        later[rows] = False
        before = self._suggestion()[0]
        order = np.concatenate(
            [rows[compute.descending(scores["acquisition"])], before[later[before]]]
        )
        self._early = _Early(rows, scores, self._in_order(batch, order, scores["uncertainty"]))
        return True

    def _early_batch(
        self, rows: NDArray[np.intp], X: NDArray[Any], scores: dict[str, Any]
    ) -> batches.Batch:
        """Choose a batch among a few rows (k,), with their features (k, d) and scores."""
        _, labeled, y = self._labeled()  # some may have come since
        known = np.isin(labeled, rows)
        labeled, y = labeled[known], y[known]
        among = np.arange(len(rows))
        if not (y >= self.interesting_from).any():  # the top, and else kinds of everything
            is_labeled = np.isin(rows, labeled)
            of_all = np.isin(rows, _of_everything(self.n_objects)) | is_labeled
            of_all[batches.best(scores["acquisition"], ~is_labeled, self.batch_size)] = True
            among = np.flatnonzero(of_all)
        places = np.searchsorted(rows[among], labeled)
        few = {name: values[among] for name, values in scores.items()}
        batch = self._batch(X[among], few, places, y, self.strategy)
        return replace(batch, rows=rows[among][batch.rows])


def shortlist(
    X: NDArray[Any],
    scores: dict[str, Any],
    labeled: NDArray[np.intp],
    liked: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Choose the objects that are likely to come first once the new labels are learned from.

    The best of the last acquisition, exploration and anomaly score; what is nearer to something
    liked than to other labels, for the first object that is liked brings up what was far down;
    and some of everything, evenly spaced.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Features, possibly memory-mapped.
    scores : dict of ndarray, each (n,)
        Of the last retrain.
    labeled, liked : ndarray of int
        Rows, the last label last; all that is liked is labeled.

    Returns
    -------
    ndarray of int, shape (k,)
        Rows, rising, with all that are labeled.
    """
    n = len(X)
    listed = np.zeros(n, dtype=bool)
    listed[labeled] = True
    for name, share in _BEST.items():
        worth = scores.get(name, scores["anomaly_score"])
        listed[compute.largest(worth, round(share * _N_LISTED))] = True
    if len(liked):
        others = labeled[~np.isin(labeled, liked)]
        listed[_attracted(X, liked[-_N_LIKED:], others[-_N_OTHERS:])] = True
    listed[_of_everything(n)] = True
    return np.flatnonzero(listed)


def _of_everything(n: int) -> NDArray[np.intp]:
    """Return some of n rows, evenly spaced."""
    return compute.evenly(n, round(_SAMPLE * _N_LISTED))


def _attracted(
    X: NDArray[Any], liked: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return rows that are near something liked, and nearer than to others as far as can be."""
    k = round(_ATTRACTED * _N_LISTED)
    to_liked = _squared(X, None, liked)
    if not len(others):
        return compute.largest(-to_liked, k)
    near = compute.largest(-to_liked, _WIDER * k)
    closer = to_liked[near] / np.maximum(_squared(X, near, others), np.float32(1e-12))
    return near[compute.largest(-closer, k)]


def _squared(
    X: NDArray[Any], among: NDArray[np.intp] | None, points: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Squared distance of all rows, or of those `among` them, to the nearest of some points.

    By products of matrices: what is very near comes out as near, not to the last digit.
    """
    from threadpoolctl import threadpool_limits

    center = X[points].mean(axis=0, dtype=np.float64).astype(np.float32)
    P = np.asarray(X[points] - center, dtype=np.float32)
    out = np.empty(len(X) if among is None else len(among), dtype=np.float32)

    def work(part: slice) -> None:
        block = np.asarray(X[part if among is None else among[part]] - center, dtype=np.float32)
        products = (-2 * P) @ block.T
        products += np.einsum("ij,ij->i", P, P)[:, None]
        out[part] = products.min(axis=0) + np.einsum("ij,ij->i", block, block)

    with threadpool_limits(1, user_api="blas"):  # the chunks are on all cores already
        for _ in compute.map_chunks(work, len(out), _CHUNK):
            pass
    return out.clip(min=0)
