"""The scores of a session: before anything was learned, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._inputs import unchangeable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._protocols import LearnerScores

LEARNED = ("trained_score", "relevance", "uncertainty", "acquisition", "exploration")


def untrained(score: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    unknown = unchangeable(np.full(len(score), np.nan, dtype=np.float32))
    score = unchangeable(score)
    return {
        "anomaly_score": score,
        "trained_score": score,
        "relevance": unknown,
        "uncertainty": unknown,
        "acquisition": score,
        "exploration": score,
    }


def restored(stored: dict[str, NDArray[Any]], n: int) -> dict[str, NDArray[Any]] | None:
    """Return the session's arrays from those on disk, or None if they are not of `n` objects."""
    if "anomaly_score" not in stored:
        return None
    arrays = {**untrained(stored["anomaly_score"]), **stored}
    if any(arrays[name].shape != (n,) for name in ("anomaly_score", *LEARNED)):
        return None
    kept = [name for name in arrays if name not in ("key", "truth")]
    return {name: unchangeable(arrays[name]) for name in kept}


def learned(score: NDArray[np.float32], scores: LearnerScores) -> dict[str, Any]:
    """Return the session's arrays after a retrain.

    Raises
    ------
    ValueError
        If the learner broke its contract.
    """
    arrays = untrained(score)
    for name in LEARNED:
        values = getattr(scores, name, None)
        if values is None and name == "exploration":  # not every learner explores
            values = arrays["acquisition"]
        if values is None:
            raise ValueError(
                f"the learner's score() returned a {type(scores).__name__} without {name}: let it "
                "return LearnerScores(trained_score, relevance, uncertainty, acquisition), with "
                "NaN for what it does not know"
            )
        values = np.asarray(values, dtype=np.float32)
        if values.shape != score.shape:
            raise ValueError(
                f"the learner's {name} has shape {values.shape}, but {score.shape} was wanted"
            )
        arrays[name] = unchangeable(values)
    if not np.isfinite(arrays["trained_score"]).all():
        raise ValueError("the learner's trained_score is not finite everywhere")
    return arrays


def left_out_of(scores: LearnerScores | None, n_labels: int) -> NDArray[Any] | None:
    """Return what a learner makes of labeled objects without their labels, (m,), if it says so.

    Raises
    ------
    ValueError
        If the learner broke its contract.
    """
    values = getattr(scores, "left_out", None)  # not every learner says it
    if values is None:
        return None
    values = np.asarray(values)
    if values.shape != (n_labels,):
        raise ValueError(
            f"the learner's left_out has shape {values.shape}, but one for each of the "
            f"{n_labels} labels was wanted"
        )
    return values
