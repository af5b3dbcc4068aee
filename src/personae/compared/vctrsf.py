"""VCTRSF: a transformer that embeds whole tracks, trained around one centre a track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from personae.compared.features import scale_to_mean_norm
from personae.compared.protocol import cluster_by_ward, require_n_clusters, single_crop_tracks
from personae.compared.sampling import CropSampler, negative_tracks
from personae.compared.training import gradient_step
from personae.core.arrays import Float64Array, Int64Array
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

TRACKS_PER_FORWARD = 64
"""Tracks that are embedded at a time when all crops take part."""


class TrackTransformer(nn.Module):
    """Transformer encoder over the crops of a track, mean-pooled and projected to unit length.

    Every crop is one token, as with 1x1 patches over per-frame embeddings; the order of crops
    does not matter.

    Args:
        input_dim: Width of a crop's embedding.
        n_layers: Encoder layers.
        n_heads: Attention heads.
        hidden_dim: Width of tokens and of the feed-forward layer.
        embedding_dim: Width of a track's embedding.
    """

    def __init__(
        self, input_dim: int, n_layers: int, n_heads: int, hidden_dim: int, embedding_dim: int
    ) -> None:
        super().__init__()
        self.input_projection = nn.Linear(input_dim, hidden_dim)
        layer = nn.TransformerEncoderLayer(
            hidden_dim,
            n_heads,
            dim_feedforward=hidden_dim,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, n_layers, enable_nested_tensor=False)
        self.output_projection = nn.Linear(hidden_dim, embedding_dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map the crops (b, L, d) of b tracks to (b, e) unit vectors."""
        tokens: torch.Tensor = self.encoder(self.input_projection(x))
        return normalize(self.output_projection(tokens.mean(dim=1)))


@dataclass(frozen=True, kw_only=True)
class VCTRSF:
    """Transformer over whole tracks around learnable centres; our reconstruction of VCTRSF.

    Exact, as VideoClusterNet's authors ran it: 4 layers, 16 heads, hidden 512, output 256, centres
    learn as fast as the network. Reconstructed: the losses (pull to the own centre, hinge of margin
    1 from centres of cannot-linked or far tracks), unit length, optimiser, schedule, Ward linkage.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of weights and samples.
        n_layers: Encoder layers.
        n_heads: Attention heads.
        hidden_dim: Width of the tokens, and of the feed-forward layer, for which it is not stated.
        embedding_dim: Width of a track's embedding.
        centre_lr_ratio: p, learning rate of the centres relative to the network's; assumed by
            VideoClusterNet's authors too.
        steps: Gradient steps; not stated in the paper's abstract, few enough for one processor
            core.
        batch_size: Tracks a step; not stated in the paper's abstract.
        crops_per_track: L, crops drawn from a track; not stated in the paper's abstract.
        learning_rate: Of Adam; not stated in the paper's abstract.
        margin: Distance that centres of other people are kept at.

    Source:
        Wang, Dong, Shen, Luo, Lin, Ma, Petridis, Pantic, "Self-Supervised Video-Centralised
        Transformer for Video Face Clustering", PAMI 45(11), 2023, arXiv 2203.13166.
    """

    name: ClassVar[str] = "VCTRSF"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    n_layers: int = 4
    n_heads: int = 16
    hidden_dim: int = 512
    embedding_dim: int = 256
    centre_lr_ratio: float = 1.0
    steps: int = 100
    batch_size: int = 32
    crops_per_track: int = 4
    learning_rate: float = 1e-4
    margin: float = 1.0

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Train on the tracks and cluster them.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1.
        """
        require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        embedded = single_crop_tracks(self._embed_tracks(tracks))
        return cluster_by_ward(self.name, embedded, embedded.require_embeddings(), self.n_clusters)

    def _embed_tracks(self, tracks: TrackSet) -> Float64Array:
        """Train on the tracks and return their learned (T, e) unit embeddings."""
        x = torch.from_numpy(scale_to_mean_norm(tracks.require_embeddings()).astype(np.float32))
        # Layer norms and attention expect tokens with entries of about unit size.
        x = x * x.shape[1] ** 0.5
        rng = np.random.default_rng(self.seed)
        crops = CropSampler(tracks)
        push_weights = torch.zeros(tracks.n_tracks, tracks.n_tracks)
        for own, others in enumerate(negative_tracks(tracks)):
            push_weights[own, torch.from_numpy(others)] = 1 / len(others)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = TrackTransformer(
                x.shape[1], self.n_layers, self.n_heads, self.hidden_dim, self.embedding_dim
            )
        members = tracks.members()
        centres = nn.Parameter(_embed_whole_tracks(net, x, members))
        optimiser = torch.optim.Adam(net.parameters(), lr=self.learning_rate)
        optimiser.add_param_group(
            {"params": [centres], "lr": self.learning_rate * self.centre_lr_ratio}
        )
        for _ in range(self.steps):
            batch = rng.permutation(tracks.n_tracks)[: self.batch_size]
            chosen = crops.draw(np.repeat(batch[:, None], self.crops_per_track, axis=1), rng)
            z = net(x[torch.from_numpy(chosen)])
            pull = (z - centres[torch.from_numpy(batch)]).square().sum(dim=1)
            hinge = (self.margin - torch.cdist(z, centres)).clamp_min(0).square()
            push = (push_weights[torch.from_numpy(batch)] * hinge).sum(dim=1)
            gradient_step(optimiser, (pull + push).mean())
        return _embed_whole_tracks(net, x, members).double().numpy()


@torch.no_grad()
def _embed_whole_tracks(
    net: TrackTransformer, x: torch.Tensor, members: list[Int64Array]
) -> torch.Tensor:
    """Embed every track by all its crops, tracks of one length together; return (T, e)."""
    by_length: dict[int, list[int]] = {}
    for track, crops in enumerate(members):
        by_length.setdefault(len(crops), []).append(track)
    embedded = torch.empty(len(members), net.output_projection.out_features)
    for tracks in by_length.values():
        for start in range(0, len(tracks), TRACKS_PER_FORWARD):
            chosen = tracks[start : start + TRACKS_PER_FORWARD]
            embedded[chosen] = net(x[torch.from_numpy(np.stack([members[t] for t in chosen]))])
    return embedded
