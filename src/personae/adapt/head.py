"""The projection head and the branch it ends: student and teacher are two branches of the same shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """Three-layer MLP with GELU whose output is as wide as the encoder's embedding (paper, Sec. 3.3).

    The hidden width is not stated in the paper. Outputs are not normalised, in training and in clustering
    alike.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(dim, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, dim)

    def penultimate(self, x: Tensor) -> Tensor:
        """Map (..., dim) to the (..., hidden) activations before the last layer, where dropout measures
        quality."""
        act = nn.functional.gelu
        return act(self.second(act(self.first(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dim) encoder embeddings to (..., dim) unnormalised embeddings."""
        output: Tensor = self.last(self.penultimate(x))
        return output


class FixedLength(nn.Module):
    """Scales embeddings to one length, so that the temperatures mean the same for every encoder.

    The length is not stated in the paper, and the temperatures act on what the head makes of it: at length 1
    training never sharpens in the paper's epochs, at an encoder's own 50 it is over-sharp before tracks are
    matched. At 4 the clusters are too few first and recover over the iterations, as in supplementary Table 2
    (seen on a labelled clip).
    """

    def __init__(self, length: float) -> None:
        super().__init__()
        self.length = length

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dim) to (..., dim)."""
        return nn.functional.normalize(x, dim=-1) * self.length


class Branch(nn.Module):
    """Student or teacher: what trains of the encoder (`body`; at `depth=head` nothing but a scaling), then
    the head."""

    def __init__(self, body: nn.Module, head: ProjectionHead) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Map a batch of views to (batch, dim) embeddings."""
        output: Tensor = self.head(self.body(x))
        return output


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move every teacher weight towards the student's: t <- m t + (1 - m) s (paper: once an epoch).

    What only the student has, a mask token, is left out.
    """
    leaders = dict(student.named_parameters())
    for name, follower in teacher.named_parameters():
        follower.mul_(momentum).add_(leaders[name].detach(), alpha=1.0 - momentum)
    for old, new in zip(teacher.buffers(), student.buffers(), strict=True):
        old.copy_(new)
