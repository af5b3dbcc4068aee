"""CP-SSC: sparse subspace clustering with propagated constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.protocol import require_n_clusters
from personae.compared.self_expression import (
    select_crops_evenly,
    self_expression_affinity,
    singular_value_threshold,
    sparse_self_expression,
    spectral_cluster_tracks,
)
from personae.core.arrays import BoolArray, Float64Array
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class CPSSC:
    """Sparse self-expression with propagated constraints; our reconstruction of CP-SSC.

    Known: sparse subspace clustering; constraints propagated by low-rank matrix completion
    reinforce the self-expression matrix. Reconstructed: the sparse coder (see
    `sparse_self_expression`), soft-impute as the completion, multiplying |C| by the completed
    constraints, spectral clustering of track blocks.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the spectral clustering's k-means.
        fidelity: Weight of the reconstruction error, 1 being the least that expresses every crop;
            not stated in the paper's abstract.
        coding_iterations: Iterations of the sparse coder; not stated in the paper's abstract.
        shrinkage: What the completion takes from its singular values, as a share of the largest;
            not stated in the paper's abstract.
        completion_iterations: Iterations of the completion; not stated in the paper's abstract.
        max_crops: About how many crops take part, spread evenly over the tracks: the cost grows
            with their cube. Ours.

    Source:
        Somandepalli, Narayanan, "Reinforcing Self-expressive Representation with Constraint
        Propagation for Face Clustering in Movies", ICASSP 2019.
    """

    name: ClassVar[str] = "CP-SSC"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    fidelity: float = 2.0
    coding_iterations: int = 100
    shrinkage: float = 0.1
    completion_iterations: int = 50
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
        x = unit_rows(tracks.require_embeddings()[chosen])
        must_link = track_of[:, None] == track_of
        coefficients = sparse_self_expression(x, must_link, self.fidelity, self.coding_iterations)
        cannot_link = forbidden[track_of[:, None], track_of]
        known = np.where(must_link, 1.0, np.where(cannot_link, -1.0, 0.0))
        constraints = complete_matrix(known, known != 0, self.shrinkage, self.completion_iterations)
        affinity = self_expression_affinity(coefficients) * np.clip(1 + constraints, 0, None)
        return spectral_cluster_tracks(affinity, track_of, forbidden, count, self.seed)


def complete_matrix(
    known: Float64Array, observed: BoolArray, shrinkage: float, iterations: int
) -> Float64Array:
    """Fill the unobserved entries of a matrix by soft-impute.

    Args:
        known: (n, m) matrix, 0 at unobserved entries.
        observed: (n, m) mask of observed entries.
        shrinkage: What the singular values lose at each iteration, as a share of the largest.
        iterations: Number of iterations.

    Returns:
        (n, m) completed matrix in -1..1.

    Source:
        Mazumder, Hastie, Tibshirani, JMLR 2010.
    """
    threshold = shrinkage * float(np.linalg.norm(known, 2))
    filled = known.copy()
    for _ in range(iterations):
        low_rank = singular_value_threshold(filled, threshold)
        filled = np.where(observed, known, low_rank)
    return np.clip(filled, -1, 1)
