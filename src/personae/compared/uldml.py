"""ULDML: an unsupervised logistic discriminant metric from tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import softplus

from personae.cluster.dendrogram import cut_at_count, cut_at_height, linkage_tree
from personae.compared.features import euclidean_distances, scale_to_mean_norm
from personae.compared.sampling import CropSampler, ListSampler, negative_tracks
from personae.compared.training import gradient_step
from personae.core.arrays import Float64Array
from personae.core.grouping import group_means
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class ULDML:
    """Metric learned from tracks and their co-occurrence, then HAC; our reconstruction of ULDML.

    Known: must-links within tracks and cannot-links between co-occurring ones train a logistic
    discriminant metric: two crops are one person with probability sigmoid(b - |L x_i - L x_j|^2).
    Reconstructed: the optimiser, the full-rank L that starts as a multiple of the identity, pairs
    of singletons (as in TSiam), and average linkage of track means; without a number of people the
    tree is cut where the probability is one half.

    Args:
        n_clusters: Number of people, if known.
        seed: Seed of pairs.
        steps: Gradient steps; not stated in the paper's abstract.
        batch_size: Pairs a step, half of them positive; not stated in the paper's abstract.
        learning_rate: Of Adam; not stated in the paper's abstract.

    Source:
        Cinbis, Verbeek, Schmid, "Unsupervised Metric Learning for Face Identification in TV Video",
        ICCV 2011.
    """

    name: ClassVar[str] = "ULDML"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    seed: int = 0
    steps: int = 500
    batch_size: int = 128
    learning_rate: float = 1e-2

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Learn the metric on the tracks and cluster them.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        projected, bias = self._learn_metric(tracks)
        means = group_means(projected, tracks.track_of, tracks.n_tracks)
        tree = linkage_tree(euclidean_distances(means), "average")
        if self.n_clusters is not None:
            return cut_at_count(tree, tracks.n_tracks, self.n_clusters)
        return cut_at_height(tree, tracks.n_tracks, float(np.sqrt(max(bias, 0.0))))

    def _learn_metric(self, tracks: TrackSet) -> tuple[Float64Array, float]:
        """Learn L and b; return the projected crops L x (n, d) and b."""
        base = scale_to_mean_norm(tracks.require_embeddings())
        rng = np.random.default_rng(self.seed)
        crops, others = CropSampler(tracks), ListSampler(negative_tracks(tracks))
        x = torch.from_numpy(base.astype(np.float32))
        metric = torch.eye(base.shape[1], requires_grad=True)
        bias = torch.ones((), requires_grad=True)
        optimiser = torch.optim.Adam([metric, bias], lr=self.learning_rate)
        for _ in range(self.steps):
            left = rng.integers(0, tracks.n_crops, self.batch_size)
            positive_anchors, negative_anchors = np.array_split(left, 2)
            right = np.concatenate(
                [
                    crops.draw_other(positive_anchors, rng),
                    crops.draw(others.draw(tracks.track_of[negative_anchors], rng), rng),
                ]
            )
            same = torch.from_numpy(np.arange(self.batch_size) < len(positive_anchors))
            difference = x[torch.from_numpy(left)] - x[torch.from_numpy(right)]
            logit = bias - (difference @ metric.T).square().sum(dim=1)
            loss = softplus(torch.where(same, -logit, logit)).mean()
            gradient_step(optimiser, loss)
        with torch.no_grad():
            projected: Float64Array = (x @ metric.T).double().numpy()
        return projected, float(bias.detach())
