"""K-means on track means."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.exceptions import ConvergenceWarning

from personae.compared.protocol import require_count
from personae.core.arrays import Float64Array
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class KMeans:
    """K-means of L2-normalised track means, with the restarts and iterations of SSiam's program.

    Exact: 10 restarts, 10,000 iterations (SSiam's program, Sharma et al., FG 2019).
    """

    name: ClassVar[str] = "K-means"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of the restarts."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        count = require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        return order_by_size(kmeans(track_means(tracks), count, self.seed))


def kmeans(x: Float64Array, n_clusters: int, seed: int) -> Labels:
    """Label the rows of (n, d) by k-means; copies among the rows may leave fewer labels than asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = SklearnKMeans(n_clusters, n_init=10, max_iter=10_000, random_state=seed).fit(x)
    labels: Labels = np.unique(model.labels_, return_inverse=True)[1].astype(np.int64)
    return labels
