"""A simulated survey of galaxies with known truth, good enough to look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _artifacts as artifacts
from . import _morphology as morphology
from ._exposure import PIXEL, Exposure, composite
from ._mixture import INTERESTING_FROM, draw_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

# share among the ordinary, or among the rare; what the simulated person gives it
_ORDINARY = {"elliptical": 0.38, "spiral": 0.42, "edge_on": 0.20}
_RARE = {
    "merger": 0.30,
    "ring": 0.16,
    "lens": 0.16,
    "trail": 0.11,
    "saturated_star": 0.10,
    "missing_band": 0.09,
    "corrupt": 0.08,
}
SCORES: Mapping[str, float] = MappingProxyType(
    {
        "elliptical": 0.0,
        "spiral": 1.0,
        "edge_on": 1.0,
        "merger": 5.0,
        "ring": 4.0,
        "lens": 5.0,
        "trail": 0.0,
        "saturated_star": 0.0,
        "missing_band": 0.0,
        "corrupt": 0.0,
    }
)

_DRAW = {
    "elliptical": morphology.elliptical,
    "spiral": morphology.spiral,
    "edge_on": morphology.edge_on,
    "merger": morphology.merger,
    "ring": morphology.ring,
    "lens": morphology.lens,
}
_SURFACE_BRIGHTNESS = {  # mag / arcsec^2 in r, mean within the half-light radius
    "elliptical": 20.8,
    "spiral": 21.1,
    "edge_on": 20.8,
    "merger": 20.9,
    "ring": 21.6,
    "lens": 20.4,
}


@dataclass(frozen=True, eq=False)
class SimulatedGalaxies:
    """Pictures of galaxies, what they really are, and what the simulated person thinks of them.

    It is itself a source: ``explore(make_galaxies(), truth="interesting")`` works.

    Attributes
    ----------
    object_ids : ndarray, shape (n,), dtype object
        ``galaxy-000000`` onwards; an id says nothing of the class.
    images : ndarray, shape (n, size, size, 3), dtype uint8
        RGB pictures of the bands i, r, g.
    catalog : DataFrame
        Indexed by object id. What a survey would know: ``ra``, ``dec`` (degrees), ``g``, ``r``,
        ``i`` (magnitudes of the central object), ``redshift``, ``seeing`` (arcsec). And the
        truth: ``class_name`` (a key of ``SCORES``), ``score`` (the person's, 0..5),
        ``interesting`` (bool: score of 4 or more).
    spec : dict
        How a project makes this survey again.
    """

    object_ids: NDArray[Any]
    images: NDArray[np.uint8]
    catalog: pd.DataFrame
    spec: Mapping[str, Any]
    kind = "image"

    def __repr__(self) -> str:
        n, *shape = self.images.shape
        interesting = self.interesting.sum()
        return f"<SimulatedGalaxies: {n} pictures of {tuple(shape)}, {interesting} interesting>"

    @property
    def classes(self) -> NDArray[Any]:
        """What each object really is; (n,) str."""
        return self.catalog["class_name"].to_numpy(dtype=object)

    @property
    def scores(self) -> NDArray[np.float64]:
        """The person's score of each object; (n,), 0..5."""
        return self.catalog["score"].to_numpy(dtype=np.float64)

    @property
    def interesting(self) -> NDArray[np.bool_]:
        """Whether the person is after it; (n,)."""
        return self.catalog["interesting"].to_numpy(dtype=np.bool_)

    @cached_property
    def fingerprints(self) -> NDArray[Any]:
        """One str per object that changes with its pixels; (n,)."""
        from zlib import crc32

        return np.array([f"{crc32(image):08x}" for image in self.images], dtype=object)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.object_ids)}

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return one picture; (size, size, 3) uint8.

        Raises
        ------
        KeyError
            There is no such object.
        """
        image: NDArray[np.uint8] = self.images[self._rows[object_id]]
        return image


def make_galaxies(
    n: int = 2000, random_state: int = 0, *, size: int = 128, rare_fraction: float = 0.08
) -> SimulatedGalaxies:
    """Simulate a survey of galaxies in color, with rare objects and artifacts among them.

    Ordinary are ellipticals (Sersic profiles), spirals (bulge, logarithmic arms, star-forming
    knots, dust) and disks seen from the side. Rare and interesting are mergers, rings and
    gravitational lenses (ray-traced); rare and boring are satellite trails, saturated stars,
    missing bands and damaged files. All have neighbors, seeing, photon and sky noise.

    An object depends on `random_state` and its own number only: the first hundred of a thousand
    are the hundred of a survey of a hundred.

    Parameters
    ----------
    n : int
        Number of objects; about 4 ms each.
    random_state : int
        Seed.
    size : int
        Side of the pictures in pixels, at least 32. The field of view stays 51 arcsec.
    rare_fraction : float
        Share of mergers, rings, lenses and artifacts together, 0..1. Of these, 62 % are
        interesting.

    Returns
    -------
    SimulatedGalaxies

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> survey = make_galaxies(n=20, random_state=1)
    >>> survey.images.shape
    (20, 128, 128, 3)
    """
    import pandas as pd

    if size < 32:
        raise ValueError(f"size must be at least 32 pixels to show a galaxy, got {size!r}")
    classes = draw_classes(n, random_state, rare_fraction, _ORDINARY, _RARE)
    images = np.empty((n, size, size, 3), dtype=np.uint8)
    records = []
    for i, name in enumerate(classes):
        rng = np.random.default_rng((random_state, i))
        images[i], record = _observe(name, rng, size)
        records.append(record)
    object_ids = np.array([f"galaxy-{i:06d}" for i in range(n)], dtype=object)
    catalog = pd.DataFrame(records, index=pd.Index(object_ids, name="object_id"))
    catalog["interesting"] = catalog["score"] >= INTERESTING_FROM
    images.flags.writeable = False
    arguments = {
        "n": int(n),
        "random_state": int(random_state),
        "size": int(size),
        "rare_fraction": float(rare_fraction),
    }
    spec = {"room": "demos", "name": "simulated_galaxies", "arguments": arguments}
    return SimulatedGalaxies(object_ids, images, catalog, spec)


def _observe(
    class_name: str, rng: np.random.Generator, size: int
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Take one picture; with it the row of the catalog."""
    e = Exposure(rng, size)
    host = class_name
    if host not in _DRAW:  # an artifact happens to an ordinary galaxy
        host = str(rng.choice(list(_ORDINARY), p=list(_ORDINARY.values())))
    redshift = float(rng.gamma(4, 0.02)) + (0.25 if host == "lens" else 0.01)
    reddening = 0.0 if host == "lens" else 0.9 * (redshift - 0.08)
    radius = float(np.clip(rng.lognormal(np.log(8.5), 0.36), 5, 16))
    mag = morphology.magnitude(radius, _SURFACE_BRIGHTNESS[host] + rng.normal(0, 0.35))
    light = _DRAW[host](e, morphology.CENTER, mag, radius, reddening=reddening)
    i, r, g = (float(22.5 - 2.5 * np.log10(band.sum())) for band in light)
    e.flux += light
    e.flux += morphology.neighbors(e, 6.0)
    if class_name == "saturated_star":
        artifacts.saturated_star(e)
    elif class_name == "trail":
        artifacts.trail(e)
    seeing = float(rng.uniform(1.15, 1.7))
    flux = e.develop(seeing)
    if class_name == "missing_band":
        flux = artifacts.missing_band(e, flux)
    image = composite(flux)
    if class_name == "corrupt":
        image = artifacts.corrupt(e, image)
    return image, {
        "ra": round(rng.uniform(0, 360), 7),  # a survey of 0.4 mas
        "dec": round(math.degrees(math.asin(rng.uniform(-1, 1))), 7),
        "g": g,
        "r": r,
        "i": i,
        "redshift": redshift,
        "seeing": seeing * 2.355 * PIXEL,
        "class_name": class_name,
        "score": SCORES[class_name],
    }
