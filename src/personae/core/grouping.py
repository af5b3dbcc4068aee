"""Sums and means of rows by group, such as the embeddings of a track's crops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array, IntArray
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
