"""CP-SSC: sparse subspace clustering with propagated constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.protocol import require_count
from personae.compared.spectral import cluster_tracks, sample_crops, self_expression_affinity
from personae.compared.wbslrr import shrink_singular_values
from personae.core.arrays import BoolArray, Float64Array, IntArray
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class CPSSC:
    """Express each crop by few others, reinforce by propagated constraints; our reconstruction of CP-SSC.

    Somandepalli, Narayanan, "Reinforcing Self-expressive Representation with Constraint Propagation for
    Face Clustering in Movies", ICASSP 2019. Known: sparse subspace clustering; constraints propagated by
    low-rank matrix completion reinforce the self-expression matrix. Reconstructed: orthogonal matching
    pursuit as the sparse coder, soft-impute as the completion, multiplying |C| by the completed
    constraints, spectral clustering of track blocks.
    """

    name: ClassVar[str] = "CP-SSC"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of the spectral clustering's k-means."""
    fidelity: float = 2.0
    """Of the expression, 1 being the least that expresses every crop; not stated in the paper's abstract."""
    coding_steps: int = 100
    """Steps of the sparse coder; not stated in the paper's abstract."""
    shrinkage: float = 0.1
    """Of the completion's singular values, as a share of the largest; not stated in the paper's abstract."""
    iterations: int = 50
    """Steps of the completion; not stated in the paper's abstract."""
    crops: int = 600
    """Crops that take part, spread evenly over the tracks: the cost grows with their cube. Ours."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        count = require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        chosen = sample_crops(tracks, self.crops)
        block, forbidden = tracks.track_of[chosen], tracks.cannot_link_matrix()
        c = sparse_self_expression(
            unit_rows(tracks.require_embeddings()[chosen]), block, self.fidelity, self.coding_steps
        )
        known = np.where(
            block[:, None] == block, 1.0, np.where(forbidden[block[:, None], block], -1.0, 0.0)
        )
        constraints = complete(known, known != 0, self.shrinkage, self.iterations)
        reinforced = self_expression_affinity(c) * np.clip(1 + constraints, 0, None)
        return cluster_tracks(reinforced, block, forbidden, count, self.seed)


def sparse_self_expression(
    x: Float64Array, track_of: IntArray, fidelity: float, iterations: int
) -> Float64Array:
    """Express every unit row of (n, d) by few rows of other tracks; column j of the (n, n) result is row j's.

    min |C|_1 + lambda/2 |X - X C|_F^2 by alternating directions, lambda = `fidelity` / the smallest largest
    inner product with another row, below which some row would be expressed by nothing (Elhamifar, Vidal,
    PAMI 2013).
    """
    gram = x @ x.T
    own = track_of[:, None] == track_of
    largest = np.abs(np.where(own, 0.0, gram)).max(axis=0)
    weight = fidelity / max(float(largest.min()), 0.1)
    solve = np.linalg.inv(weight * gram + fidelity * np.eye(len(x)))
    sparse, dual = np.zeros_like(gram), np.zeros_like(gram)
    for _ in range(iterations):
        dense = solve @ (weight * gram + fidelity * (sparse - dual))
        sparse = np.where(own, 0.0, soft_threshold(dense + dual, 1 / fidelity))
        dual += dense - sparse
    return sparse


def soft_threshold(a: Float64Array, by: float) -> Float64Array:
    """Bring every entry nearer to 0 by `by`, none beyond: the proximal map of the absolute value."""
    shrunk: Float64Array = np.sign(a) * np.maximum(np.abs(a) - by, 0)
    return shrunk


def complete(
    known: Float64Array, observed: BoolArray, shrinkage: float, iterations: int
) -> Float64Array:
    """Fill the unobserved entries of a matrix by soft-impute (Mazumder et al., JMLR 2010)."""
    by = shrinkage * float(np.linalg.norm(known, 2))
    filled = known.copy()
    for _ in range(iterations):
        low = shrink_singular_values(filled, by)
        filled = np.where(observed, known, low)
    return np.clip(filled, -1, 1)
