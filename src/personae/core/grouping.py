"""Sums and means of rows by group, such as the embeddings of a track's crops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array, Int64Array, IntArray
from personae.core.trackset import TrackSet


def sum_by(rows: Float64Array, group_of: IntArray, n_groups: int) -> Float64Array:
    """Return the (n_groups, d) sums of (n, d) rows by group."""
    from scipy.sparse import csr_matrix

    n = len(group_of)
    membership = csr_matrix((np.ones(n), (group_of, np.arange(n))), shape=(n_groups, n))
    sums: Float64Array = membership @ rows
    return sums


def unit_rows(x: npt.ArrayLike) -> Float64Array:
    """Return the rows of (n, d) scaled to Euclidean length 1; a row of zeros stays zero."""
    rows = np.asarray(x, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Float64Array = rows / np.where(norms > 0, norms, 1.0)
    return scaled


def group_means(x: npt.ArrayLike, group_of: npt.ArrayLike, n_groups: int) -> Float64Array:
    """Return the (n_groups, d) means of (n, d) rows by group; zeros for an empty group."""
    rows, groups = np.asarray(x, dtype=np.float64), np.asarray(group_of)
    sums = sum_by(rows, groups, n_groups)
    means: Float64Array = sums / np.maximum(np.bincount(groups, minlength=n_groups), 1)[:, None]
    return means


def connect_pairs(pairs: IntArray, n: int) -> Int64Array:
    """Return (n,) the group 0.. of each item where the items of a pair share one; chains count.

    Args:
        pairs: (m, 2) pairs of items.
        n: Number of items.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = pairs.T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(n, n))
    groups: Int64Array = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def track_means(tracks: TrackSet) -> Float64Array:
    """Return the mean embedding of each track's crops, scaled to length 1.

    Returns:
        (T, d) track descriptors.

    Raises:
        ValueError: The tracks have no embeddings.

    Source:
        Sharma et al., "Self-Supervised Learning of Face Representations for Video Face Clustering"
        (SSiam, TSiam), FG 2019, test protocol.
    """
    return unit_rows(group_means(tracks.require_embeddings(), tracks.track_of, tracks.n_tracks))
