"""All of it in one place: gallery, map, recall and inspector of one session."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np

from ..session import Session
from .feature_map import FeatureMap
from .gallery import Gallery
from .inspector import Inspector
from .recall_panel import RecallPanel


class Dashboard(ipywidgets.VBox):
    """Gallery, map of feature space, recall panel and inspector, linked through the session.

    Parameters
    ----------
    session : Session
    **gallery
        Passed on to :class:`Gallery`: ``per_page``, ``order``, ``thumbnail_size``.

    Attributes
    ----------
    gallery, feature_map, recall_panel, inspector : Widget

    Raises
    ------
    TypeError
        If it is given something else than a session.
    """

    _linked = False

    def __init__(self, session: Session, **gallery: Any) -> None:
        if not isinstance(session, Session):
            raise TypeError(
                f"a dashboard shows a session, not {type(session).__name__}: "
                "make one with aw.explore(...), or open one with aw.Session.open(folder)"
            )
        self.session = session
        self.gallery = Gallery(session, **gallery)
        self.feature_map = FeatureMap(session)
        self.recall_panel = RecallPanel(session)
        self.inspector = Inspector(session, on_step=self._step)
        self.gallery.on_inspect(lambda _object_id: self.inspector.enlarge())
        side = ipywidgets.VBox([self.feature_map, self.recall_panel, self.inspector])
        side.add_class("aw-dashboard-side")
        body = ipywidgets.Box([self.gallery, side])
        body.add_class("aw-dashboard-body")
        self._boxes = (side, body)
        super().__init__([body])
        self.add_class("aw-dashboard")
        self._linked = True

    def __repr__(self) -> str:
        # what remains in a notebook that is shown without its kernel
        return f"<Dashboard of {self.session!r}>"

    def close(self) -> None:
        """Let go of the session, and leave the page."""
        if self._linked:  # ipywidgets closes again what is collected
            self._linked = False
            for widget in (self.inspector, self.recall_panel, self.feature_map, self.gallery):
                widget.close()
            for box in self._boxes:
                box.close()
        super().close()

    def _step(self, by: int) -> None:
        """Make the object current that comes before or after in the gallery's order."""
        session = self.session
        shown = [record["object_id"] for record in self.gallery.page.get("records", ())]
        try:
            there = shown.index(session.current_id) + by
        except ValueError:
            there = 0
        if 0 <= there < len(shown):
            session.current_id = shown[there]
        elif shown:
            following = self._beyond(shown, by)
            if following is not None:
                session.current_id = following  # the gallery turns to its page

    def _beyond(self, shown: list[str], by: int) -> str | None:
        """Return the next object, not yet labeled, beyond the gallery's page; None at the end."""
        session = self.session
        ranking = session.ranking_rows(self.gallery.page["order"], unlabeled_first=False)[::by]
        fits = np.full(session.n_objects, not session.selected_ids)
        chosen = session.rows_of(session.selected_ids)
        fits[chosen[chosen >= 0]] = True
        fits[session.rows_of([*shown, *session.label_sequence()[0]])] = False
        (edge,) = session.rows_of([shown[-1] if by > 0 else shown[0]])
        beyond = ranking[int(np.flatnonzero(ranking == edge)[0]) + 1 :]
        first = np.flatnonzero(fits[beyond])[:1]
        return session.ids_of(beyond[first])[0] if len(first) else None
