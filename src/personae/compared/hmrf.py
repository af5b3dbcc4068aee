"""HMRF: constrained clustering in a hidden Markov random field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.kmeans import kmeans
from personae.compared.markov_field import fit_field
from personae.compared.protocol import principal_components, require_count
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class HMRF:
    """Gaussian clusters of tracks whose labels a random field keeps apart; our reconstruction of HMRF.

    Wu, Zhang, Hu, Ji, "Constrained Clustering and Its Application to Face Clustering in Videos", CVPR 2013.
    Known: constrained clustering by a hidden Markov random field. Reconstructed: everything else.
    Must-links hold exactly, for a track is one node; cannot-links are potentials.
    """

    name: ClassVar[str] = "HMRF"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of the k-means start."""
    dimensions: int = 20
    """Principal components that the Gaussians live in; not stated in the paper's abstract."""
    link_weight: float = 10.0
    """Penalty, in nats, of two cannot-linked tracks with one label; not stated in the paper's abstract."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        count = require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        x = principal_components(track_means(tracks), self.dimensions)
        links = -self.link_weight * tracks.cannot_link_matrix()
        return order_by_size(fit_field(x, kmeans(x, count, self.seed), links).labels)
