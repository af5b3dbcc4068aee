"""McAFC: multi-cue augmented face clustering."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from personae.compared.crop_views import compute_view, parse_views
from personae.compared.protocol import require_n_clusters
from personae.compared.self_expression import (
    select_crops_evenly,
    self_expression_affinity,
    smallest_largest_correlation,
    soft_threshold,
    spectral_cluster_tracks,
)
from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

COLOUR_CUES = ("hair", "torso")
"""Cues beside the face that McAFC can take."""


@dataclass(frozen=True, kw_only=True)
class McAFC:
    """Sparse codes fused along a graph of links and cues; our reconstruction of McAFC.

    Known: must-links, cannot-links and attributes of faces, such as the gender, guide sparse
    subspace clustering by a graph: faces of one person are encouraged to be connected, those of two
    people restrained. Reconstructed: the program,

        min |X - X C|_F^2 / 2 + lambda |C|_1 + gamma sum_{edges (a, b), crops j} w_ab |C_aj - C_bj|,

    the graph-guided fusion of Chen et al. (Annals of Applied Statistics 2012), which the paper
    cites with its smoothing proximal gradient. C_aj, the weight of crop a in the code of crop j, is
    0 if both are of one track or cannot-linked, and no edge acts on the codes of its own two
    tracks. Edges join the crops of a track (w = 1), and each crop with those of other tracks that
    look most alike in one cue (w = the similarity of their histograms). The paper's attributes come
    from classifiers that are not at hand: the colours of hair and torso take their place. `fusion`
    was chosen on labelled clips. Without images and clothes, links alone make the graph.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the spectral clustering's k-means.
        cues: Cues joined by "+", of hair and torso; by default those that the data have.
        sparsity: lambda as a share of the least one that leaves some crop without a code; not
            stated in the paper's abstract.
        fusion: gamma as a share of lambda, for an edge of weight 1; not stated in the paper's
            abstract.
        neighbours: Crops that each crop is joined with in one cue; ours.
        smoothness: How far below gamma's kink the penalty is smooth; not stated in the paper's
            abstract.
        iterations: Accelerated gradient steps; not stated in the paper's abstract.
        max_crops: About how many crops take part, spread evenly over the tracks: the cost grows
            with their cube. Ours.

    Source:
        Zhou, Zhang, Fu, Wang, Cao, "Multi-cue Augmented Face Clustering", ACM Multimedia 2015.
    """

    name: ClassVar[str] = "McAFC"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    cues: str | None = None
    sparsity: float = 0.5
    fusion: float = 0.3
    neighbours: int = 5
    smoothness: float = 1e-3
    iterations: int = 200
    max_crops: int = 600

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1, or a cue does not exist.
        """
        count = require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        cues = parse_views(self.name, self.cues, COLOUR_CUES, tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        chosen = select_crops_evenly(tracks, self.max_crops)
        track_of, forbidden = tracks.track_of[chosen], tracks.cannot_link_matrix()
        own_track = track_of[:, None] == track_of
        excluded = own_track | forbidden[track_of[:, None], track_of]
        edges, weights = link_edges(own_track)
        for cue in cues:
            histograms = compute_view(cue, tracks, chosen)
            cue_edges, cue_weights = nearest_edges(histograms, excluded, self.neighbours)
            edges = np.concatenate([edges, cue_edges])
            weights = np.concatenate([weights, cue_weights])
        gram = unit_rows(tracks.require_embeddings()[chosen])
        gram = gram @ gram.T
        sparsity = self.sparsity * smallest_largest_correlation(gram, excluded)
        codes = fused_self_expression(
            gram,
            excluded,
            own_track,
            edges,
            self.fusion * sparsity * weights,
            sparsity,
            self.smoothness,
            self.iterations,
        )
        affinity = self_expression_affinity(codes)
        return spectral_cluster_tracks(affinity, track_of, forbidden, count, self.seed)


def link_edges(own_track: BoolArray) -> tuple[Int64Array, Float64Array]:
    """Join all crops of a track.

    Args:
        own_track: (n, n) pairs of one track.

    Returns:
        (m, 2) pairs of crops and their (m,) weights of 1.
    """
    edges = np.argwhere(np.triu(own_track, 1)).astype(np.int64)
    return edges, np.ones(len(edges))


def nearest_edges(
    histograms: Float64Array, excluded: BoolArray, neighbours: int
) -> tuple[Int64Array, Float64Array]:
    """Join each crop with the crops whose histograms are most alike.

    Args:
        histograms: (n, d) rows that sum to 1; rows of zeros are joined with nothing.
        excluded: (n, n) pairs that must not be joined.
        neighbours: Crops that each one is joined with, at most.

    Returns:
        (m, 2) pairs a < b, each once, and their (m,) weights: the Bhattacharyya coefficient in
        0..1, of positive value.
    """
    roots = np.sqrt(histograms)
    similarity = np.where(excluded, 0.0, roots @ roots.T)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
    joined = np.zeros_like(excluded)
    np.put_along_axis(joined, nearest, True, axis=1)
    edges = np.argwhere(np.triu((joined | joined.T) & (similarity > 0), 1)).astype(np.int64)
    return edges, similarity[edges[:, 0], edges[:, 1]]


def fused_self_expression(
    gram: Float64Array,
    excluded: BoolArray,
    own_track: BoolArray,
    edges: Int64Array,
    edge_weights: Float64Array,
    sparsity: float,
    smoothness: float,
    iterations: int,
) -> Float64Array:
    """Minimise |X - X C|_F^2 / 2 + lambda |C|_1 + sum_{(a, b), j} w_ab |C_aj - C_bj|.

    The last term is replaced by its Huber function, quadratic within `smoothness` of 0, and the sum
    is minimised by accelerated proximal gradient steps.

    Args:
        gram: (n, n) inner products X^T X.
        excluded: (n, n) entries of C that are 0; True on the diagonal.
        own_track: (n, n) pairs of one track; an edge does not act on the codes of its two tracks.
        edges: (m, 2) pairs (a, b) of crops.
        edge_weights: (m,) w.
        sparsity: lambda.
        smoothness: Width of the quadratic part, in units of w_ab (C_aj - C_bj).
        iterations: Number of steps.

    Returns:
        (n, n) coefficients C, column j for crop j; 0 where excluded.

    Source:
        Chen, Lin, Kim, Carbonell, Xing, "Smoothing Proximal Gradient Method for General Structured
        Sparse Regression", Annals of Applied Statistics 6(2), 2012.
    """
    m, n = len(edges), len(gram)
    ends = np.repeat(np.arange(m), 2), edges.ravel()
    signs = (edge_weights[:, None] * np.array([1.0, -1.0])).ravel()
    differences = csr_matrix((signs, ends), shape=(m, n))
    acts = ~(own_track[edges[:, 0]] | own_track[edges[:, 1]])
    weighted_degree = np.bincount(edges.ravel(), np.repeat(edge_weights**2, 2), n)
    # |H|^2 of the edges' matrix H is at most twice the largest weighted degree.
    curvature = float(np.linalg.eigvalsh(gram)[-1]) + 2 * weighted_degree.max() / smoothness
    codes = np.zeros_like(gram)
    point, momentum = codes, 1.0
    for _ in range(iterations):
        pull = acts * np.clip(differences @ point / smoothness, -1, 1)
        gradient = gram @ point - gram + differences.T @ pull
        stepped = soft_threshold(point - gradient / curvature, sparsity / curvature)
        stepped[excluded] = 0.0
        next_momentum = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        point = stepped + (momentum - 1) / next_momentum * (stepped - codes)
        codes, momentum = stepped, next_momentum
    return codes
