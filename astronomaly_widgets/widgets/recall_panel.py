"""How many interesting objects were found, and how many other orders would have found."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import bqplot
import ipywidgets
import numpy as np

from .. import evaluation
from ._curves import BRAND, QUIET, plain_figure, thinned, ticks
from ._panel_head import PanelHead
from ._refresh import Refresher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..evaluation import DiscoveryCurves, Remaining
    from ..session import Session

_NOTHING = np.zeros(1)  # a curve of one point is not seen; bqplot stumbles over NaN
_SHORTEST_AXIS = 20  # objects; a curve of three labels should not fill the panel
_LINES_OF_TEXT = 10  # that fit one above another in the plot
_ROOM_AHEAD = 1.3  # length of the axis, in labels given, where there is something to expect
_HIGHEST_BAND = 3.0  # in units of what was found: above it the band is cut, not the line squeezed
_RECENT = 20  # labels whose yield is told
_VAGUE = 8.0  # width of an interval, in units of what was found, that is better not drawn
_WATCHED = ("label_revision", "score_revision", "interesting_from")


class _Outlook(NamedTuple):
    """What the last labels gave, and what is left: by the labels, and by a random sample."""

    recent: int
    left: Remaining | None
    by_audit: Remaining | None


class RecallPanel(ipywidgets.VBox):
    """Interesting objects found against objects labeled.

    Beside the person's own line stand two others: what going down the detector's order, and what
    a random order, would have shown after as many objects. Without truth these are lower bounds
    (they know only of the interesting objects that were found) and are marked with "≥". A dotted
    line stands at each retrain. From the end of the line a band opens to what is probably found in
    the end: 90 % interval of ``session.remaining()``, once it is narrow enough to help; what a
    random sample says (``session.draw_audit()``) stands beside it in words. Where ``session.truth``
    is known, the recall of the whole current ranking is drawn too.

    Parameters
    ----------
    session : Session
    """

    _linked = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self._anomaly_rows: NDArray[np.intp] | None = None
        self._ranking: tuple[int, NDArray[np.int64]] | None = None
        self._head = PanelHead(session, title="Found")
        self._head.add_class("aw-recall-head")
        self._build()
        super().__init__([self._head, self.figure])
        self.add_class("aw-recall-panel")
        self.add_class("aw-panel")
        self._refresher = Refresher(self._draw, self._keep_error, interval=0.5, delay=0.2)
        session.observe(self._on_session, names=list(_WATCHED))
        self._linked = True
        self._refresher.begin("curves", n_objects=session.n_objects)

    def close(self) -> None:
        """Let go of the session, and leave the page."""
        if self._linked:  # ipywidgets closes again what is collected
            self._linked = False
            self.session.unobserve(self._on_session, names=list(_WATCHED))
            self._refresher.close()
            self._head.close()
            for widget in (*self.figure.marks, *self.figure.axes, self.figure, self._x, self._y):
                widget.close()
        super().close()

    def _on_session(self, _change: Any) -> None:
        self._refresher.request("curves")

    def _keep_error(self, error: Exception) -> None:
        self.session.last_error = error

    def _build(self) -> None:
        self._x, self._y = bqplot.LinearScale(min=0), bqplot.LinearScale(min=0)
        scales = {"x": self._x, "y": self._y}

        def curve(color: str, width: float, style: str = "solid") -> bqplot.Lines:
            return bqplot.Lines(
                x=_NOTHING, y=_NOTHING, scales=scales, colors=[color], stroke_width=width,
                line_style=style, apply_clip=False,
            )  # fmt: skip

        self.band = bqplot.Lines(
            x=_NOTHING, y=_NOTHING, scales=scales, colors=[BRAND, BRAND], opacities=[0.0, 0.0],
            fill="between", fill_colors=[BRAND], fill_opacities=[0.16], apply_clip=True,
        )  # fmt: skip
        self.retrains = curve(QUIET, 1, "dotted")
        self.random = curve(QUIET, 1.3, "dashed")
        self.detector = curve(QUIET, 1.3)
        self.ranking = curve(BRAND, 1.3, "dashed")
        self.found = curve(BRAND, 2.6)
        self.names = bqplot.Label(
            x=_NOTHING, y=_NOTHING, text=[""], scales=scales, default_size=10,
            font_weight="normal", x_offset=6, y_offset=3, apply_clip=False,
        )  # fmt: skip
        self.figure = plain_figure(
            [self.band, self.retrains, self.random, self.detector, self.ranking, self.found,
             self.names],
            [
                bqplot.Axis(scale=self._x, label="labeled", label_offset="26px",
                            grid_lines="none", tick_format=",d"),
                bqplot.Axis(scale=self._y, side="left", grid_lines="solid",
                            tick_format=",d"),
            ],
            margin={"top": 10, "bottom": 34, "left": 30, "right": 84},
        )  # fmt: skip

    # drawing, on the refresher's thread

    def _draw(self, _parts: set[str]) -> None:
        session = self.session
        ids, scores = session.label_sequence()
        truth = None if session.truth is None else session.ids_of(np.flatnonzero(session.truth))
        curves = evaluation.discovery_curves(
            ids,
            scores,
            self._most_anomalous(len(ids)),
            session.interesting_from,
            truth,
            n_objects=session.n_objects,
        )
        ranking = None if truth is None else self._recall_of_ranking(truth)
        retrains = session.history["n_labels"].to_numpy()
        recent = int((scores[-_RECENT:] >= session.interesting_from).sum())
        left = session.remaining()
        if left is not None and left.high - left.low > _VAGUE * max(curves.found[-1], 5):
            left = None  # says nothing that helps
        outlook = _Outlook(recent, left, session.remaining_by_audit())
        self._head.channel.run(self._show, curves, ranking, retrains, outlook)

    def _most_anomalous(self, n: int) -> NDArray[Any]:
        """Return the ids of the `n` most anomalous objects, (n,), or of all there are."""
        if n and self._anomaly_rows is None:
            self._anomaly_rows = self.session.ranking_rows("anomaly_score", unlabeled_first=False)
        return self.session.ids_of(() if self._anomaly_rows is None else self._anomaly_rows[:n])

    def _recall_of_ranking(self, truth: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many true ones are among the first k of the current ranking, (n + 1,)."""
        revision = self.session.score_revision
        if self._ranking is None or self._ranking[0] != revision:
            order = self.session.ranking("trained_score", unlabeled_first=False)
            self._ranking = revision, np.append(0, evaluation.recall_curve(truth, order))
        return self._ranking[1]

    def _show(
        self,
        curves: DiscoveryCurves,
        ranking: NDArray[np.int64] | None,
        retrains: NDArray[Any],
        outlook: _Outlook,
    ) -> None:
        left = outlook.left
        n_labeled = len(curves.found) - 1
        longest = max(_SHORTEST_AXIS, n_labeled)
        if left is not None:
            longest = max(longest, int(n_labeled * _ROOM_AHEAD))
        if ranking is not None:
            longest = min(max(longest, 3 * curves.n_interesting), len(ranking) - 1)
            ranking = ranking[: longest + 1]
        highest = max(
            5.0, *(float(line[-1]) for line in (curves.found, curves.detector, curves.random)),
            0.0 if ranking is None else float(ranking[-1]),
            0.0 if left is None else min(
                curves.found[-1] + left.high, _HIGHEST_BAND * curves.found[-1]
            ),
        )  # fmt: skip
        # axes end at a round number, so that they stay for many labels
        self._scale(self._x, self.figure.axes[0], ticks(longest, 5))
        self._scale(self._y, self.figure.axes[1], ticks(highest, 4))
        atleast = "≥ " if curves.is_lower_bound else ""
        lines = [
            (self.found, curves.found, f"you {curves.found[-1]:,}", BRAND),
            (self.detector, curves.detector, f"detector {atleast}{curves.detector[-1]:,}", QUIET),
            (self.random, curves.random, f"random {atleast}{curves.random[-1]:,.0f}", QUIET),
        ]
        if n_labeled == 0:
            lines = [(mark, _NOTHING, "", color) for mark, _, _, color in lines]
        lines.append((self.ranking, _NOTHING if ranking is None else ranking, "ranking", BRAND))
        for mark, line, _, _ in lines:
            x, y = thinned(line)
            with mark.hold_sync():
                mark.x, mark.y = x, y
        self._show_band(n_labeled, int(curves.found[-1]), left)
        self._show_retrains(retrains[retrains <= longest])
        self._show_names([(len(line) - 1, float(line[-1]), text, color)
                          for _, line, text, color in lines if len(line) > 1])  # fmt: skip
        self._head.note = self._note(curves, ranking, outlook)

    @staticmethod
    def _scale(scale: Any, axis: Any, values: NDArray[np.int64]) -> None:
        if scale.max != values[-1]:
            scale.max = float(values[-1])
            axis.tick_values = values

    def _show_band(self, n_labeled: int, found: int, left: Remaining | None) -> None:
        with self.band.hold_sync():
            if left is None:
                self.band.x = self.band.y = _NOTHING
            else:
                self.band.x = np.array([n_labeled, float(self._x.max)])
                self.band.y = np.array([[found, found + left.low], [found, found + left.high]])

    def _show_retrains(self, at: NDArray[Any]) -> None:
        with self.retrains.hold_sync():
            if len(at):
                self.retrains.x = np.repeat(at.astype(float), 2).reshape(-1, 2)
                self.retrains.y = np.tile([0.0, float(self._y.max)], (len(at), 1))
            else:
                self.retrains.x = self.retrains.y = _NOTHING

    def _show_names(self, names: Sequence[tuple[int, float, str, str]]) -> None:
        top = float(self._y.max)
        y = apart([name[1] for name in names], top / _LINES_OF_TEXT, highest=top)
        with self.names.hold_sync():
            self.names.x = np.array([name[0] for name in names], dtype=float)
            self.names.y = np.array(y, dtype=float)
            self.names.text = [name[2] for name in names]
            self.names.colors = [name[3] for name in names] or [QUIET]

    def _note(
        self,
        curves: DiscoveryCurves,
        ranking: NDArray[np.int64] | None,
        outlook: _Outlook,
    ) -> str:
        n_labeled, found = len(curves.found) - 1, int(curves.found[-1])
        if ranking is not None:
            whole = self._ranking[1] if self._ranking else ranking
            half = int(np.searchsorted(whole, (curves.n_interesting + 1) // 2))
            of = f"{found:,} of {curves.n_interesting:,}"
            return f"{of} · half of them in the ranking's first {half:,}"
        if n_labeled == 0:
            return "score objects to see what is found"
        recent, left, by_audit = outlook
        if left is by_audit is None:
            return f"{found:,} interesting of {n_labeled:,} labeled"
        words = [f"last {min(_RECENT, n_labeled)}: {recent} found"]
        if left is not None:
            words.append(f"about {left.expected:,.0f} left ({left.level:.0%}: {_interval(left)})")
        if by_audit is not None:
            words.append(f"random sample: {_interval(by_audit)} left")
        return " · ".join(words)


def _interval(left: Remaining) -> str:
    return f"{left.low:,.0f}-{left.high:,.0f}"


def apart(places: Sequence[float], gap: float, highest: float = np.inf) -> list[float]:
    """Move places up, and down from the `highest`, so that none is nearer than `gap` to another."""
    order = np.argsort(places, kind="stable")
    moved = [float(place) for place in places]
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    for k in reversed(order):
        moved[k] = min(moved[k], highest)
        highest = moved[k] - gap
    return moved
