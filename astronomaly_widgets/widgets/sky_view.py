"""The sky around the current object, by Aladin Lite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from .._optional import require
from . import _facts
from ._position import position

if TYPE_CHECKING:
    from ..session import Session

_TRIED = 1000  # objects among which one must have a position


class SkyView(ipywidgets.VBox):
    """The sky around the current object of a session, which it follows.

    It needs the extra ``sky`` (ipyaladin), and a browser that reaches the internet: Aladin Lite and
    its images come from there.

    Parameters
    ----------
    session : Session
        Its catalog must have right ascension and declination in degrees, or its source know where
        an object is, as a folder of FITS images does.
    field_of_view : float
        In arcmin.
    survey : str
        The name of a HiPS survey, such as ``"CDS/P/DESI-Legacy-Surveys/DR10/color"``.

    Attributes
    ----------
    aladin : ipyaladin.Aladin
        For everything else that it can do.

    Raises
    ------
    MissingDependencyError
        ipyaladin is not installed.
    ValueError
        None of the first objects has a position, or the field of view is not positive.
    """

    _linked = False

    def __init__(
        self,
        session: Session,
        *,
        field_of_view: float = 3.0,
        survey: str = "CDS/P/DSS2/color",
    ) -> None:
        if not field_of_view > 0:
            raise ValueError(f"field_of_view is {field_of_view!r}; wanted a positive angle, arcmin")
        ipyaladin = require("ipyaladin", extra="sky")
        self.session = session
        start = self._place(session.current_id)
        places = (self._place(str(object_id)) for object_id in session.object_ids[:_TRIED])
        start = start or next((place for place in places if place), None)
        if start is None:
            raise ValueError(
                "no object has a position: the session's catalog needs columns like ra and dec, "
                "in degrees, or its images a WCS"
            )
        self.aladin = ipyaladin.Aladin(target=start, fov=field_of_view / 60, survey=survey)
        self._words = ipywidgets.Label()
        super().__init__([self.aladin, self._words])
        self.add_class("aw-sky-view")
        session.observe(self._follow, names="current_id")
        self._linked = True
        self._follow()

    def close(self) -> None:
        """Let go of the session, and leave the page."""
        if self._linked:  # ipywidgets closes again what is collected
            self._linked = False
            self.session.unobserve(self._follow, names="current_id")
            self.aladin.close()
            self._words.close()
        super().close()

    def _follow(self, _change: Any = None) -> None:
        object_id = self.session.current_id
        if object_id is None:
            return
        place = self._place(object_id)
        if place is None:
            self._words.value = f"{object_id} has no position"
            return
        self.aladin.target = place
        self._words.value = f"{object_id} at {place}"

    def _place(self, object_id: str | None) -> str | None:
        """Return "ra dec" in degrees, or None."""
        if object_id is None:
            return None
        place = position(_facts.catalog(self.session, object_id), _facts.in_full)
        return None if place is None else " ".join(place)
