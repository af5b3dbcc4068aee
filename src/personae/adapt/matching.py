"""Coarse track matching: which other tracks lie within the distribution of a track's crops."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import logsumexp

from personae.core.arrays import Float64Array, FloatArray, Int64Array
from personae.core.memory import index_chunks

Space = Literal["pca", "raw", "tsne"]
"""Space of the Gaussians: joint PCA of all crops, the embeddings themselves, or a t-SNE plane."""

OUTLIER_SHARE = 0.25
"""Share of a track's crops, of lowest density, whose mean density is its threshold (paper)."""

PCA_COMPONENTS = 4
"""Components of the joint PCA; not stated in the paper."""

MIN_COVARIANCE_CROPS = 3
"""Fewest crops of a track with a covariance of its own; not stated in the paper."""

RIDGE = 1e-9
"""Variance added to each component, so that no covariance is singular."""


def find_coarse_matches(
    embeddings: FloatArray,
    members: list[Int64Array],
    tracks: Int64Array,
    space: Space = "pca",
    n_components: int = PCA_COMPONENTS,
    seed: int = 0,
) -> Int64Array:
    """Find the pairs (j, k) where the mean of track k is as likely under N(j) as j's outliers.

    With D2 the squared Mahalanobis distance under the Gaussian of track j, the test is
    ``-D2_j(mean X_k) / 2 >= logsumexp(-D2_j(x_i) / 2 : i in O_j) - log |O_j|``, O_j the
    ceil(n_j / 4) crops of lowest density.

    Args:
        embeddings: (n, d) student embeddings of the crops.
        members: Crops of each track.
        tracks: Tracks that passed the quality filter.
        space: Space of the Gaussians. Not stated in the paper: its slides draw a t-SNE plane; raw
            embeddings have a singular covariance and hardly ever match; PCA is deterministic.
        n_components: Components of the PCA.
        seed: Seed of t-SNE.

    Returns:
        (m, 2) directed pairs of tracks, by ascending j and in the order of `tracks`.

    Source:
        "VideoClusterNet", Sec. 3.5.
    """
    if len(tracks) < 2:
        return np.empty((0, 2), dtype=np.int64)
    used = np.concatenate([members[t] for t in tracks])
    points = (
        np.zeros((len(embeddings), 0))
        if not len(used)
        else _project(embeddings, used, space, n_components, seed)
    )
    groups = [points[members[t]] for t in tracks]
    means = np.stack([group.mean(axis=0) for group in groups])
    pooled = _pooled_covariance(groups, points[used])
    pairs: list[Int64Array] = []
    for j, group in enumerate(groups):
        precision = np.asarray(
            np.linalg.pinv(_track_covariance(group, pooled), hermitian=True), dtype=np.float64
        )
        own = _half_squared_mahalanobis(group, means[j], precision)
        outliers = np.sort(own)[-max(1, int(np.ceil(OUTLIER_SHARE * len(group)))) :]
        threshold = logsumexp(-outliers) - np.log(len(outliers))
        matched = -_half_squared_mahalanobis(means, means[j], precision) >= threshold
        matched[j] = False
        source = np.full(int(matched.sum()), tracks[j])
        pairs.append(np.stack([source, tracks[matched]], axis=1))
    return np.concatenate(pairs)


def _half_squared_mahalanobis(
    x: Float64Array, mean: Float64Array, precision: Float64Array
) -> Float64Array:
    offset = x - mean
    result: Float64Array = 0.5 * ((offset @ precision) * offset).sum(axis=1)
    return result


def _project(
    embeddings: FloatArray, used: Int64Array, space: Space, n_components: int, seed: int
) -> Float64Array:
    """Map all embeddings to the space of the Gaussians, which is fitted to the used ones."""
    if space == "raw":
        return embeddings.astype(np.float64)
    if space == "tsne":
        from sklearn.manifold import TSNE

        x, plane = embeddings.astype(np.float64), np.zeros((len(embeddings), 2))
        perplexity = min(30.0, max(1.0, (len(used) - 1) / 3))
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
        plane[used] = tsne.fit_transform(x[used])
        return plane
    mean = embeddings[used].mean(axis=0, dtype=np.float64)
    n_components = min(n_components, len(used), embeddings.shape[1])
    scatter = np.zeros((embeddings.shape[1],) * 2)
    for rows in index_chunks(len(used)):
        centred = embeddings[used[rows]] - mean
        scatter += centred.T @ centred
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :n_components]
    projected = np.empty((len(embeddings), n_components))
    for rows in index_chunks(len(embeddings)):
        projected[rows] = (embeddings[rows] - mean) @ axes
    return projected


def _pooled_covariance(groups: list[Float64Array], points: Float64Array) -> Float64Array:
    """Compute the covariance within tracks, or the total one if no track has two crops."""
    residuals = np.concatenate(
        [g - g.mean(axis=0) for g in groups if len(g) > 1] or [points - points.mean(axis=0)]
    )
    covariance: Float64Array = residuals.T @ residuals / max(1, len(residuals))
    return covariance + RIDGE * np.eye(points.shape[1])


def _track_covariance(group: Float64Array, pooled: Float64Array) -> Float64Array:
    """Compute the Ledoit-Wolf covariance of a track; the pooled one if it has too few crops."""
    if len(group) < MIN_COVARIANCE_CROPS:
        return pooled
    from sklearn.covariance import ledoit_wolf

    covariance: Float64Array = ledoit_wolf(group)[0] + RIDGE * np.eye(group.shape[1])
    return covariance
