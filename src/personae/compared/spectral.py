"""Spectral clustering of tracks from an affinity of their crops."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import SpectralClustering

from personae.core.arrays import BoolArray, Float64Array, Int64Array, IntArray
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


def sample_crops(tracks: TrackSet, at_most: int) -> Int64Array:
    """Choose crops spread evenly over each track, about `at_most` of all tracks and at least one a track."""
    share = max(1, at_most // max(tracks.n_tracks, 1))
    chosen = [
        crops[
            np.unique(
                np.linspace(0, len(crops) - 1, min(share, len(crops))).round().astype(np.int64)
            )
        ]
        for crops in tracks.members()
    ]
    return np.concatenate([*chosen, np.empty(0, dtype=np.int64)]).astype(np.int64)


def self_expression_affinity(c: Float64Array) -> Float64Array:
    """Turn coefficients C (n, n), columns scaled to a largest entry of 1, into the affinity |C| + |C|^T."""
    magnitude = np.abs(c)
    np.fill_diagonal(magnitude, 0.0)
    peak = magnitude.max(axis=0, initial=0.0)
    magnitude /= np.where(peak > 0, peak, 1.0)
    affinity: Float64Array = magnitude + magnitude.T
    return affinity


def cluster_tracks(
    affinity: Float64Array, track_of: IntArray, forbidden: BoolArray, n_clusters: int, seed: int
) -> Labels:
    """Average a crop affinity (n, n) over pairs of tracks, blank the forbidden, cut the graph.

    Normalised spectral clustering (Ng, Jordan, Weiss, NIPS 2001); gives (T,) labels by falling size.
    """
    n = len(forbidden)
    if n_clusters >= n:
        return np.arange(n, dtype=np.int64)
    if n_clusters == 1:
        return np.zeros(n, dtype=np.int64)
    member = np.zeros((n, len(track_of)))
    member[track_of, np.arange(len(track_of))] = 1.0
    member /= member.sum(axis=1, keepdims=True)
    between = member @ affinity @ member.T
    between[forbidden] = 0.0
    # A trace of affinity between all tracks keeps the graph in one piece, as the eigen-solver wants it.
    between += 1e-6 * (between.max() or 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = SpectralClustering(
            n_clusters, affinity="precomputed", assign_labels="kmeans", n_init=20, random_state=seed
        ).fit(between)
    return order_by_size(model.labels_)
