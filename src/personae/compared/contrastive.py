"""The contrastive loss of the siamese systems."""

from __future__ import annotations

import torch


def contrastive_loss(
    left: torch.Tensor, right: torch.Tensor, same: torch.Tensor, margin: float = 1.0
) -> torch.Tensor:
    """Sum y D^2 + (1 - y) max(0, margin - D)^2 over pairs, D the Euclidean distance (Hadsell et al. 2006).

    `left`, `right` (b, e), `same` (b,) bool. As in SSiam's program: summed over the batch, no factor 1/2.
    """
    squared = (left - right).square().sum(dim=1)
    distance = torch.linalg.vector_norm(left - right, dim=1)
    apart = (margin - distance).clamp_min(0).square()
    return torch.where(same, squared, apart).sum()
