"""TSiam: pairs from tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.pairs import CropSampler, ListSampler, negative_tracks
from personae.compared.siamese import Pairs, SiameseSystem
from personae.core.arrays import Float64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class TSiam(SiameseSystem):
    """Pull crops of a track together, push co-occurring tracks apart; our reconstruction of TSiam.

    Sharma et al., FG 2019 (see `SiameseSystem`). Exact: two positive pairs a crop from its own track; four
    negative ones from co-occurring tracks or, for a singleton track, from its 25 farthest tracks.
    Reconstructed: the order in which pairs are drawn; loss and optimiser are SSiam's.
    """

    name: ClassVar[str] = "TSiam"
    pairs_per_crop: ClassVar[int] = 6

    positives: int = 2
    """Positive pairs a crop."""
    negatives: int = 4
    """Negative pairs a crop."""
    farthest: int = 25
    """Tracks a singleton's negatives come from; fewer in a small set, see `negative_tracks`."""
    singletons: bool = True
    """Whether singletons have negatives; the paper also reports TSiam without."""

    def batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[Pairs]:
        """Draw the pairs of all crops, epoch after epoch, and cut them, shuffled, into batches."""
        crops = CropSampler(tracks)
        others = ListSampler(negative_tracks(tracks, self.farthest, self.singletons))
        every = np.arange(tracks.n_crops)
        with_negatives = every[others.count[tracks.track_of] > 0]
        while True:
            near = np.repeat(every, self.positives)
            far = np.repeat(with_negatives, self.negatives)
            left = np.concatenate([near, far])
            right = np.concatenate(
                [
                    crops.draw_another(near, rng),
                    crops.draw(others.draw(tracks.track_of[far], rng), rng),
                ]
            )
            same = np.arange(len(left)) < len(near)
            order = rng.permutation(len(left))
            for start in range(0, len(order), self.batch):
                chosen = order[start : start + self.batch]
                yield Pairs(left[chosen], right[chosen], same[chosen])
