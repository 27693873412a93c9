"""Extractors by the name that people type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cnn import CNNFeatures
from .combined import CombinedFeatures
from .ellipse import EllipseFeatures
from .light_curve import LightCurveFeatures
from .raw import RawFeatures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._protocols import FeatureExtractor

_EXTRACTORS: dict[str, Callable[[], FeatureExtractor]] = {
    "cnn": CNNFeatures,
    "ellipse": EllipseFeatures,
    "light_curve": LightCurveFeatures,
    "raw": RawFeatures,
}


def by_name(
    features: str | FeatureExtractor | Sequence[str | FeatureExtractor],
) -> FeatureExtractor:
    """Return the extractor of a name, or the one that combines several.

    Parameters
    ----------
    features : str, extractor, or sequence of these
        ``"cnn"``, ``"ellipse"`` or ``"raw"``; an extractor is returned as it is.

    Raises
    ------
    ValueError
        There is no extractor of this name, or the sequence is empty.
    TypeError
        It is neither a name nor has what an extractor needs.
    """
    if isinstance(features, str):
        if features not in _EXTRACTORS:
            raise ValueError(f"there are no features {features!r}; wanted {_known()}")
        return _EXTRACTORS[features]()
    if isinstance(features, list | tuple):
        extractors = [by_name(each) for each in features]
        return extractors[0] if len(extractors) == 1 else CombinedFeatures(extractors)
    if isinstance(features, type) or not hasattr(features, "extract"):
        raise TypeError(f"{features!r} is not a feature extractor; wanted {_known()} or an object")
    return features  # type: ignore[return-value]  # a sequence has no extract


def _known() -> str:
    return ", ".join(map(repr, sorted(_EXTRACTORS)))
