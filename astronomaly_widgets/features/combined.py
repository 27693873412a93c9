"""Several extractors as one, so that each object is read once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import MeasurementError
from ._batches import works_in_batches
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .._protocols import FeatureExtractor, Source


class CombinedFeatures(ShownAsCall):
    """The features of several extractors, side by side.

    An object that one of them cannot measure is not measured at all.

    Parameters
    ----------
    extractors : sequence of FeatureExtractor
        At least one; a name that two of them use is prefixed with the extractor's own.

    Raises
    ------
    ValueError
        No extractors, or no kind of source that all of them understand.
    """

    def __init__(self, extractors: Sequence[FeatureExtractor]) -> None:
        self.extractors = tuple(extractors)
        if not self.extractors:
            raise ValueError("there are no extractors to combine; name at least one")
        first, *others = self.extractors
        self.name = "+".join(extractor.name for extractor in self.extractors)
        self.kinds = tuple(k for k in first.kinds if all(k in other.kinds for other in others))
        if not self.kinds:
            raise ValueError(f"no source suits all of {self.name}; measure them one by one")

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names of the features, in the order of the extractors; unique."""
        groups = [(each.name, each.feature_names(source)) for each in self.extractors]
        count = Counter(name for _, names in groups for name in names)
        twice = Counter(each.name for each in self.extractors)
        result: list[str] = []
        for k, (extractor, names) in enumerate(groups):
            prefix = extractor if twice[extractor] == 1 else f"{extractor}{k}"
            result += [name if count[name] == 1 else f"{prefix}_{name}" for name in names]
        return tuple(result)

    def settings(self) -> Mapping[str, Any]:
        """Return the settings of each extractor, in order."""
        return {
            "extractors": [
                {"name": each.name, "settings": dict(each.settings())} for each in self.extractors
            ]
        }

    @property
    def batch_size(self) -> int:
        """The largest of those that work in batches; 0 if none does."""
        return max(each.batch_size if works_in_batches(each) else 0 for each in self.extractors)

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one object with every extractor; (d,) float32.

        Raises
        ------
        MeasurementError
            One of them cannot measure it; the message says which.
        """
        row: NDArray[Any] = self.extract_batch([self.prepare(data)])[0]
        return row

    def prepare(self, data: NDArray[Any]) -> list[Any]:
        """Prepare one object for those that work in batches, and measure it with the others.

        Raises
        ------
        MeasurementError
            See :meth:`extract`.
        """
        parts = []
        for extractor in self.extractors:
            work = extractor.prepare if works_in_batches(extractor) else extractor.extract
            try:
                parts.append(work(data))
            except MeasurementError as error:
                raise MeasurementError(f"{extractor.name}: {error}") from error
        return parts

    def extract_batch(self, prepared: Sequence[list[Any]]) -> NDArray[Any]:
        """Measure objects that are prepared; (m, d) float32."""
        columns = zip(*prepared, strict=True)
        parts = [
            np.asarray(each.extract_batch(column) if works_in_batches(each) else column, np.float32)
            for each, column in zip(self.extractors, columns, strict=True)
        ]
        return np.concatenate(parts, axis=1)
