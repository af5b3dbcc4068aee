"""Rows summed and averaged by group, such as the embeddings of a track's crops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array, IntArray
from personae.core.trackset import TrackSet


def sum_by(rows: Float64Array, group_of: IntArray, n_groups: int) -> Float64Array:
    """Sum (n, d) rows by group into (n_groups, d)."""
    from scipy.sparse import csr_matrix

    n = len(group_of)
    pick = csr_matrix((np.ones(n), (group_of, np.arange(n))), shape=(n_groups, n))
    total: Float64Array = pick @ rows
    return total


def unit_rows(x: npt.ArrayLike) -> Float64Array:
    """Scale the rows of (n, d) to Euclidean length 1; a row of zeros stays zero."""
    rows = np.asarray(x, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Float64Array = rows / np.where(norms > 0, norms, 1.0)
    return scaled


def group_means(x: npt.ArrayLike, group_of: npt.ArrayLike, n_groups: int) -> Float64Array:
    """Average the rows of (n, d) by group 0..n_groups-1; gives (n_groups, d), zeros for an empty group."""
    rows, groups = np.asarray(x, dtype=np.float64), np.asarray(group_of)
    sums = sum_by(rows, groups, n_groups)
    means: Float64Array = sums / np.maximum(np.bincount(groups, minlength=n_groups), 1)[:, None]
    return means


def track_means(tracks: TrackSet) -> Float64Array:
    """Average the embeddings of each track's crops, then scale to length 1; gives (T, d).

    The track descriptor of SSiam's and TSiam's test protocol (Sharma et al., FG 2019).
    Raises ValueError where the tracks have no embeddings.
    """
    return unit_rows(group_means(tracks.require_embeddings(), tracks.track_of, tracks.n_tracks))
