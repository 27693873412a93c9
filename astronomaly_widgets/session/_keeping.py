"""How a session begins, from arrays or from a project folder, and what it writes there."""

from __future__ import annotations

import shutil
import weakref
from contextlib import suppress
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
from ._catalog import align_catalog
from ._identity import identity
from ._object_ids import ObjectIds
from ._restoring import origin_of, restore_learner, restore_source, spec_of_learner
from ._scores import restored, untrained
from ._state import State

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path
    from threading import Thread
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from .._protocols import Detector, Learner, Source


class Keeping(State):
    """A search that is kept; see :class:`Session` for the parameters."""

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
        self._X = X if keep.all() else _inputs.unchangeable(X[keep])
        self.set_aside = _inputs.set_aside_table(set_aside, given.names[problem])
        self.catalog = align_catalog(catalog, given, self._ids)
        self.truth = _inputs.align_truth(truth, self.catalog, given, keep)
        folder = Project.make_temporary() if project is None else Project(project)
        self._attach(folder, annotator, random_state, learner, source)
        self.detector, self._detector_identity = detector, identity(detector)
        self.title = title or ("Session" if folder.temporary else folder.path.name)
        self._find_scores(anomaly_score)

    def _attach(
        self,
        project: Project,
        annotator: str | None,
        random_state: int,
        learner: str | Learner | None,
        source: Source | None,
    ) -> None:
        self.project = project
        self.random_state = random_state
        self.source = source
        self.lock = RLock()
        self._store = LabelStore(
            project.path / "labels.sqlite", annotator=annotator, read_only=project.read_only
        )
        if project.temporary:
            self._tidy_up = weakref.finalize(self, _discard_if_empty, self._store, project.path)
        self._revisions = count(1)
        self._one_retrain, self._choosing = Lock(), RLock()
        self._threads: list[Thread] = []
        self._futures: list[Future[Any]] = []
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
        with suppress(TypeError, ValueError, t.TraitError):  # no reason to refuse a project
            self.interesting_from = float(self.view_state.get("interesting_from", 4.0))
        self.observe(self._keep_threshold, "interesting_from")
        self.learner = self._learner_as_left() if learner is None else learner
        if learner is not None:
            self._keep_learner()
        self.observe(self._keep_learner, "learner")

    @classmethod
    def _opened(
        cls,
        path: str | Path,
        source: Source | None,
        learner: str | Learner | None,
        annotator: str | None,
    ) -> Self:
        project = Project(path, must_exist=True)
        with project.alone():  # or another kernel may go over to other objects in between
            if project.manifest["schema"] > 1:
                project.follow()
            stored = project.manifest.get("session", {})
            objects, X = project.load_objects(), project.load_features()
            arrays = project.load_arrays("scores")
        scores = restored(arrays, len(objects))
        if scores is None or len(X) != len(objects):
            raise ProjectError(
                f"{project.path} was not finished: {len(objects)} objects, {len(X)} rows of "
                f"features, {len(arrays.get('anomaly_score', ()))} scores; run aw.explore on its "
                "source again (the labels in it are safe)"
            )
        self = cls.__new__(cls)
        t.HasTraits.__init__(self)
        self._ids, self._X = ObjectIds(objects.index), X
        self._scores, self._of_scores = scores, str(arrays["key"])
        self.truth = arrays.get("truth")
        self.feature_names = tuple(stored.get("feature_names", ()))
        self.catalog = objects if len(objects.columns) else None
        aside = pd.DataFrame(stored.get("set_aside", []), columns=["object_id", "stage", "reason"])
        self.set_aside = aside.set_index("object_id")
        self._attach(
            project,
            annotator,
            int(stored.get("random_state", 0)),
            learner,
            source if source is not None else restore_source(stored.get("source")),
        )
        if self.source is None and stored.get("source"):
            gone = (
                f"no pictures: there is no {origin_of(stored['source'])} any more; give what was "
                "moved to Session.open(project, source=...)"
            )
            self.status = f"{self.status}; {gone}" if self.status else gone
        self.detector = stored.get("detector") or "isolation_forest"
        self.title = stored.get("title") or project.path.name
        return self

    def _learner_as_left(self) -> str | Learner:
        """Return the learner that the project was left with; the default if it is not ours."""
        before = self.project.manifest.get("session", {}).get("learner")  # of schema 1
        spec = self.view_state.get("learner") or before or "auto"
        learner = restore_learner(spec)
        if learner is None:
            name = spec.get("name") if isinstance(spec, dict) else spec
            self.status = (
                f"this search was left with the learner {name}, which a project cannot keep: give "
                "it to Session.open(project, learner=...), or the default one learns"
            )
        return "auto" if learner is None else learner

    def _keep_learner(self, _change: Any = None) -> None:
        spec = spec_of_learner(self.learner)
        if spec != self.view_state.get("learner"):
            self.save_view_state(learner=spec)

    # -- scores ----------------------------------------------------------------------------

    def _find_scores(self, given: NDArray[np.float32] | None) -> None:
        """Take the scores from the project if they belong to these features, else compute."""
        project, self._score_was_given = self.project, given is not None
        if project.temporary:
            self._scores = untrained(self._detect(given))
            return
        before, project.key = project.key, fingerprint(self._X, self._ids.letters())
        self._of_scores = self._made_of(project.key, given)
        scores, _ = self._stored_scores(project)
        if scores is None and before is not None:
            what = "detector, its seed or the score given has"
            what = what if before == project.key else "data have"
            self.status = (
                f"the {what} changed: scores computed anew; labels are kept, retrain to use them"
            )
        self._scores = untrained(self._detect(given)) if scores is None else scores
        if not project.read_only:
            self._store_state()

    def _made_of(self, key: str, given: NDArray[np.float32] | None) -> str:
        """Return the fingerprint of what the scores of the objects of `key` come from."""
        return fingerprint(key, self._detector_identity, self.random_state, given)

    def _stored_scores(
        self, project: Project
    ) -> tuple[dict[str, NDArray[Any]] | None, NDArray[np.bool_] | None]:
        """Return the scores in a project that were made as ours are, or None, and the truth."""
        stored = project.load_arrays("scores", self._of_scores)
        return restored(stored, len(self._ids)), stored.get("truth")

    def _detect(self, given: NDArray[np.float32] | None) -> NDArray[np.float32]:
        if given is not None:
            return given
        return detectors.anomaly_score(self._X, self.detector, random_state=self.random_state)

    def _store_state(self) -> None:
        with self.project.alone():
            self._store_data(self.project)
            self.project.go_over(session=self._description())

    def _store_data(self, project: Project) -> None:
        if not project.has_objects():
            project.save_features(self._X)
        scores, truth = self._stored_scores(project)
        if scores is not None:  # another kernel may have learned meanwhile
            self._scores = scores
        if scores is None or not np.array_equal(truth, self.truth):  # type: ignore[arg-type]
            project.save_arrays("scores", self._of_scores, **self._all_scores())
        objects = pd.DataFrame(index=self._ids.index) if self.catalog is None else self.catalog
        project.save_objects(objects)  # the last: with them the data are whole

    def _description(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "random_state": self.random_state,
            "detector": self.detector if isinstance(self.detector, str) else None,
            "feature_names": list(self.feature_names),
            "set_aside": self.set_aside.reset_index().astype(str).to_dict("records"),
            "source": getattr(self.source, "spec", None),
        }

    def _all_scores(self) -> dict[str, NDArray[Any]]:
        return self._scores if self.truth is None else {**self._scores, "truth": self.truth}

    def _move_to(self, project: Project, title: str) -> None:
        """Go on in another, new project, with all there is; labels may come in meanwhile."""
        project.key = fingerprint(self._X, self._ids.letters())
        given = self.anomaly_score if self._score_was_given else None
        self._of_scores = self._made_of(project.key, given)
        with self.lock, project.alone():
            self._store_data(project)
            for row in self._history:
                project.append_history(row)
            project.save_view(self.view_state)
            self._store.move_to(project.path / "labels.sqlite")
            # the last: with it, the folder is a project
            project.go_over(session={**self._description(), "title": title})
            makeshift, self.project = self.project, project
        self._tidy_up.detach()
        shutil.rmtree(makeshift.path, ignore_errors=True)


def _discard_if_empty(store: LabelStore, folder: Path) -> None:
    """Leave nothing in the folder for temporary files, unless it is somebody's work."""
    store.close()
    if store.revision == 0:
        shutil.rmtree(folder, ignore_errors=True)
