"""The arrays of a session, and how they come from and go to the project folder."""

from __future__ import annotations

import shutil
import weakref
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import traitlets as t

from .. import detectors, learners
from ..exceptions import ProjectError
from ..labels import LabelStore
from ..project import Project, fingerprint
from . import _inputs
from ._object_ids import ObjectIds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from threading import Thread
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from .._protocols import Detector, Learner, LearnerScores, Source

LEARNED = ("trained_score", "relevance", "uncertainty", "acquisition", "exploration")


class State(t.HasTraits):
    """What a search consists of; see :class:`Session` for the parameters."""

    current_id = t.Unicode(None, allow_none=True)
    selected_ids = t.Tuple()
    label_revision = t.Int(0)
    score_revision = t.Int(0)
    embedding_revision = t.Int(0)
    retraining = t.Bool(False)
    progress = t.Float(0.0)
    status = t.Unicode("")
    notice = t.Unicode("")
    last_error = t.Any(None)
    interesting_from = t.Float(4.0)
    title = t.Unicode("")

    def __init__(
        self,
        features: Any,
        object_ids: Any = None,
        *,
        anomaly_score: ArrayLike | None = None,
        source: Source | None = None,
        catalog: pd.DataFrame | None = None,
        detector: str | Detector = "isolation_forest",
        learner: str | Learner = "auto",
        project: str | Path | None = None,
        annotator: str | None = None,
        random_state: int = 0,
        set_aside: pd.DataFrame | None = None,
        truth: Any = None,
        title: str | None = None,
    ) -> None:
        super().__init__()
        X, given, self.feature_names = _inputs.as_matrix(features, object_ids)
        keep, problem = _inputs.finite_rows(X)
        learners.by_name(learner, random_state)  # a wrong name is refused now
        detectors.check(detector)
        if anomaly_score is not None:
            anomaly_score = _inputs.checked_anomaly_score(anomaly_score, len(X))[keep]
        self._ids = given.keep(keep)
        self._X = X if keep.all() else np.asarray(X[keep])
        self.set_aside = _inputs.set_aside_table(set_aside, given.names[problem])
        self.catalog = _inputs.align_catalog(catalog, given, self._ids)
        self.truth = _inputs.align_truth(truth, self.catalog, given, keep)
        folder = Project.make_temporary() if project is None else Project(project)
        self._attach(folder, annotator, random_state, learner, source)
        self.detector = detector
        self.title = title or ("Session" if folder.temporary else folder.path.name)
        self._find_scores(anomaly_score)

    def _attach(
        self,
        project: Project,
        annotator: str | None,
        random_state: int,
        learner: str | Learner,
        source: Source | None,
    ) -> None:
        self.project = project
        self.random_state = random_state
        self.learner = learner
        self.source = source
        self.lock = RLock()
        self._store = LabelStore(
            project.path / "labels.sqlite", annotator=annotator, read_only=project.read_only
        )
        if project.temporary:
            self._tidy_up = weakref.finalize(self, _discard_if_empty, self._store)
        self._revisions = count(1)
        self._one_retrain = Lock()
        self._threads: list[Thread] = []
        self._last_retrain: Future[dict[str, Any]] | None = None
        self._map: Future[NDArray[np.float32]] | None = None
        self._map_method = "pca"
        self._preview: NDArray[np.float32] | None = None
        self._labeled_cache: tuple[int, tuple[Any, Any, Any]] | None = None
        self._dashboard: Any = None
        self._history = project.load_history()
        self.view_state = project.load_view()
        current = self.view_state.get("current_id")
        self.current_id = current if current in self._ids else None
        self.interesting_from = float(self.view_state.get("interesting_from", 4.0))
        self.observe(self._keep_threshold, "interesting_from")

    @classmethod
    def _opened(
        cls,
        path: str | Path,
        source: Source | None,
        learner: str | Learner | None,
        annotator: str | None,
    ) -> Self:
        project = Project(path, must_exist=True)
        stored = project.manifest.get("session", {})
        self = cls.__new__(cls)
        t.HasTraits.__init__(self)
        objects = project.load_objects()
        self._ids = ObjectIds(objects.index)
        self._X = project.load_features()
        scores = project.load_arrays("scores")
        if {len(self._X), len(scores.get("anomaly_score", ()))} != {len(self._ids)}:
            raise ProjectError(
                f"{project.path} was not finished: {len(self._ids)} objects, {len(self._X)} rows "
                "of features; run aw.explore on its source again (the labels in it are safe)"
            )
        self.feature_names = tuple(stored.get("feature_names", ()))
        self.catalog = objects if len(objects.columns) else None
        self.truth = scores.pop("truth", None)
        aside = pd.DataFrame(stored.get("set_aside", []), columns=["object_id", "stage", "reason"])
        self.set_aside = aside.set_index("object_id")
        self._attach(
            project,
            annotator,
            int(stored.get("random_state", 0)),
            learner or stored.get("learner") or "auto",
            source if source is not None else restore_source(stored.get("source")),
        )
        self.detector = stored.get("detector") or "isolation_forest"
        self.title = stored.get("title") or project.path.name
        self._scores = scores
        return self

    # -- scores ----------------------------------------------------------------------------

    def _find_scores(self, given: NDArray[np.float32] | None) -> None:
        """Take the scores from the project if they belong to these features, else compute."""
        project = self.project
        if project.temporary:
            self._scores = _untrained(self._detect(given))
            return
        of_features = fingerprint(self._X, self._ids.letters())
        name = self.detector if isinstance(self.detector, str) else repr(self.detector)
        of_scores = fingerprint(of_features, name, self.random_state, given)
        stored = project.load_arrays("scores")
        if project.is_current("scores", of_scores) and stored:
            stored.pop("truth", None)
            self._scores = stored
        else:
            if project.manifest["stages"].get("scores"):
                self.status = (
                    "the data or the detector have changed: scores computed anew; "
                    "labels are kept, retrain to use them"
                )
            self._scores = _untrained(self._detect(given))
        if not project.read_only:
            self._store_state(of_features, of_scores)

    def _detect(self, given: NDArray[np.float32] | None) -> NDArray[np.float32]:
        if given is not None:
            return given
        return detectors.anomaly_score(self._X, self.detector, random_state=self.random_state)

    def _store_state(self, of_features: str, of_scores: str) -> None:
        project = self.project
        if not project.is_current("features", of_features):
            project.save_features(self._X)
        objects = pd.DataFrame(index=self._ids.index) if self.catalog is None else self.catalog
        project.save_objects(objects)
        self._save_scores()
        project.update_manifest(
            stages={
                **project.manifest["stages"], "features": of_features, "scores": of_scores
            },
            session={
                "title": self.title,
                "random_state": self.random_state,
                "detector": self.detector if isinstance(self.detector, str) else None,
                "learner": self.learner if isinstance(self.learner, str) else None,
                "feature_names": list(self.feature_names),
                "set_aside": self.set_aside.reset_index().astype(str).to_dict("records"),
                "source": getattr(self.source, "spec", None),
            },
        )  # fmt: skip

    def _save_scores(self) -> None:
        extra = {} if self.truth is None else {"truth": self.truth}
        self.project.save_arrays("scores", **self._scores, **extra)

    # -- arrays, as everyone sees them -----------------------------------------------------

    @property
    def object_ids(self) -> NDArray[Any]:
        """Unique ids of the objects, (n,), dtype object holding str."""
        return self._ids.names

    @property
    def features(self) -> NDArray[np.float32]:
        """Features, (n, d) float32, finite; may be a memory map."""
        return self._X

    @property
    def anomaly_score(self) -> NDArray[np.float32]:
        """The detector's score, (n,) float32, 0..5, larger = more anomalous."""
        return self._scores["anomaly_score"]

    @property
    def trained_score(self) -> NDArray[np.float32]:
        """The learner's score, (n,) float32; the anomaly score before the first retrain."""
        return self._scores["trained_score"]

    @property
    def relevance(self) -> NDArray[np.float32]:
        """The person's score as predicted, (n,) float32, 0..5; NaN before the first retrain."""
        return self._scores["relevance"]

    @property
    def uncertainty(self) -> NDArray[np.float32]:
        """Standard deviation of the relevance, (n,) float32; NaN where the learner has none."""
        return self._scores["uncertainty"]

    @property
    def n_objects(self) -> int:
        """Number of objects, without those set aside."""
        return len(self._ids)

    @property
    def is_temporary(self) -> bool:
        """Whether there is no project, and labels go to a temporary folder."""
        return self.project.temporary

    @property
    def read_only(self) -> bool:
        """Whether the project can be looked at but not written."""
        return self.project.read_only

    def row_of(self, object_id: str) -> int:
        """Return the row of an object in the arrays.

        Raises
        ------
        KeyError
            If there is no such object.
        """
        try:
            return self._ids.row_of(object_id)
        except KeyError:
            pass
        reason = ""
        if isinstance(object_id, str) and object_id in self.set_aside.index:
            reason = f": it was set aside ({self.set_aside['reason'][object_id]})"
        raise KeyError(f"no object {object_id!r} among {self.n_objects}{reason}")

    def ids_of(self, rows: ArrayLike) -> NDArray[Any]:
        """Return the ids of some rows, (m,), dtype object; of a few among millions in no time."""
        return self._ids.take(rows)

    def rows_of(self, object_ids: Sequence[str] | NDArray[Any]) -> NDArray[np.intp]:
        """Return the row of each id, (m,) intp; -1 where there is no such object."""
        return self._ids.rows_of(object_ids)

    def rows_containing(self, text: str, most: int = 1000) -> NDArray[np.intp]:
        """Return the rows, at most `most`, of the ids that contain a text, in any case."""
        return self._ids.containing(text, most)

    def _move_labels(self, project: Project) -> None:
        """Go on in another, new project, with a copy of the label log."""
        annotator = self._store.annotator
        self._store.copy_to(project.path / "labels.sqlite")
        self._store.close()
        shutil.rmtree(self.project.path, ignore_errors=True)
        self.project = project
        self._store = LabelStore(project.path / "labels.sqlite", annotator=annotator)

    def save_view_state(self, **changes: Any) -> None:
        """Remember where the person is (JSON-ready values), for the next time."""
        with self.lock:
            self.view_state = {**self.view_state, **changes}
            if not self.read_only:
                self.project.save_view(self.view_state)

    def _keep_threshold(self, change: Any) -> None:
        self.save_view_state(interesting_from=change["new"])
        with self._announcing():
            self.label_revision = next(self._revisions)  # what counts as found has changed

    @contextmanager
    def _announcing(self) -> Iterator[None]:
        """Let no observer's mistake undo what has been done: keep it in `last_error`."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - observers are anybody's code
            self.last_error = error


def _discard_if_empty(store: LabelStore) -> None:
    """Leave nothing in the folder for temporary files, unless it is somebody's work."""
    store.close()
    if store.revision == 0:
        shutil.rmtree(store.path.parent, ignore_errors=True)


