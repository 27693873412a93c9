"""One object after another, or many at once: measured, or set aside with the reason."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ..exceptions import MeasurementError, MissingDependencyError, ReadError
from ._batches import Ahead
from .raw import not_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .._protocols import FeatureExtractor, Source
    from ._batches import BatchExtractor


class Outcome(NamedTuple):
    """One object's features, or where and why it was set aside."""

    features: NDArray[Any] | None
    stage: str = ""
    reason: str = ""
    #: Whether the same data will always come out the same.
    lasting: bool = True


@dataclass
class MeasureOne:
    """Read and measure one object; what each worker is given."""

    source: Source
    extractor: FeatureExtractor
    n_features: int

    def __call__(self, object_id: str) -> Outcome:
        data = self._read(object_id)
        if isinstance(data, Outcome):
            return data
        values = _attempt(self._extract, data)
        return values if isinstance(values, Outcome) else self.checked(values, data.shape)

    def _extract(self, data: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.extractor.extract(data), np.float32)

    def prepared(self, object_id: str) -> tuple[Any, tuple[int, ...]] | Outcome:
        """Read one object and prepare it for a batch; with the shape that it had."""
        data = self._read(object_id)
        if isinstance(data, Outcome):
            return data
        prepared = _attempt(cast("BatchExtractor", self.extractor).prepare, data)
        return prepared if isinstance(prepared, Outcome) else (prepared, data.shape)

    def _read(self, object_id: str) -> NDArray[Any] | Outcome:
        try:
            return self.source.read(object_id)
        except ReadError as error:
            return Outcome(None, "read", str(error), lasting=False)
        except Exception as error:  # noqa: BLE001 - a source of one's own may raise anything
            return Outcome(None, "read", _described(error), lasting=False)

    def checked(self, values: NDArray[Any], shape: tuple[int, ...]) -> Outcome:
        """Return the outcome for the features of an object that had this shape."""
        if values.shape != (self.n_features,):
            reason = (
                f"an object of shape {shape} gives {values.size} numbers; wanted {self.n_features}"
            )
            if self.source.kind == "image":
                reason += "; make images alike by preprocess=['grey'], [('resize', {'size': 64})]"
            return Outcome(None, "measure", reason)
        n_bad = values.size - int(np.isfinite(values).sum())
        return (
            Outcome(None, "measure", not_finite(n_bad, values.size)) if n_bad else Outcome(values)
        )

    def crashed(self, object_id: str) -> Outcome:  # noqa: ARG002 - called with the item
        """Return the outcome of an object whose process is gone."""
        reason = "the process that worked on it died (out of memory, or a fault in compiled code)"
        return Outcome(None, "measure", reason, lasting=False)


class MeasureInBatches:
    """Measure many objects at once; called with one after another, in order."""

    def __init__(self, one: MeasureOne, extractor: BatchExtractor, ahead: Ahead) -> None:
        self._one = one
        self._extractor = extractor
        self._ahead = ahead
        self._ready: deque[Outcome] = deque()

    def __call__(self, object_id: str) -> Outcome:  # noqa: ARG002 - the threads know the order
        if not self._ready:
            self._measure_next()
        return self._ready.popleft()

    def _measure_next(self) -> None:
        taken = self._ahead.take(self._extractor.batch_size)
        good = [each for each in taken if not isinstance(each, Outcome)]
        rows = iter(self._rows([prepared for prepared, _ in good]))
        for each in taken:
            if isinstance(each, Outcome):
                self._ready.append(each)
                continue
            row = next(rows)
            outcome = row if isinstance(row, Outcome) else self._one.checked(row, each[1])
            self._ready.append(outcome)

    def _rows(self, prepared: list[Any]) -> Sequence[Any]:
        """Return a row of features, or an outcome, for each object."""
        rows = _attempt(self._measure_together, prepared) if prepared else []
        if not isinstance(rows, Outcome):
            return cast("Sequence[Any]", rows)
        if len(prepared) == 1:
            return [rows]
        # one of them is to blame, and the others should not suffer for it
        return [row for each in prepared for row in self._rows([each])]

    def _measure_together(self, prepared: list[Any]) -> NDArray[Any]:
        rows = np.asarray(self._extractor.extract_batch(prepared), np.float32)
        if len(rows) != len(prepared):
            raise ValueError(f"{len(prepared)} objects gave {len(rows)} rows of features")
        return rows


_READERS = 4  # threads of a worker elsewhere that read what its network sees next


@dataclass
class MeasureBatch:
    """Measure some objects at once; what each worker elsewhere is given."""

    one: MeasureOne
    extractor: BatchExtractor

    def __call__(self, object_ids: Sequence[str]) -> list[Outcome]:
        with Ahead(self.one.prepared, object_ids, _READERS, len(object_ids)) as ahead:
            in_batches = MeasureInBatches(self.one, self.extractor, ahead)
            return [in_batches(object_id) for object_id in object_ids]

    def crashed(self, object_ids: Sequence[str]) -> list[Outcome]:
        """Return the outcomes of objects whose process is gone."""
        return [self.one.crashed(object_id) for object_id in object_ids]


def _attempt(function: Callable[[Any], Any], data: Any) -> Any:
    """Return what an extractor makes of its data, or the outcome that tells why it cannot."""
    try:
        return function(data)
    except MeasurementError as error:
        return Outcome(None, "measure", str(error))
    except MissingDependencyError:  # no object is to blame
        raise
    except Exception as error:  # noqa: BLE001 - an extractor of one's own may raise anything
        return Outcome(None, "measure", _described(error), lasting=False)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
