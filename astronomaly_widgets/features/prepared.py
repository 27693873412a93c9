"""Preprocessing of what is measured, apart from what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import preprocess
from ..exceptions import MeasurementError
from ._shown import ShownAsCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .._protocols import FeatureExtractor, Source


class PreparedFeatures(ShownAsCall):
    """An extractor that measures what a chain of preprocessing makes of each image.

    What is shown stays as it is.

    Parameters
    ----------
    extractor : FeatureExtractor
        For images; one that works in batches still does.
    chain : Chain, one or several of its steps
        See :class:`~astronomaly_widgets.preprocess.Chain`.

    Raises
    ------
    ValueError
        The extractor does not measure images.

    Examples
    --------
    >>> from astronomaly_widgets.features import PreparedFeatures, RawFeatures
    >>> PreparedFeatures(RawFeatures(), ["grey", ("center_crop", {"size": 32})]).name
    'prepared_raw'
    """

    def __init__(
        self, extractor: FeatureExtractor, chain: preprocess.Chain | str | Sequence[Any]
    ) -> None:
        if "image" not in extractor.kinds:
            raise ValueError(f"{extractor.name} measures no images, so there is nothing to prepare")
        self.extractor = extractor
        self.chain = preprocess.Chain.of(chain)
        self.name = f"prepared_{extractor.name}"
        self.kinds: tuple[str, ...] = ("image",)

    @property
    def batch_size(self) -> int:
        """That of the extractor; 0 if it measures one by one."""
        return int(getattr(self.extractor, "batch_size", 0))

    def feature_names(self, source: Source) -> tuple[str, ...]:
        """Names that the extractor has for what the chain makes of the source."""
        return self.extractor.feature_names(preprocess.PreparedSource(source, self.chain))

    def settings(self) -> Mapping[str, Any]:
        """Return the steps of the chain, and the settings of the extractor."""
        return {
            "chain": self.chain.settings(),
            "extractor": {"name": self.extractor.name, "settings": dict(self.extractor.settings())},
        }

    def extract(self, data: NDArray[Any]) -> NDArray[Any]:
        """Measure one image; (d,) float32.

        Raises
        ------
        MeasurementError
            A step cannot be done with it, or the extractor cannot measure what comes out.
        """
        return self.extractor.extract(self._prepared(data))

    def prepare(self, data: NDArray[Any]) -> Any:
        """Prepare one image for an extractor that works in batches.

        Raises
        ------
        MeasurementError
            See :meth:`extract`.
        """
        return getattr(self.extractor, "prepare")(self._prepared(data))  # noqa: B009 - not in all

    def extract_batch(self, prepared: Sequence[Any]) -> NDArray[Any]:
        """Measure images that are prepared; (m, d)."""
        rows: NDArray[Any] = getattr(self.extractor, "extract_batch")(prepared)  # noqa: B009
        return rows

    def _prepared(self, data: NDArray[Any]) -> NDArray[Any]:
        try:
            return self.chain(data)
        except ValueError as error:
            raise MeasurementError(f"cannot be prepared: {error}") from error
