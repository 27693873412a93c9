"""Ready searches: real galaxies that are at hand without a download, and simulated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._optional import require
from .simulation.galaxies import make_galaxies
from .simulation.light_curves import make_light_curves
from .simulation.spectra import make_spectra

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .simulation.galaxies import SimulatedGalaxies
    from .sources import LightCurves, Spectra

__all__ = [
    "HubbleCutouts",
    "hubble_deep_field",
    "simulated_galaxies",
    "simulated_light_curves",
    "simulated_spectra",
]

_SMALLEST, _LARGEST = 28, 144  # side of a cut-out in pixels
_SIZE = 96  # to which every cut-out is scaled, as in E24 section 2.1
_SEMI_AXES = 11  # side of a cut-out in semi-major axes of its object


class HubbleCutouts:
    """A picture and the objects found in it, cut out when they are asked for.

    Parameters
    ----------
    picture : ndarray, shape (height, width, 3), dtype uint8
        The whole field, row 0 at the top.
    catalog : DataFrame
        Indexed by object id; needs ``x``, ``y`` (center in pixels, from the top left) and
        ``side`` (of the square cut-out, in pixels).
    spec : dict, optional
        How a project finds this source again.
    """

    kind = "image"

    def __init__(
        self, picture: NDArray[np.uint8], catalog: pd.DataFrame, spec: dict[str, Any] | None = None
    ) -> None:
        self.picture = picture
        self.spec = spec
        self._catalog = catalog
        self._ids = np.array([str(name) for name in catalog.index], dtype=object)
        self._rows = {name: row for row, name in enumerate(self._ids)}
        self._sky = np.median(picture[::7, ::7], axis=(0, 1)).astype(np.uint8)
        self._boxes = np.round(catalog[["x", "y", "side"]].to_numpy()).astype(int)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        height, width = self.picture.shape[:2]
        return f"<HubbleCutouts: {len(self)} objects in a picture of {width} x {height} pixels>"

    @property
    def object_ids(self) -> NDArray[Any]:
        """Names made from the positions, (n,) object array of str."""
        return self._ids

    @property
    def fingerprints(self) -> NDArray[Any]:
        """Place and size of each cut-out; (n,) object array of str."""
        return np.array([f"{x}-{y}-{side}" for x, y, side in self._boxes], dtype=object)

    @property
    def catalog(self) -> pd.DataFrame:
        """What was measured of each object, indexed by object id."""
        return self._catalog

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Cut out one object.

        Returns
        -------
        ndarray, shape (96, 96, 3), dtype uint8
            What lies beyond the edge of the picture has the color of its sky.

        Raises
        ------
        KeyError
            There is no such object.
        """
        import cv2

        x, y, side = self._boxes[self._rows[object_id]]
        left, top = x - side // 2, y - side // 2
        square = np.empty((side, side, 3), dtype=np.uint8)
        square[:] = self._sky
        inside = self.picture[max(top, 0) : top + side, max(left, 0) : left + side]
        row, column = max(-top, 0), max(-left, 0)
        square[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        return np.asarray(cv2.resize(square, (_SIZE, _SIZE), interpolation=cv2.INTER_CUBIC))


def hubble_deep_field(*, threshold: float = 3.0, min_area: int = 12) -> HubbleCutouts:
    """Cut the galaxies out of the Hubble eXtreme Deep Field, as a source of real pixels.

    The picture (NASA, ESA; public domain) comes inside scikit-image: nothing is downloaded. It is
    a picture for the eye, 8 bits deep and without celestial coordinates, so fluxes are in its
    grey levels and positions in its pixels.

    Parameters
    ----------
    threshold : float
        Detection threshold in units of the noise of the sky.
    min_area : int
        Least number of connected pixels above it.

    Returns
    -------
    HubbleCutouts
        About 1,200 objects, named by their position (``x0512y0345``). Its
        catalog has ``x``, ``y`` (pixels from the top left), ``flux`` (grey levels above the sky),
        ``a``, ``b`` (semi-axes, pixels), ``theta`` (degrees, clockwise from the x axis),
        ``elongation`` (a / b), ``redness`` ((R - B) / (R + B) above the sky, -1 to 1),
        ``n_pixels`` and ``side`` of the cut-out, eleven ``a`` within 28 to 144.

    Raises
    ------
    MissingDependencyError
        If scikit-image or sep is not installed.
    """
    import pandas as pd

    sep = require("sep", extra="demo")
    picture = require("skimage.data", extra="demo").hubble_deep_field()
    grey = picture.mean(axis=2, dtype=np.float32)
    background = sep.Background(grey)
    found, segments = sep.extract(
        grey - background.back(),
        threshold,
        err=background.globalrms,
        minarea=min_area,
        segmentation_map=True,
    )
    color = [_sum_in(segments, picture[..., band], len(found)) for band in (0, 2)]
    catalog = pd.DataFrame(
        {
            "x": found["x"],
            "y": found["y"],
            "flux": found["flux"],
            "a": found["a"],
            "b": found["b"],
            "theta": np.degrees(found["theta"]),
            "elongation": found["a"] / found["b"],
            "redness": (color[0] - color[1]) / np.maximum(color[0] + color[1], 1),
            "n_pixels": found["npix"],
            "side": np.clip(_SEMI_AXES * found["a"], _SMALLEST, _LARGEST).round().astype(int),
        },
        index=pd.Index([f"x{x:04.0f}y{y:04.0f}" for x, y in found[["x", "y"]]], name="object_id"),
    )
    catalog = catalog[~catalog.index.duplicated()]
    arguments = {"threshold": float(threshold), "min_area": int(min_area)}
    return HubbleCutouts(
        picture, catalog, {"room": "demos", "name": "hubble_deep_field", "arguments": arguments}
    )


def simulated_galaxies(
    n: int = 2000, random_state: int = 0, *, size: int = 128, rare_fraction: float = 0.08
) -> SimulatedGalaxies:
    """Simulate a survey with known truth.

    See :func:`~astronomaly_widgets.simulation.make_galaxies`.
    """
    return make_galaxies(n, random_state, size=size, rare_fraction=rare_fraction)


def simulated_light_curves(
    n: int = 1000,
    random_state: int = 0,
    *,
    n_nights: int = 70,
    n_years: int = 2,
    rare_fraction: float = 0.06,
) -> LightCurves:
    """Simulate variable stars with known truth.

    See :func:`~astronomaly_widgets.simulation.make_light_curves`.
    """
    return make_light_curves(
        n, random_state, n_nights=n_nights, n_years=n_years, rare_fraction=rare_fraction
    )


def simulated_spectra(
    n: int = 1000,
    random_state: int = 0,
    *,
    n_wavelengths: int = 1200,
    rare_fraction: float = 0.06,
) -> Spectra:
    """Simulate spectra of galaxies with known truth.

    See :func:`~astronomaly_widgets.simulation.make_spectra`.
    """
    return make_spectra(n, random_state, n_wavelengths=n_wavelengths, rare_fraction=rare_fraction)


def _sum_in(segments: NDArray[np.int32], band: NDArray[np.uint8], n: int) -> NDArray[np.float64]:
    """Sum of a band above its sky over each object's pixels; (n,)."""
    above = np.maximum(band - np.median(band), 0)
    sums = np.bincount(segments.ravel(), weights=above.ravel(), minlength=n + 1)
    return sums[1:].astype(np.float64)
