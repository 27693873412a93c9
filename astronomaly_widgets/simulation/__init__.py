"""Simulated surveys with known truth, and a simulated person to label them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .curves import SimulatedCurves, make_curves
from .light_curves import make_light_curves
from .oracle import Oracle, label_with
from .replay import Replay, replay
from .spectra import make_spectra

if TYPE_CHECKING:
    from .galaxies import SimulatedGalaxies, make_galaxies

__all__ = [
    "Oracle",
    "Replay",
    "SimulatedCurves",
    "SimulatedGalaxies",
    "label_with",
    "make_curves",
    "make_galaxies",
    "make_light_curves",
    "make_spectra",
    "replay",
]


def __getattr__(name: str) -> Any:
    if name in {"SimulatedGalaxies", "make_galaxies"}:  # drawing needs OpenCV, the rest does not
        from . import galaxies

        return getattr(galaxies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
