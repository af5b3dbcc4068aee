"""ULDML: an unsupervised logistic discriminant metric from tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import softplus

from personae.cluster.hac import cut_at_count, cut_at_height, linkage_tree
from personae.compared.distances import euclidean
from personae.compared.pairs import CropSampler, ListSampler, negative_tracks
from personae.compared.protocol import one_scale
from personae.compared.training import descend
from personae.core.arrays import Float64Array
from personae.core.grouping import group_means
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class ULDML:
    """Learn a metric from tracks and their co-occurrence, then HAC; our reconstruction of ULDML.

    Cinbis, Verbeek, Schmid, "Unsupervised Metric Learning for Face Identification in TV Video", ICCV 2011.
    Known: must-links within tracks and cannot-links between co-occurring ones train a logistic discriminant
    metric: two crops are one person with probability sigmoid(b - |L x_i - L x_j|^2). Reconstructed: the
    optimiser, the full-rank L that starts as a multiple of the identity, pairs of singletons (as in TSiam),
    and average linkage of track means; without a number the tree is cut where the probability is one half.
    """

    name: ClassVar[str] = "ULDML"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    """How many people, if known."""
    seed: int = 0
    """Seed of pairs."""
    steps: int = 500
    """Gradient steps; not stated in the paper's abstract."""
    batch: int = 128
    """Pairs a step, half of them positive; not stated in the paper's abstract."""
    learning_rate: float = 1e-2
    """Of Adam; not stated in the paper's abstract."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size."""
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        projected, bias = self._metric(tracks)
        means = group_means(projected, tracks.track_of, tracks.n_tracks)
        tree = linkage_tree(euclidean(means), "average")
        if self.n_clusters is not None:
            return cut_at_count(tree, tracks.n_tracks, self.n_clusters)
        return cut_at_height(tree, tracks.n_tracks, float(np.sqrt(max(bias, 0.0))))

    def _metric(self, tracks: TrackSet) -> tuple[Float64Array, float]:
        """Learn L and b; gives the crops L x (n, d) and b."""
        base = one_scale(tracks.require_embeddings())
        rng = np.random.default_rng(self.seed)
        crops, apart = CropSampler(tracks), ListSampler(negative_tracks(tracks))
        x = torch.from_numpy(base.astype(np.float32))
        metric = torch.eye(base.shape[1], requires_grad=True)
        bias = torch.ones((), requires_grad=True)
        optimiser = torch.optim.Adam([metric, bias], lr=self.learning_rate)
        for _ in range(self.steps):
            left = rng.integers(0, tracks.n_crops, self.batch)
            near, far = np.array_split(left, 2)
            right = np.concatenate(
                [
                    crops.draw_another(near, rng),
                    crops.draw(apart.draw(tracks.track_of[far], rng), rng),
                ]
            )
            same = torch.from_numpy(np.arange(self.batch) < len(near))
            difference = x[torch.from_numpy(left)] - x[torch.from_numpy(right)]
            logit = bias - (difference @ metric.T).square().sum(dim=1)
            loss = softplus(torch.where(same, -logit, logit)).mean()
            descend(optimiser, loss)
        with torch.no_grad():
            projected: Float64Array = (x @ metric.T).double().numpy()
        return projected, float(bias.detach())
