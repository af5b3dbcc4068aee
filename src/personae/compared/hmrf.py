"""HMRF: constrained clustering in a hidden Markov random field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.features import principal_components, squared_distances
from personae.compared.kmeans import kmeans_labels
from personae.compared.protocol import require_n_clusters
from personae.core.arrays import Float64Array, FloatArray
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class HMRF:
    """Gaussians in a random field with cannot-links; our reconstruction of HMRF.

    Known: constrained clustering by a hidden Markov random field. Reconstructed: everything else.
    Must-links hold exactly, since a track is one node; cannot-links are potentials.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the k-means initialisation.
        n_components: Principal components that the Gaussians live in; not stated in the paper's
            abstract.
        cannot_link_weight: Penalty, in nats, of two cannot-linked tracks with one label; not stated
            in the paper's abstract.

    Source:
        Wu, Zhang, Hu, Ji, "Constrained Clustering and Its Application to Face Clustering in
        Videos", CVPR 2013.
    """

    name: ClassVar[str] = "HMRF"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    n_components: int = 20
    cannot_link_weight: float = 10.0

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
        x = principal_components(track_means(tracks), self.n_components)
        potentials = -self.cannot_link_weight * tracks.cannot_link_matrix()
        initial = kmeans_labels(x, count, self.seed)
        return order_by_size(fit_markov_field(x, initial, potentials).labels)


@dataclass(frozen=True)
class MarkovField:
    """A fitted hidden Markov random field over T tracks."""

    labels: Labels
    """(T,) most probable label of each track; some of the K labels may have died out."""
    posterior: Float64Array
    """(T, K) probabilities."""


def fit_markov_field(
    x: Float64Array,
    initial: Labels,
    potentials: FloatArray,
    max_iterations: int = 50,
    prior_count: float = 1.0,
) -> MarkovField:
    """Fit a hidden Markov random field by expectation-maximisation with mean-field posteriors.

    The energy of labels y is sum_i -log pi_{y_i} N(x_i; mu_{y_i}, s I) - sum_{i<j} potentials_ij
    [y_i = y_j]; the variance s is shared. Posteriors are updated one track at a time.

    Args:
        x: (T, d) track descriptors.
        initial: (T,) initial labels 0..K-1.
        potentials: (T, T) symmetric, in nats: positive rewards equal labels, negative punishes
            them, 0 is no link.
        max_iterations: Iterations of expectation-maximisation, at most.
        prior_count: Pseudo-count of a label's prior pi.

    Returns:
        The field after the last iteration.
    """
    n, d = x.shape
    k = int(initial.max()) + 1
    posterior = np.full((n, k), 0.1 / k)
    posterior[np.arange(n), initial] += 0.9
    labels = initial
    for iteration in range(max_iterations):
        weight = posterior.sum(axis=0)
        centre = posterior.T @ x / np.maximum(weight, 1e-12)[:, None]
        squared = squared_distances(x, centre)
        variance = max(float((posterior * squared).sum()) / (n * d), 1e-12)
        log_prior = np.log((weight + prior_count) / (n + k * prior_count))
        unary = log_prior - squared / (2 * variance)
        for i in range(n):
            logits = unary[i] + potentials[i] @ posterior
            unnormalised = np.exp(logits - logits.max())
            posterior[i] = unnormalised / unnormalised.sum()
        previous, labels = labels, posterior.argmax(axis=1)
        if (labels == previous).all() and iteration > 0:
            break
    return MarkovField(labels.astype(np.int64), posterior)
