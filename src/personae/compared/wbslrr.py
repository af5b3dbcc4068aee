"""WBSLRR: weighted block-sparse low-rank representation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.protocol import require_count
from personae.compared.spectral import cluster_tracks, sample_crops, self_expression_affinity
from personae.core.arrays import Float64Array, IntArray
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class WBSLRR:
    """Express crops by each other, low-rank and sparse in blocks of tracks; our reconstruction of WBSLRR.

    Xiao, Tan, Xu, "Weighted Block-Sparse Low Rank Representation for Face Clustering in Videos", ECCV 2014.
    Known: self-representation weighted by links, then spectral clustering. Reconstructed: the program,

        min |Z|_* + lambda sum_{track s, crop j} w_sj |Z_sj|_2 + mu/2 |X - X Z|_F^2,

    Z_sj the coefficients of the crops of track s for crop j; w is infinite within a track, which would else
    express itself alone, `cannot` for cannot-linked tracks and 1 otherwise; solved by alternating
    directions on one low-rank and one block-sparse copy of Z.
    """

    name: ClassVar[str] = "WBSLRR"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of the spectral clustering's k-means."""
    sparsity: float = 0.05
    """lambda; not stated in the paper's abstract."""
    fidelity: float = 1.0
    """mu; not stated in the paper's abstract."""
    cannot: float = 100.0
    """w between cannot-linked tracks; not stated in the paper's abstract."""
    iterations: int = 60
    """Alternating steps; not stated in the paper's abstract."""
    crops: int = 600
    """Crops that take part, spread evenly over the tracks: the cost grows with their cube. Ours."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        count = require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        chosen = sample_crops(tracks, self.crops)
        block, forbidden = tracks.track_of[chosen], tracks.cannot_link_matrix()
        weight = np.where(forbidden, self.cannot, 1.0)
        np.fill_diagonal(weight, np.inf)
        z = self._represent(unit_rows(tracks.require_embeddings()[chosen]), block, weight[:, block])
        return cluster_tracks(self_expression_affinity(z), block, forbidden, count, self.seed)

    def _represent(self, x: Float64Array, block: IntArray, weight: Float64Array) -> Float64Array:
        """Solve for Z (n, n), column j for crop j; `weight` (T, n)."""
        n, penalty = len(x), 1.0
        gram = x @ x.T
        solve = np.linalg.inv(self.fidelity * gram + 2 * penalty * np.eye(n))
        low = np.zeros((n, n))
        sparse, dual_low, dual_sparse = low.copy(), low.copy(), low.copy()
        for _ in range(self.iterations):
            z = solve @ (self.fidelity * gram + penalty * (low - dual_low + sparse - dual_sparse))
            low = shrink_singular_values(z + dual_low, 1 / penalty)
            sparse = shrink_blocks(z + dual_sparse, block, self.sparsity * weight / penalty)
            dual_low += z - low
            dual_sparse += z - sparse
        return sparse


def shrink_singular_values(a: Float64Array, by: float) -> Float64Array:
    """Lower the singular values of a matrix by `by`, none below 0: the proximal map of the nuclear norm."""
    u, s, v = np.linalg.svd(a, full_matrices=False)
    shrunk: Float64Array = (u * np.maximum(s - by, 0)) @ v
    return shrunk


def shrink_blocks(a: Float64Array, block: IntArray, by: Float64Array) -> Float64Array:
    """Shorten, in every column, each block of rows by `by` (T, n), none below 0: group soft threshold."""
    squares = np.zeros(by.shape)
    np.add.at(squares, block, a**2)
    norm = np.sqrt(squares)
    scale = np.maximum(norm - by, 0) / np.where(norm > 0, norm, 1.0)
    shrunk: Float64Array = a * scale[block]
    return shrunk
