"""What every clustering method shares: one vector per track, cannot-links as a matrix, labels in order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.cluster.similarity import sum_by
from personae.core.trackset import BoolArray, TrackSet

Labels = npt.NDArray[np.int64]
"""(T,) cluster of each track, 0.. by falling size; -1 = unknown."""

Vectors = npt.NDArray[np.float64]


def unit_rows(x: npt.ArrayLike) -> Vectors:
    """Scale the rows of (n, d) to Euclidean length 1; a row of zeros stays zero."""
    rows = np.asarray(x, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = rows / np.where(norms > 0, norms, 1.0)
    return scaled


def group_means(x: npt.ArrayLike, group_of: npt.ArrayLike, n_groups: int) -> Vectors:
    """Average the rows of (n, d) by group 0..n_groups-1; gives (n_groups, d), zeros for an empty group."""
    rows, groups = np.asarray(x, dtype=np.float64), np.asarray(group_of)
    sums = sum_by(rows, groups, n_groups)
    means: Vectors = sums / np.maximum(np.bincount(groups, minlength=n_groups), 1)[:, None]
    return means


def track_means(tracks: TrackSet) -> Vectors:
    """Average the embeddings of each track's crops, then scale to length 1; gives (T, d).

    The track descriptor of SSiam's and TSiam's test protocol (Sharma et al., FG 2019).
    Raises ValueError where the tracks have no embeddings.
    """
    return unit_rows(group_means(tracks.require_embeddings(), tracks.track_of, tracks.n_tracks))


def cannot_link_matrix(tracks: TrackSet) -> BoolArray:
    """Give (T, T) symmetric booleans: True where two tracks cannot be the same person."""
    forbidden = np.zeros((tracks.n_tracks, tracks.n_tracks), dtype=np.bool_)
    a, b = tracks.cannot_link.T
    forbidden[a, b] = forbidden[b, a] = True
    np.fill_diagonal(forbidden, False)
    return forbidden


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
