"""JFAC (also JFRAC): joint face representation adaptation and clustering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import normalize

from personae.cluster.dendrogram import unit_vector_distances
from personae.compared.c1c import C1C
from personae.compared.features import mutual_nearest_neighbours, principal_components
from personae.compared.hmrf import fit_markov_field
from personae.compared.kmeans import kmeans_labels
from personae.compared.sampling import CropSampler, PairBatch
from personae.compared.training import contrastive_loss, gradient_step
from personae.core.arrays import BoolArray, Float32Array, Float64Array
from personae.core.grouping import track_means, unit_rows
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class JFAC:
    """Random-field clustering in turns with feature adaptation; our reconstruction of JFAC.

    VideoClusterNet calls it JFRAC. Known: weak pairwise identity constraints come from a possibly
    noisy clustering, in turns with adapting the representation; a Markov random field clusters.
    Reconstructed: the field, which pairs become constraints, the loss (contrastive, with a factor
    1/2), and the adapted network: a linear map that starts as the identity, since the paper's
    convolutional network is not at hand. How the number of people is found is not stated: here C1C
    initialises every round and labels of the field may die out.

    Args:
        n_clusters: Number of people at most, if known.
        seed: Seed of the k-means initialisation and of pairs.
        max_rounds: Rounds at most; training ends earlier if labels stay. Not stated in the paper's
            abstract.
        steps: Gradient steps a round; not stated in the paper's abstract.
        batch_size: Pairs a step; not stated in the paper's abstract.
        learning_rate: Of SGD with momentum 0.9; not stated in the paper's abstract.
        margin: Distance of unit vectors that people are pushed apart to; not stated in the paper's
            abstract.
        n_components: Principal components that the field's Gaussians live in; not stated in the
            paper's abstract.
        cannot_link_weight: Penalty, in nats, of two cannot-linked tracks with one label; not stated
            in the paper's abstract.
        neighbour_weight: Reward, in nats, of two mutual nearest tracks with one label; not stated
            in the paper's abstract.

    Source:
        Zhang, Luo, Loy, Tang, "Joint Face Representation Adaptation and Clustering in Videos",
        ECCV 2016.
    """

    name: ClassVar[str] = "JFAC"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    seed: int = 0
    max_rounds: int = 5
    steps: int = 200
    batch_size: int = 128
    learning_rate: float = 1e-3
    margin: float = 1.0
    n_components: int = 20
    cannot_link_weight: float = 10.0
    neighbour_weight: float = 2.0

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        forbidden = tracks.cannot_link_matrix()
        rng = np.random.default_rng(self.seed)
        adapted = tracks
        previous: Labels | None = None
        for turn in range(self.max_rounds):
            means = track_means(adapted)
            labels = self._cluster(adapted, means, forbidden)
            if turn == self.max_rounds - 1 or (previous is not None and (labels == previous).all()):
                break
            previous = labels
            constraints = pairwise_constraints(means, labels, forbidden)
            batches = self._sample_batches(tracks, constraints, rng)
            adapted = replace(adapted, embeddings=self._adapt(adapted, batches))
        return labels

    def _cluster(self, tracks: TrackSet, means: Float64Array, forbidden: BoolArray) -> Labels:
        if self.n_clusters is None:
            initial = C1C().fit_predict(tracks)
        else:
            initial = kmeans_labels(means, min(self.n_clusters, len(means)), self.seed)
        x = principal_components(means, self.n_components)
        neighbours = mutual_nearest_neighbours(x, forbidden)
        potentials = self.neighbour_weight * neighbours - self.cannot_link_weight * forbidden
        return order_by_size(fit_markov_field(x, initial, potentials).labels)

    def _sample_batches(
        self, tracks: TrackSet, constraints: Float64Array, rng: np.random.Generator
    ) -> Iterator[PairBatch]:
        """Yield pairs of crops without end, half with a constraint of +1 and half with -1."""
        crops = CropSampler(tracks)
        pools = [np.argwhere(constraints > 0), np.argwhere(constraints < 0)]
        while True:
            halves = [
                pool[rng.integers(0, len(pool), self.batch_size // 2)]
                for pool in pools
                if len(pool)
            ]
            chosen = np.concatenate(halves)
            left, right = crops.draw(chosen, rng).T
            yield PairBatch(left, right, constraints[chosen[:, 0], chosen[:, 1]] > 0)

    def _adapt(self, tracks: TrackSet, batches: Iterator[PairBatch]) -> Float32Array:
        """Train the linear map and return the adapted (n, d) unit embeddings of the crops."""
        x = torch.from_numpy(unit_rows(tracks.require_embeddings()).astype(np.float32))
        linear = torch.eye(x.shape[1], requires_grad=True)
        optimiser = torch.optim.SGD([linear], lr=self.learning_rate, momentum=0.9)
        for _ in range(self.steps):
            left, right, same = (torch.from_numpy(part) for part in next(batches))
            a, b = normalize(x[left] @ linear), normalize(x[right] @ linear)
            loss = contrastive_loss(a, b, same, self.margin) / 2
            gradient_step(optimiser, loss)
        with torch.no_grad():
            adapted: Float32Array = normalize(x @ linear).numpy()
        return adapted


def pairwise_constraints(means: Float64Array, labels: Labels, forbidden: BoolArray) -> Float64Array:
    """Derive pairwise identity constraints from a clustering of tracks.

    A pair is +1 if it shares a cluster and is no farther apart than the average pair of one
    cluster. It is -1 if it is cannot-linked, or lies in two clusters and is no nearer than the
    average pair of two clusters. Neither bound is stated in the paper's abstract.

    Args:
        means: (T, d) unit track descriptors.
        labels: (T,) clusters.
        forbidden: (T, T) cannot-linked tracks.

    Returns:
        (T, T) +1, -1, or 0 for no constraint; +1 on the diagonal.
    """
    distances = unit_vector_distances(means, "euclidean")
    same_cluster = labels[:, None] == labels
    off_diagonal = ~np.eye(len(labels), dtype=np.bool_)
    constraints = np.zeros(distances.shape)
    if (same_cluster & off_diagonal).any():
        mean_within = distances[same_cluster & off_diagonal].mean()
        constraints[same_cluster & (distances <= mean_within)] = 1
    if (~same_cluster).any():
        mean_between = distances[~same_cluster].mean()
        constraints[~same_cluster & (distances >= mean_between)] = -1
    np.fill_diagonal(constraints, 1)
    constraints[forbidden] = -1
    return constraints
