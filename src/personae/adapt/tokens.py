"""A transformer as the body of a branch: class and patch tokens, some patches hidden behind a mask token."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


@runtime_checkable
class TokenNetwork(Protocol):
    """What masked image modelling needs of an encoder's network; `personae.encode.architectures.vit` has it.

    The embedding is the class token of `tokens` times `proj`.
    """

    proj: Tensor
    """(width, dim)."""

    def patches(self, x: Tensor) -> Tensor:
        """Embed the patches: images -> (n, patches, width)."""
        ...

    def tokens(self, patches: Tensor) -> Tensor:
        """Run the network: (n, patches, width) -> (n, 1 + patches, width), the class token first."""
        ...


class TokenBody(nn.Module):
    """All of a transformer, and `scaling` after it, for `depth=full`.

    Patch tokens take the class token's way into the embedding space, so that one head serves both (paper,
    supplementary). The student's has a learnable mask token; nothing is hidden from the teacher.
    """

    def __init__(self, network: nn.Module, scaling: nn.Module, mask_token: bool) -> None:
        super().__init__()
        if not isinstance(network, TokenNetwork):
            raise TypeError(f"{type(network).__name__} has no patch tokens")
        self.network = network
        self.scaling = scaling
        self.mask_token = nn.Parameter(torch.zeros(network.proj.shape[0])) if mask_token else None

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, 3, S, S) to scaled embeddings (n, dim)."""
        output: Tensor = self.scaling(self.network(images))
        return output

    def tokens(self, images: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Map images to (n, 1 + patches, dim) tokens; the mask token stands where `hidden` (n, patches) is
        True."""
        patches = self.network.patches(images)
        if hidden is not None:
            assert self.mask_token is not None, "only the student's patches are hidden"
            patches = torch.where(hidden[..., None], self.mask_token.to(patches.dtype), patches)
        output: Tensor = self.scaling(self.network.tokens(patches) @ self.network.proj)
        return output
