"""Measure all objects of a source: each read once, none twice, and none lost without a word."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compute import map_objects
from ._batches import Ahead, works_in_batches
from ._checkpoint import Checkpoint, Part
from ._groups import Group, groups_of
from ._one import MeasureBatch, MeasureInBatches, MeasureOne
from ._registry import by_name
from .raw import RawFeatures, not_finite

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from .._protocols import FeatureExtractor, Source
    from ._one import Outcome

# a killed run loses no more than this
_FLUSH_SECONDS = 5.0
_FLUSH_OBJECTS = 2000
# columns without a value that a reason names
_MOST_NAMED = 3
# features beyond this many bytes are kept in a file
_MOST_IN_MEMORY = 2**28


@dataclass(frozen=True)
class Measurements:
    """What was measured, and what could not be.

    Attributes
    ----------
    object_ids : ndarray, shape (n_ok,), object dtype of str
        The measured objects, in the order of the source.
    values : ndarray, shape (n_ok, d), float32
        Their features, all finite; memory-mapped if they are large.
    names : tuple of str
        Names of the features, (d,).
    set_aside : DataFrame
        The other objects, indexed by object id: ``stage`` ("read" or "measure") and ``reason``.
    n_reused : int
        How many objects were known from an earlier run, and not measured again.
    groups : tuple of Group
        Which features are whose.
    """

    object_ids: NDArray[Any]
    values: NDArray[Any]
    names: tuple[str, ...]
    set_aside: pd.DataFrame
    n_reused: int = 0
    groups: tuple[Group, ...] = ()

    def __repr__(self) -> str:
        n, d = self.values.shape
        return f"<Measurements: {n} objects, {d} features, {len(self.set_aside)} set aside>"


def measure(
    source: Source,
    extractor: str | FeatureExtractor | Sequence[str | FeatureExtractor],
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    client: Any = None,
    progress: bool = True,
    meanwhile: Callable[[], object] | None = None,
) -> Measurements:
    """Measure the features of all objects of a source.

    An object that cannot be read or measured is set aside with the reason, and stops nothing, not
    even if it kills the process that works on it. A neural network works on many objects at once:
    threads of this process read and prepare what it needs next, and there is no other process.

    Parameters
    ----------
    source : Source
        Where the objects come from.
    extractor : FeatureExtractor, name, or sequence of these
        What to measure, see :func:`by_name`.
    checkpoint : path-like, optional
        A folder for what has been measured. A later run measures only objects that are new, or
        whose fingerprint has changed, or all if the extractor's settings have; a run that was
        killed goes on where it was. Objects that could not be *read* are always tried again.
    n_jobs : int, optional
        Processes, by default one per core; 1 works in this process. For a neural network: threads
        that read.
    client : distributed.Client, optional
        Measure on the workers of this Dask cluster instead. Each is sent the source and the
        extractor once, and reads the objects itself: files must be where it can see them, under the
        same path. What comes in is kept in the checkpoint as ever, and the values are those
        of this process, bit for bit, on machines of the same kind.
    progress : bool, optional
        Show a bar with the rate and the time that is left.
    meanwhile : callable, optional
        Called once here, while other processes start, which takes a second: for what is needed
        next. Never, if all is done in this process.

    Returns
    -------
    Measurements

    Raises
    ------
    ValueError
        The extractor does not understand this kind of source.
    concurrent.futures.CancelledError
        The running task was cancelled; what was measured is kept in the checkpoint.
    ConnectionError
        The client is closed, or has lost all its workers; likewise.
    """
    extractor = by_name(extractor)
    if source.kind not in extractor.kinds:
        raise ValueError(
            f"{extractor.name} features are measured on {' or '.join(extractor.kinds)} sources, "
            f"not on {source.kind} sources"
        )
    names = extractor.feature_names(source)
    groups = groups_of(extractor, source, len(names))
    values = getattr(source, "values", None)
    if source.kind == "table" and isinstance(extractor, RawFeatures) and values is not None:
        return replace(_as_they_are(source, values, names), groups=groups)
    run = _Run(source, extractor, names, checkpoint)
    try:
        run.measure(n_jobs, client, "Measuring" if progress else None, meanwhile)
    finally:
        run.flush()
    return replace(run.result(), groups=groups)


def _as_they_are(source: Source, values: NDArray[Any], names: tuple[str, ...]) -> Measurements:
    bad = ~np.isfinite(values)
    n_bad = bad.sum(axis=1)
    reasons = {}
    for row in np.flatnonzero(n_bad).tolist():
        first = [names[column] for column in np.flatnonzero(bad[row])[:_MOST_NAMED]]
        reasons[row] = not_finite(n_bad[row], len(names), first)
    return Measurements(
        object_ids=source.object_ids[n_bad == 0],
        values=np.ascontiguousarray(values[n_bad == 0], dtype=np.float32),
        names=names,
        set_aside=_set_aside(source.object_ids, {r: ("measure", x) for r, x in reasons.items()}),
    )


class _Run:
    """The state of one run: what is known of each row, and what is not yet on disk."""

    def __init__(
        self,
        source: Source,
        extractor: FeatureExtractor,
        names: tuple[str, ...],
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        self._one = MeasureOne(source, extractor, len(names))
        self._names = names
        self._ids = source.object_ids
        self._reasons: dict[int, tuple[str, str]] = {}
        self._known = np.zeros(len(self._ids), bool)
        self._unsaved: list[int] = []
        self._checkpoint: Checkpoint | None = None
        folder = None if checkpoint is None else Path(checkpoint).expanduser()
        self._values = _empty((len(self._ids), len(names)), folder)
        if folder is not None:
            self._fingerprints = source.fingerprints
            key = {"version": 1, "settings": dict(extractor.settings()), "names": names}
            self._checkpoint = Checkpoint(folder, extractor.name, key)
            self._recall(self._checkpoint)
        self._n_reused = int(self._known.sum())

    def _recall(self, checkpoint: Checkpoint) -> None:
        row_of = {object_id: row for row, object_id in enumerate(self._ids)}
        for part in checkpoint.parts():
            rows = np.array([row_of.get(i, -1) for i in part.object_ids.tolist()], int)
            same = (rows >= 0) & (self._fingerprints[rows] == part.fingerprints.astype(object))
            self._values[rows[same]] = part.features[same]
            self._known[rows[same]] = True
            for k in np.flatnonzero(same & (part.reasons != "")):
                self._reasons[int(rows[k])] = ("measure", str(part.reasons[k]))

    def measure(
        self,
        n_jobs: int | None,
        client: Any,
        progress: str | None,
        meanwhile: Callable[[], object] | None,
    ) -> None:
        todo = np.flatnonzero(~self._known)
        object_ids = self._ids[todo].tolist()
        progress = progress if object_ids else None
        one = self._one
        if not works_in_batches(one.extractor):
            outcomes = map_objects(
                one,
                object_ids,
                n_jobs=n_jobs,
                client=client,
                progress=progress,
                on_crash=one.crashed,
                meanwhile=meanwhile,
            )
            self._take(todo, outcomes)
        elif client is not None:
            size = one.extractor.batch_size
            together = MeasureBatch(one, one.extractor)
            batches = [object_ids[k : k + size] for k in range(0, len(object_ids), size)]
            measured = map_objects(
                together,
                batches,
                client=client,
                progress=progress,
                unit="batches",
                on_crash=together.crashed,
            )
            self._take(todo, chain.from_iterable(measured))
        else:
            from joblib import effective_n_jobs

            n_threads = effective_n_jobs(-1 if n_jobs is None else n_jobs)
            n_ahead = one.extractor.batch_size + n_threads
            with Ahead(one.prepared, object_ids, n_threads, n_ahead) as ahead:
                in_batches = MeasureInBatches(one, one.extractor, ahead)
                self._take(todo, map_objects(in_batches, object_ids, n_jobs=1, progress=progress))

    def _take(self, rows: NDArray[Any], outcomes: Iterator[Outcome]) -> None:
        flushed = time.monotonic()
        for row, outcome in zip(rows.tolist(), outcomes, strict=True):
            if outcome.features is None:
                self._reasons[row] = (outcome.stage, outcome.reason)
                self._values[row] = np.nan
            else:
                self._values[row] = outcome.features
            if outcome.lasting:
                self._unsaved.append(row)
            now = time.monotonic()
            if len(self._unsaved) >= _FLUSH_OBJECTS or now - flushed > _FLUSH_SECONDS:
                self.flush()
                flushed = now

    def flush(self) -> None:
        """Bring to disk what is not there yet."""
        rows, self._unsaved = self._unsaved, []
        if self._checkpoint is None or not rows:
            return
        reasons = np.array([self._reasons.get(row, ("", ""))[1] for row in rows], dtype=object)
        part = Part(self._ids[rows], self._fingerprints[rows], self._values[rows], reasons)
        self._checkpoint.write(part)

    def result(self) -> Measurements:
        good = np.ones(len(self._ids), bool)
        good[list(self._reasons)] = False
        rows = np.flatnonzero(good)
        if self._reasons:  # moved up where they are: a copy might not fit into memory
            for start in range(0, len(rows), _FLUSH_OBJECTS):
                part = rows[start : start + _FLUSH_OBJECTS]
                self._values[start : start + len(part)] = self._values[part]
        return Measurements(
            object_ids=self._ids[good],
            values=self._values[: len(rows)],
            names=self._names,
            set_aside=_set_aside(self._ids, self._reasons),
            n_reused=self._n_reused,
        )


def _empty(shape: tuple[int, int], folder: Path | None) -> NDArray[Any]:
    """Return an array in memory, or in a file of the folder that lasts as long as the array."""
    if 4 * shape[0] * shape[1] <= _MOST_IN_MEMORY:
        return np.empty(shape, np.float32)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(prefix="astronomaly-", dir=folder) as file:
        return np.memmap(file, np.float32, "w+", shape=shape)


def _set_aside(object_ids: NDArray[Any], reasons: dict[int, tuple[str, str]]) -> pd.DataFrame:
    import pandas as pd

    rows = sorted(reasons)
    return pd.DataFrame(
        [reasons[row] for row in rows],
        index=pd.Index(object_ids[rows], dtype=object, name="object_id"),
        columns=pd.Index(["stage", "reason"]),
        dtype=object,
    )
