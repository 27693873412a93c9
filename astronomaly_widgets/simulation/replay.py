"""Which learner would have found them sooner: a search played again with the labels there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import batches
from ..learners import by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from .._protocols import Learner
    from ..session import Session

LEARNERS = ("auto", "neighbor_score", "direct_regression")


def replay(
    session: Session, learners: Sequence[str | Learner] = LEARNERS, batch_size: int = 10
) -> pd.DataFrame:
    """Let each learner choose among the labeled objects, one batch after another.

    Only objects with a label can be shown, because only of these the score is known. They are the
    ones that the learner in use chose, so the comparison is fair between other learners; but it
    says nothing of what another would have found that was never labeled, and differences are
    smaller than in a real search, since the labeled objects are rich.

    Parameters
    ----------
    session : Session
        Nothing of it is changed.
    learners : sequence of str or Learner
        Names, or learners, which are fitted anew.
    batch_size : int
        Labels between retrains.

    Returns
    -------
    DataFrame
        By number of labels, 0 to m: how many interesting objects each learner had found, a column
        per learner, and "as it was": how many the person had found in their own order.

    Raises
    ------
    ValueError
        If `batch_size` is not positive, or no learner has the name.
    """
    import pandas as pd

    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; give at least 1")
    ids, scores = session.label_sequence()
    rows = np.array([session.row_of(object_id) for object_id in ids], dtype=np.intp)
    interesting = scores >= session.interesting_from
    curves = {"as it was": interesting}
    X, S = np.asarray(session.features[np.sort(rows)]), session.anomaly_score[np.sort(rows)]
    scores, interesting = scores[np.argsort(rows)], interesting[np.argsort(rows)]
    for which in learners:
        learner = by_name(which, session.random_state)
        name = which if isinstance(which, str) else type(which).__name__
        acquisition, exploration = S, S
        seen = np.empty(0, dtype=np.intp)
        while len(seen) < len(rows):
            if len(seen):
                said = learner.fit(X, seen, scores[seen], S).score(X, S)
                acquisition = said.acquisition
                exploration = acquisition if said.exploration is None else said.exploration
            new = batches.suggest(
                X,
                acquisition,
                seen,
                scores[seen],
                batch_size,
                exploration=exploration,
                interesting_from=session.interesting_from,
                random_state=session.random_state,
            )
            seen = np.concatenate([seen, new.rows])
        curves[name] = interesting[seen]
    found = {name: np.append(0, np.cumsum(hits)) for name, hits in curves.items()}
    return pd.DataFrame(found).rename_axis("n_labels")
