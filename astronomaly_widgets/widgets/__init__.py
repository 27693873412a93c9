"""What a person sees: gallery, map, recall panel, inspector, dashboard; class; comparisons."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# name -> module that holds it: a gallery alone should not wait for bqplot
_HOME = {
    "Classroom": "classroom",
    "ComparisonPanel": "comparison_panel",
    "Dashboard": "dashboard",
    "FeatureMap": "feature_map",
    "Gallery": "gallery",
    "Inspector": "inspector",
    "RecallPanel": "recall_panel",
    "ReplayPanel": "replay_panel",
    "SkyView": "sky_view",
}

if TYPE_CHECKING:
    from .classroom import Classroom
    from .comparison_panel import ComparisonPanel
    from .dashboard import Dashboard
    from .feature_map import FeatureMap
    from .gallery import Gallery
    from .inspector import Inspector
    from .recall_panel import RecallPanel
    from .replay_panel import ReplayPanel
    from .sky_view import SkyView

__all__ = [
    "Classroom",
    "ComparisonPanel",
    "Dashboard",
    "FeatureMap",
    "Gallery",
    "Inspector",
    "RecallPanel",
    "ReplayPanel",
    "SkyView",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
