"""C1C: FINCH that respects co-occurrence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from personae.compared.first_neighbours import link_first_neighbours, merge_closest
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class C1C:
    """Cluster tracks by first neighbours under must- and cannot-links; our reconstruction of C1C.

    Kalogeiton, Zisserman, "Constrained Video Face Clustering using 1NN Relations", BMVC 2020. Known: FINCH
    with must-links (frames of a track) and cannot-links (tracks that share a frame). Reconstructed: the
    details of a round, see `link_first_neighbours`; a linked group with a cannot-link inside gives up its
    longest links rather than all of them.
    """

    name: ClassVar[str] = "C1C"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    """How many people, if known: the next finer level is merged down by closest allowed pairs."""
    partition: int | Literal["last"] = 2
    """Level otherwise, 1 is the finest; not stated in the paper's abstract, 2 as in our `FINCH`."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. Cannot-links are never broken."""
        labels = np.arange(tracks.n_tracks, dtype=np.int64)
        if tracks.n_tracks < 2:
            return labels
        means, forbidden = track_means(tracks), tracks.cannot_link_matrix()
        levels = [labels]
        while len(levels) == 1 or levels[-1].max() < levels[-2].max():
            levels.append(link_first_neighbours(means, levels[-1], forbidden))
        levels.pop()
        if self.n_clusters is not None:
            enough = [level for level in levels if level.max() + 1 >= self.n_clusters]
            return order_by_size(
                merge_closest(means, (enough or levels)[-1], forbidden, self.n_clusters)
            )
        # Without cannot-links the last level is a single cluster, which FINCH does not count as one.
        coarsest = len(levels) - 1 - (levels[-1].max() == 0 and len(levels) > 2)
        wanted = coarsest if self.partition == "last" else min(self.partition, coarsest)
        return order_by_size(levels[wanted])
