"""Self-expressive clustering: crop samples, codes, proximal operators, affinity, graph cut.

WBSLRR, CP-SSC, McAFC and CMVFC express every crop by other crops and cut the graph of the
coefficients.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import SpectralClustering

from personae.core.arrays import BoolArray, Float64Array, Int64Array, IntArray
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet

BACKGROUND_AFFINITY = 1e-6
"""Affinity between all tracks, as a share of the largest: it keeps the graph connected."""


def select_crops_evenly(tracks: TrackSet, max_crops: int) -> Int64Array:
    """Select crops evenly over each track: about `max_crops` in all, at least one a track."""
    crops_per_track = max(1, max_crops // max(tracks.n_tracks, 1))
    chosen = [
        crops[
            np.unique(
                np.linspace(0, len(crops) - 1, min(crops_per_track, len(crops)))
                .round()
                .astype(np.int64)
            )
        ]
        for crops in tracks.members()
    ]
    return np.concatenate([*chosen, np.empty(0, dtype=np.int64)]).astype(np.int64)


def soft_threshold(a: Float64Array, threshold: float) -> Float64Array:
    """Shrink every entry towards 0 by `threshold`: the proximal map of the L1 norm."""
    shrunk: Float64Array = np.sign(a) * np.maximum(np.abs(a) - threshold, 0)
    return shrunk


def singular_value_threshold(a: Float64Array, threshold: float) -> Float64Array:
    """Shrink the singular values towards 0 by `threshold`: the proximal map of the nuclear norm."""
    u, s, v = np.linalg.svd(a, full_matrices=False)
    shrunk: Float64Array = (u * np.maximum(s - threshold, 0)) @ v
    return shrunk


def block_soft_threshold(
    a: Float64Array, block_of: IntArray, thresholds: Float64Array
) -> Float64Array:
    """Shrink the norm of each block of rows, column by column: the proximal map of the L2,1 norm.

    Args:
        a: (n, m) matrix.
        block_of: (n,) block 0..B-1 of each row.
        thresholds: (B, m) what each block's norm loses in each column, down to 0.

    Returns:
        (n, m) shrunk matrix.
    """
    squares = np.zeros(thresholds.shape)
    np.add.at(squares, block_of, a**2)
    norm = np.sqrt(squares)
    scale = np.maximum(norm - thresholds, 0) / np.where(norm > 0, norm, 1.0)
    shrunk: Float64Array = a * scale[block_of]
    return shrunk


def sparse_self_expression(
    x: Float64Array, excluded: BoolArray, fidelity: float, iterations: int
) -> Float64Array:
    """Express every crop by few crops that it may be expressed by.

    Minimises |C|_1 + lambda/2 |X - X C|_F^2 by alternating directions. lambda is `fidelity` over
    `smallest_largest_correlation`; below that some crop would be expressed by nothing.

    Args:
        x: (n, d) unit rows.
        excluded: (n, n) pairs that must not express each other; True on the diagonal.
        fidelity: Weight of the reconstruction error, see above.
        iterations: Alternating steps.

    Returns:
        (n, n) coefficients C, column j for crop j; 0 where excluded.

    Source:
        Elhamifar, Vidal, "Sparse Subspace Clustering", PAMI 2013.
    """
    gram = x @ x.T
    weight = fidelity / smallest_largest_correlation(gram, excluded)
    inverse = np.linalg.inv(weight * gram + fidelity * np.eye(len(x)))
    sparse, dual = np.zeros_like(gram), np.zeros_like(gram)
    for _ in range(iterations):
        dense = inverse @ (weight * gram + fidelity * (sparse - dual))
        sparse = np.where(excluded, 0.0, soft_threshold(dense + dual, 1 / fidelity))
        dual += dense - sparse
    return sparse


def smallest_largest_correlation(gram: Float64Array, excluded: BoolArray) -> float:
    """Return the smallest over crops of the largest inner product with an allowed crop.

    Args:
        gram: (n, n) inner products of unit rows.
        excluded: (n, n) pairs that do not count.

    Returns:
        A value in 0.1..1; smaller ones are raised to 0.1.
    """
    largest = np.abs(np.where(excluded, 0.0, gram)).max(axis=0, initial=0.0)
    return max(float(largest.min(initial=1.0)), 0.1)


def self_expression_affinity(coefficients: Float64Array) -> Float64Array:
    """Return |C| + |C|^T of (n, n) coefficients, columns first scaled to a largest entry of 1."""
    magnitude = np.abs(coefficients)
    np.fill_diagonal(magnitude, 0.0)
    peak = magnitude.max(axis=0, initial=0.0)
    magnitude /= np.where(peak > 0, peak, 1.0)
    affinity: Float64Array = magnitude + magnitude.T
    return affinity


def spectral_cluster_tracks(
    affinity: Float64Array, track_of: IntArray, forbidden: BoolArray, n_clusters: int, seed: int
) -> Labels:
    """Average a crop affinity over pairs of tracks, zero the cannot-links, and cut the graph.

    Args:
        affinity: (n, n) affinity of crops.
        track_of: (n,) track 0..T-1 of each crop; no track without a crop.
        forbidden: (T, T) cannot-linked tracks.
        n_clusters: Number of clusters.
        seed: Seed of the k-means on eigenvectors.

    Returns:
        (T,) labels 0.. by falling size.

    Source:
        Normalised spectral clustering, Ng, Jordan, Weiss, NIPS 2001.
    """
    n_tracks = len(forbidden)
    if n_clusters >= n_tracks:
        return np.arange(n_tracks, dtype=np.int64)
    if n_clusters == 1:
        return np.zeros(n_tracks, dtype=np.int64)
    averaging = np.zeros((n_tracks, len(track_of)))
    averaging[track_of, np.arange(len(track_of))] = 1.0
    averaging /= averaging.sum(axis=1, keepdims=True)
    between = averaging @ affinity @ averaging.T
    between[forbidden] = 0.0
    # The eigen-solver needs a connected graph.
    between += BACKGROUND_AFFINITY * (between.max() or 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = SpectralClustering(
            n_clusters, affinity="precomputed", assign_labels="kmeans", n_init=20, random_state=seed
        ).fit(between)
    return order_by_size(model.labels_)
