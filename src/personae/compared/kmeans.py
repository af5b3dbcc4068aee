"""K-means on track means."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.exceptions import ConvergenceWarning

from personae.compared.protocol import require_n_clusters
from personae.core.arrays import Float64Array
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class KMeans:
    """K-means of L2-normalised track means, with SSiam's restarts and iterations.

    Exact: 10 restarts, 10,000 iterations (SSiam's program, Sharma et al., FG 2019).

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the restarts.
    """

    name: ClassVar[str] = "K-means"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1.
        """
        count = require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        return order_by_size(kmeans_labels(track_means(tracks), count, self.seed))


def kmeans_labels(x: Float64Array, n_clusters: int, seed: int) -> Labels:
    """Label the rows of (n, d) by k-means.

    Returns:
        (n,) labels 0..; fewer than `n_clusters` if rows are copies of each other.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SklearnKMeans(n_clusters, n_init=10, max_iter=10_000, random_state=seed).fit(x)
    labels: Labels = np.unique(model.labels_, return_inverse=True)[1].astype(np.int64)
    return labels
