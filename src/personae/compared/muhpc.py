"""MuHPC, stage 1: high-precision clusters from faces alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.first_neighbours import link_first_neighbours, merge_closest
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class MuHPC:
    """Link close, allowed first neighbours, round after round; our reconstruction of MuHPC's stage 1.

    Brown, Kalogeiton, Zisserman, "Face, Body, Voice: Video Person-Clustering with Multiple Modalities",
    ICCV Workshops 2021, arXiv 2105.09939. Known from a review: 1-NN links that break no cannot-link and are
    nearer than 0.48 in 1 - cosine, until none is left. Left out: voices and bodies (stages 2 and 3) and the
    final merging of small clusters, whose rule is not known.
    """

    name: ClassVar[str] = "MuHPC-1"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    """How many people, if known: the closest allowed clusters are then merged regardless of distance."""
    tight: float = 0.48
    """Farthest valid neighbour, 1 - cosine; the authors tuned it for their face model."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. Cannot-links are never broken."""
        labels = np.arange(tracks.n_tracks, dtype=np.int64)
        if tracks.n_tracks < 2:
            return labels
        means, forbidden = track_means(tracks), tracks.cannot_link_matrix()
        if self.n_clusters is not None and self.n_clusters >= tracks.n_tracks:
            return labels
        while True:
            linked = link_first_neighbours(means, labels, forbidden, self.tight)
            if linked.max() == labels.max() or (
                self.n_clusters is not None and linked.max() + 1 < self.n_clusters
            ):
                break
            labels = linked
        if self.n_clusters is not None:
            labels = merge_closest(means, labels, forbidden, self.n_clusters)
        return order_by_size(labels)
