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
from personae.compared.protocol import single_crop_tracks
from personae.compared.training import gradient_step
from personae.core.arrays import Float64Array
from personae.core.grouping import track_means, unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

RELEASED_SQUARED_RADIUS = 0.820 / 4
"""b, squared radius of a ball in the authors' released checkpoint, where 4 b = 0.820."""


class BallNet(nn.Module):
    """MLP d -> 256 -> 128 -> 64 -> 64 with a learned squared ball radius b.

    ReLU between layers, no batch norm, L2-normalised output; b = softplus(h), h starts at 0.1.

    Args:
        input_dim: d.
    """

    def __init__(self, input_dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(input_dim, 256),
            nn.ReLU(),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 64),
        )
        self.h = nn.Parameter(torch.tensor(0.1))

    @property
    def squared_radius(self) -> torch.Tensor:
        """Scalar b, the squared radius of a person's ball."""
        return softplus(self.h)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (n, d) to unit vectors (n, 64)."""
        output: torch.Tensor = normalize(self.layers(x))
        return output


def ball_loss(z: torch.Tensor, person: torch.Tensor, squared_radius: torch.Tensor) -> torch.Tensor:
    """Compute 4 mean relu(d2(x, mu_y) - b) + mean relu(9 b + 0.05 - min_{k != y} d2(x, mu_k)).

    d2 is the squared Euclidean distance, mu the L2-normalised class means of the batch.

    Args:
        z: (n, e) unit vectors x.
        person: (n,) int64 classes y.
        squared_radius: Scalar b.

    Returns:
        Scalar loss.
    """
    people, index = torch.unique(person, return_inverse=True)
    sums = torch.zeros(len(people), z.shape[1], dtype=z.dtype).index_add(0, index, z)
    squared = (2 - 2 * z @ normalize(sums).T).clamp_min(0)
    own = torch.nn.functional.one_hot(index, len(people)).bool()
    loss = 4 * relu(squared[own] - squared_radius).mean()
    if len(people) > 1:
        nearest_other = squared.masked_fill(own, torch.inf).min(dim=1).values
        loss = loss + relu(9 * squared_radius + 0.05 - nearest_other).mean()
    return loss


@dataclass(kw_only=True)
class BCL:
    """Complete-linkage HAC, cut at 4 b, the squared diameter of a person's ball.

    A *supervised* system: call `fit` with track descriptors and people of other films (the authors
    used MovieGraphs). Without `fit` only its clustering runs, on the unit-length base embeddings
    with the released b, which was learned for other features: "our reconstruction of BCL's
    clustering". Exact: MLP, loss, batch, linkage, cut. Reconstructed: the optimiser of `fit`.

    Args:
        n_clusters: Number of people, if known; replaces the cut at 4 b.
        seed: Seed of weights and batches of `fit`.
        steps: Gradient steps of `fit`; not stated in our sources.
        batch_size: Descriptors a step of `fit`.
        learning_rate: Of Adam in `fit`; not stated in our sources.

    Source:
        Tapaswi, Law, Fidler, "Video Face Clustering with Unknown Number of Clusters", ICCV 2019,
        arXiv 1908.03381, and its released program.
    """

    name: ClassVar[str] = "BCL"
    needs_n_clusters: ClassVar[bool] = False

    n_clusters: int | None = None
    seed: int = 0
    steps: int = 1000
    batch_size: int = 2000
    learning_rate: float = 3e-3
    net: BallNet | None = field(default=None, init=False, repr=False)
    """The trained network, after `fit`."""

    def fit(self, descriptors: npt.ArrayLike, people: npt.ArrayLike) -> BCL:
        """Learn the embedding and b from labelled tracks of other films.

        Args:
            descriptors: (m, d) track descriptors.
            people: (m,) their people.

        Returns:
            The system itself.
        """
        x = torch.from_numpy(unit_rows(descriptors).astype(np.float32))
        y = torch.from_numpy(np.unique(np.asarray(people), return_inverse=True)[1].astype(np.int64))
        rng = np.random.default_rng(self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = BallNet(x.shape[1])
        optimiser = torch.optim.Adam(net.parameters(), lr=self.learning_rate)
        for _ in range(self.steps):
            chosen = torch.from_numpy(rng.permutation(len(x))[: self.batch_size])
            loss = ball_loss(net(x[chosen]), y[chosen], net.squared_radius)
            gradient_step(optimiser, loss)
        self.net = net
        return self

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks, with the learned embedding and b after `fit`.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        descriptors: Float64Array = track_means(tracks)
        squared_radius = RELEASED_SQUARED_RADIUS
        if self.net is not None and tracks.n_tracks:
            with torch.no_grad():
                x = torch.from_numpy(descriptors.astype(np.float32))
                descriptors = self.net(x).double().numpy()
                squared_radius = float(self.net.squared_radius)
        # A squared distance of 4 b is a distance of 2 sqrt(b).
        threshold = 2 * float(np.sqrt(squared_radius))
        return HAC(
            "complete", "euclidean", threshold=threshold, n_clusters=self.n_clusters
        ).fit_predict(single_crop_tracks(descriptors))
