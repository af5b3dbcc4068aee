"""Base class of the face-ID networks: a trunk and a tail, which can be trained separately."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """A network from preprocessed images (n, 3, S, S) to embeddings (n, dim), not L2-normalised.

    The split into trunk and tail lets adaptation cache the trunk's activations of its views and
    train the tail alone.
    """

    dim: int
    """Length of an embedding."""

    ignored_prefixes: tuple[str, ...] = ()
    """Prefixes of tensors in published checkpoints that are not part of the network."""

    @abstractmethod
    def trunk(self, x: Tensor) -> Tensor:
        """Run everything before the last stage: (n, 3, S, S) -> activations (n, ...)."""

    @abstractmethod
    def tail(self, x: Tensor) -> Tensor:
        """Run the last stage and the embedding: activations (n, ...) -> (n, dim)."""

    @abstractmethod
    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that only `tail` runs; `depth="last"` trains them."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, 3, S, S) images to (n, dim) embeddings."""
        return self.tail(self.trunk(x))
