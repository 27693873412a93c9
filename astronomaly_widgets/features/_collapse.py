"""A network that has learned to say the same of everything, which costs it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# a healthy network has 0.01 on pictures that are mostly black; none has less than _NONE
_LEAST = 0.001
_NONE = 1e-5


def spread(rows: NDArray[Any]) -> float:
    """Return how much the directions of features differ: the root of their total variance.

    Parameters
    ----------
    rows : ndarray, shape (n, d)

    Returns
    -------
    float
        0..1; 0 if all have one direction, whatever their lengths.
    """
    rows = rows.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    directions = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return float(np.sqrt(directions.var(axis=0).sum()))


def check_spread(now: float, least: float, remedy: str) -> None:
    """Refuse a network that has collapsed.

    Parameters
    ----------
    now : float
        The spread of its features.
    least : float
        Less than this is a collapse, if it is less than 0.001 of all that is possible, too.
    remedy : str
        What to do about it.

    Raises
    ------
    RuntimeError
        It has.
    """
    if not now > max(_NONE, min(_LEAST, least)):  # also if it is no number
        raise RuntimeError(
            f"the network has collapsed: it says nearly the same of all images (spread {now:.2g}). "
            f"{remedy} If images differ too little as they are prepared, which .prepare(image) "
            "shows, set crop to the size of the objects"
        )
