"""Imp-Triplet: the improved triplet loss on links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import normalize

from personae.compared.pairs import CropSampler, ListSampler, negative_tracks
from personae.compared.protocol import one_scale, require_count, ward
from personae.compared.siamese import SiameseNet
from personae.compared.training import descend
from personae.core.arrays import Float64Array
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class ImpTriplet:
    """Train on triplets from links with an extra pull on positive pairs; our reconstruction of Imp-Triplet.

    Zhang, Gong, Wang et al., "Deep Metric Learning with Improved Triplet Loss for Face Clustering in
    Videos", PCM 2016. Known: an improved triplet loss on link constraints; read as the triplet loss plus a
    pull on the positive pair. Reconstructed: everything else; the network is SSiam's with a wider,
    L2-normalised output.
    """

    name: ClassVar[str] = "Imp-Triplet"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """Where the tree is cut; needed unless `threshold` is given."""
    seed: int = 0
    """Seed of weights and triplets."""
    threshold: float | None = None
    """Ward height to cut at instead."""
    steps: int = 500
    """Gradient steps; not stated."""
    batch: int = 128
    """Triplets a step; not stated."""
    learning_rate: float = 1e-2
    """Of SGD with momentum 0.9; not stated."""
    margin: float = 0.2
    """How much nearer, in squared distance, the positive must be than the negative; not stated."""
    pull: float = 0.1
    """Weight of the pull on positive pairs; not stated."""
    out: int = 128
    """Width of the learned descriptor; not stated."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels by falling size. SettingError without number or threshold."""
        if self.threshold is None:
            require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        return ward(self.name, tracks, self._features(tracks), self.n_clusters, self.threshold)

    def _features(self, tracks: TrackSet) -> Float64Array:
        base = one_scale(tracks.require_embeddings())
        rng = np.random.default_rng(self.seed)
        crops, apart = CropSampler(tracks), ListSampler(negative_tracks(tracks))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = SiameseNet(base.shape[1], out=self.out)
        x = torch.from_numpy(base.astype(np.float32))
        optimiser = torch.optim.SGD(net.parameters(), lr=self.learning_rate, momentum=0.9)
        for _ in range(self.steps):
            anchor = rng.integers(0, tracks.n_crops, self.batch)
            positive = crops.draw_another(anchor, rng)
            negative = crops.draw(apart.draw(tracks.track_of[anchor], rng), rng)
            a, p, n = (normalize(net(x[torch.from_numpy(i)])) for i in (anchor, positive, negative))
            loss = improved_triplet_loss(a, p, n, self.margin, self.pull)
            descend(optimiser, loss)
        with torch.no_grad():
            learned: Float64Array = normalize(net(x)).double().numpy()
        return learned


def improved_triplet_loss(
    anchor: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor, margin: float, pull: float
) -> torch.Tensor:
    """Average max(0, |a - p|^2 - |a - n|^2 + margin) + pull |a - p|^2 over triplets of rows (b, e)."""
    near = (anchor - positive).square().sum(dim=1)
    far = (anchor - negative).square().sum(dim=1)
    return ((near - far + margin).clamp_min(0) + pull * near).mean()
