"""The first of a ranking, without sorting all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LARGEST = np.iinfo(np.uint32).max
_N_RANKED = 2**17  # that are sorted
_COARSE = np.uint32(16)  # bits that do not count for the others: sign, exponent, 1 / 128 are left
_ROW = np.uint64(_LARGEST)


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
    falling = _falling(values, np.float32)
    if k is not None and k < 0:
        raise ValueError(f"k is {k}; give how many of the largest are wanted, 0 or more")
    if k == 0:
        return np.empty(0, dtype=np.intp)
    if k is None or k >= len(falling):
        return _in_order(falling)
    # as many as k, and what is tied with the last of them
    last = np.partition(falling, k - 1)[k - 1]
    rows = np.flatnonzero(falling <= last).astype(np.uint64)
    keys = falling[rows].astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= rows
    keys.sort()
    return (keys[:k] & _ROW).astype(np.intp)


def descending(values: ArrayLike) -> NDArray[np.intp]:
    """Return all rows from the largest value to the smallest, ties in their original order.

    As a stable sort does, in half the time and less; NaN come last.

    Parameters
    ----------
    values : array, shape (n,)
        Compared as float32 if they are, and else as float64.

    Returns
    -------
    ndarray, shape (n,), dtype intp

    Raises
    ------
    ValueError
        If `values` has not one dimension.
    """
    single = getattr(values, "dtype", None) == np.float32
    return _in_order(_falling(values, np.float32 if single else np.float64))


def ranks(values: ArrayLike) -> NDArray[np.float32]:
    """Return how far up each value is among all, from 0, the smallest, to 1, the largest.

    Of up to 2**17 values it is exact, and of ties the later is higher. Of more, it is exact for the
    2**17 largest; others that differ by less than 1 % are given the same rank, without sorting.

    Parameters
    ----------
    values : array, shape (n,)
        Compared as float32; NaN is the smallest.

    Returns
    -------
    ndarray, shape (n,), dtype float32

    Raises
    ------
    ValueError
        If `values` has not one dimension.
    """
    falling = _falling(values, np.float32)
    n = len(falling)
    found = np.empty(n, dtype=np.float32)
    first = n - 1 - largest(np.asarray(values)[::-1], _N_RANKED)
    if len(first) < n:
        falling >>= _COARSE
        counts = np.bincount(falling)
        middle = np.cumsum(counts) - (counts + 1) / 2
        below = 1 - np.maximum(middle, len(first)) / (n - 1)
        found[:] = below.astype(np.float32)[falling]
    found[first] = np.arange(n - 1, n - 1 - len(first), -1) / max(n - 1, 1)
    return found


def _falling(values: ArrayLike, dtype: type[np.floating[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Return integers (n,), as wide as a `dtype`, that fall as the values rise."""
    numbers = np.asarray(values, dtype=dtype)
    if numbers.ndim != 1:
        raise ValueError(f"values has shape {numbers.shape}; give one number per object, (n,)")
    # read as an integer, a float without its sign rises with its value; + 0 makes -0 equal to 0
    whole = np.dtype(f"u{numbers.itemsize}").type
    bits: NDArray[np.unsignedinteger[Any]] = (numbers + dtype(0)).view(whole)
    turn = bits >> whole(8 * numbers.itemsize - 1)  # 1 for what is negative, which falls already
    turn -= whole(1)
    turn >>= whole(1)  # all bits but the sign of what is positive
    bits ^= turn
    bits[np.isnan(numbers)] = np.iinfo(whole).max
    return bits


def _in_order(keys: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.intp]:
    """Return rows from the smallest key to the largest, ties in their original order.

    Sixteen bits at a time, for which NumPy counts rather than compares.
    """
    wide = 8 * keys.itemsize
    words = ((keys >> keys.dtype.type(bits)).astype(np.uint16) for bits in range(0, wide, 16))
    rows = np.argsort(next(words), kind="stable")
    for word in words:
        rows = rows[np.argsort(word[rows], kind="stable")]
    return rows
