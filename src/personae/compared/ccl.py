"""CCL: pairs from clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.cluster.finch import finch_partitions
from personae.compared.sampling import CropSampler, ListSampler, PairBatch
from personae.compared.siamese import SiameseSystem
from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class CCL(SiameseSystem):
    """Siamese network on pairs from FINCH clusters of the crops; our reconstruction of CCL.

    Known: cluster labels and tracks give the pairs; the paper recommends FINCH's second partition,
    VideoClusterNet's authors used the first, which was purer in their experiments. Reconstructed,
    taken from SSiam: network, loss, optimiser, balance of pairs, FINCH once and on base features.

    Settings that are not listed here are those of `SiameseSystem`.

    Args:
        partition: Level of FINCH: 1 as in VideoClusterNet's runs, 2 as the paper recommends.

    Source:
        Sharma, Tapaswi, Sarfraz, Stiefelhagen, "Clustering based Contrastive Learning for Improving
        Face Representations", FG 2020, arXiv 2004.02195.
    """

    name: ClassVar[str] = "CCL"

    partition: int = 1

    def sample_batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[PairBatch]:
        """Draw as many positive as negative pairs; tracks overrule cluster labels."""
        if tracks.n_crops < 2:
            return
        partitions = finch_partitions(features)
        label = partitions[:, min(self.partition, partitions.shape[1]) - 1]
        forbidden = tracks.cannot_link_matrix()

        def same_person(a: Int64Array, b: Int64Array) -> BoolArray:
            track_a, track_b = tracks.track_of[a], tracks.track_of[b]
            same: BoolArray = (label[a] == label[b]) & ~forbidden[track_a, track_b]
            same |= track_a == track_b
            return same

        clusters = ListSampler([np.flatnonzero(label == c) for c in range(int(label.max()) + 1)])
        crops = CropSampler(tracks)
        co_occurring = ListSampler([np.flatnonzero(row) for row in forbidden])
        linked = np.flatnonzero(co_occurring.lengths[tracks.track_of] > 0)
        quarter = max(1, self.batch_size // 4)
        while True:
            left = rng.integers(0, tracks.n_crops, 3 * quarter)
            in_cluster, in_track, anywhere = np.split(left, 3)
            # As many from co-occurring tracks as from other clusters, if any tracks co-occur.
            left_linked = rng.choice(linked if len(linked) else anywhere, quarter)
            right = [
                clusters.draw(label[in_cluster], rng),
                crops.draw(tracks.track_of[in_track], rng),
                rng.integers(0, tracks.n_crops, quarter),
                crops.draw(co_occurring.draw(tracks.track_of[left_linked], rng), rng)
                if len(linked)
                else rng.integers(0, tracks.n_crops, quarter),
            ]
            a, b = np.concatenate([left, left_linked]), np.concatenate(right)
            yield PairBatch(a, b, same_person(a, b))
