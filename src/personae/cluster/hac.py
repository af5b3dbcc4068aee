"""Hierarchical agglomerative clustering of track means, with or without cannot-links."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from personae.cluster.dendrogram import (
    Linkage,
    cut_at_count,
    cut_at_height,
    linkage_tree,
    unit_vector_distances,
)
from personae.cluster.links import fit_under_links
from personae.core.errors import SettingError
from personae.core.grouping import track_means
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

DEFAULT_COSINE_DISTANCE = 0.6
"""Cosine distance at which the tree is cut when neither a threshold nor a number is given.

The middle of what film tools with ArcFace-like embeddings ship (0.55 to 0.65); never tuned on
labels of ours. On unit vectors it equals the Euclidean distance sqrt(2 * 0.6).
"""


class HAC:
    """Merge the two closest clusters of tracks up to a threshold or a number of clusters.

    A track is the L2-normalised mean of its crops' embeddings. What a person has said of pairs of
    tracks always holds, even where that leaves another number of clusters than was asked for.
    """

    name: ClassVar[str] = "hac"
    needs_n_clusters: ClassVar[bool] = False

    def __init__(
        self,
        linkage: Linkage = "average",
        metric: Literal["cosine", "euclidean"] = "cosine",
        threshold: float | None = None,
        n_clusters: int | None = None,
        cannot_link: Literal["ignore", "respect"] = "ignore",
    ) -> None:
        """Set the linkage and where the tree is cut.

        Args:
            linkage: How the distance of two clusters follows from those of their tracks.
            metric: Cosine distance 1 - cos in 0..2, or Euclidean distance of unit vectors in 0..2.
            threshold: Distance in `metric` at which the tree is cut. Ward heights grow beyond 2
                with the sizes of the clusters, so Ward is meant for a given `n_clusters`.
            n_clusters: Number of clusters; takes precedence over `threshold`.
            cannot_link: With "respect" two tracks that cannot be the same person never share a
                cluster, even if that leaves more than `n_clusters` clusters.

        Raises:
            SettingError: Ward linkage on cosine distances.
        """
        if linkage == "ward" and metric != "euclidean":
            raise SettingError(
                "Ward linkage is defined on Euclidean distances: choose the metric 'euclidean'"
            )
        self.linkage: Linkage = linkage
        self.metric: Literal["cosine", "euclidean"] = metric
        self.threshold = threshold
        self.n_clusters = n_clusters
        self.cannot_link = cannot_link

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Return (T,) labels 0.. by falling size.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        return fit_under_links(tracks, self._fit)

    def _fit(self, tracks: TrackSet) -> Labels:
        n = tracks.n_tracks
        if n < 2:
            return np.zeros(n, dtype=np.int64)
        distances = unit_vector_distances(track_means(tracks), self.metric)
        forbidden = tracks.must_not_link_matrix()
        if self.cannot_link == "respect":
            forbidden |= tracks.cannot_link_matrix()
        tree = linkage_tree(distances, self.linkage, forbidden)
        if self.n_clusters is not None:
            return cut_at_count(tree, n, self.n_clusters)
        if self.threshold is not None:
            return cut_at_height(tree, n, self.threshold)
        cosine = self.metric == "cosine"
        default = DEFAULT_COSINE_DISTANCE if cosine else np.sqrt(2 * DEFAULT_COSINE_DISTANCE)
        return cut_at_height(tree, n, default)
