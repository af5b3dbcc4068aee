"""JFAC (also JFRAC): joint face representation adaptation and clustering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import normalize

from personae.cluster.hac import pairwise_distances
from personae.compared.c1c import C1C
from personae.compared.contrastive import contrastive_loss
from personae.compared.kmeans import kmeans
from personae.compared.markov_field import fit_field
from personae.compared.pairs import CropSampler
from personae.compared.protocol import principal_components
from personae.compared.sctl import mutual_neighbours
from personae.compared.siamese import Pairs
from personae.compared.training import descend
from personae.core.arrays import BoolArray, Float32Array, Float64Array, FloatArray
from personae.core.grouping import track_means, unit_rows
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class JFAC:
    """Cluster in a random field, adapt features to its sure pairs, repeat; our reconstruction of JFAC.

    Zhang, Luo, Loy, Tang, "Joint Face Representation Adaptation and Clustering in Videos", ECCV 2016;
    VideoClusterNet calls it JFRAC. Known: weak pairwise identity constraints come from a possibly noisy
    clustering, in turns with adapting the representation; a Markov random field clusters. Reconstructed:
    the field, which pairs are sure, the loss (contrastive, with a factor 1/2), and the adapted network: a
    linear map that starts as the identity, for the paper's convolutional network is not at hand. How the
    number of people is found is not stated: here C1C starts the first round and labels of
    the field may die out.
    """

    name: ClassVar[str] = "JFAC"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    """How many people at most, if known."""
    seed: int = 0
    """Seed of the k-means start and of pairs."""
    rounds: int = 5
    """Turns at most; ends when labels stay. Not stated in the paper's abstract."""
    steps: int = 200
    """Gradient steps a turn; not stated in the paper's abstract."""
    batch: int = 128
    """Pairs a step; not stated in the paper's abstract."""
    learning_rate: float = 1e-3
    """Of SGD with momentum 0.9; not stated in the paper's abstract."""
    margin: float = 1.0
    """Distance of unit vectors that people are pushed apart to; not stated in the paper's abstract."""
    dimensions: int = 20
    """Principal components that the field's Gaussians live in; not stated in the paper's abstract."""
    cannot_weight: float = 10.0
    """Penalty, in nats, of two cannot-linked tracks with one label; not stated in the paper's abstract."""
    similar_weight: float = 2.0
    """Reward, in nats, of two mutual nearest tracks with one label; not stated in the paper's abstract."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size."""
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        forbidden = tracks.cannot_link_matrix()
        rng = np.random.default_rng(self.seed)
        adapted = tracks
        previous: Labels | None = None
        for turn in range(self.rounds):
            means = track_means(adapted)
            labels = self._cluster(adapted, means, forbidden)
            if turn == self.rounds - 1 or (previous is not None and (labels == previous).all()):
                break
            previous = labels
            pairs = self._pairs(tracks, sure_pairs(means, labels, forbidden), rng)
            adapted = replace(adapted, embeddings=self._adapt(adapted, pairs))
        return labels

    def _cluster(self, tracks: TrackSet, means: Float64Array, forbidden: BoolArray) -> Labels:
        if self.n_clusters is None:
            start = C1C().fit_predict(tracks)
        else:
            start = kmeans(means, min(self.n_clusters, len(means)), self.seed)
        x = principal_components(means, self.dimensions)
        potentials = (
            self.similar_weight * mutual_neighbours(x, forbidden) - self.cannot_weight * forbidden
        )
        return order_by_size(fit_field(x, start, potentials).labels)

    def _pairs(
        self, tracks: TrackSet, sure: Float64Array, rng: np.random.Generator
    ) -> Iterator[Pairs]:
        """Draw crops of surely same tracks and of surely different ones, half and half, without end."""
        crops = CropSampler(tracks)
        pools = [np.argwhere(sure > 0), np.argwhere(sure < 0)]
        while True:
            halves = [
                pool[rng.integers(0, len(pool), self.batch // 2)] for pool in pools if len(pool)
            ]
            chosen = np.concatenate(halves)
            left, right = crops.draw(chosen, rng).T
            yield Pairs(left, right, sure[chosen[:, 0], chosen[:, 1]] > 0)

    def _adapt(self, tracks: TrackSet, pairs: Iterator[Pairs]) -> Float32Array:
        """Move the crops' embeddings; gives (n, d) unit vectors."""
        x = torch.from_numpy(unit_rows(tracks.require_embeddings()).astype(np.float32))
        linear = torch.eye(x.shape[1], requires_grad=True)
        optimiser = torch.optim.SGD([linear], lr=self.learning_rate, momentum=0.9)
        for _ in range(self.steps):
            left, right, same = (torch.from_numpy(part) for part in next(pairs))
            a, b = normalize(x[left] @ linear), normalize(x[right] @ linear)
            loss = contrastive_loss(a, b, same, self.margin) / 2
            descend(optimiser, loss)
        with torch.no_grad():
            adapted: FloatArray = normalize(x @ linear).numpy()
        return adapted


def sure_pairs(means: Float64Array, labels: Labels, forbidden: BoolArray) -> Float64Array:
    """Give (T, T) constraints: +1 same cluster and close, -1 different clusters and far or forbidden, else 0.

    Close means no farther than the average pair of one cluster, far means no nearer than the average pair
    of two (neither is stated in the paper's abstract); a track is always close to itself.
    """
    distances = pairwise_distances(means, "euclidean")
    together = labels[:, None] == labels
    off = ~np.eye(len(labels), dtype=np.bool_)
    sure = np.zeros(distances.shape)
    if (together & off).any():
        sure[together & (distances <= distances[together & off].mean())] = 1
    if (~together).any():
        sure[~together & (distances >= distances[~together].mean())] = -1
    np.fill_diagonal(sure, 1)
    sure[forbidden] = -1
    return sure
