"""MvCorr: embeddings adapted to hard examples by multiview correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch

from personae.compared.features import scale_to_mean_norm
from personae.compared.protocol import WardSystem
from personae.compared.siamese import SiameseNet
from personae.compared.training import gradient_step
from personae.core.arrays import Float64Array, Int64Array
from personae.core.grouping import unit_rows
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class MvCorr(WardSystem):
    """Multiview correlation of hard examples, then Ward linkage; our reconstruction of MvCorr.

    Known: tracks whose pairs are weakly labelled as one or two people; hard examples among them,
    mined by nearest-neighbour search in the space of the embeddings; an adaptation of the
    embeddings to these that maximises multiview correlation. From the authors' earlier work on this
    loss and its released program: the covariances, their ratio, and a shrinkage of 0.2 (see
    `multiview_correlation`). The paper trains once, on 169,000 tracks of 240 films, which we lack:
    here the film itself gives the tracks, and the weak labels are that a track shows one person and
    cannot-linked tracks two. Reconstructed: the rule of mining, batches, network, optimiser, and
    the clustering, which is SSiam's. A single film teaches only to tell its tracks apart, and long
    training separates tracks of one person; so the schedule is short, as chosen on labelled clips.
    Without a track of two crops nothing can be learned, and the base embeddings are clustered.

    Args:
        n_clusters: Number of clusters at which the tree is cut; needed unless `threshold` is given.
        seed: Seed of weights and batches.
        threshold: Ward height at which the tree is cut instead.
        n_views: Crops of a track that are its views; not stated in the paper's abstract.
        embedding_dim: Width of the learned embedding; not stated in the paper's abstract.
        shrinkage: How far the within-view covariance is drawn to a multiple of the identity.
        batch_size: Tracks a step, half of them hard negatives; not stated in the paper's abstract.
        steps: Gradient steps; not stated in the paper's abstract.
        learning_rate: Of SGD with momentum 0.9; not stated in the paper's abstract.

    Source:
        Somandepalli, Hebbar, Narayanan, "Robust Character Labeling in Movie Videos: Data Resources
        and Self-supervised Feature Adaptation", IEEE Transactions on Multimedia 24, 2021, arXiv
        2008.11289.
    """

    name: ClassVar[str] = "MvCorr"

    n_views: int = 3
    embedding_dim: int = 256
    shrinkage: float = 0.2
    batch_size: int = 128
    steps: int = 200
    learning_rate: float = 1e-2

    def embed_crops(self, tracks: TrackSet) -> Float64Array:
        """Train on the tracks and return the learned (n, e) embeddings of their crops."""
        base = scale_to_mean_norm(tracks.require_embeddings())
        anchors = np.flatnonzero(np.bincount(tracks.track_of)[tracks.track_of] > 1)
        if not len(anchors):
            return base
        examples = mine_hard_examples(tracks, self.n_views)
        rng = np.random.default_rng(self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = SiameseNet(base.shape[1], output_dim=self.embedding_dim)
        x = torch.from_numpy(base.astype(np.float32))
        optimiser = torch.optim.SGD(net.parameters(), lr=self.learning_rate, momentum=0.9)
        for _ in range(self.steps):
            drawn = anchors[rng.integers(0, len(anchors), self.batch_size // 2)]
            negatives = examples.negative[drawn]
            rows = np.concatenate([drawn, negatives[negatives >= 0]])
            views = torch.from_numpy(examples.views[rows].T)
            correlation = multiview_correlation(net(x[views.ravel()]), len(views), self.shrinkage)
            gradient_step(optimiser, -correlation)
        with torch.no_grad():
            learned: Float64Array = net(x).double().numpy()
        return learned


class HardExamples(NamedTuple):
    """Hard examples of each of n crops."""

    views: Int64Array
    """(n, M) the crop, then those of its track that look least like it, least first; they are
    repeated if the track has too few."""
    negative: Int64Array
    """(n,) the crop of a cannot-linked track, of two crops or more, that looks most like it; -1
    where there is none."""


def mine_hard_examples(tracks: TrackSet, n_views: int) -> HardExamples:
    """Find the hard positives and the hardest negative of every crop, by cosine similarity.

    Args:
        tracks: Tracks of n crops.
        n_views: M, the crop itself included.
    """
    x = unit_rows(tracks.require_embeddings())
    members = tracks.members()
    views = np.empty((tracks.n_crops, n_views), dtype=np.int64)
    negative = np.full(tracks.n_crops, -1, dtype=np.int64)
    for crops, cannot in zip(members, tracks.cannot_link_matrix(), strict=True):
        similarity = x[crops] @ x[crops].T
        # The crop comes first; then the least alike.
        np.fill_diagonal(similarity, -np.inf)
        ranked = crops[np.argsort(similarity, axis=1, kind="stable")]
        views[crops] = ranked[:, np.arange(n_views) % len(crops)]
        others = [members[other] for other in np.flatnonzero(cannot) if len(members[other]) > 1]
        if others:
            candidates = np.concatenate(others)
            negative[crops] = candidates[(x[crops] @ x[candidates].T).argmax(axis=1)]
    return HardExamples(views, negative)


def multiview_correlation(z: torch.Tensor, n_views: int, shrinkage: float) -> torch.Tensor:
    """Compute the multiview correlation tr(R_w^-1 R_b) / d, the mean generalised eigenvalue.

    R_w is the sum over views of the covariance of their rows, R_b the sum over pairs of views of
    their cross-covariances, divided by the number of views less 1. It is 1 if all views are the
    same, but for the shrinkage, and 0 if they are uncorrelated. The authors' program finds the
    eigenvectors with the shrunk R_w and takes the ratios with R_w itself; here R_w is shrunk in
    both places.

    Args:
        z: (n_views * b, d) embeddings, the b rows of one view after those of another.
        n_views: Number of views, at least 2.
        shrinkage: Share of R_w that is replaced by its mean diagonal entry times the identity.

    Returns:
        Scalar; larger is more correlated.

    Source:
        Somandepalli, Kumar, Travadi, Narayanan, "Multimodal Representation Learning using Deep
        Multiset Canonical Correlation", arXiv 1904.01775, and its released program.
    """
    views = z.reshape(n_views, -1, z.shape[1])
    n_rows, dim = views.shape[1:]
    centred = views - views.mean(dim=1, keepdim=True)
    within = torch.einsum("vnd,vne->de", centred, centred) / (n_rows - 1)
    total = centred.sum(dim=0)
    between = (total.T @ total / (n_rows - 1) - within) / (n_views - 1)
    mean_variance = within.diagonal().mean()
    identity = torch.eye(dim, dtype=z.dtype)
    shrunk = (1 - shrinkage) * within + shrinkage * mean_variance * identity
    correlation: torch.Tensor = torch.linalg.solve(shrunk, between).diagonal().sum() / dim
    return correlation
