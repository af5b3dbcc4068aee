"""VCTRSF: a transformer that embeds whole tracks, trained around one centre a track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from personae.compared.pairs import CropSampler, negative_tracks
from personae.compared.protocol import one_scale, require_count, ward
from personae.compared.training import descend
from personae.core.arrays import Float64Array, Int64Array
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


class TrackTransformer(nn.Module):
    """A linear map, encoder layers over the crops of a track, their mean, a linear map to unit length.

    Every crop is one token, as with 1x1 patches over per-frame embeddings; the order of crops plays no part.
    """

    def __init__(self, width: int, layers: int, heads: int, hidden: int, out: int) -> None:
        super().__init__()
        self.enter = nn.Linear(width, hidden)
        layer = nn.TransformerEncoderLayer(
            hidden,
            heads,
            dim_feedforward=hidden,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.leave = nn.Linear(hidden, out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map the crops (b, L, d) of b tracks to (b, out) unit vectors."""
        tokens: torch.Tensor = self.encoder(self.enter(x))
        return normalize(self.leave(tokens.mean(dim=1)))


@dataclass(frozen=True, kw_only=True)
class VCTRSF:
    """Learn to embed tracks near one learnable centre each, far from others'; our reconstruction of VCTRSF.

    Wang, Dong, Shen, Luo, Lin, Ma, Petridis, Pantic, "Self-Supervised Video-Centralised Transformer for
    Video Face Clustering", PAMI 45(11), 2023, arXiv 2203.13166. Exact, as FaceTrackClusterer's authors ran it:
    4 layers, 16 heads, hidden 512, output 256, centres learn as fast as the network. Reconstructed: the
    losses (pull to the own centre, hinge of margin 1 from centres of cannot-linked or far tracks), unit
    length, optimiser, schedule, Ward linkage.
    """

    name: ClassVar[str] = "VCTRSF"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of weights and samples."""
    layers: int = 4
    """Encoder layers."""
    heads: int = 16
    """Attention heads."""
    hidden: int = 512
    """Width of the tokens, and of the feed-forward layer, for which it is not stated."""
    out: int = 256
    """Width of a track's embedding."""
    centre_rate: float = 1.0
    """p, learning rate of the centres relative to the network's; assumed by FaceTrackClusterer's authors too."""
    steps: int = 100
    """Gradient steps; not stated in the paper's abstract, few enough for one processor core."""
    batch: int = 32
    """Tracks a step; not stated in the paper's abstract."""
    frames: int = 4
    """L, crops drawn from a track; not stated in the paper's abstract."""
    learning_rate: float = 1e-4
    """Of Adam; not stated in the paper's abstract."""
    margin: float = 1.0
    """Distance that centres of other people are kept at."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        described = TrackSet(
            track_of=np.arange(tracks.n_tracks, dtype=np.int32),
            embeddings=self._embed_tracks(tracks).astype(np.float32),
        )
        return ward(self.name, described, described.require_embeddings(), self.n_clusters)

    def _embed_tracks(self, tracks: TrackSet) -> Float64Array:
        x = torch.from_numpy(one_scale(tracks.require_embeddings()).astype(np.float32))
        # Tokens of about unit entries, which layer norms and attention are made for.
        x = x * x.shape[1] ** 0.5
        rng = np.random.default_rng(self.seed)
        crops = CropSampler(tracks)
        apart = torch.zeros(tracks.n_tracks, tracks.n_tracks)
        for own, others in enumerate(negative_tracks(tracks)):
            apart[own, torch.from_numpy(others)] = 1 / len(others)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = TrackTransformer(x.shape[1], self.layers, self.heads, self.hidden, self.out)
        members = tracks.members()
        centres = nn.Parameter(_whole_tracks(net, x, members))
        optimiser = torch.optim.Adam(net.parameters(), lr=self.learning_rate)
        optimiser.add_param_group(
            {"params": [centres], "lr": self.learning_rate * self.centre_rate}
        )
        for _ in range(self.steps):
            track = rng.permutation(tracks.n_tracks)[: self.batch]
            chosen = crops.draw(np.repeat(track[:, None], self.frames, axis=1), rng)
            z = net(x[torch.from_numpy(chosen)])
            pull = (z - centres[torch.from_numpy(track)]).square().sum(dim=1)
            distance = torch.cdist(z, centres)
            push = (
                apart[torch.from_numpy(track)] * (self.margin - distance).clamp_min(0).square()
            ).sum(dim=1)
            descend(optimiser, (pull + push).mean())
        return _whole_tracks(net, x, members).double().numpy()


@torch.no_grad()
def _whole_tracks(
    net: TrackTransformer, x: torch.Tensor, members: list[Int64Array]
) -> torch.Tensor:
    """Embed every track by all its crops (T, out), tracks of one length together."""
    by_length: dict[int, list[int]] = {}
    for track, crops in enumerate(members):
        by_length.setdefault(len(crops), []).append(track)
    out = torch.empty(len(members), net.leave.out_features)
    for tracks in by_length.values():
        for start in range(0, len(tracks), 64):
            chosen = tracks[start : start + 64]
            out[chosen] = net(x[torch.from_numpy(np.stack([members[t] for t in chosen]))])
    return out
