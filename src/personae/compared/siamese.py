"""Network and training loop of SSiam, TSiam, Pseudo-RF and CCL, which differ in their pairs."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from personae.compared.features import scale_to_mean_norm
from personae.compared.protocol import WardSystem
from personae.compared.sampling import PairBatch
from personae.compared.training import contrastive_loss, gradient_step
from personae.core.arrays import Float64Array
from personae.core.trackset import TrackSet


class SiameseNet(nn.Module):
    """MLP d -> 512 -> ReLU -> 2 without batch norm; the feature is the 512-d layer before its ReLU.

    As in SSiam's program. Layers are drawn with He scaling and zero bias.

    Args:
        input_dim: d.
        hidden_dim: Width of the feature.
        output_dim: Width of the output that the loss compares.
    """

    def __init__(self, input_dim: int, hidden_dim: int = 512, output_dim: int = 2) -> None:
        super().__init__()
        self.first = nn.Linear(input_dim, hidden_dim)
        self.last = nn.Linear(hidden_dim, output_dim)
        for layer in (self.first, self.last):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def feature(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, d) to (n, 512)."""
        hidden: torch.Tensor = self.first(x)
        return hidden

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, d) to the (n, 2) outputs that the loss compares."""
        output: torch.Tensor = self.last(torch.relu(self.feature(x)))
        return output


@dataclass(frozen=True, kw_only=True)
class SiameseSystem(WardSystem):
    """`SiameseNet` trained on pairs of crops, then Ward linkage of track means of its feature.

    Exact: layers, feature, loss, margin, learning rate, 128 pairs a step, 15 epochs, test protocol.
    Reconstructed: momentum, weight decay, initial weights, what an epoch holds, one scale for all
    face models.

    Args:
        n_clusters: Number of clusters at which the tree is cut; needed unless `threshold` is given.
        seed: Seed of weights and pairs.
        threshold: Ward height at which the tree is cut instead, as in VideoClusterNet's own runs of
            these systems, which chose it with labels.
        epochs: Passes over the crops.
        batch_size: Pairs a step.
        learning_rate: Of plain SGD, constant.
        momentum: Not stated in the paper: the default of its toolbox.
        weight_decay: Not stated in the paper: the default of its toolbox.
        margin: Distance that different people are pushed apart to.
        min_steps: Gradient steps on a short film. Not stated in the paper, whose films have 40,000
            crops.

    Source:
        Sharma, Tapaswi, Sarfraz, Stiefelhagen, "Self-Supervised Learning of Face Representations
        for Video Face Clustering", FG 2019, arXiv 1903.01000.
    """

    pairs_per_crop: ClassVar[int] = 1
    """Pairs that one epoch holds for every crop."""

    epochs: int = 15
    batch_size: int = 128
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 5e-4
    margin: float = 1.0
    min_steps: int = 1000

    @abstractmethod
    def sample_batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[PairBatch]:
        """Yield training pairs without end.

        Args:
            tracks: Track set of n crops.
            features: (n, d) base embeddings of the crops, scaled to a mean norm of 1.
            rng: Source of randomness.
        """

    def embed_crops(self, tracks: TrackSet) -> Float64Array:
        """Train on the tracks and return the learned (n, 512) features of their crops."""
        base = scale_to_mean_norm(tracks.require_embeddings())
        batches = self.sample_batches(tracks, base, np.random.default_rng(self.seed))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = SiameseNet(base.shape[1])
        x = torch.from_numpy(base.astype(np.float32))
        optimiser = torch.optim.SGD(
            net.parameters(),
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )
        for _ in range(self.n_steps(tracks.n_crops)):
            left, right, same = (torch.from_numpy(part) for part in next(batches))
            if not len(left):
                break
            loss = contrastive_loss(net(x[left]), net(x[right]), same, self.margin)
            gradient_step(optimiser, loss)
        with torch.no_grad():
            learned: Float64Array = net.feature(x).double().numpy()
        return learned

    def n_steps(self, n_crops: int) -> int:
        """Return the number of gradient steps on a set of that many crops."""
        steps_per_epoch = math.ceil(n_crops * self.pairs_per_crop / self.batch_size)
        return max(self.min_steps, self.epochs * steps_per_epoch)
