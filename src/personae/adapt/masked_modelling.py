"""Masked image modelling for transformers: block masks, and a backbone that takes them."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from personae.core.arrays import BoolArray
from personae.core.config import AdaptConfig

MAX_PLACEMENT_ATTEMPTS = 10
"""Blocks in a row that may fail to fit before a mask is left as it is (BEiT, iBOT: 10)."""

ASPECT_RATIO_RANGE = (0.3, 1 / 0.3)
"""Range of a block's height divided by its width (BEiT, iBOT)."""


@runtime_checkable
class TokenNetwork(Protocol):
    """A transformer that gives access to its tokens, such as `encode.architectures.vit`'s.

    Its embedding is the class token of `forward_tokens` times `proj`.
    """

    proj: Tensor
    """(width, dim)."""

    def embed_patches(self, x: Tensor) -> Tensor:
        """Embed the patches of (n, 3, S, S) images as (n, patches, width)."""
        ...

    def forward_tokens(self, patches: Tensor) -> Tensor:
        """Map (n, patches, width) to (n, 1 + patches, width) tokens, the class token first."""
        ...


class TokenBackbone(nn.Module):
    """A whole transformer, followed by the scaling of its embeddings, for depth full.

    Patch tokens are projected like the class token, so that one head serves both.

    Source:
        "VideoClusterNet", supplementary material.
    """

    def __init__(self, network: nn.Module, scaling: nn.Module, has_mask_token: bool) -> None:
        """Take the transformer.

        Args:
            network: A `TokenNetwork`.
            scaling: Applied to (..., dim) embeddings.
            has_mask_token: Learn a mask token; only the student's patches are masked.

        Raises:
            TypeError: The network has no patch tokens.
        """
        super().__init__()
        if not isinstance(network, TokenNetwork):
            raise TypeError(f"{type(network).__name__} has no patch tokens")
        self.network = network
        self.scaling = scaling
        width = network.proj.shape[0]
        self.mask_token = nn.Parameter(torch.zeros(width)) if has_mask_token else None

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, S, S) images to (n, dim) scaled embeddings."""
        output: Tensor = self.scaling(self.network(images))
        return output

    def forward_tokens(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (n, 3, S, S) images to (n, 1 + patches, dim) tokens, the class token first.

        Args:
            images: The images.
            mask: (n, patches) booleans; the mask token replaces the patches where it is True.
        """
        patches = self.network.embed_patches(images)
        if mask is not None:
            assert self.mask_token is not None, "only the student's patches are masked"
            patches = torch.where(mask[..., None], self.mask_token.to(patches.dtype), patches)
        output: Tensor = self.scaling(self.network.forward_tokens(patches) @ self.network.proj)
        return output


def draw_masks(n: int, n_patches: int, config: AdaptConfig, rng: np.random.Generator) -> BoolArray:
    """Draw block masks for the patches of some views.

    With probability `mask_sample_probability` a view is masked, at the ratio `mask_ratio` +-
    `mask_ratio_variation`.

    Args:
        n: Number of views.
        n_patches: Patches of a view; they form a square grid.
        config: Settings of the masks.
        rng: Source of randomness.

    Returns:
        (n, n_patches), True at the masked patches.

    Raises:
        ValueError: The patches form no square grid.

    Source:
        "VideoClusterNet", Sec. 3.3, masks random patches; ratio and shape are not stated in the
        paper and follow iBOT (Zhou et al., ICLR 2022).
    """
    side = math.isqrt(n_patches)
    if side * side != n_patches:
        raise ValueError(f"{n_patches} patches form no square grid")
    masks = np.zeros((n, n_patches), dtype=np.bool_)
    for mask in masks:
        if rng.random() < config.mask_sample_probability:
            ratio = config.mask_ratio + config.mask_ratio_variation * rng.uniform(-1.0, 1.0)
            mask[:] = draw_block_mask(side, side, ratio, rng).ravel()
    return masks


def draw_block_mask(rows: int, columns: int, ratio: float, rng: np.random.Generator) -> BoolArray:
    """Mask part of a grid of patches in rectangular blocks of random size and shape.

    Blocks may overlap. They are added until the ratio is reached or no block fits the rest.

    Args:
        rows: Rows of the grid.
        columns: Columns of the grid.
        ratio: Largest share of masked patches, in 0..1.
        rng: Source of randomness.

    Returns:
        (rows, columns), True at the masked patches.

    Source:
        BEiT (Bao et al., ICLR 2022), as iBOT's official code draws its blocks.
    """
    mask = np.zeros((rows, columns), dtype=np.bool_)
    min_area = (min(rows, columns) // 3) ** 2
    remaining = int(ratio * rows * columns)
    attempts = 0
    while remaining > 0 and attempts < MAX_PLACEMENT_ATTEMPTS:
        attempts += 1
        area = rng.uniform(min(min_area, remaining), max(min_area, remaining))
        aspect = math.exp(rng.uniform(*np.log(ASPECT_RATIO_RANGE)))
        height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if not (0 < height < rows and 0 < width < columns):
            continue
        top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
        block = mask[top : top + height, left : left + width]
        added = int((~block).sum())
        if 0 < added <= remaining:
            block[:] = True
            remaining -= added
            attempts = 0
    return mask
