"""SSiam: hard pairs from a ranking of distances, without tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.features import squared_distances
from personae.compared.sampling import PairBatch
from personae.compared.siamese import SiameseSystem
from personae.core.arrays import Float64Array, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class SSiam(SiameseSystem):
    """Siamese network on hard pairs from ranked distances; our reconstruction of SSiam.

    Exact: the mining, repeated at every step on base features (see `mine_hard_pairs`), with 3000
    crops and 64 + 64 pairs. Reconstructed: on sets of fewer than 6000 crops half of them are drawn,
    since 3000 draws from a few hundred crops would yield nothing but copies.

    Settings that are not listed here are those of `SiameseSystem`.

    Args:
        sample_size: B, crops drawn at every step, at most half of all.

    Source:
        Sharma et al., FG 2019.
    """

    name: ClassVar[str] = "SSiam"

    sample_size: int = 3000

    def sample_batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[PairBatch]:
        """Draw crops with replacement and mine the hard pairs among them, at every step."""
        n_drawn = max(2, min(self.sample_size, tracks.n_crops // 2))
        x = features.astype(np.float32)
        while True:
            drawn = rng.integers(0, tracks.n_crops, n_drawn)
            distances = squared_distances(x[drawn], x[drawn])
            positives, negatives = mine_hard_pairs(distances, self.batch_size // 2)
            left, right = drawn[np.concatenate([positives, negatives])].T
            yield PairBatch(left, right, np.arange(len(left)) < len(positives))


def mine_hard_pairs(distances: Float64Array, k: int) -> tuple[Int64Array, Int64Array]:
    """Mine hard positive and negative pairs from a distance matrix.

    A row's positive is its nearest other crop, and the rows with the farthest positives go first.
    Its negative is its farthest crop, and the rows with the nearest negatives go first.

    Args:
        distances: (B, B) distances, squared or not.
        k: Number of pairs of each kind, at most.

    Returns:
        Positive and negative pairs, each (min(k, B), 2) rows.
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
