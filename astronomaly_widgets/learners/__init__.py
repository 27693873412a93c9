"""Learners: the scores a person gave become a ranking of everything. One learner per file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._optional import require
from .._protocols import EarlyLearner, Learner, LearnerScores
from .anomaly_forest import EXTRA, AADForest, PineForest
from .baselines import AnomalyScore, RandomOrder
from .direct_regression import DirectRegression
from .guided_ensemble import GuidedEnsemble
from .neighbor_score import NeighborScore

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NAMES",
    "AADForest",
    "AnomalyScore",
    "DirectRegression",
    "EarlyLearner",
    "GuidedEnsemble",
    "Learner",
    "LearnerScores",
    "NeighborScore",
    "PineForest",
    "RandomOrder",
    "by_name",
]


def _guided(seed: int, liked: float) -> Learner:
    return GuidedEnsemble(random_state=seed, interesting_from=liked)


def _forest(make: Callable[..., Learner], seed: int, liked: float) -> Learner:
    require("coniferest", extra=EXTRA)  # what is missing is said now, not at the first retrain
    return make(random_state=seed, interesting_from=liked)


_MAKERS: dict[str, Callable[[int, float], Learner]] = {
    "auto": _guided,
    "guided_ensemble": _guided,
    "neighbor_score": lambda seed, _liked: NeighborScore(random_state=seed),
    "direct_regression": lambda seed, _liked: DirectRegression(random_state=seed),
    "aad_forest": lambda seed, liked: _forest(AADForest, seed, liked),
    "pine_forest": lambda seed, liked: _forest(PineForest, seed, liked),
    "anomaly_score": lambda _seed, _liked: AnomalyScore(),
    "random": lambda seed, _liked: RandomOrder(random_state=seed),
}
NAMES = tuple(_MAKERS)


def by_name(
    learner: str | Learner, random_state: int = 0, interesting_from: float = 4.0
) -> Learner:
    """Make a learner from its name; a learner comes back as it is.

    Parameters
    ----------
    learner : str or object
        One of ``NAMES``, or anything with ``fit`` and ``score`` (see
        :class:`Learner`). ``"auto"`` is our choice, the guided ensemble; ``"anomaly_score"`` and
        ``"random"`` learn nothing, for comparison; the two forests need coniferest.
    random_state : int
        Seed of the learners that draw random numbers.
    interesting_from : float
        Score from which a label is a hit, for the learners that ask. One that is given as an
        object keeps its own.

    Raises
    ------
    ValueError
        If there is no learner of that name.
    MissingDependencyError
        If the learner needs a package that is not installed.
    TypeError
        If `learner` is neither a name nor has the two methods.
    """
    if isinstance(learner, str):
        if learner not in _MAKERS:
            raise ValueError(f"there is no learner {learner!r}; there are: {', '.join(NAMES)}")
        return _MAKERS[learner](random_state, interesting_from)
    if isinstance(learner, type) or not isinstance(learner, Learner):
        raise TypeError(
            f"{learner!r} is not a learner; give one of {', '.join(NAMES)}, or an object with "
            "fit(X, rows, y, anomaly_score) and score(X, anomaly_score)"
        )
    return learner


def taught(learner: Learner, *known: Any) -> Learner:
    """Fit a learner; return what is to be asked, also if its `fit` forgot to return itself."""
    fitted: Learner | None = learner.fit(*known)
    return learner if fitted is None else fitted
