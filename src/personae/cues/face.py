"""The face cue: cosine similarity of track embeddings, adapted to the film in closed form."""

from __future__ import annotations

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from personae.core.arrays import Float64Array
from personae.core.grouping import group_means, unit_rows
from personae.core.labels import order_by_size
from personae.core.memory import index_chunks
from personae.core.pairwise import symmetric_from_blocks
from personae.core.trackset import TrackSet

MAX_SUBSAMPLED_TRACKS = 2000
"""Tracks, spread evenly over a longer film, from which the film's mean is estimated."""

FILM_MEAN_PRIOR_IDENTITIES = 4.0
"""Identities at zero that the film's mean embedding is shrunk by.

With few people in a film the mean consists mostly of their identities, which must not be removed.
"""

FILM_MEAN_MAX_COSINE_DISTANCE = 0.45
"""Cosine distance up to which average linkage joins tracks to one identity of the film's mean.

Stricter than the usual verification threshold of ArcFace-like models, so it seldom joins people.
"""


def film_centred_tracks(
    tracks: TrackSet, whiten: bool = True, subtract_film_mean: bool = True
) -> Float64Array:
    """Compute track embeddings whose inner products are the base scores of the film.

    Faces of one film share light, grading, lens and codec, which raises the score of every pair of
    different people. Subtracting the film's mean embedding removes what they share.

    Args:
        tracks: Tracks with embeddings.
        whiten: Whiten the crops by `wccn_whiten` first.
        subtract_film_mean: Subtract `film_mean_embedding` from the track means.

    Returns:
        (T, d) float64 vectors of length 1.

    Raises:
        ValueError: The tracks have no embeddings.
    """
    crops = unit_rows(tracks.require_embeddings())
    if whiten:
        crops = wccn_whiten(crops, tracks)
    means = unit_rows(group_means(crops, tracks.track_of, tracks.n_tracks))
    if not subtract_film_mean or not len(means):
        return means
    return unit_rows(means - film_mean_embedding(subsample_tracks(means)))


def subsample_tracks(rows: Float64Array) -> Float64Array:
    """Return at most `MAX_SUBSAMPLED_TRACKS` rows, one per track, spread evenly over the film."""
    if len(rows) <= MAX_SUBSAMPLED_TRACKS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MAX_SUBSAMPLED_TRACKS).round().astype(np.int64)]


def wccn_whiten(embeddings: Float64Array, tracks: TrackSet) -> Float64Array:
    """Whiten embeddings by the covariance within tracks.

    Within a track only pose, expression, light and blur change, never the person. The covariance is
    shrunk towards a multiple of the identity by d further observations, so a film with few crops
    keeps its embeddings nearly unchanged.

    Args:
        embeddings: (n, d) embeddings of the crops.
        tracks: The tracks of these crops.

    Returns:
        (n, d) float64; the embeddings themselves if no track varies.

    Source:
        Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker
        recognition", 2006, with tracks as classes. The shrinkage is ours.
    """
    means = group_means(embeddings, tracks.track_of, tracks.n_tracks)
    freedom, dim = len(embeddings) - tracks.n_tracks, embeddings.shape[1]
    scatter = np.zeros((dim, dim))
    for rows in index_chunks(len(embeddings)):
        residuals = embeddings[rows] - means[tracks.track_of[rows]]
        scatter += residuals.T @ residuals
    mean_variance = np.trace(scatter) / dim / max(freedom, 1)
    if mean_variance <= 0:
        return embeddings
    covariance = (scatter + dim * mean_variance * np.eye(dim)) / (freedom + dim)
    variances, axes = np.linalg.eigh(covariance)
    whitened: Float64Array = embeddings @ ((axes / np.sqrt(variances)) @ axes.T)
    return whitened


def film_mean_embedding(track_means: Float64Array) -> Float64Array:
    """Compute the mean embedding over the identities of a film, shrunk towards zero.

    Identities, not tracks, are averaged, so that a lead with many tracks does not dominate. They
    are estimated by average linkage at `FILM_MEAN_MAX_COSINE_DISTANCE`.

    Args:
        track_means: (T, d) unit vectors, T >= 1.

    Returns:
        (d,) float64.
    """
    if len(track_means) == 1:
        identities = track_means
    else:
        single = track_means.astype(np.float32)
        distances = symmetric_from_blocks(
            len(track_means), lambda a, b: np.clip(1 - single[a] @ single[b].T, 0.0, 2.0)
        )
        np.fill_diagonal(distances, 0.0)
        tree = hierarchy.linkage(squareform(distances, checks=False), method="average")
        clusters = hierarchy.fcluster(tree, FILM_MEAN_MAX_COSINE_DISTANCE, criterion="distance")
        labels = order_by_size(clusters)
        identities = group_means(track_means, labels, int(labels.max()) + 1)
    mean: Float64Array = identities.sum(axis=0) / (len(identities) + FILM_MEAN_PRIOR_IDENTITIES)
    return mean
