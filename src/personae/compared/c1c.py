"""C1C: FINCH that respects co-occurrence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from personae.compared.first_neighbours import link_first_neighbours, merge_closest_clusters
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class C1C:
    """First neighbours under must- and cannot-links; our reconstruction of C1C.

    Known: FINCH with must-links (frames of a track) and cannot-links (tracks that share a frame).
    Reconstructed: the details of a round, see `link_first_neighbours`; a linked group with a
    cannot-link inside loses its longest links rather than all of them.

    Args:
        n_clusters: Number of people, if known: the next finer partition is merged down by closest
            allowed pairs.
        partition: Partition returned otherwise, 1 is the finest; not stated in the paper's
            abstract, 2 as in our `FINCH`.

    Source:
        Kalogeiton, Zisserman, "Constrained Video Face Clustering using 1NN Relations", BMVC 2020.
    """

    name: ClassVar[str] = "C1C"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    partition: int | Literal["last"] = 2

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
        partitions = [labels]
        while len(partitions) == 1 or partitions[-1].max() < partitions[-2].max():
            partitions.append(link_first_neighbours(means, partitions[-1], forbidden))
        partitions.pop()
        if self.n_clusters is not None:
            fine_enough = [each for each in partitions if each.max() + 1 >= self.n_clusters]
            start = (fine_enough or partitions)[-1]
            return order_by_size(merge_closest_clusters(means, start, forbidden, self.n_clusters))
        # Without cannot-links the last partition is one cluster, which FINCH does not count as one.
        coarsest = len(partitions) - 1 - (partitions[-1].max() == 0 and len(partitions) > 2)
        chosen = coarsest if self.partition == "last" else min(self.partition, coarsest)
        return order_by_size(partitions[chosen])
