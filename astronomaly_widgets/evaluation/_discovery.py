"""How well the labeling goes: what a person found, beside what plainer orders would have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._rankings import ids_of, recall_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from ._rankings import Interesting


@dataclass(frozen=True, slots=True)
class DiscoveryCurves:
    """Interesting objects found against objects labeled; each array is (m + 1,), first entry 0.

    Attributes
    ----------
    found : ndarray of int
        What the person found among their first k labels.
    detector : ndarray of int
        What they would have found by going down the anomaly score.
    random : ndarray of float
        What they would have found on average in random order.
    n_interesting : int
        How many interesting objects the comparison knows of.
    is_lower_bound : bool
        True without truth: `detector` and `random` then count only the interesting objects the
        person found, and would in fact have found at least as many.
    """

    found: NDArray[np.int64]
    detector: NDArray[np.int64]
    random: NDArray[np.float64]
    n_interesting: int
    is_lower_bound: bool

    def __repr__(self) -> str:
        n_labels, known = len(self.found) - 1, "known" if self.is_lower_bound else ""
        found = f"{self.found[-1]} of {self.n_interesting} {known}".rstrip()
        return f"<DiscoveryCurves: {found} found with {n_labels} labels>"


def discovery_curves(
    labeled: Sequence[str],
    scores: ArrayLike,
    anomaly_order: ArrayLike,
    interesting_from: float = 4.0,
    truth: Interesting | None = None,
    *,
    n_objects: int | None = None,
) -> DiscoveryCurves:
    """Compare what a person found with what two plainer orders would have shown them.

    Parameters
    ----------
    labeled : sequence of ids, length m
        Objects in the order in which they were labeled, each once.
    scores : array, shape (m,)
        The person's scores, 0..5.
    anomaly_order : array of ids, shape (n,)
        All objects by anomaly score, most anomalous first; with `n_objects` the first m are enough.
    interesting_from : float
        Without truth, objects scored this or higher are interesting.
    truth : ids, or mapping or Series from id to bool, optional
        Which objects really are interesting, for teaching and simulations.
    n_objects : int, optional
        How many there are; by default as many as `anomaly_order` names.

    Raises
    ------
    ValueError
        If there is not one score per labeled object, or an id comes twice.
    TypeError
        If `truth` is an array of bool.
    """
    given = np.asarray(scores, dtype=np.float64)
    if given.shape != (len(labeled),):
        raise ValueError(f"{len(labeled)} labeled objects came with scores of {given.shape}")
    liked = {i for i, score in zip(labeled, given, strict=True) if score >= interesting_from}
    known = liked if truth is None else ids_of(truth)
    every = np.asarray(anomaly_order, dtype=object)
    steps = np.arange(len(given) + 1)
    n = len(every) if n_objects is None else n_objects
    shown = np.minimum(steps, n)  # an object may be labeled and gone from the data
    by_detector = np.append(0, recall_curve(known, every[: len(given)]))
    return DiscoveryCurves(
        found=np.append(0, recall_curve(known, np.asarray(labeled, dtype=object))),
        detector=by_detector[shown],
        random=shown * (len(known) / max(n, 1)),
        n_interesting=len(known),
        is_lower_bound=truth is None,
    )
