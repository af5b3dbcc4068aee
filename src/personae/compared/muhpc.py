"""MuHPC, stage 1: high-precision clusters from faces alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.first_neighbours import link_first_neighbours, merge_closest_clusters
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class MuHPC:
    """Close first neighbours under cannot-links; our reconstruction of MuHPC's stage 1.

    Known from a review: 1-NN links that break no cannot-link and are nearer than 0.48 in 1 -
    cosine, until none is left. Left out: voices and bodies (stages 2 and 3) and the final merging
    of small clusters, whose rule is not known.

    Args:
        n_clusters: Number of people, if known: the closest allowed clusters are then merged
            regardless of distance.
        max_cosine_distance: tau_f_tight, distance 1 - cosine below which a neighbour is valid; the
            authors tuned it for their face model.

    Source:
        Brown, Kalogeiton, Zisserman, "Face, Body, Voice: Video Person-Clustering with Multiple
        Modalities", ICCV Workshops 2021, arXiv 2105.09939.
    """

    name: ClassVar[str] = "MuHPC-1"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    max_cosine_distance: float = 0.48

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; cannot-links are never broken.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        labels = np.arange(tracks.n_tracks, dtype=np.int64)
        if tracks.n_tracks < 2:
            return labels
        means, forbidden = track_means(tracks), tracks.cannot_link_matrix()
        if self.n_clusters is not None and self.n_clusters >= tracks.n_tracks:
            return labels
        while True:
            linked = link_first_neighbours(means, labels, forbidden, self.max_cosine_distance)
            if linked.max() == labels.max() or (
                self.n_clusters is not None and linked.max() + 1 < self.n_clusters
            ):
                break
            labels = linked
        if self.n_clusters is not None:
            labels = merge_closest_clusters(means, labels, forbidden, self.n_clusters)
        return order_by_size(labels)
