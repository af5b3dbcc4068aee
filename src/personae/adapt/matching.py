"""Coarse track matching: which other tracks fall inside a track's own spread (paper, Sec. 3.5)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import logsumexp

from personae.core.arrays import Float64Array, FloatArray, Int64Array
from personae.core.memory import in_parts

Space = Literal["pca", "raw", "tsne"]

OUTLIER_SHARE = 0.25
"""Share of a track's crops, the least likely ones, whose mean density is its threshold (paper)."""


def coarse_matches(
    embeddings: FloatArray,
    members: list[Int64Array],
    tracks: Int64Array,
    space: Space = "pca",
    dims: int = 4,
    seed: int = 0,
) -> Int64Array:
    """Find the directed pairs (j, k) where the mean of track k is as likely under N(track j) as j's own
    outliers.

    `embeddings` is (n, d) student embeddings, `tracks` the ids that passed the quality filter. Returns (m,
    2). With D2 the squared Mahalanobis distance the test is
    ``-D2_j(mean X_k) / 2 >= logsumexp(-D2_j(x_i) / 2 : i in O_j) - log |O_j|``, O_j the ceil(n_j / 4) least
    likely crops. `space` and `dims` are not stated in the paper: its slides draw a t-SNE plane; raw
    embeddings have a singular covariance and practically never match. The joint PCA is deterministic.
    """
    if len(tracks) < 2:
        return np.empty((0, 2), dtype=np.int64)
    used = np.concatenate([members[t] for t in tracks])
    points = (
        np.zeros((len(embeddings), 0))
        if not len(used)
        else _project(embeddings, used, space, dims, seed)
    )
    groups = [points[members[t]] for t in tracks]
    means = np.stack([g.mean(axis=0) for g in groups])
    pooled = _pooled_covariance(groups, points[used])
    pairs: list[Int64Array] = []
    for j, group in enumerate(groups):
        precision = np.asarray(
            np.linalg.pinv(_covariance(group, pooled), hermitian=True), dtype=np.float64
        )
        own = _half_squared_distance(group, means[j], precision)
        outliers = np.sort(own)[-max(1, int(np.ceil(OUTLIER_SHARE * len(group)))) :]
        threshold = logsumexp(-outliers) - np.log(len(outliers))
        hit = -_half_squared_distance(means, means[j], precision) >= threshold
        hit[j] = False
        pairs.append(np.stack([np.full(int(hit.sum()), tracks[j]), tracks[hit]], axis=1))
    return np.concatenate(pairs)


def _half_squared_distance(
    x: Float64Array, mean: Float64Array, precision: Float64Array
) -> Float64Array:
    offset = x - mean
    result: Float64Array = 0.5 * ((offset @ precision) * offset).sum(axis=1)
    return result


def _project(
    embeddings: FloatArray, used: Int64Array, space: Space, dims: int, seed: int
) -> Float64Array:
    if space == "raw":
        return embeddings.astype(np.float64)
    if space == "tsne":
        from sklearn.manifold import TSNE

        x, out = embeddings.astype(np.float64), np.zeros((len(embeddings), 2))
        perplexity = min(30.0, max(1.0, (len(used) - 1) / 3))
        out[used] = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(
            x[used]
        )
        return out
    middle = embeddings[used].mean(axis=0, dtype=np.float64)
    dims = min(dims, len(used), embeddings.shape[1])
    scatter = np.zeros((embeddings.shape[1],) * 2)
    for rows in in_parts(len(used)):
        centred = embeddings[used[rows]] - middle
        scatter += centred.T @ centred
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :dims]
    projected = np.empty((len(embeddings), dims))
    for rows in in_parts(len(embeddings)):
        projected[rows] = (embeddings[rows] - middle) @ axes
    return projected


def _pooled_covariance(groups: list[Float64Array], points: Float64Array) -> Float64Array:
    """Within-track covariance over all tracks; the total covariance where no track has two crops."""
    inner = np.concatenate(
        [g - g.mean(axis=0) for g in groups if len(g) > 1] or [points - points.mean(axis=0)]
    )
    covariance: Float64Array = inner.T @ inner / max(1, len(inner)) + 1e-9 * np.eye(points.shape[1])
    return covariance


def _covariance(group: Float64Array, pooled: Float64Array) -> Float64Array:
    """Ledoit-Wolf covariance of one track; the pooled one where three crops are not at hand."""
    if len(group) < 3:
        return pooled
    from sklearn.covariance import ledoit_wolf

    covariance: Float64Array = ledoit_wolf(group)[0] + 1e-9 * np.eye(group.shape[1])
    return covariance
