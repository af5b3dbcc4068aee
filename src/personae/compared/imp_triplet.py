"""Imp-Triplet: the improved triplet loss on links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import normalize

from personae.compared.features import scale_to_mean_norm
from personae.compared.protocol import WardSystem
from personae.compared.sampling import CropSampler, ListSampler, negative_tracks
from personae.compared.siamese import SiameseNet
from personae.compared.training import gradient_step
from personae.core.arrays import Float64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class ImpTriplet(WardSystem):
    """Triplets from links with an extra pull; our reconstruction of Imp-Triplet.

    Known: an improved triplet loss on link constraints, read as the triplet loss plus a pull on the
    positive pair. Reconstructed: everything else; the network is SSiam's with a wider,
    L2-normalised output.

    Args:
        n_clusters: Number of clusters at which the tree is cut; needed unless `threshold` is given.
        seed: Seed of weights and triplets.
        threshold: Ward height at which the tree is cut instead.
        steps: Gradient steps; not stated.
        batch_size: Triplets a step; not stated.
        learning_rate: Of SGD with momentum 0.9; not stated.
        margin: How much nearer, in squared distance, the positive must be than the negative; not
            stated.
        pull_weight: Weight of the pull on positive pairs; not stated.
        embedding_dim: Width of the learned embedding; not stated.

    Source:
        Zhang, Gong, Wang et al., "Deep Metric Learning with Improved Triplet Loss for Face
        Clustering in Videos", PCM 2016.
    """

    name: ClassVar[str] = "Imp-Triplet"

    steps: int = 500
    batch_size: int = 128
    learning_rate: float = 1e-2
    margin: float = 0.2
    pull_weight: float = 0.1
    embedding_dim: int = 128

    def embed_crops(self, tracks: TrackSet) -> Float64Array:
        """Train on the tracks and return the learned (n, e) unit embeddings of their crops."""
        base = scale_to_mean_norm(tracks.require_embeddings())
        rng = np.random.default_rng(self.seed)
        crops, others = CropSampler(tracks), ListSampler(negative_tracks(tracks))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = SiameseNet(base.shape[1], output_dim=self.embedding_dim)
        x = torch.from_numpy(base.astype(np.float32))
        optimiser = torch.optim.SGD(net.parameters(), lr=self.learning_rate, momentum=0.9)
        for _ in range(self.steps):
            anchor = rng.integers(0, tracks.n_crops, self.batch_size)
            positive = crops.draw_other(anchor, rng)
            negative = crops.draw(others.draw(tracks.track_of[anchor], rng), rng)
            a, p, n = (normalize(net(x[torch.from_numpy(i)])) for i in (anchor, positive, negative))
            loss = improved_triplet_loss(a, p, n, self.margin, self.pull_weight)
            gradient_step(optimiser, loss)
        with torch.no_grad():
            learned: Float64Array = normalize(net(x)).double().numpy()
        return learned


def improved_triplet_loss(
    anchor: torch.Tensor,
    positive: torch.Tensor,
    negative: torch.Tensor,
    margin: float,
    pull_weight: float,
) -> torch.Tensor:
    """Compute the mean of max(0, |a - p|^2 - |a - n|^2 + margin) + pull_weight |a - p|^2.

    Args:
        anchor: (b, e) a.
        positive: (b, e) p.
        negative: (b, e) n.
        margin: How much nearer, in squared distance, the positive must be.
        pull_weight: Weight of the pull on positive pairs.

    Returns:
        Scalar loss.
    """
    positive_squared = (anchor - positive).square().sum(dim=1)
    negative_squared = (anchor - negative).square().sum(dim=1)
    hinge = (positive_squared - negative_squared + margin).clamp_min(0)
    return (hinge + pull_weight * positive_squared).mean()