def _untrained(score: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    unknown = np.full(len(score), np.nan, dtype=np.float32)
    return {
        "anomaly_score": score,
        "trained_score": score,
        "relevance": unknown,
        "uncertainty": unknown,
        "acquisition": score,
        "exploration": score,
    }


def learned(score: NDArray[np.float32], scores: LearnerScores | None) -> dict[str, Any]:
    """Return the session's arrays after a retrain; without `scores`, as before the first.

    Raises
    ------
    ValueError
        If the learner broke its contract.
    """
    arrays = _untrained(score)
    if scores is None:
        return arrays
    for name in LEARNED:
        values = getattr(scores, name, None)  # not every learner explores
        values = np.asarray(arrays["acquisition"] if values is None else values, dtype=np.float32)
        if values.shape != score.shape:
            raise ValueError(
                f"the learner's {name} has shape {values.shape}, but {score.shape} was wanted"
            )
        arrays[name] = values
    if not np.isfinite(arrays["trained_score"]).all():
        raise ValueError("the learner's trained_score is not finite everywhere")
    return arrays


def restore_source(spec: Any) -> Source | None:
    """Open the source that a project names, or return None if it is not where it was.

    Only public names of the rooms that hold sources are called, with plain JSON values: a manifest
    from somebody else can open files, not run code. A source that prepares another names it.
    """
    if not isinstance(spec, dict) or spec.get("room") not in ("sources", "demos", "preprocess"):
        return None
    room = import_module(f"..{spec['room']}", __package__)
    name, arguments = str(spec.get("name")), dict(spec.get("arguments", {}))
    if name not in room.__all__ or (spec["room"] == "preprocess" and name != "PreparedSource"):
        return None
    if "source" in arguments and spec["room"] == "preprocess":
        arguments["source"] = restore_source(arguments["source"])
        if arguments["source"] is None:
            return None
    try:
        source: Source = getattr(room, name)(**arguments)
    except (OSError, ValueError, TypeError):
        return None
    return source
