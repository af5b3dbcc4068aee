"""SCTL (HMRF2): simultaneous clustering and tracklet linking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.features import mutual_nearest_neighbours, principal_components
from personae.compared.hmrf import fit_markov_field
from personae.compared.kmeans import kmeans_labels
from personae.compared.protocol import require_n_clusters
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class SCTL:
    """Random-field clustering in turns with tracklet linking; our reconstruction of SCTL.

    Called HMRF2 elsewhere. Known: both tasks share one hidden Markov random field. Reconstructed:
    everything else. The paper's linking also uses where and when tracks lie, which a `TrackSet`
    does not carry: here two tracks are linked that are each other's nearest allowed neighbours.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the k-means initialisation.
        n_components: Principal components that the Gaussians live in; not stated in the paper's
            abstract.
        cannot_link_weight: Penalty, in nats, of two cannot-linked tracks with one label; not stated
            in the paper's abstract.
        link_weight: Reward, in nats, of two linked tracks with one label; not stated in the paper's
            abstract.
        n_rounds: Rounds of clustering and linking; not stated in the paper's abstract.

    Source:
        Wu, Lyu, Hu, Ji, "Simultaneous Clustering and Tracklet Linking for Multi-Face Tracking in
        Videos", ICCV 2013.
    """

    name: ClassVar[str] = "SCTL"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    n_components: int = 20
    cannot_link_weight: float = 10.0
    link_weight: float = 2.0
    n_rounds: int = 5

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
        x = principal_components(track_means(tracks), self.n_components)
        forbidden = tracks.cannot_link_matrix()
        labels = kmeans_labels(x, count, self.seed)
        linked = np.zeros_like(forbidden)
        for _ in range(self.n_rounds):
            potentials = self.link_weight * linked - self.cannot_link_weight * forbidden
            field = fit_markov_field(x, labels, potentials)
            labels = np.unique(field.labels, return_inverse=True)[1].astype(np.int64)
            improbable = field.posterior @ field.posterior.T < 0.5
            linked |= mutual_nearest_neighbours(x, forbidden | improbable | linked)
        return order_by_size(labels)
