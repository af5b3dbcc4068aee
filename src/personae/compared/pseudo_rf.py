"""Pseudo-RF: pairs from pseudo-relevance feedback, every crop by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from personae.compared.sampling import PairBatch
from personae.compared.siamese import SiameseSystem
from personae.core.arrays import Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class PseudoRF(SiameseSystem):
    """Siamese network on nearest and farthest crops; our reconstruction of Pseudo-RF.

    The baseline of SSiam and TSiam. Exact: the nearest crop is positive, the farthest negative,
    crops are independent of each other. Reconstructed: network, loss, optimiser and schedule, taken
    from SSiam.

    The settings are those of `SiameseSystem`.

    Source:
        Sharma et al., FG 2019.
    """

    name: ClassVar[str] = "Pseudo-RF"
    pairs_per_crop: ClassVar[int] = 2

    def sample_batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[PairBatch]:
        """Go through all crops in random order, each with its two pairs, epoch after epoch."""
        nearest, farthest = nearest_and_farthest(features)
        half_batch = max(1, self.batch_size // 2)
        while True:
            order = rng.permutation(tracks.n_crops)
            for start in range(0, len(order), half_batch):
                crops = order[start : start + half_batch]
                right = np.concatenate([nearest[crops], farthest[crops]])
                yield PairBatch(np.tile(crops, 2), right, np.arange(len(right)) < len(crops))


def nearest_and_farthest(x: Float64Array) -> tuple[Int64Array, Int64Array]:
    """Find each row's nearest other row and farthest row by Euclidean distance.

    Args:
        x: (n, d).

    Returns:
        Nearest and farthest, each (n,) row indices.
    """

    def reduce_block(block: Float64Array, start: int) -> Int64Array:
        rows = np.arange(len(block))
        farthest = block.argmax(axis=1)
        block[rows, start + rows] = np.inf
        return np.column_stack([block.argmin(axis=1), farthest])

    blocks = pairwise_distances_chunked(x, reduce_func=reduce_block)
    nearest, farthest = np.concatenate(list(blocks)).T
    return nearest, farthest
