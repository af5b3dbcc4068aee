"""Student and teacher: two branches of a backbone and a projection head."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """Three-layer MLP with GELU, as wide at its output as the encoder's embedding.

    Outputs are not normalised, neither in training nor in clustering. The hidden width is not
    stated in the paper.

    Source:
        Walawalkar and Garrido, "VideoClusterNet", ECCV 2024, Sec. 3.3.
    """

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.first = nn.Linear(dim, hidden_dim)
        self.second = nn.Linear(hidden_dim, hidden_dim)
        self.last = nn.Linear(hidden_dim, dim)

    def penultimate(self, x: Tensor) -> Tensor:
        """Map (..., dim) to the (..., hidden_dim) activations before the last layer."""
        act = nn.functional.gelu
        return act(self.second(act(self.first(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dim) encoder embeddings to (..., dim) unnormalised embeddings."""
        output: Tensor = self.last(self.penultimate(x))
        return output


class FixedNorm(nn.Module):
    """Scale embeddings to one norm, so that the temperatures fit every encoder.

    The norm is not stated in the paper, and the temperatures act on what the head makes of it. At
    norm 1 the teacher never sharpens within the paper's epochs; at an encoder's own norm of 50 it
    is too sharp before any tracks are matched. At 4 there are too few clusters at first and about
    the right number after some iterations, as in supplementary Table 2 (seen on a labelled clip).
    """

    def __init__(self, norm: float) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dim) embeddings to (..., dim) embeddings of the norm."""
        return nn.functional.normalize(x, dim=-1) * self.norm


class Branch(nn.Module):
    """Student or teacher: the trained part of the encoder, then the projection head."""

    def __init__(self, backbone: nn.Module, head: ProjectionHead) -> None:
        """Join backbone and head.

        Args:
            backbone: Trained part of the encoder, ending in `FixedNorm`; at depth head that alone.
            head: Projection head of this branch.
        """
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Map a batch of views to (batch, dim) embeddings."""
        output: Tensor = self.head(self.backbone(x))
        return output


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move the teacher to the exponential moving average of the student, in place.

    t <- m t + (1 - m) s for weights; buffers are copied. A parameter that only the student has,
    the mask token, is left out.

    Args:
        teacher: Follows the student.
        student: Has the teacher's parameters and buffers by the same names.
        momentum: m, in 0..1. Its value is not stated in the paper.

    Source:
        "VideoClusterNet", Sec. 3.3: once an epoch.
    """
    student_parameters = dict(student.named_parameters())
    for name, parameter in teacher.named_parameters():
        parameter.mul_(momentum).add_(student_parameters[name].detach(), alpha=1.0 - momentum)
    for old, new in zip(teacher.buffers(), student.buffers(), strict=True):
        old.copy_(new)
