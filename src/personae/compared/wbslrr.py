"""WBSLRR: weighted block-sparse low-rank representation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.protocol import require_n_clusters
from personae.compared.self_expression import (
    block_soft_threshold,
    select_crops_evenly,
    self_expression_affinity,
    singular_value_threshold,
    spectral_cluster_tracks,
)
from personae.core.arrays import Float64Array, IntArray
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class WBSLRR:
    """Low-rank, block-sparse self-representation of crops; our reconstruction of WBSLRR.

    Known: self-representation weighted by links, then spectral clustering. Reconstructed: the
    program,

        min |Z|_* + lambda sum_{track s, crop j} w_sj |Z_sj|_2 + mu/2 |X - X Z|_F^2,

    where Z_sj are the coefficients of the crops of track s for crop j. w is infinite within a
    track, which would otherwise express itself alone, `cannot_link_weight` for cannot-linked tracks
    and 1 otherwise. Solved by alternating directions on one low-rank and one block-sparse copy
    of Z.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the spectral clustering's k-means.
        sparsity_weight: lambda; not stated in the paper's abstract.
        fidelity_weight: mu; not stated in the paper's abstract.
        cannot_link_weight: w between cannot-linked tracks; not stated in the paper's abstract.
        iterations: Alternating steps; not stated in the paper's abstract.
        max_crops: About how many crops take part, spread evenly over the tracks: the cost grows
            with their cube. Ours.

    Source:
        Xiao, Tan, Xu, "Weighted Block-Sparse Low Rank Representation for Face Clustering in
        Videos", ECCV 2014.
    """

    name: ClassVar[str] = "WBSLRR"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    sparsity_weight: float = 0.05
    fidelity_weight: float = 1.0
    cannot_link_weight: float = 100.0
    iterations: int = 60
    max_crops: int = 600

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1.
        """
        count = require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        chosen = select_crops_evenly(tracks, self.max_crops)
        track_of, forbidden = tracks.track_of[chosen], tracks.cannot_link_matrix()
        weights = np.where(forbidden, self.cannot_link_weight, 1.0)
        np.fill_diagonal(weights, np.inf)
        x = unit_rows(tracks.require_embeddings()[chosen])
        coefficients = self._represent(x, track_of, weights[:, track_of])
        affinity = self_expression_affinity(coefficients)
        return spectral_cluster_tracks(affinity, track_of, forbidden, count, self.seed)

    def _represent(
        self, x: Float64Array, track_of: IntArray, weights: Float64Array
    ) -> Float64Array:
        """Solve for Z (n, n), column j for crop j; `weights` (T, n) are w."""
        n, penalty = len(x), 1.0
        gram = x @ x.T
        inverse = np.linalg.inv(self.fidelity_weight * gram + 2 * penalty * np.eye(n))
        low_rank = np.zeros((n, n))
        sparse, dual_low, dual_sparse = low_rank.copy(), low_rank.copy(), low_rank.copy()
        thresholds = self.sparsity_weight * weights / penalty
        for _ in range(self.iterations):
            z = inverse @ (
                self.fidelity_weight * gram + penalty * (low_rank - dual_low + sparse - dual_sparse)
            )
            low_rank = singular_value_threshold(z + dual_low, 1 / penalty)
            sparse = block_soft_threshold(z + dual_sparse, track_of, thresholds)
            dual_low += z - low_rank
            dual_sparse += z - sparse
        return sparse
