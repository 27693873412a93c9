"""The map of feature space: every object, and what a person points at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np

from ..density import PALETTE, Window
from ._canvas_map import CanvasMap
from ._map_colors import LIMITS, check_choice, choices, coloring
from ._map_view import MODES, MapView, Scene
from ._marks_map import MarksMap
from ._refresh import Refresher
from ._thumbnails import Thumbnails

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from ..session import Session

MOST_MARKS = 5_000
_TOP = 200
_CARD = 112  # side of the picture on the hover card, in pixels


class FeatureMap(ipywidgets.VBox):
    """Every object as a point; colored by score or by a column, linked with the gallery.

    A click makes an object current, a lasso or a rectangle selects (the gallery then shows just
    those), the pointer shows what it is over. Up to 5,000 objects are bqplot marks; more are a
    picture made in the kernel for the window that is visible. Both behave alike.

    The map shows the principal components at once, and the session's embedding when that is ready.

    Parameters
    ----------
    session : Session
    color_by : str
        ``"trained_score"``, ``"anomaly_score"``, ``"label"``, ``"cluster"`` (the clusters are
        found then, unless they are there), or a column of the catalog: numbers and times get a
        scale that a few odd values do not stretch, anything else a color for each of the most
        frequent kinds. Values that are missing are grey. A column whose name is one of these four
        is called, say, ``"label (catalog)"``.

    Raises
    ------
    ValueError
        If `color_by` is none of these.
    """

    _linked = False

    def __init__(self, session: Session, *, color_by: str = "trained_score") -> None:
        self.session = session
        self._color_by = check_choice(session, color_by)
        self._choices = choices(session)
        self._mode = MODES[0]
        self._scene = Scene(np.empty((0, 2), dtype=np.float32))
        self._hovered: int | None = None
        self._lassoed: tuple[tuple[str, ...], NDArray[np.intp]] = (), np.empty(0, dtype=np.intp)
        self._embedding: Future[Any] | None = None
        self._pictures = Thumbnails(session, _CARD, capacity=256)
        self._view = MapView(
            session,
            {
                "click": self._on_click,
                "hover": self._on_hover,
                "select": self._on_select,
                "clear": self._on_clear,
                "color": self._on_color,
                "mode": self._on_mode,
                "reset": self._on_reset,
                "view": self._on_view,
                "zoom": self._on_zoom,
                "kind": self._on_kind,
            },
            self._on_hello,
        )
        run = self._view.channel.run
        self._renderer: MarksMap | CanvasMap
        if session.n_objects > MOST_MARKS:
            self._renderer = CanvasMap(run, self._view)
        else:
            self._renderer = MarksMap(run)
        super().__init__([self._view, *self._renderer.widgets])
        self.add_class("aw-feature-map")
        self.add_class("aw-panel")
        self._refresher = Refresher(self._draw, self._keep_error, interval=0.1, delay=0.03)
        session.observe(self._on_session, names=list(_PARTS))
        self._linked = True
        self._find_clusters_if_shown()
        self._view.head = self._head()
        self._refresher.begin(*_ALL, n_objects=session.n_objects)
        self._refresher.request("index")

    @property
    def color_by(self) -> str:
        """What colors the objects; may be set."""
        return self._color_by

    @color_by.setter
    def color_by(self, value: str) -> None:
        self._color_by = check_choice(self.session, value)
        self._find_clusters_if_shown()
        self._refresher.request("colors", "head")

    @property
    def mode(self) -> str:
        """What the pointer does: "point", "lasso", "rectangle" or "pan"; may be set."""
        return self._mode

    @mode.setter
    def mode(self, value: str) -> None:
        self._mode = _checked(value, MODES, "mode")
        self._refresher.request("mode", "head")

    def close(self) -> None:
        """Let go of the session, and leave the page."""
        if self._linked:  # ipywidgets closes again what is collected
            self._linked = False
            self.session.unobserve(self._on_session, names=list(_PARTS))
            self._refresher.close()
            self._pictures.close()
            self._renderer.close()
            self._view.close()
        super().close()

    # from the session, on any thread

    def _on_session(self, change: Any) -> None:
        self._refresher.request(*_PARTS[change["name"]])

    def _keep_error(self, error: Exception) -> None:
        if self._linked:  # a drawing that was under way when it was closed has no pictures
            self.session.last_error = error

    # from the front end

    def _on_hello(self) -> dict[str, Any]:
        if self._embedding is None:
            self._embedding = self.session.start_embedding()
            self._embedding.add_done_callback(lambda _: self._refresher.request("points", "head"))
            self._refresher.request("head")
        return {}

    def _on_click(self, message: dict[str, Any]) -> None:
        row = self._row_at(message)
        if row is not None:
            self._make_current(row)

    def _on_hover(self, message: dict[str, Any]) -> dict[str, Any]:
        row = self._row_at(message)
        if row is not None:
            self._point_at(row)
        return {"found": row is not None}

    def _on_select(self, message: dict[str, Any]) -> dict[str, Any]:
        window = self._window_of(message)
        corners = np.array(message["polygon"], dtype=float).reshape(-1, 2)
        x = window.x_min + corners[:, 0] * (window.x_max - window.x_min)
        y = window.y_max - corners[:, 1] * (window.y_max - window.y_min)
        rows = self._scene.make_index().in_polygon(np.column_stack([x, y]))
        self._select(rows)
        return {"n_selected": len(rows)}

    def _select(self, rows: NDArray[np.intp]) -> None:
        chosen = tuple(self.session.ids_of(rows))
        self._lassoed = chosen, rows
        self.session.selected_ids = chosen

    def _on_clear(self, _message: dict[str, Any]) -> None:
        self.session.selected_ids = ()

    def _on_color(self, message: dict[str, Any]) -> None:
        self.color_by = message["color_by"]

    def _on_mode(self, message: dict[str, Any]) -> None:
        self.mode = message["mode"]

    def _on_reset(self, _message: dict[str, Any]) -> None:
        self._refresher.request("reset")

    def _on_zoom(self, message: dict[str, Any]) -> None:
        if isinstance(self._renderer, MarksMap):  # a canvas zooms by itself
            self._renderer.zoom(*(float(message[name]) for name in ("factor", "x", "y")))

    def _find_clusters_if_shown(self) -> None:
        if self._color_by == "cluster" and self.session.clusters is None:
            self.session.find_clusters()

    def _on_kind(self, message: dict[str, Any]) -> None:
        number, found = int(message["number"]), self.session.clusters
        if self._color_by == "cluster" and found is not None:
            self._select(found.members(number))
        else:
            self._select(self._scene.coloring.members(number))

    def _on_view(self, message: dict[str, Any]) -> None:
        if isinstance(self._renderer, CanvasMap):
            window = self._window_of(message)
            self._renderer.look_at(window, message["width"], message["height"])
            self._refresher.request("view", at_once=True)

    def _make_current(self, row: int) -> None:
        self.session.current_id = self.session.ids_of([row])[0]

    def _point_at(self, row: int) -> None:
        self._hovered = row
        self._refresher.request("hover")

    def _row_at(self, message: dict[str, Any]) -> int | None:
        """Return the row under the pointer; all lengths in the message are parts of the plot."""
        window = self._window_of(message)
        width, height = window.x_max - window.x_min, window.y_max - window.y_min
        return self._scene.make_index().nearest(
            window.x_min + message["x"] * width,
            window.y_max - message["y"] * height,
            message["x_reach"] * width,
            message["y_reach"] * height,
        )

    def _window_of(self, message: dict[str, Any]) -> Window:
        """Return the window in which a message is meant: a canvas tells, of bqplot we know."""
        if isinstance(self._renderer, MarksMap):
            return self._renderer.window()
        return Window(*(float(edge) for edge in message["window"]))

    # drawing, on the refresher's thread

    def _draw(self, parts: set[str]) -> None:
        session, scene, by = self.session, self._scene, self._color_by
        if "points" in parts:
            scene.points = np.asarray(session.best_embedding, dtype=np.float32)
        # a column stays as it is when scores change
        if "colors" in parts and (scene.coloring.column is None or scene.coloring.by != by):
            scene.coloring = coloring(session, by)
        if parts & {"points", "labels"}:
            ids, scores = session.label_sequence()
            rows = session.rows_of(ids)
            scene.labeled = rows[rows >= 0]
            scene.label_scores = np.asarray(scores, dtype=float)[rows >= 0]
        if "top" in parts and isinstance(self._renderer, CanvasMap):
            scene.top = session.ranking_rows("suggested", unlabeled_first=False)[:_TOP]
        if "selection" in parts:
            chosen, rows = self._lassoed
            known = chosen == session.selected_ids  # a lasso may hold a million ids
            scene.selected = rows if known else self._rows_of(session.selected_ids)
        if "current" in parts:
            scene.current = self._row_of(session.current_id)
        scene.mode = self._mode
        self._renderer.draw(scene, parts)
        if parts & {"head", "selection", "points"}:
            self._view.channel.run(setattr, self._view, "head", self._head())
        if "index" in parts:
            scene.make_index()  # sorted now, so that the first pointer does not wait
        if "hover" in parts and self._hovered is not None:
            self._send_card(self._hovered)

    def _head(self) -> dict[str, Any]:
        return {
            "embedding": self._embedding_in_words(),
            "colors": self._choices,
            "color_by": self._color_by,
            "legend": self._scene.coloring.legend,
            "modes": list(MODES),
            "mode": self._mode,
            "n_selected": len(self.session.selected_ids),
            "palette": list(PALETTE),
            "limits": list(LIMITS),
            "canvas": isinstance(self._renderer, CanvasMap),
        }

    def _embedding_in_words(self) -> str:
        if not len(self._scene.points):
            return "is being drawn"
        name, future = self.session.embedding_name, self._embedding
        if future is None or name != "PCA":
            return str(name)
        if not future.done():
            return f"{name} (UMAP is being computed)"
        if not future.cancelled() and future.exception() is not None:
            return f"{name} (UMAP could not be computed)"
        return str(name)

    def _send_card(self, row: int) -> None:
        object_id = self.session.ids_of([row])[0]
        fields = {
            "object_id": object_id,
            "score": self._scene.coloring.of(self.session, row),
            "label": self.session.score_of(object_id),
        }
        # id, score and picture are one message: a picture can never stand over another's name
        self._view.channel.push("card", fields, self._pictures.get([object_id]))
        self._pictures.forget_failed()

    def _row_of(self, object_id: str | None) -> int | None:
        if object_id is None:
            return None
        try:
            return self.session.row_of(object_id)
        except KeyError:  # labeled in an earlier state of the data, and no longer among the objects
            return None

    def _rows_of(self, object_ids: Any) -> NDArray[np.intp]:
        rows = self.session.rows_of(object_ids)
        return rows[rows >= 0]


# what is drawn again when a trait of the session changes
_PARTS = {
    "current_id": ("current",),
    "selected_ids": ("selection",),
    "label_revision": ("labels",),
    "score_revision": ("colors", "top"),
    "embedding_revision": ("points", "head", "index"),
    "cluster_revision": ("colors", "head"),
}
_ALL = {"points", "colors", "labels", "selection", "top", "current", "mode", "head"}


def _checked(value: str, allowed: tuple[str, ...], name: str) -> str:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value
