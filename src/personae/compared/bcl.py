"""BCL: ball clustering, with a learned ball or the released one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.functional import normalize, relu, softplus

from personae.cluster.hac import HAC
from personae.compared.training import descend
from personae.core.arrays import Float64Array
from personae.core.grouping import track_means, unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

RELEASED_BALL = 0.820 / 4
"""Squared radius b of a person's ball in the authors' released checkpoint, where 4 b = 0.820."""


class BallNet(nn.Module):
    """MLP d -> 256 -> 128 -> 64 -> 64, ReLU between, no batch norm, L2-normalised output; and the learned b.

    b = softplus(h), h starts at 0.1.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(),
            nn.Linear(64, 64),
        )  # fmt: skip
        self.h = nn.Parameter(torch.tensor(0.1))

    @property
    def ball(self) -> torch.Tensor:
        """Give b, the squared radius of a person's ball."""
        return softplus(self.h)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, d) to unit vectors (n, 64)."""
        out: torch.Tensor = normalize(self.layers(x))
        return out


def ball_loss(z: torch.Tensor, person: torch.Tensor, ball: torch.Tensor) -> torch.Tensor:
    """Give 4 mean relu(d2(x, mu_y) - b) + mean relu(9 b + 0.05 - min_{k != y} d2(x, mu_k)).

    `z` (n, e) unit vectors, `person` (n,) int64; d2 squared Euclidean, mu the L2-normalised class means of
    the batch.
    """
    people, index = torch.unique(person, return_inverse=True)
    sums = torch.zeros(len(people), z.shape[1], dtype=z.dtype).index_add(0, index, z)
    squared = (2 - 2 * z @ normalize(sums).T).clamp_min(0)
    own = torch.nn.functional.one_hot(index, len(people)).bool()
    loss = 4 * relu(squared[own] - ball).mean()
    if len(people) > 1:
        nearest_other = squared.masked_fill(own, torch.inf).min(dim=1).values
        loss = loss + relu(9 * ball + 0.05 - nearest_other).mean()
    return loss


@dataclass(kw_only=True)
class BCL:
    """Complete-linkage HAC on squared Euclidean distances, cut at 4 b, the diameter of a person's ball.

    Tapaswi, Law, Fidler, "Video Face Clustering with Unknown Number of Clusters", ICCV 2019, arXiv
    1908.03381, and its released program. Exact: MLP, loss, batch, linkage, cut. A *supervised* system: call
    `fit` with track descriptors and people of other films (the authors used MovieGraphs). Without `fit`
    only its clustering runs, on the unit-length base embeddings with the released b, which was learned for
    other features: "our reconstruction of BCL's clustering". Reconstructed: the optimiser of `fit`.
    """

    name: ClassVar[str] = "BCL"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    """How many people, if known; the cut at 4 b is left out then."""
    seed: int = 0
    """Seed of weights and batches of `fit`."""
    steps: int = 1000
    """Gradient steps of `fit`; not stated in our sources."""
    batch: int = 2000
    """Descriptors a step of `fit`."""
    learning_rate: float = 3e-3
    """Of Adam in `fit`; not stated in our sources."""
    net: BallNet | None = field(default=None, init=False, repr=False)
    """The trained network, after `fit`."""

    def fit(self, descriptors: npt.ArrayLike, people: npt.ArrayLike) -> BCL:
        """Learn the embedding and b from track descriptors (m, d) and their people (m,); gives itself."""
        x = torch.from_numpy(unit_rows(descriptors).astype(np.float32))
        y = torch.from_numpy(np.unique(np.asarray(people), return_inverse=True)[1].astype(np.int64))
        rng = np.random.default_rng(self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = BallNet(x.shape[1])
        optimiser = torch.optim.Adam(net.parameters(), lr=self.learning_rate)
        for _ in range(self.steps):
            chosen = torch.from_numpy(rng.permutation(len(x))[: self.batch])
            loss = ball_loss(net(x[chosen]), y[chosen], net.ball)
            descend(optimiser, loss)
        self.net = net
        return self

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks, with what `fit` has learned if called; gives (T,) labels by falling size."""
        means: Float64Array = track_means(tracks)
        ball = RELEASED_BALL
        if self.net is not None and tracks.n_tracks:
            with torch.no_grad():
                means = self.net(torch.from_numpy(means.astype(np.float32))).double().numpy()
                ball = float(self.net.ball)
        descriptors = TrackSet(
            track_of=np.arange(tracks.n_tracks, dtype=np.int32), embeddings=means.astype(np.float32)
        )
        # A squared distance of 4 b is a distance of 2 sqrt(b).
        return HAC(
            "complete", "euclidean", threshold=2 * float(np.sqrt(ball)), n_clusters=self.n_clusters
        ).fit_predict(descriptors)
