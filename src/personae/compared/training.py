"""Gradient step and contrastive loss of the trained systems."""

from __future__ import annotations

import torch


def gradient_step(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Update the optimiser's parameters by one step on a scalar loss."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def contrastive_loss(
    left: torch.Tensor, right: torch.Tensor, same: torch.Tensor, margin: float
) -> torch.Tensor:
    """Compute sum of y D^2 + (1 - y) max(0, margin - D)^2 over pairs, D the Euclidean distance.

    As in SSiam's program: summed over the batch, no factor 1/2.

    Args:
        left: (b, e) embeddings.
        right: (b, e) embeddings.
        same: (b,) bool, y.
        margin: Distance that different people are pushed apart to.

    Returns:
        Scalar loss.

    Source:
        Hadsell, Chopra, LeCun, CVPR 2006.
    """
    squared = (left - right).square().sum(dim=1)
    distance = torch.linalg.vector_norm(left - right, dim=1)
    hinge = (margin - distance).clamp_min(0).square()
    return torch.where(same, squared, hinge).sum()
