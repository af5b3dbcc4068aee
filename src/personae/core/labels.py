"""Cluster labels of tracks, and their order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
"""(T,) cluster of each track, 0.. by falling size; -1 = unknown."""


def order_by_size(labels: npt.ArrayLike) -> Labels:
    """Renumber (T,) labels 0.. by falling size, ties by first appearance; negative ones become -1."""
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
