"""Pseudo-RF: pairs from pseudo-relevance feedback, every crop by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from personae.compared.siamese import Pairs, SiameseSystem
from personae.core.arrays import Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class PseudoRF(SiameseSystem):
    """Pull every crop to its closest and push it from its farthest crop; our reconstruction of Pseudo-RF.

    The baseline of Sharma et al., FG 2019. Exact: closest is positive, farthest negative, crops are
    independent of each other. Reconstructed: network, loss, optimiser and schedule, taken from SSiam.
    """

    name: ClassVar[str] = "Pseudo-RF"
    pairs_per_crop: ClassVar[int] = 2

    def batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[Pairs]:
        """Go through all crops in random order, each with its two pairs, epoch after epoch."""
        nearest, farthest = extremes(features)
        half = max(1, self.batch // 2)
        while True:
            order = rng.permutation(tracks.n_crops)
            for start in range(0, len(order), half):
                crops = order[start : start + half]
                right = np.concatenate([nearest[crops], farthest[crops]])
                yield Pairs(np.tile(crops, 2), right, np.arange(len(right)) < len(crops))


def extremes(x: Float64Array) -> tuple[Int64Array, Int64Array]:
    """Give, for every row of (n, d), the nearest other row and the farthest row by Euclidean distance."""

    def ends(block: Float64Array, start: int) -> Int64Array:
        rows = np.arange(len(block))
        farthest = block.argmax(axis=1)
        block[rows, start + rows] = np.inf
        return np.column_stack([block.argmin(axis=1), farthest])

    nearest, farthest = np.concatenate(list(pairwise_distances_chunked(x, reduce_func=ends))).T
    return nearest, farthest
