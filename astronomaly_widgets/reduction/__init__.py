"""Feature matrices made ready for detectors and learners: standard scaling and PCA.

Everything is linear in the number of objects and reads the features in blocks, from memory or from
disk, in two passes: one for the sums, in float64, one for the result. The blocks are cut by the
number of features alone, so the result does not depend on how the features are stored.
"""

from ._components import PCAResult, pca
from ._scaling import scale

__all__ = ["PCAResult", "pca", "scale"]
