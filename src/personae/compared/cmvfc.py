"""CMVFC: constrained multi-view video face clustering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg import eigh

from personae.compared.crop_views import compute_view, parse_views
from personae.compared.kmeans import kmeans_labels
from personae.compared.protocol import require_n_clusters
from personae.compared.self_expression import (
    BACKGROUND_AFFINITY,
    select_crops_evenly,
    self_expression_affinity,
    sparse_self_expression,
)
from personae.core.arrays import BoolArray, Float64Array, FloatArray
from personae.core.grouping import group_means, unit_rows
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet

FACE_VIEWS = ("embedding", "intensity", "lbp", "gabor")
"""Views that CMVFC can take."""


@dataclass(frozen=True, kw_only=True)
class CMVFC:
    """Sparse codes and spectral embeddings that obey links and agree; our reconstruction of CMVFC.

    Known: links act twice. The sparse codes of every view are forced to explore unknown
    relationships, and a spectral embedding follows from the combined Laplacian L + lambda_ml L_ml +
    lambda_cl L_cl of the view's graph and of both kinds of links, where the co-regularisation of
    all views penalises their disagreement. Exact: this sum and the order of the stages.
    Reconstructed: neither must- nor cannot-linked crops express each other; the sparse coder;
    normalised Laplacians; L_cl, which the paper writes with a bar, is the signed Laplacian D + W of
    Kunegis et al. (SDM 2010); the co-regularisation is that of Kumar et al. (NIPS 2011),

        min sum_v tr(U_v^T L_v U_v) - gamma sum_{v < w} tr(U_v U_v^T U_w U_w^T),

    and k-means groups the tracks' means of all embeddings. The two weights of 0.1 were chosen on
    labelled clips. The views, too, are ours: the base embedding, which is younger than the paper,
    and three of its time, intensities, local binary patterns and Gabor magnitudes. With one view,
    as on data without images, nothing is left to agree with: the paper's constrained codes and
    constrained spectral clustering remain.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of k-means.
        views: Views joined by "+", of embedding, intensity, lbp and gabor; by default all that the
            data have.
        fidelity: Weight of the codes' reconstruction error, 1 being the least that expresses every
            crop; not stated in the abstract.
        coding_iterations: Iterations of the sparse coder; not stated in the abstract.
        must_link_weight: lambda_ml; not stated in the abstract.
        cannot_link_weight: lambda_cl; not stated in the abstract.
        agreement_weight: gamma; not stated in the abstract.
        agreement_rounds: Rounds over all views; not stated in the abstract.
        max_crops: About how many crops take part, spread evenly over the tracks: the cost grows
            with their cube. Ours.

    Source:
        Cao, Zhang, Zhou, Fu, Foroosh, "Constrained Multi-View Video Face Clustering", IEEE
        Transactions on Image Processing 24(11), 2015.
    """

    name: ClassVar[str] = "CMVFC"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    views: str | None = None
    fidelity: float = 2.0
    coding_iterations: int = 100
    must_link_weight: float = 1.0
    cannot_link_weight: float = 0.1
    agreement_weight: float = 0.1
    agreement_rounds: int = 5
    max_crops: int = 600

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1, or a view does not exist.
        """
        count = require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        views = parse_views(self.name, self.views, FACE_VIEWS, tracks)
        if count == tracks.n_tracks:
            return np.arange(count, dtype=np.int64)
        chosen = select_crops_evenly(tracks, self.max_crops)
        track_of = tracks.track_of[chosen]
        must_link = track_of[:, None] == track_of
        cannot_link = tracks.cannot_link_matrix()[track_of[:, None], track_of]
        laplacians = []
        for view in views:
            x = unit_rows(compute_view(view, tracks, chosen))
            excluded = must_link | cannot_link
            codes = sparse_self_expression(x, excluded, self.fidelity, self.coding_iterations)
            affinity = self_expression_affinity(codes)
            laplacians.append(
                combined_laplacian(
                    affinity,
                    must_link,
                    cannot_link,
                    self.must_link_weight,
                    self.cannot_link_weight,
                )
            )
        embeddings = co_regularised_embeddings(
            laplacians, count, self.agreement_weight, self.agreement_rounds
        )
        rows = np.hstack([unit_rows(embedding) for embedding in embeddings])
        means = group_means(rows, track_of, tracks.n_tracks)
        return order_by_size(kmeans_labels(means, count, self.seed))


def combined_laplacian(
    affinity: Float64Array,
    must_link: BoolArray,
    cannot_link: BoolArray,
    must_link_weight: float,
    cannot_link_weight: float,
) -> Float64Array:
    """Compute L + lambda_ml L_ml + lambda_cl L_cl of one view.

    tr(U^T L U) and tr(U^T L_ml U) are small where joined rows of U are alike, tr(U^T L_cl U) where
    joined rows are opposite.

    Args:
        affinity: (n, n) symmetric affinity of crops.
        must_link: (n, n) crops of one person.
        cannot_link: (n, n) crops of two people.
        must_link_weight: lambda_ml.
        cannot_link_weight: lambda_cl.

    Returns:
        (n, n) symmetric, positive semidefinite matrix.
    """
    # The graph has to be connected.
    connected = affinity + BACKGROUND_AFFINITY * (affinity.max() or 1.0)
    return (
        normalised_laplacian(connected)
        + must_link_weight * normalised_laplacian(must_link.astype(np.float64))
        + cannot_link_weight * normalised_laplacian(cannot_link.astype(np.float64), signed=True)
    )


def normalised_laplacian(weights: FloatArray, signed: bool = False) -> Float64Array:
    """Compute D^-1/2 (D - W) D^-1/2 of symmetric (n, n) weights, or D + W in its middle if signed.

    The diagonal of W is ignored. A node without edges has a row of zeros.
    """
    graph = np.asarray(weights, dtype=np.float64).copy()
    np.fill_diagonal(graph, 0.0)
    degree = graph.sum(axis=1)
    scale = 1 / np.sqrt(np.where(degree > 0, degree, np.inf))
    scaled: Float64Array = scale[:, None] * graph * scale
    identity = np.diag((degree > 0).astype(np.float64))
    return identity + scaled if signed else identity - scaled


def co_regularised_embeddings(
    laplacians: Sequence[Float64Array], n_clusters: int, weight: float, rounds: int
) -> list[Float64Array]:
    """Embed the items of every view so that the views agree.

    Minimises sum_v tr(U_v^T L_v U_v) - weight sum_{v < w} tr(U_v U_v^T U_w U_w^T) over
    U_v^T U_v = I, one view at a time.

    Args:
        laplacians: (n, n) L_v of each view.
        n_clusters: K.
        weight: gamma.
        rounds: Rounds over all views, after one without agreement.

    Returns:
        (n, K) U_v of each view.

    Source:
        Kumar, Rai, Daume, "Co-regularized Multi-view Spectral Clustering", NIPS 2011.
    """
    embeddings = [_smallest_eigenvectors(laplacian, n_clusters) for laplacian in laplacians]
    for _ in range(rounds if len(laplacians) > 1 else 0):
        for view, laplacian in enumerate(laplacians):
            others = np.hstack([u for other, u in enumerate(embeddings) if other != view])
            agreeing = laplacian - weight * others @ others.T
            embeddings[view] = _smallest_eigenvectors(agreeing, n_clusters)
    return embeddings


def _smallest_eigenvectors(symmetric: Float64Array, count: int) -> Float64Array:
    """Return the (n, count) eigenvectors of the smallest eigenvalues."""
    vectors: Float64Array = eigh(symmetric, subset_by_index=(0, count - 1))[1]
    return vectors
