"""SSiam: hard pairs from a ranking of distances, without tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.distances import squared_distances
from personae.compared.siamese import Pairs, SiameseSystem
from personae.core.arrays import Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class SSiam(SiameseSystem):
    """Pull far nearest neighbours together, push near farthest ones apart; our reconstruction of SSiam.

    Sharma et al., FG 2019 (see `SiameseSystem`). Exact: the mining, done afresh at every step on base
    features (see `mine_hard_pairs`), with 3000 crops and 64 + 64 pairs. Reconstructed: on sets of fewer
    than 6000 crops half of them are drawn, for 3000 draws from a few hundred crops would give nothing but
    copies.
    """

    name: ClassVar[str] = "SSiam"

    drawn: int = 3000
    """Crops drawn at every step, at most half of all."""

    def batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[Pairs]:
        """Draw crops with replacement and mine the hard pairs among them, at every step."""
        n_drawn = max(2, min(self.drawn, tracks.n_crops // 2))
        x = features.astype(np.float32)
        while True:
            drawn = rng.integers(0, tracks.n_crops, n_drawn)
            near, far = mine_hard_pairs(squared_distances(x[drawn], x[drawn]), self.batch // 2)
            left, right = drawn[np.concatenate([near, far])].T
            yield Pairs(left, right, np.arange(len(left)) < len(near))


def mine_hard_pairs(distances: Float64Array, k: int) -> tuple[Int64Array, Int64Array]:
    """Rank the rows of (B, B) distances, squared or not; gives at most k hard positive and negative pairs.

    Both (k, 2). A row's positive is its nearest other crop, and the rows with the farthest positives go
    first; its negative is its farthest crop, and the rows with the nearest negatives go first.
    """
    rows = np.arange(len(distances))
    farthest = distances.argmax(axis=1)
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    nearest = others.argmin(axis=1)
    hard_positive = np.argsort(-distances[rows, nearest], kind="stable")[:k]
    hard_negative = np.argsort(distances[rows, farthest], kind="stable")[:k]
    return (
        np.column_stack([hard_positive, nearest[hard_positive]]),
        np.column_stack([hard_negative, farthest[hard_negative]]),
    )
