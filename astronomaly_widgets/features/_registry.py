"""Extractors by the name that people type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._torch import is_network
from .autoencoder import AutoencoderFeatures
from .byol import BYOLFeatures
from .cnn import CNNFeatures
from .combined import CombinedFeatures
from .ellipse import EllipseFeatures
from .flux_histogram import FluxHistogramFeatures
from .light_curve import LightCurveFeatures
from .morphology import MorphologyFeatures
from .photometry import PhotometryFeatures
from .power_spectrum import PowerSpectrumFeatures
from .raw import RawFeatures
from .spectrum import SpectrumFeatures
from .spectrum_pca import SpectrumPCAFeatures
from .spectrum_raw import ResampledSpectrumFeatures
from .transformer import FunctionFeatures, TransformerFeatures
from .wavelet import WaveletFeatures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._protocols import FeatureExtractor

_EXTRACTORS: dict[str, Callable[[], FeatureExtractor]] = {
    "autoencoder": AutoencoderFeatures,
    "byol": BYOLFeatures,
    "cnn": CNNFeatures,
    "ellipse": EllipseFeatures,
    "flux_histogram": FluxHistogramFeatures,
    "light_curve": LightCurveFeatures,
    "morphology": MorphologyFeatures,
    "photometry": PhotometryFeatures,
    "power_spectrum": PowerSpectrumFeatures,
    "raw": RawFeatures,
    "spectrum": SpectrumFeatures,
    "spectrum_pca": SpectrumPCAFeatures,
    "spectrum_raw": ResampledSpectrumFeatures,
    "wavelet": WaveletFeatures,
}


def by_name(
    features: str | FeatureExtractor | Callable[..., Any] | Sequence[Any],
) -> FeatureExtractor:
    """Return the extractor of a name, or of what can be made one, or one that combines several.

    Parameters
    ----------
    features : str, extractor, function, transformer, or sequence of these
        ``"cnn"``, ``"ellipse"``, ``"flux_histogram"``, ``"light_curve"``, ``"morphology"``,
        ``"photometry"``, ``"power_spectrum"``, ``"raw"``, ``"spectrum"``, ``"spectrum_pca"``,
        ``"spectrum_raw"`` or ``"wavelet"``; an extractor, which is returned as it is; a function of
        one object, see :class:`FunctionFeatures`; a torch.nn.Module, see :class:`CNNFeatures`; or a
        scikit-learn transformer of its raw values, see :class:`TransformerFeatures`. By the names
        ``"byol"`` and ``"autoencoder"`` come :class:`BYOLFeatures` and
        :class:`AutoencoderFeatures`, which have to learn from your images before they measure.

    Raises
    ------
    ValueError
        There is no extractor of this name, or the sequence is empty.
    TypeError
        It is none of these.
    """
    if isinstance(features, str):
        if features not in _EXTRACTORS:
            raise ValueError(f"there are no features {features!r}; wanted {_known()}")
        return _EXTRACTORS[features]()
    if isinstance(features, list | tuple):
        extractors = [by_name(each) for each in features]
        return extractors[0] if len(extractors) == 1 else CombinedFeatures(extractors)
    if not isinstance(features, type):
        if hasattr(features, "extract"):
            return features  # type: ignore[return-value]  # a sequence has no extract
        if is_network(features):
            return CNNFeatures(features)
        if hasattr(features, "transform"):
            return TransformerFeatures(features)
        if callable(features):
            return FunctionFeatures(features)
    raise TypeError(
        f"{features!r} is not a feature extractor; wanted {_known()}, an extractor, a function or "
        "a scikit-learn transformer"
    )


def _known() -> str:
    return ", ".join(map(repr, sorted(_EXTRACTORS)))
