"""Network and training loop that SSiam, TSiam, Pseudo-RF and CCL share; they differ in their pairs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import nn

from personae.compared.contrastive import contrastive_loss
from personae.compared.protocol import one_scale, require_count, ward
from personae.compared.training import descend
from personae.core.arrays import BoolArray, Float64Array, Int64Array
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


class Pairs(NamedTuple):
    """A batch of pairs of crops."""

    left: Int64Array
    """(b,) crops."""
    right: Int64Array
    """(b,) crops."""
    same: BoolArray
    """(b,) whether the two are taken for the same person."""


class SiameseNet(nn.Module):
    """d -> 512 -> ReLU -> 2 without batch norm; the feature is the 512-d layer before its ReLU.

    As in SSiam's program. Layers are drawn with He scaling and zero bias.
    """

    def __init__(self, width: int, hidden: int = 512, out: int = 2) -> None:
        super().__init__()
        self.first = nn.Linear(width, hidden)
        self.last = nn.Linear(hidden, out)
        for layer in (self.first, self.last):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def feature(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, d) to (n, 512)."""
        hidden: torch.Tensor = self.first(x)
        return hidden

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, d) to the (n, 2) outputs that the loss compares."""
        out: torch.Tensor = self.last(torch.relu(self.feature(x)))
        return out


@dataclass(frozen=True, kw_only=True)
class SiameseSystem(ABC):
    """Trains `SiameseNet` on pairs of crops, then clusters track means of its feature by Ward linkage.

    Sharma, Tapaswi, Sarfraz, Stiefelhagen, "Self-Supervised Learning of Face Representations for Video Face
    Clustering", FG 2019. Exact: layers, feature, loss, margin, learning rate, 128 pairs a step, 15 epochs,
    test protocol. Reconstructed: momentum, weight decay, initial weights, what an epoch holds, one scale
    for all face models.
    """

    name: ClassVar[str]
    needs_n_clusters: ClassVar[bool] = True
    pairs_per_crop: ClassVar[int] = 1

    n_clusters: int | None = None
    """Where the tree is cut; needed unless `threshold` is given."""
    seed: int = 0
    """Seed of weights and pairs."""
    threshold: float | None = None
    """Ward height to cut at instead, as in FaceTrackClusterer's own runs (which chose it with labels)."""
    epochs: int = 15
    """Passes over the crops."""
    batch: int = 128
    """Pairs a step."""
    learning_rate: float = 1e-3
    """Of plain SGD, constant."""
    momentum: float = 0.9
    """Not stated in the paper: the default of its toolbox."""
    weight_decay: float = 5e-4
    """Not stated in the paper: the default of its toolbox."""
    margin: float = 1.0
    """Distance that different people are pushed apart to."""
    at_least: int = 1000
    """Steps on a short film. Not stated in the paper, whose films have 40,000 crops."""

    @abstractmethod
    def batches(
        self, tracks: TrackSet, features: Float64Array, rng: np.random.Generator
    ) -> Iterator[Pairs]:
        """Mine pairs without end; `features` (n, d) are the crops' base embeddings on one scale."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels by falling size. SettingError without number or threshold."""
        if self.threshold is None:
            require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        return ward(self.name, tracks, self.features(tracks), self.n_clusters, self.threshold)

    def features(self, tracks: TrackSet) -> Float64Array:
        """Train on the tracks and give the learned (n, 512) features of their crops."""
        base = one_scale(tracks.require_embeddings())
        batches = self.batches(tracks, base, np.random.default_rng(self.seed))
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
        for _ in range(self.steps(tracks.n_crops)):
            left, right, same = (torch.from_numpy(part) for part in next(batches))
            if not len(left):
                break
            loss = contrastive_loss(net(x[left]), net(x[right]), same, self.margin)
            descend(optimiser, loss)
        with torch.no_grad():
            learned: Float64Array = net.feature(x).double().numpy()
        return learned

    def steps(self, n_crops: int) -> int:
        """Give the number of gradient steps on a set of that many crops."""
        return max(
            self.at_least, self.epochs * math.ceil(n_crops * self.pairs_per_crop / self.batch)
        )
