"""Rankings of a session: what to look at next, and why."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import traitlets as t
from pandas.api.types import infer_dtype

from .. import batches
from ..compute import chunks, descending
from ..learners import by_name, taught
from ._catalog import beside
from ._labeling import Labeling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Suggestion = tuple[NDArray[np.intp], dict[int, str], float]

ORDERS = (
    "suggested",
    "trained_score",
    "anomaly_score",
    "relevance",
    "uncertainty",
    "random",
    "original",
)
SCORES = ("anomaly_score", "trained_score", "relevance", "uncertainty")  # what a person is told
_ORDERS_HELD = 3
# traits that say how the suggested are chosen
_CHOSEN_BY = ("batch_size", "strategy", "explore", "mixed_in", "mixed_every", "interesting_from")
_LIKELY = 0.75  # share of `interesting_from`: a predicted score that is worth saying
_UNSURE = 0.9  # of the largest uncertainty


class Ranking(Labeling):
    """Orders of the objects."""

    batch_size = t.Int(50, min=1)
    strategy = t.Enum(batches.STRATEGIES, "auto")
    explore = t.Float(0.0, min=0.0, max=1.0)
    mixed_in = t.Tuple()
    mixed_every = t.Int(6, min=2)
    batch_settings = t.Tuple()
    _sorted: tuple[dict[str, Any], dict[str, NDArray[np.intp]]] | None = None
    _suggested: tuple[dict[str, Any], tuple[Any, ...], _Suggestion] | None = None

    @t.default("batch_settings")
    def _batch_settings(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _CHOSEN_BY)

    @t.observe(*_CHOSEN_BY)
    def _choose_otherwise(self, _change: Any) -> None:
        self.batch_settings = self._batch_settings()

    # -- rankings --------------------------------------------------------------------------

    @property
    def orders(self) -> tuple[str, ...]:
        """Names that :meth:`ranking` understands: the usual ones and the catalog's columns."""
        return ORDERS + self.column_orders

    @property
    def column_orders(self) -> tuple[str, ...]:
        """Those that are columns of the catalog; one that is called like a usual order is not."""
        columns = () if self.catalog is None else tuple(map(str, self.catalog.columns))
        return tuple(name for name in columns if name not in ORDERS)

    def ranking(
        self,
        order: str = "suggested",
        unlabeled_first: bool = True,
        where: Any = None,
    ) -> NDArray[Any]:
        """Return object ids, best first.

        Parameters
        ----------
        order : str
            "suggested" (what is worth labeling next), "trained_score", "anomaly_score",
            "relevance", "uncertainty", "random", "original", or a column of the catalog: numbers
            from large to small, words from A to Z, both in one column as words; "-name" turns it
            round. Objects without a value come last. Ties keep their original order.
        unlabeled_first : bool
            Whether labeled objects come after all others.
        where : str or array of bool, shape (n,), optional
            Only these objects; a str is a condition on the catalog and the scores, as in
            ``"redshift > 0.3 and anomaly_score > 2"``. A missing value meets no condition.

        Returns
        -------
        ndarray, shape (m,), dtype object

        Raises
        ------
        ValueError
            If the order or the condition is not understood.
        """
        return self.ids_of(self.ranking_rows(order, unlabeled_first, where))

    def ranking_rows(
        self,
        order: str = "suggested",
        unlabeled_first: bool = True,
        where: Any = None,
    ) -> NDArray[np.intp]:
        """Return :meth:`ranking` as rows, (m,): for pages, which need few ids of millions."""
        rows = self._sorted_rows(order)
        if where is not None:
            rows = rows[self._mask(where)[rows]]
        if unlabeled_first:
            labeled = np.zeros(self.n_objects, dtype=bool)
            labeled[self._labeled()[1]] = True
            late = labeled[rows]
            rows = np.concatenate([rows[~late], rows[late]])
        return rows

    def _sorted_rows(self, order: str) -> NDArray[np.intp]:
        """Return all rows in an order; the last few orders of the scores there are are kept."""
        if order == "suggested":
            return self._suggestion()[0]
        with self.lock:
            scores = self._scores
            if self._sorted is None or self._sorted[0] is not scores:
                self._sorted = (scores, {})
            held = self._sorted[1]
            rows = held.pop(order, None)
        if rows is None:
            rows = self._sort(order, scores)
            rows.flags.writeable = False
        with self.lock:
            held[order] = rows
            if len(held) > _ORDERS_HELD:
                del held[next(iter(held))]
        return rows

    def _sort(self, order: str, scores: dict[str, Any]) -> NDArray[np.intp]:
        if order == "original":
            return np.arange(self.n_objects)
        if order == "random":
            return np.random.default_rng(self.random_state).permutation(self.n_objects)
        if order in ORDERS:
            return descending(scores[order])
        columns = () if self.catalog is None else self.catalog.columns
        name = order if order in columns else order.removeprefix("-")
        if self.catalog is None or name not in columns:
            raise ValueError(f"no order {order!r}: choose one of {', '.join(self.orders)}")
        values = self.catalog[name]
        ascending = not pd.api.types.is_numeric_dtype(values)
        if name != order:
            ascending = not ascending
        if infer_dtype(values).startswith("mixed"):
            values = values.where(values.isna(), values.astype(str))
        if isinstance(values.dtype, np.dtype) and values.dtype.kind == "f":
            numbers = values.to_numpy()
            return descending(-numbers if ascending else numbers)
        in_order = values.reset_index(drop=True).sort_values(
            ascending=ascending, kind="stable", na_position="last"
        )
        return np.array(in_order.index)

    def _mask(self, where: Any) -> NDArray[np.bool_]:
        chosen = self._evaluated(where) if isinstance(where, str) else where
        if np.shape(chosen) == (self.n_objects,) and infer_dtype(chosen) == "boolean":
            known = pd.Series(chosen).astype("boolean")
            return known.to_numpy(dtype=bool, na_value=False)
        came = f"{getattr(chosen, 'dtype', type(chosen).__name__)} {np.shape(chosen)}"
        raise ValueError(
            f"where={where!r:.80} gives {came}; wanted yes or no for each object: a condition in "
            f"words, as 'redshift > 0.3', or a bool array ({self.n_objects},)"
        )

    def _evaluated(self, condition: str) -> Any:
        table = pd.DataFrame({name: self._scores[name] for name in SCORES})
        if self.catalog is not None:
            table = table.set_index(self.catalog.index)
            table = pd.concat([table, beside(self.catalog, SCORES)], axis=1)
        try:
            return table.eval(condition)
        except Exception as error:
            raise ValueError(
                f"the condition {condition!r} is not understood ({error}); "
                f"it may use {', '.join(table.columns)}"
            ) from error

    def scores_of(self, object_id: str) -> dict[str, float]:
        """Return an object's anomaly score, trained score, relevance and uncertainty, by name."""
        return scores_at(self._scores, self.row_of(object_id))

    def reason_of(self, object_id: str) -> str:
        """Return in a few words why an object is suggested, or "" if nothing is to be said."""
        known = self.scores_of(object_id)
        _, reasons, unsure = self._suggestion()
        reason = reasons.get(self.row_of(object_id), "")
        if known["relevance"] >= _LIKELY * self.interesting_from:
            return batches.PREDICTED
        if reason not in ("", batches.PREDICTED):
            return reason
        return batches.DRAWN if known["uncertainty"] >= unsure else ""

    def _suggestion(self) -> _Suggestion:
        """Return all rows in the suggested order, why the first are there, what is unsure.

        Chosen once for the scores and settings there are: labels that come in move nothing.
        """
        _, labeled, y = self._labeled()
        with self._choosing:  # not the lock, for which labels and callbacks would wait
            scores, settings, held = self._scores, self._batch_settings(), self._suggested
            if held is None or held[0] is not scores or held[1] != settings:
                held = self._suggested = (scores, settings, self._suggest(scores, labeled, y))
            return held[2]

    def _suggest(
        self, scores: dict[str, Any], labeled: NDArray[np.intp], y: NDArray[np.float64]
    ) -> _Suggestion:
        worth, strategy = scores["acquisition"], self.strategy
        if np.array_equal(worth, scores["anomaly_score"]):  # nothing has been learned
            worth = self._first_worth(worth)
            own_start = worth is not scores["acquisition"]
            strategy = ("top" if own_start else "start") if strategy == "auto" else strategy
        batch = self._batch(self._X, {**scores, "acquisition": worth}, labeled, y, strategy)
        return self._in_order(batch, descending(worth), scores["uncertainty"])

    def _batch(
        self,
        X: NDArray[Any],
        scores: dict[str, Any],
        labeled: NDArray[np.intp],
        y: NDArray[np.float64],
        strategy: str,
    ) -> batches.Batch:
        return batches.suggest(
            X,
            scores["acquisition"],
            labeled,
            y,
            self.batch_size,
            exploration=scores.get("exploration"),
            strategy=strategy,
            explore=self.explore,
            interesting_from=self.interesting_from,
            random_state=self.random_state,
        )

    def _in_order(
        self, batch: batches.Batch, order: NDArray[np.intp], spread: NDArray[np.float32]
    ) -> _Suggestion:
        """Put a batch, and what is mixed in, before all other rows in their order."""
        early = np.zeros(len(order), dtype=bool)
        early[batch.rows] = True
        rows = np.concatenate([batch.rows, order[~early[order]]])
        reasons = dict(zip(batch.rows.tolist(), batch.reasons, strict=True))
        if self.mixed_in:  # nothing shall tell them from the others, not even why they are there
            mixed = self.rows_of(self.mixed_in)
            mixed = mixed[(mixed >= 0) & ~np.isin(mixed, self._labeled()[1])]
            rows = _mixed(rows, mixed, self.mixed_every)
            place = np.flatnonzero(np.isin(rows, mixed))
            before = [reasons.get(row, "") for row in rows[place - 1].tolist()]
            reasons |= dict(zip(rows[place].tolist(), before, strict=True))
        rows.flags.writeable = False
        unsure = _UNSURE * float(np.nanmax(spread, initial=-np.inf))
        return rows, reasons, unsure

    def _first_worth(self, score: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the learner would begin with: `score` itself, or what it has for a start."""
        # somebody else's may have nothing to say without labels
        if not isinstance(self.learner, str) and not hasattr(self.learner, "cold_start"):
            return score
        nothing = np.empty(0)
        learner = by_name(deepcopy(self.learner), self.random_state)  # a retrain may be using it
        learner = taught(learner, self._X, nothing.astype(np.intp), nothing, score)
        outcome = learner.score(self._X, score)
        first = np.asarray(outcome.acquisition, dtype=np.float32)
        return score if np.array_equal(first, score) else first

    def similar_to(self, object_id: str, n: int = 24) -> NDArray[Any]:
        """Return the ids of the `n` objects nearest in feature space, nearest first.

        Raises
        ------
        KeyError
            If there is no such object.
        """
        row = self.row_of(object_id)
        here = np.asarray(self._X[row], dtype=np.float32)
        distance = np.empty(self.n_objects, dtype=np.float32)
        for part in chunks(self.n_objects):
            step = self._X[part] - here
            np.einsum("ij,ij->i", step, step, out=distance[part])
        distance[row] = np.inf
        n = min(n, self.n_objects - 1)
        nearest = np.argpartition(distance, n - 1)[:n] if n > 0 else np.empty(0, dtype=np.intp)
        return self.ids_of(nearest[np.argsort(distance[nearest], kind="stable")])


def scores_at(scores: dict[str, Any], place: int) -> dict[str, float]:
    """Return the scores at one place of their arrays, by name."""
    return {name: float(scores[name][place]) for name in SCORES}


def _mixed(rows: NDArray[np.intp], few: NDArray[np.intp], every: int) -> NDArray[np.intp]:
    """Put a few of the rows, in their order, at every so-manieth place from the beginning."""
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[few] = True
    others = rows[~chosen[rows]]
    places = (np.arange(len(few)) + 1) * (every - 1)
    return np.insert(others, np.minimum(places, len(others)), few)
