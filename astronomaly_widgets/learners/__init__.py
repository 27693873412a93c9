"""Learners: the scores a person gave become a ranking of everything. One learner per file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._optional import require
from .._protocols import Learner, LearnerScores
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
    "GuidedEnsemble",
    "Learner",
    "LearnerScores",
    "NeighborScore",
    "PineForest",
    "RandomOrder",
    "by_name",
]


def _forest(make: Callable[..., Learner], random_state: int) -> Learner:
    require("coniferest", extra=EXTRA)  # what is missing is said now, not at the first retrain
    return make(random_state=random_state)


_MAKERS: dict[str, Callable[[int], Learner]] = {
    "auto": lambda random_state: GuidedEnsemble(random_state=random_state),
    "guided_ensemble": lambda random_state: GuidedEnsemble(random_state=random_state),
    "neighbor_score": lambda random_state: NeighborScore(random_state=random_state),
    "direct_regression": lambda random_state: DirectRegression(random_state=random_state),
    "aad_forest": lambda random_state: _forest(AADForest, random_state),
    "pine_forest": lambda random_state: _forest(PineForest, random_state),
    "anomaly_score": lambda _random_state: AnomalyScore(),
    "random": lambda random_state: RandomOrder(random_state=random_state),
}
NAMES = tuple(_MAKERS)


def by_name(learner: str | Learner, random_state: int = 0) -> Learner:
    """Make a learner from its name; a learner comes back as it is.

    Parameters
    ----------
    learner : str or object
        One of :data:`NAMES`, or anything with ``fit`` and ``score`` (see
        :class:`Learner`). ``"auto"`` is our choice, the guided ensemble; ``"anomaly_score"`` and
        ``"random"`` learn nothing, for comparison; the two forests need coniferest.
    random_state : int
        Seed of the learners that draw random numbers.

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
        return _MAKERS[learner](random_state)
    if isinstance(learner, type) or not isinstance(learner, Learner):
        raise TypeError(
            f"{learner!r} is not a learner; give one of {', '.join(NAMES)}, or an object with "
            "fit(X, rows, y, anomaly_score) and score(X, anomaly_score)"
        )
    return learner
