"""What every face-ID network offers: a trunk, a tail, and the modules that `depth="last"` trains."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """(n, 3, S, S) normalised images -> (n, dim) embeddings, not L2-normalised.

    The seam between trunk and tail lets adaptation cache the trunk's activations of its views and train the
    tail alone.
    """

    dim: int
    """Length of an embedding."""

    unused: tuple[str, ...] = ()
    """How the names of those tensors begin that published checkpoints hold beside the network's own."""

    @abstractmethod
    def trunk(self, x: Tensor) -> Tensor:
        """Everything before the last stage: (n, 3, S, S) -> activations (n, ...)."""

    @abstractmethod
    def tail(self, x: Tensor) -> Tensor:
        """The last stage and the embedding: activations (n, ...) -> (n, dim)."""

    @abstractmethod
    def tail_modules(self) -> list[nn.Module]:
        """List the modules that `tail` runs and `trunk` does not: what `depth="last"` trains."""

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.trunk(x))
