"""Pairs of items: among fewer items, and as a matrix."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import BoolArray, Int64Array, IntArray


def renumber_pairs(pairs: IntArray, kept: IntArray, n: int) -> Int64Array:
    """Return the (k, 2) pairs that lie wholly among some of n items, by their places in `kept`.

    Args:
        pairs: (m, 2) pairs of items 0..n-1.
        kept: (r,) items, each once.
        n: Number of items.
    """
    place = np.full(n, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    renumbered = place[pairs]
    inside: Int64Array = renumbered[(renumbered >= 0).all(axis=1)]
    return inside


def pair_matrix(pairs: IntArray, n: int) -> BoolArray:
    """Return the pairs of n items as (n, n) symmetric booleans, with a diagonal of False."""
    matrix = np.zeros((n, n), dtype=np.bool_)
    a, b = pairs.T
    matrix[a, b] = matrix[b, a] = True
    np.fill_diagonal(matrix, False)
    return matrix
