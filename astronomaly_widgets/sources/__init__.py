"""Where objects come from: their names, what is known of them, and one object on demand."""

from .._protocols import Source
from ._opening import open_source
from .feature_table import FeatureTable
from .fits_cutouts import FITSCutouts
from .image_folder import ImageFolder
from .image_stack import ImageStack
from .light_curves import LightCurves
from .spectra import Spectra
from .tar_shards import TarShards

__all__ = [
    "FITSCutouts",
    "FeatureTable",
    "ImageFolder",
    "ImageStack",
    "LightCurves",
    "Source",
    "Spectra",
    "TarShards",
    "open_source",
]
