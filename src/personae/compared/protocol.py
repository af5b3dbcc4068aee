"""What the compared systems share at test time: how many clusters, and HAC on learned track descriptors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from personae.cluster.hac import HAC
from personae.core.arrays import Float64Array
from personae.core.errors import SettingError
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


def require_count(name: str, n_clusters: int | None, n_tracks: int) -> int:
    """Give the number of clusters, at most one a track, or raise SettingError where none was given."""
    if n_clusters is None:
        raise SettingError(f"{name} cannot find the number of people by itself: give n_clusters")
    if n_clusters < 1:
        raise SettingError(f"n_clusters must be at least 1, not {n_clusters}")
    return min(n_clusters, n_tracks)


def ward(
    name: str,
    tracks: TrackSet,
    features: npt.ArrayLike,
    n_clusters: int | None,
    threshold: float | None = None,
) -> Labels:
    """Cluster by SSiam's and TSiam's test protocol (Sharma et al., FG 2019) on learned features (n, e).

    Mean over a track's crops, L2 norm, Ward linkage on Euclidean distances, cut at `n_clusters`; or at one
    global distance `threshold`, as FaceTrackClusterer's authors ran their rivals. One of the two must be
    given.
    """
    learned = replace(tracks, embeddings=np.asarray(features, dtype=np.float32))
    if threshold is not None and n_clusters is None:
        return HAC("ward", "euclidean", threshold=threshold).fit_predict(learned)
    count = require_count(name, n_clusters, tracks.n_tracks)
    return HAC("ward", "euclidean", n_clusters=count).fit_predict(learned)


def one_scale(x: npt.ArrayLike) -> Float64Array:
    """Divide (n, d) by the mean length of its rows, so that one learning rate suits face models of any scale.

    Directions and relative lengths stay as they are; no paper asks for it, their schedules fit one face
    model.
    """
    rows = np.asarray(x, dtype=np.float64)
    length = float(np.linalg.norm(rows, axis=1).mean()) if len(rows) else 0.0
    scaled: Float64Array = rows / length if length > 0 else rows
    return scaled


def principal_components(x: npt.ArrayLike, at_most: int) -> Float64Array:
    """Project (n, d) on its first principal components, at most n - 1 of them."""
    rows = np.asarray(x, dtype=np.float64)
    u, s, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    kept = min(at_most, rows.shape[1], max(1, len(rows) - 1))
    projected: Float64Array = u[:, :kept] * s[:kept]
    return projected
