"""One step of gradient descent, as every trained system takes it."""

from __future__ import annotations

import torch


def descend(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Move the optimiser's parameters one step down the gradient of a scalar loss."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
