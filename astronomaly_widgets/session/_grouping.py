"""Clusters of a session: found once, kept in the project, an order of their own."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from .. import clustering, compute
from ._learning import Learning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..project import Project


class Grouping(Learning):
    """Which objects are of a kind."""

    cluster_revision = t.Int(0)
    _clusters: clustering.Clusters | None = None
    _looked = False  # whether the project was asked for them
    _finding: Future[clustering.Clusters] | None = None

    @property
    def clusters(self) -> clustering.Clusters | None:
        """What :meth:`find_clusters` found last, also before the project was opened; or None."""
        with self.lock:
            if self._clusters is None and not self._looked:
                self._looked = True
                stored = self.project.load_arrays("clusters", self.project.key)
                if stored:
                    self._clusters = clustering.Clusters(
                        stored["labels"], stored["oddity"], str(stored["method"])
                    )
            return self._clusters

    def find_clusters(self, method: str = "auto", **options: Any) -> Future[clustering.Clusters]:
        """Find clusters of feature space in the background.

        They are kept in the project, color the map, and make the order "cluster": of each
        cluster its most typical object and the one farthest out, then the next two of each.

        Parameters
        ----------
        method : str
        **options
            As of :func:`astronomaly_widgets.clustering.cluster`.

        Returns
        -------
        concurrent.futures.Future
            Of the :class:`~astronomaly_widgets.clustering.Clusters`. A call while clusters are
            being found returns the future there is.

        Raises
        ------
        ValueError
            Of the future: if a number or the method does not suit.
        """
        with self.lock:
            if self._finding is not None and not self._finding.done():
                return self._finding
            future: Future[clustering.Clusters] = Future()
            self._finding = future
        work = partial(self._find_clusters, method=method, options=options)
        self._in_background(future, compute.Task(), work)
        return future

    def _find_clusters(
        self,
        future: Future[clustering.Clusters],
        task: compute.Task,
        *,
        method: Any,
        options: dict[str, Any],
    ) -> None:
        with compute.running(task):
            found = clustering.cluster(
                self._X, method, **{"random_state": self.random_state, **options}
            )
        if not future.set_running_or_notify_cancel():
            return
        with self.lock:
            self._clusters = found
            self._sorted = None  # the order "cluster" is another now
        self._keep_clusters(found)
        future.set_result(found)
        self._tell(cluster_revision=next(self._revisions))

    def _keep_clusters(self, found: clustering.Clusters) -> None:
        what, method = f"found {len(found.sizes)} clusters", np.array(found.method)
        arrays = {"labels": found.labels, "oddity": found.oddity, "method": method}
        self._keep_result(what, "clusters", self.project.key, **arrays)

    def _move_to(self, project: Project, title: str) -> None:
        super()._move_to(project, title)
        if self._clusters is not None:
            self._keep_clusters(self._clusters)

    @property
    def orders(self) -> tuple[str, ...]:
        """Names that :meth:`ranking` understands; "cluster" once clusters were found."""
        names = super().orders
        if self.clusters is None or "cluster" in names:
            return names
        return (*names[: names.index("random")], "cluster", *names[names.index("random") :])

    def _sort(self, order: str, scores: dict[str, Any]) -> NDArray[np.intp]:
        found = self.clusters
        if order != "cluster" or found is None:
            return super()._sort(order, scores)
        return _kind_by_kind(found.labels, found.oddity)


def _kind_by_kind(labels: NDArray[np.int32], oddity: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return all rows: of each cluster the most typical and the farthest out, and so on inwards.

    Objects in no cluster come last.
    """
    rows = np.lexsort((oddity, labels))
    label = labels[rows]
    begin = np.searchsorted(label, label)  # where each one's cluster begins
    size = np.searchsorted(label, label, side="right") - begin
    inner = np.arange(len(rows)) - begin
    outer = size - 1 - inner
    # typical ones take the even turns, from the inside; the others the odd, from the outside
    turn = np.where(inner <= outer, 2 * inner, 2 * outer + 1)
    return rows[np.lexsort((label, turn, label < 0))]
