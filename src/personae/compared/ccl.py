"""CCL: pairs from clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.cluster.finch import finch_partitions
from personae.compared.pairs import CropSampler, ListSampler
from personae.compared.siamese import Pairs, SiameseSystem
from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class CCL(SiameseSystem):
    """Take FINCH's clusters of the crops for people and train on pairs from them; our reconstruction of CCL.

    Sharma, Tapaswi, Sarfraz, Stiefelhagen, "Clustering based Contrastive Learning for Improving Face
    Representations", FG 2020, arXiv 2004.02195. Known: cluster labels and tracks give the pairs; the paper
    recommends FINCH's second partition, FaceTrackClusterer's authors used the first, purer in their hands.
    Everything else (network, loss, optimiser, balance of pairs, FINCH once and on base features) is taken
    from SSiam.
    """

    name: ClassVar[str] = "CCL"

    partition: int = 1
    """Level of FINCH: 1 as in FaceTrackClusterer's runs, 2 as the paper recommends."""

    def batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[Pairs]:
        """Draw as many positive as negative pairs; where label and tracks disagree, the tracks are right."""
        if tracks.n_crops < 2:
            return
        partitions = finch_partitions(features)
        label = partitions[:, min(self.partition, partitions.shape[1]) - 1]
        forbidden = tracks.cannot_link_matrix()

        def same(a: Int64Array, b: Int64Array) -> BoolArray:
            track_a, track_b = tracks.track_of[a], tracks.track_of[b]
            together: BoolArray = (label[a] == label[b]) & ~forbidden[track_a, track_b]
            together |= track_a == track_b
            return together

        clusters = ListSampler([np.flatnonzero(label == c) for c in range(int(label.max()) + 1)])
        crops = CropSampler(tracks)
        apart = ListSampler([np.flatnonzero(row) for row in forbidden])
        linked = np.flatnonzero(apart.count[tracks.track_of] > 0)
        quarter = max(1, self.batch // 4)
        while True:
            left = rng.integers(0, tracks.n_crops, 3 * quarter)
            in_cluster, in_track, anywhere = np.split(left, 3)
            # As many from co-occurring tracks as from other clusters, where any track co-occurs with another.
            co_occurring = rng.choice(linked if len(linked) else anywhere, quarter)
            right = [
                clusters.draw(label[in_cluster], rng),
                crops.draw(tracks.track_of[in_track], rng),
                rng.integers(0, tracks.n_crops, quarter),
                crops.draw(apart.draw(tracks.track_of[co_occurring], rng), rng)
                if len(linked)
                else rng.integers(0, tracks.n_crops, quarter),
            ]
            a, b = np.concatenate([left, co_occurring]), np.concatenate(right)
            yield Pairs(a, b, same(a, b))
