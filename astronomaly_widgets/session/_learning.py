"""Retraining and the map: long work in the background, while labeling goes on."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import traitlets as t

from .. import compute, embedding
from ..learners import by_name, taught
from ..project import fingerprint
from ._background import Background
from ._inputs import unchangeable
from ._scores import learned, left_out_of, untrained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import Learner
    from ..project import Project

_HISTORY = ["time", "n_labels", "learner", "seconds", "found"]
_EARLY = "the first pages of the new ranking are ready; the rest is being scored"
_MAP_NAMES = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}


class Learning(Background):
    """What the machine does between two looks at the gallery."""

    # a map that takes longer than a coffee is not worth waiting for; t-SNE is the slower by far
    max_embedded = 5_000_000
    _most_by_tsne = 50_000
    client: Any = None  # of a Dask cluster that is to score the objects at a retrain
    retrain_every = t.Int(0, min=0)
    _made: tuple[tuple[str, int, float], Learner] | None = None
    _learned_from = 0  # revision of the label log at the last retrain

    # -- retraining ------------------------------------------------------------------------

    def retrain(self) -> Future[dict[str, Any]]:
        """Learn from all labels, in the background.

        Labeling goes on meanwhile; the new scores are swapped in all at once at the end. Of a
        million objects or more, those that may come first are scored first, and suggested while
        the rest is scored. A second call waits for the first.

        Returns
        -------
        concurrent.futures.Future
            Its result is the new row of :attr:`history`, as a dict. `cancel` stops the work at
            its next chunk, as long as the result is not in.
        """
        task = compute.Task(on_progress=self._show_progress)
        future: Future[dict[str, Any]] = Future()
        self._last_retrain = future
        self._in_background(future, task, self._retrain)
        return future

    def _attach(self, *given: Any) -> None:
        super()._attach(*given)
        self._learned_from = self._store.revision
        every = self.view_state.get("retrain_every", 0)
        self.retrain_every = every if isinstance(every, int) and every > 0 else 0

    @t.observe("label_revision", "retrain_every")
    def _retrain_if_due(self, _change: Any = None) -> None:
        if not self.retrain_every:
            return
        with self.lock:
            waits = self._last_retrain is not None and not self._last_retrain.done()
            new = self._store.revision - self._learned_from
            if waits or new < self.retrain_every:
                return
            self._learned_from = self._store.revision  # so that a failure is not tried again
            self.retrain()

    @t.observe("retrain_every")
    def _keep_pace(self, change: Any) -> None:
        self.save_view_state(retrain_every=change["new"])

    def cancel_retrain(self) -> bool:
        """Cancel the retrain that was asked for last; return whether there was one to cancel."""
        future = self._last_retrain
        return future is not None and not future.done() and future.cancel()

    def _retrain(self, future: Future[dict[str, Any]], task: compute.Task) -> None:
        with self._one_retrain:
            if future.cancelled():
                return
            started = time.perf_counter()
            revision = next(self._revisions)
            word = "retrain cancelled: the ranking is as it was"
            try:
                self.refresh_labels()
                self._learned_from = self._store.revision
                _, rows, scores = self._labeled()
                now = f"learning from {len(rows)} labels"
                self._tell(progress=0.0, retraining=True, status=now)
                learner, arrays = self._learn(task, revision, rows, scores)
                row = {
                    "time": datetime.now(UTC).isoformat(timespec="seconds"),
                    "n_labels": len(rows),
                    "learner": learner,
                    "seconds": round(time.perf_counter() - started, 3),
                    "found": int((scores >= self.interesting_from).sum()),
                }
                with self.lock:
                    if not future.set_running_or_notify_cancel():
                        return
                    self._scores, self._early, project = arrays, None, self.project
                    self._history.append(row)
                self._suggestion()  # chosen here, so that no callback has to
                word = f"learned from {len(rows)} labels in {row['seconds']:.1f} s"
                with self._announcing():
                    self.score_revision = revision
                # of millions that takes a while; nobody waits for it
                word += self._keep(project, row)
            except CancelledError:
                future.cancel()
                return
            except BaseException as error:
                word = f"retrain failed, the ranking is as it was: {error}"
                raise
            finally:
                if self._early is not None:
                    self._early = None
                    self._tell(early_revision=0)
                self._tell(retraining=False, status=word)
            future.set_result(row)
        self._retrain_if_due()  # for the labels that came meanwhile

    def _learn(
        self,
        task: compute.Task,
        revision: int,
        rows: NDArray[np.intp],
        scores: NDArray[np.float64],
    ) -> tuple[str, dict[str, Any]]:
        """Ask the learner; return what it is called, and the arrays that it leads to."""
        learner, S = self._the_learner(), self.anomaly_score
        if not len(rows):
            return type(learner).__name__, untrained(S)
        in_order = np.argsort(rows)  # not the order of labeling: the same labels teach the same
        with compute.running(task), compute.elsewhere(self.client):
            learner = taught(learner, self._X, rows[in_order], scores[in_order], S)
            with compute.running(replace(task, on_progress=None)):
                early = self._suggest_early(learner, rows, scores)
            if early:
                self._tell(early_revision=revision, status=_EARLY)
            outcome = learner.score(self._X, S)
        arrays = learned(S, outcome)
        left_out = left_out_of(outcome, len(rows))
        if left_out is not None:
            left_out = left_out[np.argsort(in_order)]
            arrays |= {"rows": rows, "scores": scores, "left_out": left_out}
        return type(learner).__name__, arrays

    def _keep(self, project: Project, row: dict[str, Any]) -> str:
        """Write the scores to disk, and the row of the history; say so if that is not done."""

        def write() -> bool:
            kept = project.add_arrays("scores", self._of_scores, **self._all_scores())
            project.append_history(row)
            self._keep_learner()  # its arguments may have been changed
            return kept

        return self._written(project, write)

    def _the_learner(self) -> Learner:
        """Return the learner; by name it is the same as last time, for some keep what they know."""
        if not isinstance(self.learner, str):
            return by_name(self.learner)
        name = (self.learner, self.random_state, self.interesting_from)
        if self._made is None or self._made[0] != name:
            self._made = name, by_name(*name)
        return self._made[1]

    @property
    def history(self) -> pd.DataFrame:
        """One row per retrain: time (UTC), n_labels, learner, seconds, found."""
        with self.lock:
            frame = pd.DataFrame(self._history, columns=_HISTORY)
        frame["time"] = pd.to_datetime(frame["time"], utc=True)
        return frame

    # -- the map ---------------------------------------------------------------------------

    @property
    def embedding(self) -> NDArray[np.float32]:
        """Positions on the map, (n, 2) float32; computed, and waited for, on first use.

        They are those of the map that :meth:`start_embedding` was asked for last, by default UMAP.
        """
        return self.start_embedding().result()

    @property
    def embedding_preview(self) -> NDArray[np.float32]:
        """The first two principal components, (n, 2) float32, at once."""
        preview = self._preview
        if preview is None:  # without the lock: of millions it takes a while, and labels come in
            preview = self._preview = unchangeable(embedding.pca_embedding(self._X))
        return preview

    @property
    def best_embedding(self) -> NDArray[np.float32]:
        """The map if it is ready, else its preview; (n, 2) float32."""
        ready = self._ready_map()
        return self.embedding_preview if ready is None else ready

    @property
    def embedding_name(self) -> str:
        """What :attr:`best_embedding` is: "UMAP", "t-SNE" or "PCA"."""
        return _MAP_NAMES["pca" if self._ready_map() is None else self._map_method]

    def start_embedding(self, method: str | None = None) -> Future[NDArray[np.float32]]:
        """Compute the map in a process of its own; return at once.

        Parameters
        ----------
        method : {"umap", "tsne", "pca"}, optional
            By default the one that was asked for last, also before the project was opened, and at
            first UMAP. Above `max_embedded` (five million) objects, and for t-SNE above 50,000, it
            is PCA in any case.

        Returns
        -------
        concurrent.futures.Future
            Of the positions, (n, 2) float32. The same call again returns the same future; a call
            for another map cancels it if it is not done.

        Raises
        ------
        ValueError
            If there is no map of that name.
        """
        chosen = self.view_state.get("embedding", "umap")
        method = method or chosen
        if method not in _MAP_NAMES:
            raise ValueError(f"no map {method!r}: choose one of {', '.join(_MAP_NAMES)}")
        if method != chosen:
            self.save_view_state(embedding=method)
        most = self.max_embedded
        if method == "tsne":
            most = min(most, self._most_by_tsne)
        if not 10 <= self.n_objects <= most:
            method = "pca"
        with self.lock:
            if self._map is not None and self._map_method == method:
                failed = self._map.done() and (self._map.cancelled() or self._map.exception())
                if not failed:
                    return self._map
            future: Future[NDArray[np.float32]] = Future()
            replaced, self._map, self._map_method = self._map, future, method
        if replaced is not None:
            replaced.cancel()
        if method != "pca":
            self._in_background(future, compute.Task(), self._embed, method)
        elif future.set_running_or_notify_cancel():
            future.set_result(self.embedding_preview)
            self._tell(embedding_revision=next(self._revisions))
        return future

    def _embed(self, future: Future[NDArray[np.float32]], task: compute.Task, method: str) -> None:
        if future.cancelled():
            return
        key = self._map_key(method)
        stored = self.project.load_arrays("embedding", key)
        is_known = "xy" in stored and len(stored["xy"]) == self.n_objects
        if is_known:
            xy = stored["xy"]
        else:
            with compute.running(task):
                xy = embedding.compute(self._X, method=method, random_state=self.random_state)
        if not future.set_running_or_notify_cancel():
            return  # another map took its place, and is the one to keep
        if not is_known:
            self._keep_result("the map is ready", "embedding", key, xy=xy)
        future.set_result(unchangeable(xy))
        self._tell(embedding_revision=next(self._revisions))

    def _map_key(self, method: str) -> str:
        return fingerprint(self._X, method, self.random_state)

    def _move_to(self, project: Project, title: str) -> None:
        super()._move_to(project, title)
        with self.lock:
            xy, method = self._ready_map(), self._map_method
        if xy is not None and method != "pca":
            self._keep_result("the map is ready", "embedding", self._map_key(method), xy=xy)

    def _ready_map(self) -> NDArray[np.float32] | None:
        future = self._map
        if future is None or not future.done() or future.cancelled() or future.exception():
            return None
        return future.result()
