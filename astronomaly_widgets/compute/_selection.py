"""The first of a ranking, without sorting all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SIGN = np.uint32(1 << 31)
_ROW = np.uint64((1 << 32) - 1)


def largest(values: ArrayLike, k: int | None = None) -> NDArray[np.intp]:
    """Return where the largest values are, from large to small.

    The same rows in the same order as the first `k` of a stable sort, ties in their original order
    and NaN last, in a fraction of its time: each value and its row become one integer, so that
    none is equal to another, and integers are quick to part and to sort.

    Parameters
    ----------
    values : array, shape (n,)
        Compared as float32; at most 2**32 of them.
    k : int, optional
        How many; by default all.

    Returns
    -------
    ndarray, shape (min(k, n),), dtype intp

    Raises
    ------
    ValueError
        If `values` has not one dimension, or `k` is negative.
    """
    keys = _keys(values)
    if k is not None and k < 0:
        raise ValueError(f"k is {k}; give how many of the largest are wanted, 0 or more")
    if k is not None and k < len(keys):
        keys = np.partition(keys, k)[:k]
    keys.sort()
    return (keys & _ROW).astype(np.intp)


def _keys(values: ArrayLike) -> NDArray[np.uint64]:
    """Return integers (n,) that rise as the values fall, and then with the row."""
    numbers = np.asarray(values, dtype=np.float32)
    if numbers.ndim != 1:
        raise ValueError(f"values has shape {numbers.shape}; give one number per object, (n,)")
    # + 0 makes -0 equal to 0; the bits of a float rise with it, once those of the negative ones
    # are turned round
    bits = (numbers + np.float32(0)).view(np.uint32)
    falling = np.where(bits & _SIGN, bits, ~(bits | _SIGN))
    falling[np.isnan(numbers)] = np.iinfo(np.uint32).max
    keys: NDArray[Any] = falling.astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(len(keys), dtype=np.uint64)
    return keys
