"""A simulated person, who labels through the same door as a real one."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ..session import Session


class Oracle:
    """A simulated person: knows a score for every object, and errs now and then.

    Parameters
    ----------
    scores : mapping or Series
        From object id to score, 0..5.
    error : float
        Probability, 0..1, that the score given to an object is off by one point, up or down
        alike; the result stays in 0..5. The same object always gets the same score, in whatever
        order the objects come.
    random_state : int
        Another number, another set of slips.

    Raises
    ------
    ValueError
        If `error` is not in 0..1.

    Examples
    --------
    >>> Oracle({"a": 5.0, "b": 0.0}).score("a")
    5.0
    """

    def __init__(
        self,
        scores: Mapping[str, float] | pd.Series[float],
        error: float = 0.0,
        random_state: int = 0,
    ) -> None:
        if not 0 <= error <= 1:
            raise ValueError(f"error is {error!r}; give a probability between 0 and 1")
        self.scores = scores
        self.error = error
        self.random_state = random_state

    def __repr__(self) -> str:
        return f"<Oracle: knows {len(self.scores)} objects, errs in {self.error * 100:g} %>"

    def score(self, object_id: str) -> float:
        """Score one object, 0..5.

        Raises
        ------
        KeyError
            If no score is known for the object.
        """
        score = float(self.scores[object_id])
        # a hash, not a generator: the slip belongs to the object, not to when it is asked for
        digest = blake2b(f"{self.random_state}:{object_id}".encode(), digest_size=9).digest()
        if int.from_bytes(digest[:8]) / 2**64 >= self.error:
            return score
        slip = 1.0 if digest[8] % 2 else -1.0
        return min(max(score + slip, 0.0), 5.0)


def label_with(
    session: Session, oracle: Oracle, n_labels: int, batch_size: int = 10
) -> pd.DataFrame:
    """Let the oracle label what the session suggests, retraining after every batch.

    Parameters
    ----------
    session : Session
        Its labels are added to; what is already labeled is left alone.
    oracle : Oracle
        Or anything with ``score(object_id) -> float``.
    n_labels : int
        How many labels to give; fewer are given if the session runs out of objects.
    batch_size : int
        Labels between retrains; the last batch may be smaller. The session's `batch_size` is
        at least as much meanwhile.

    Returns
    -------
    DataFrame
        One row per label, in the order of labeling: ``object_id``, ``score``, and ``found``, how
        many of these labels so far reach ``session.interesting_from``.

    Raises
    ------
    ValueError
        If `n_labels` is negative or `batch_size` is not positive.
    KeyError
        If the oracle has no score for an object that is suggested.
    """
    import pandas as pd

    if n_labels < 0 or batch_size < 1:
        raise ValueError(
            f"n_labels is {n_labels} and batch_size {batch_size}; "
            "give n_labels >= 0 and batch_size >= 1"
        )
    before, session.batch_size = session.batch_size, max(session.batch_size, batch_size)
    try:
        given = _label(session, oracle, n_labels, batch_size)
    finally:
        session.batch_size = before
    return pd.DataFrame(given, columns=["object_id", "score", "found"])


def _label(
    session: Session, oracle: Oracle, n_labels: int, batch_size: int
) -> list[tuple[str, float, int]]:
    given: list[tuple[str, float, int]] = []
    found = 0
    while len(given) < n_labels:
        top = session.ranking("suggested")[: min(batch_size, n_labels - len(given))]
        batch = [object_id for object_id in top if session.score_of(object_id) is None]
        if not batch:
            break
        for object_id in batch:
            score = oracle.score(object_id)
            session.label(object_id, score)
            found += score >= session.interesting_from
            given.append((object_id, score, found))
        session.retrain().result()
    return given
