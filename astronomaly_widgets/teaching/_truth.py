"""What is true, as a teacher gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping


def true_scores(scores: Mapping[str, float] | pd.Series[Any]) -> pd.Series[float]:
    """Return the true scores, 0..5, by object id; a truth of only yes and no becomes 5 and 0.

    Raises
    ------
    ValueError
        If a score is not in 0..5.
    """
    given = scores if isinstance(scores, pd.Series) else pd.Series(dict(scores))
    table = pd.Series(given.to_numpy(dtype=np.float64, na_value=np.nan), given.index.astype(str))
    known = table.dropna()
    if len(known) and not known.between(0, 5).all():
        raise ValueError(
            f"true scores lie in 0..5, but these span {known.min():g}..{known.max():g}"
        )
    return table * 5 if set(known) <= {0.0, 1.0} else table
