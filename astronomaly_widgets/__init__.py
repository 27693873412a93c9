"""Interactive active anomaly discovery for astronomy, in Jupyter.

::

    import astronomaly_widgets as aw

    session = aw.explore("cutouts/", project="my-search")
    session  # last line of a cell: the dashboard

Docstrings cite papers by letters:

* LB21: Lochner & Bassett 2021, Astronomy and Computing 36, 100481
* E24: Etsebeth et al. 2024, MNRAS 529, 732
* ML24: Mohale & Lochner 2024, MNRAS 530, 1274
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _display

__version__ = "0.1.0"

# name -> module that holds it; loaded on first use, so that importing the package is instant
_HOME = {
    "Classroom": "widgets",
    "ComparisonPanel": "widgets",
    "Dashboard": "widgets",
    "FeatureMap": "widgets",
    "Gallery": "widgets",
    "Inspector": "widgets",
    "RecallPanel": "widgets",
    "ReplayPanel": "widgets",
    "Session": "session",
    "SkyView": "widgets",
    "explore": "pipeline",
    "from_astronomaly": "exchange",
}
_ROOMS = (
    "clustering",
    "demos",
    "detectors",
    "evaluation",
    "exceptions",
    "exchange",
    "features",
    "learners",
    "preprocess",
    "reduction",
    "selection",
    "simulation",
    "sources",
    "teaching",
    "validation",
)

if TYPE_CHECKING:
    from . import (
        clustering,
        demos,
        detectors,
        evaluation,
        exceptions,
        exchange,
        features,
        learners,
        preprocess,
        reduction,
        selection,
        simulation,
        sources,
        teaching,
        validation,
    )
    from .exchange import from_astronomaly
    from .pipeline import explore
    from .session import Session
    from .widgets import (
        Classroom,
        ComparisonPanel,
        Dashboard,
        FeatureMap,
        Gallery,
        Inspector,
        RecallPanel,
        ReplayPanel,
        SkyView,
    )

__all__ = [
    "Classroom",
    "ComparisonPanel",
    "Dashboard",
    "FeatureMap",
    "Gallery",
    "Inspector",
    "RecallPanel",
    "ReplayPanel",
    "Session",
    "SkyView",
    "__version__",
    "clustering",
    "demos",
    "detectors",
    "evaluation",
    "exceptions",
    "exchange",
    "explore",
    "features",
    "from_astronomaly",
    "learners",
    "preprocess",
    "reduction",
    "selection",
    "simulation",
    "sources",
    "teaching",
    "validation",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def _dashboard(session: Any) -> Any:
    return __getattr__("Dashboard")(session)


def _classroom(exercise: Any) -> Any:
    return __getattr__("Classroom")(exercise)


def _replay_panel(replay: Any) -> Any:
    return __getattr__("ReplayPanel")(replay)


def _comparison_panel(comparison: Any) -> Any:
    return __getattr__("ComparisonPanel")(comparison)


# a session is shown as a dashboard, though it knows of no widget; likewise what is compared
_display.make_dashboard = _dashboard
_display.make_classroom = _classroom
_display.make_replay_panel = _replay_panel
_display.make_comparison_panel = _comparison_panel
