"""TSiam: pairs from tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.sampling import CropSampler, ListSampler, PairBatch, negative_tracks
from personae.compared.siamese import SiameseSystem
from personae.core.arrays import Float64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class TSiam(SiameseSystem):
    """Siamese network on pairs within and between tracks; our reconstruction of TSiam.

    Exact: two positive pairs a crop from its own track; four negative ones from co-occurring tracks
    or, for a singleton track, from its 25 farthest tracks. Reconstructed: the order in which pairs
    are drawn; loss and optimiser are SSiam's.

    Settings that are not listed here are those of `SiameseSystem`.

    Args:
        positives_per_crop: Positive pairs a crop.
        negatives_per_crop: Negative pairs a crop.
        n_farthest: F, tracks that a singleton's negatives come from; fewer in a small set, see
            `negative_tracks`.
        singleton_negatives: Whether singletons have negatives; the paper also reports TSiam
            without.

    Source:
        Sharma et al., FG 2019.
    """

    name: ClassVar[str] = "TSiam"
    pairs_per_crop: ClassVar[int] = 6

    positives_per_crop: int = 2
    negatives_per_crop: int = 4
    n_farthest: int = 25
    singleton_negatives: bool = True

    def sample_batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[PairBatch]:
        """Draw the pairs of all crops, epoch after epoch, shuffled and cut into batches."""
        crops = CropSampler(tracks)
        others = ListSampler(negative_tracks(tracks, self.n_farthest, self.singleton_negatives))
        all_crops = np.arange(tracks.n_crops)
        with_negatives = all_crops[others.lengths[tracks.track_of] > 0]
        while True:
            positive_anchors = np.repeat(all_crops, self.positives_per_crop)
            negative_anchors = np.repeat(with_negatives, self.negatives_per_crop)
            left = np.concatenate([positive_anchors, negative_anchors])
            right = np.concatenate(
                [
                    crops.draw_other(positive_anchors, rng),
                    crops.draw(others.draw(tracks.track_of[negative_anchors], rng), rng),
                ]
            )
            same = np.arange(len(left)) < len(positive_anchors)
            order = rng.permutation(len(left))
            for start in range(0, len(order), self.batch_size):
                chosen = order[start : start + self.batch_size]
                yield PairBatch(left[chosen], right[chosen], same[chosen])
