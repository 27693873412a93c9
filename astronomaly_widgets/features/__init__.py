"""Objects become numbers: one extractor per file, and the run that measures them all."""

from .._protocols import FeatureExtractor
from ._measure import Measurements, measure
from ._period import Period, find_period
from ._registry import by_name
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
from .prepared import PreparedFeatures
from .raw import RawFeatures
from .spectrum import SpectrumFeatures
from .spectrum_pca import SpectrumPCAFeatures
from .spectrum_raw import ResampledSpectrumFeatures
from .transformer import FunctionFeatures, TransformerFeatures
from .wavelet import WaveletFeatures

__all__ = [
    "AutoencoderFeatures",
    "BYOLFeatures",
    "CNNFeatures",
    "CombinedFeatures",
    "EllipseFeatures",
    "FeatureExtractor",
    "FluxHistogramFeatures",
    "FunctionFeatures",
    "LightCurveFeatures",
    "Measurements",
    "MorphologyFeatures",
    "Period",
    "PhotometryFeatures",
    "PowerSpectrumFeatures",
    "PreparedFeatures",
    "RawFeatures",
    "ResampledSpectrumFeatures",
    "SpectrumFeatures",
    "SpectrumPCAFeatures",
    "TransformerFeatures",
    "WaveletFeatures",
    "by_name",
    "find_period",
    "measure",
]
