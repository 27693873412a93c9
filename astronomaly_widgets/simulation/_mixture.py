"""Which object of a simulated survey is of which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

INTERESTING_FROM = 4.0
_GOLDEN = 0.6180339887498949


def draw_classes(
    n: int,
    random_state: int,
    rare_fraction: float,
    ordinary: Mapping[str, float],
    rare: Mapping[str, float],
) -> NDArray[Any]:
    """Give each object a class, so that every share holds in every first n.

    Parameters
    ----------
    n : int
        Number of objects.
    random_state : int
        Where to start.
    rare_fraction : float
        Share of the rare together, 0..1.
    ordinary, rare : mapping from class name to share
        Among the ordinary and among the rare; each sums to 1.

    Returns
    -------
    ndarray, shape (n,), dtype object
        Class names; those of the first n do not depend on n.

    Raises
    ------
    ValueError
        If `n` is not positive or `rare_fraction` not in 0..1.
    """
    if n < 1:
        raise ValueError(f"n must be a positive number of objects, got {n!r}")
    if not 0 <= rare_fraction <= 1:
        raise ValueError(f"rare_fraction must lie in 0..1, got {rare_fraction!r}")
    shares = [share * (1 - rare_fraction) for share in ordinary.values()]
    shares += [share * rare_fraction for share in rare.values()]
    start = np.random.default_rng(random_state).random()
    # steps of the golden ratio fill 0..1 evenly
    at = (start + _GOLDEN * np.arange(n)) % 1
    names = np.array([*ordinary, *rare], dtype=object)
    return names[np.searchsorted(np.cumsum(shares)[:-1], at, side="right")]


def judged(
    object_ids: Iterable[str], classes: NDArray[Any], scores: Mapping[str, float]
) -> pd.DataFrame:
    """Return what is true of each object, by id: its class, and what a person makes of it."""
    import pandas as pd

    given = np.array([scores[name] for name in classes])
    return pd.DataFrame(
        {"class_name": classes, "score": given, "interesting": given >= INTERESTING_FROM},
        index=pd.Index(object_ids, name="object_id"),
    )
