"""Objects to label one after the other, each as if those before it were labeled already.

Desautels, Krause & Burdick 2014, Journal of Machine Learning Research 15, 3873 (GP-BUCB): what is
labeled does not change the mean before the label is known, but how sure the process is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def in_turn(
    worth: NDArray[Any], covariance: NDArray[Any], curiosity: float, noise: float, n: int
) -> NDArray[np.intp]:
    """Order objects by upper confidence bounds, the first `n` of them one by one.

    Parameters
    ----------
    worth : ndarray, shape (k,)
        Means.
    covariance : ndarray, shape (k, k)
        Of the process, given what is labeled.
    curiosity : float
        Standard deviations that are added to the worth.
    noise : float
        Variance of a label, in the units of the covariance.
    n : int
        The others follow by what their bounds are after these.

    Returns
    -------
    ndarray of int, shape (k,)
        A permutation; the first of them do not depend on `n`.
    """
    n = min(n, len(worth))
    order = np.empty(len(worth), dtype=np.intp)
    variance = np.diag(covariance).astype(np.float64)
    learned = np.empty((n, len(worth)))  # rows of a pivoted Cholesky factor
    free = np.ones(len(worth), dtype=bool)

    def bounds() -> NDArray[np.float64]:
        bound: NDArray[np.float64] = worth + curiosity * np.sqrt(np.maximum(variance, 0.0))
        return np.where(free, bound, -np.inf)

    for k in range(n):
        order[k] = chosen = int(np.argmax(bounds()))
        free[chosen] = False
        learned[k] = covariance[chosen] - learned[:k, chosen] @ learned[:k]
        learned[k] /= np.sqrt(max(variance[chosen], 0.0) + noise)
        variance -= learned[k] ** 2
    order[n:] = np.argsort(-bounds(), kind="stable")[: len(worth) - n]
    return order
