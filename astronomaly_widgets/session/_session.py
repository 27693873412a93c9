"""The session as people meet it: rankings, neighbors, export, and the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .. import _display, export
from ..exceptions import ProjectError
from ..project import Project
from ._catalog import beside
from ._remaining import Remainder

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from .._protocols import Learner, Source


class Session(Remainder):
    """One search for the strange and the interesting.

    It holds the features, the anomaly score, the labels and what the learner made of them, and it
    is the only door for labels. Every method may be called on any thread.

    Parameters
    ----------
    features : array, memmap, DataFrame or Table, shape (n, d)
        One row per object; scale them first (`aw.explore` does). Objects with a value that is NaN
        or infinite are set aside.
    object_ids : sequence of str, shape (n,), optional
        Unique names. By default the index of a DataFrame, else "0", "1", ...: names that change
        with the order of the rows, so give real ones where labels are to survive.
    anomaly_score : array, shape (n,), optional
        0..5, larger = more anomalous (`aw.detectors.rescale` makes one); computed with `detector`
        by default.
    source : Source, optional
        Where pictures of the objects come from.
    catalog : DataFrame, optional
        What is known of the objects: indexed by object id, or with a column of them that is called
        like one ("object_id", "source_id", "name", ...); without either, one row per object, in
        their order.
    detector : str or object
        "isolation_forest", "local_outlier_factor", or anything with `fit` and `score_samples`.
    learner : str or object
        "auto", another of ``aw.learners.NAMES``, or anything with `fit` and `score`.
    project : str or Path, optional
        Folder in which everything is kept. Without one, labels are kept in a temporary folder.
    annotator : str, optional
        Who labels; the name of the computer's user by default.
    random_state : int
    set_aside : DataFrame, optional
        Objects that could not be read or measured: columns stage and reason, by object id.
    truth : str, array of bool or mapping, optional
        Which objects are interesting, where that is known (simulations, teaching): a column of
        the catalog, or one value per object.
    title : str, optional
        Shown above the gallery; the name of the project's folder by default.

    Attributes
    ----------
    current_id : str or None
        The object the person looks at; KeyError if there is no such object.
    selected_ids : tuple of str
        The objects chosen on the map; empty if there is no selection.
    label_revision, score_revision, embedding_revision : int
        Change whenever labels, scores or the map change. Observers may be called on any thread.
    early_revision : int
        Of a million objects or more: what `score_revision` is going to be, as soon as the first
        pages of the new ranking are suggested and the rest is still being scored. The arrays of
        scores stay those of before until all is done. 0 again if it was cancelled or failed.
    retraining : bool
    progress : float
        Of the retrain, 0..1.
    status : str
        What is worth saying, in words.
    notice : str
        What the gallery says in passing.
    last_error : Exception or None
        The last error of a callback or of the background work.
    batch_size : int
        How many objects are chosen together, as the suggestion; 50 by default. The first
        of them make a good smaller batch.
    strategy : {"auto", "top", "diverse", "start"}
        How they are chosen; see :func:`astronomaly_widgets.batches.suggest`.
    explore : float
        Share of them, 0..1, that is drawn at random; 0 by default.
    mixed_in : tuple of str
        Ids of objects to see in any case: unless labeled, they stand among the suggested, one at
        every `mixed_every`-th place (6 by default).
    batch_settings : tuple
        The values of all that says how the suggested are chosen. What is suggested changes with
        them, and with `ranking_revision`.
    retrain_every : int
        After how many new labels a retrain starts by itself, in the background; 0, the default:
        only when asked. It is kept in the project. The new ranking is offered as ever.
    client : distributed.Client or None
        Set it, and retrains score the objects on the workers of this Dask cluster; `aw.explore`
        does. None: on all cores of this machine. The scores are the same.
    interesting_from : float
        Score from which an object counts as found, and is what the learner and the batches look
        for, 0..5; 4 by default. Set it lower if you hardly give the highest scores.
    catalog : DataFrame or None
        By object id, in the order of the objects.
    set_aside : DataFrame
        Objects that could not be read or measured: stage and reason, by object id.
    truth : ndarray of bool, shape (n,), or None
    project : Project

    Raises
    ------
    ValueError
        If the features are not a numeric (n, d) array, or the ids are not unique.
    ProjectError
        If the project cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> features = np.random.default_rng(0).normal(size=(100, 3))
    >>> features[7] += 9  # one of them is far out
    >>> session = Session(features, [f"star-{k}" for k in range(100)])
    >>> session.ranking("anomaly_score")[:1]
    array(['star-7'], dtype=object)
    >>> session.label("star-7", 5, tags=("flare",))
    >>> session.label("star-3", 0)
    >>> session.retrain().result()["found"]
    1
    >>> session.labels["score"].tolist()
    [5.0, 0.0]
    """

    @classmethod
    def open(
        cls,
        project: str | Path,
        *,
        source: Source | None = None,
        learner: str | Learner | None = None,
        annotator: str | None = None,
    ) -> Self:
        """Open a project exactly where it was left.

        Parameters
        ----------
        project : str or Path
        source : Source, optional
            Where pictures come from, if the project does not know (arrays and tables that were in
            memory) or the files have moved.
        learner : str or Learner, optional
            By default the one it was left with. A project can keep those of `aw.learners` with
            plain arguments; where another is missing, the status says which.
        annotator : str, optional

        Raises
        ------
        ProjectError
            If the folder is not a project, or was never finished.
        ProjectVersionError
            If it was written by a newer version.
        """
        return cls._opened(project, source, learner, annotator)

    def save(self, project: str | Path) -> None:
        """Move a session without a project into one, with all its labels.

        Raises
        ------
        ProjectError
            If the session has a project already, or the folder holds one.
        """
        if not self.is_temporary:
            raise ProjectError(f"this session is kept in {self.project.path} already")
        target = Project(project)
        if (target.path / "manifest.json").exists() or (target.path / "labels.sqlite").exists():
            raise ProjectError(f"{target.path} holds a project already: choose another name")
        title = target.path.name if self.title == "Session" else self.title
        self._move_to(target, title)
        self.title = title

    # -- results ---------------------------------------------------------------------------

    def results(self) -> pd.DataFrame:
        """Return one row per object: scores, label and catalog, by object id; NaN = unlabeled.

        A column of the catalog that is called like one of these stands beside it: the catalog's
        `time` as `catalog_time`. Units that are known are in ``attrs["units"]``, as text by column.
        """
        with self.lock:
            table = self.labels.reindex(self._ids.index)
            scores = dict(self._scores)
        table["tags"] = [tags if isinstance(tags, tuple) else () for tags in table["tags"]]
        table[["comment", "annotator"]] = table[["comment", "annotator"]].fillna("")
        for name in ("anomaly_score", "trained_score", "relevance", "uncertainty"):
            table[name] = scores[name]
        if self.catalog is not None:
            known = beside(self.catalog, table.columns)
            table = pd.concat([table, known], axis=1)
            table.attrs = known.attrs
        return table.rename_axis("object_id")

    def export(self, path: str | Path) -> Path:
        """Write :meth:`results` to a file: .csv, .ecsv, .vot, .fits or .parquet.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        """
        return export.write(self.results(), path)

    # -- life ------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop background work and close the label log; everything is on disk already."""
        self._stop_work(5.0)
        self._store.close()
        if self.is_temporary:
            self._tidy_up()

    def __repr__(self) -> str:
        return (
            f"<Session {self.title!r}: {self.n_objects} objects, {len(self.set_aside)} set aside, "
            f"{self.n_labeled} labeled, {self.n_found} found>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if _display.make_dashboard is None:
            return {"text/plain": repr(self)}
        if self._dashboard is None:
            self._dashboard = _display.make_dashboard(self)
        return self._dashboard._repr_mimebundle_(**kwargs)
