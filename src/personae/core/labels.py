"""Cluster labels of tracks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
"""(T,) cluster 0.. of each track, the largest first; -1: unknown."""


def order_by_size(labels: npt.ArrayLike) -> Labels:
    """Renumber labels by falling size of their clusters, ties by first appearance.

    Args:
        labels: (T,) integers; negative ones mean unknown.

    Returns:
        (T,) labels 0..K-1; -1 where the given label is negative.
    """
    given = np.asarray(labels)
    ordered = np.full(given.shape, -1, dtype=np.int64)
    known = given >= 0
    _, first, inverse, counts = np.unique(
        given[known], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.lexsort((first, -counts))] = np.arange(len(counts))
    ordered[known] = rank[inverse]
    return ordered
