"""Which learner would have found them sooner: a search played again with the labels there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _display, batches
from .._progress import passing_bar
from ..learners import AnomalyScore, RandomOrder, by_name, taught

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from .._protocols import Learner
    from ..session import Session

LEARNERS = ("auto", "neighbor_score", "direct_regression", "anomaly_score")
AS_IT_WAS, AT_RANDOM = "as it was", "at random"
_N_UNLABELED = 2000  # objects without a label that the learners see besides
_FEW = 10  # interesting objects, below which a difference is mostly luck


@dataclass(frozen=True, eq=False)
class Replay:
    """What each learner would have found among the labeled objects; drawn at the end of a cell.

    Attributes
    ----------
    curves : DataFrame
        By number of labels, 0 to m: how many interesting objects each learner had found, a column
        per learner; "as it was": how many the person had found in their own order; and "at
        random": how many are found on average in any order.
    batch_size : int
        Labels between retrains.
    """

    curves: pd.DataFrame
    batch_size: int

    @property
    def n_labels(self) -> int:
        """Number of labeled objects, m."""
        return len(self.curves) - 1

    @property
    def n_interesting(self) -> int:
        """How many of them are interesting."""
        return int(self.curves[AS_IT_WAS].iloc[-1])

    @property
    def caveat(self) -> str:
        """What the comparison cannot say, in words."""
        words = (
            f"Only the {self.n_labels} labeled objects can be shown again. They were chosen in "
            "this search, so what another learner would have found elsewhere is missing, and the "
            "labeled are rich in what is sought: read the order of the curves, not the distance "
            "between them."
        )
        if self.n_interesting < _FEW:
            words += f" {self.n_interesting} interesting objects are too few to tell luck apart."
        return words

    def needed(self, shares: ArrayLike = (0.5, 0.9)) -> pd.DataFrame:
        """Say how many labels it takes to find a share of the interesting objects.

        Parameters
        ----------
        shares : array, shape (k,)
            Of the interesting objects that are labeled, 0..1, 0 exclusive.

        Returns
        -------
        DataFrame
            A row per curve, a column per share; NaN where nothing is interesting.

        Raises
        ------
        ValueError
            If a share is not in 0..1.
        """
        import pandas as pd

        wanted = np.atleast_1d(np.asarray(shares, dtype=np.float64))
        if not ((wanted > 0) & (wanted <= 1)).all():
            raise ValueError(f"shares are {wanted.tolist()}; give fractions above 0 and up to 1")
        goals = wanted * self.n_interesting * (1 - 1e-9)  # reached but for rounding is reached
        table = {
            name: np.searchsorted(curve, goals).astype(float) if self.n_interesting else np.nan
            for name, curve in self.curves.items()
        }
        return pd.DataFrame(table, index=pd.Index(wanted, name="share")).T

    def __repr__(self) -> str:
        needed = self.needed().rename(columns="labels for {:.0%}".format)
        return (
            f"{self.n_interesting} interesting objects among {self.n_labels} labels, played again "
            f"in batches of {self.batch_size}\n{needed.to_string(float_format='%.0f')}\n"
            f"{self.caveat}"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if _display.make_replay_panel is None:
            return {"text/plain": repr(self)}
        return _display.make_replay_panel(self)._repr_mimebundle_(**kwargs)


def replay(
    session: Session,
    learners: Sequence[str | Learner] | Mapping[str, str | Learner] = LEARNERS,
    batch_size: int = 10,
    *,
    strategy: str = "auto",
    progress: bool = True,
) -> Replay:
    """Let each learner choose among the labeled objects, one batch after another.

    Only objects with a label can be shown, because only of these the score is known. They are the
    ones that the learner in use chose, so the comparison is fair between other learners; but it
    says nothing of what another would have found that was never labeled, and the labeled objects
    are richer than the survey: in searches of five data sets a replay put 35 of the 36 pairs of
    learners that differ clearly in the right order, but showed a third of the difference
    (``benchmarks/replay.py``). Besides them the learners see up to 2,000 random objects without a
    label, so that distances and what is usual are those of the survey.

    Parameters
    ----------
    session : Session
        Nothing of it is changed.
    learners : sequence of str or Learner, or mapping from a name to these
        Learners that are given as objects are fitted anew.
    batch_size : int
        Labels between retrains.
    strategy : str
        How batches are chosen, see `Session.strategy`; the baselines that learn nothing
        always show the top of their order.
    progress : bool
        Show a bar.

    Returns
    -------
    Replay
        At the end of a cell it is drawn, with what it cannot say in words.

    Raises
    ------
    ValueError
        If `batch_size` is not positive, or no learner or strategy has the name.
    """
    import pandas as pd

    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; give at least 1")
    if strategy not in batches.STRATEGIES:
        raise ValueError(f"no strategy {strategy!r}: choose one of {', '.join(batches.STRATEGIES)}")
    search = _Search.of(session, batch_size, strategy)
    entrants = {
        name: by_name(learner, session.random_state, session.interesting_from)
        for name, learner in _named(learners).items()
    }
    liked = search.scores >= session.interesting_from
    as_it_was = liked[np.argsort(search.turn)]
    curves = {AS_IT_WAS: np.append(0, np.cumsum(as_it_was))}
    steps = len(entrants) * len(liked)
    with passing_bar(total=steps, desc="Replaying", unit=" labels", disable=not progress) as bar:
        for name, learner in entrants.items():
            order = np.concatenate([np.empty(0, np.intp), *search.play(learner, bar.update)])
            curves[name] = np.append(0, np.cumsum(liked[order]))
    curves[AT_RANDOM] = np.linspace(0.0, liked.sum(), len(liked) + 1)
    return Replay(pd.DataFrame(curves).rename_axis("n_labels"), batch_size)


@dataclass(frozen=True)
class _Search:
    """What the learners are given.

    Attributes
    ----------
    X, anomaly_score : ndarray, shape (m + u, d) and (m + u,)
        The m labeled objects in the order of the survey, and u others.
    scores : ndarray, shape (m,)
        What the person gave.
    turn : ndarray of int, shape (m,)
        When each was labeled.
    """

    X: NDArray[np.float32]
    anomaly_score: NDArray[np.float32]
    scores: NDArray[np.float64]
    turn: NDArray[np.intp]
    batch_size: int
    strategy: str
    interesting_from: float
    random_state: int

    @classmethod
    def of(cls, session: Session, batch_size: int, strategy: str) -> _Search:
        ids, scores = session.label_sequence()
        rows = session.rows_of(ids)
        turn = np.argsort(rows)  # the order of labeling must not break ties
        rng = np.random.default_rng(session.random_state)
        n_drawn = min(session.n_objects, _N_UNLABELED + len(rows))
        drawn = rng.choice(session.n_objects, size=n_drawn, replace=False)
        others = drawn[~np.isin(drawn, rows)][:_N_UNLABELED]
        every = np.concatenate([rows[turn], others]).astype(np.intp)
        return cls(
            np.asarray(session.features[every]),
            session.anomaly_score[every],
            scores[turn],
            turn,
            batch_size,
            strategy,
            session.interesting_from,
            session.random_state,
        )

    def play(self, learner: Learner, shown: Callable[[int], Any]) -> Iterator[NDArray[np.intp]]:
        """Yield batch after batch of the labeled objects, each once."""
        X, S, m = self.X, self.anomaly_score, len(self.scores)
        strategy = "top" if isinstance(learner, (AnomalyScore, RandomOrder)) else self.strategy
        seen = np.empty(0, dtype=np.intp)
        while len(seen) < m:
            told = np.sort(seen)  # as a session does
            said = taught(learner, X, told, self.scores[told], S).score(X, S)
            exploration = getattr(said, "exploration", None)  # not every learner says it
            new = batches.suggest(
                X[:m],
                said.acquisition[:m],
                seen,
                self.scores[seen],
                self.batch_size,
                exploration=None if exploration is None else exploration[:m],
                strategy=strategy,
                interesting_from=self.interesting_from,
                random_state=self.random_state,
            ).rows
            seen = np.concatenate([seen, new])
            shown(len(new))
            yield new


def _named(
    learners: Sequence[str | Learner] | Mapping[str, str | Learner],
) -> dict[str, str | Learner]:
    """Give each learner a name of its own."""
    if isinstance(learners, Mapping):
        taken = {AS_IT_WAS, AT_RANDOM} & set(learners)
        if taken:
            raise ValueError(
                f"{taken.pop()!r} is the name of another curve; choose a different one"
            )
        return dict(learners)
    named: dict[str, str | Learner] = {}
    for learner in [learners] if isinstance(learners, str) else learners:
        name = short = learner if isinstance(learner, str) else type(learner).__name__
        again = 1
        while name in named:
            again += 1
            name = f"{short} {again}"
        named[name] = learner
    return named
