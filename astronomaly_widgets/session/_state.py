"""What a search consists of, as everyone sees it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import traitlets as t

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from itertools import count
    from threading import RLock

    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from ..project import Project
    from ._object_ids import ObjectIds


class _Ids(t.Tuple):
    """Names of objects, from an array, an index or a list of them, too."""

    def validate(self, obj: Any, value: Any) -> Any:
        if hasattr(value, "tolist"):
            value = value.tolist()
        return super().validate(obj, tuple(value) if isinstance(value, list) else value)


class State(t.HasTraits):
    """The small observable state of a search, and its arrays as plain properties."""

    current_id = t.Unicode(None, allow_none=True)
    selected_ids = _Ids()
    label_revision = t.Int(0)
    score_revision = t.Int(0)
    embedding_revision = t.Int(0)
    retraining = t.Bool(False)
    progress = t.Float(0.0)
    status = t.Unicode("")
    notice = t.Unicode("")
    last_error = t.Any(None)
    interesting_from = t.Float(4.0, min=0.0, max=5.0)
    learner = t.Any("auto")
    title = t.Unicode("")

    lock: RLock
    project: Project
    set_aside: pd.DataFrame
    view_state: dict[str, Any]
    _ids: ObjectIds
    _X: NDArray[np.float32]
    _scores: dict[str, NDArray[Any]]
    _revisions: count[int]

    @t.validate("current_id")
    def _check_current(self, proposal: Any) -> Any:
        if proposal["value"] is not None:
            self.row_of(proposal["value"])
        return proposal["value"]

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
        elif not isinstance(object_id, str):
            reason = f": ids are text, such as {self._ids[0]!r}"
        raise KeyError(f"no object {object_id!r} among {self.n_objects}{reason}")

    def ids_of(self, rows: ArrayLike) -> NDArray[Any]:
        """Return the ids of some rows, (m,), dtype object; of a few among millions in no time."""
        return self._ids.take(rows)

    def rows_of(self, object_ids: Sequence[str] | NDArray[Any]) -> NDArray[np.intp]:
        """Return the row of each id, (m,) intp; -1 where there is no such object."""
        return self._ids.rows_of(object_ids)

    def rows_containing(self, text: str, most: int) -> NDArray[np.intp]:
        """Return the rows, at most `most`, of the ids that contain a text, in any case."""
        return self._ids.containing(text, most)

    def save_view_state(self, **changes: Any) -> None:
        """Remember where the person is (JSON-ready values), for the next time."""
        with self.lock:
            self.view_state = {**self.view_state, **changes}
            if not self.read_only:
                self.project.save_view(changes)  # another kernel may remember the rest

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
