"""A vision transformer with the tensor names of CLIP's image tower, as in FaRL's checkpoints.

Masked image modelling can replace patch embeddings before the blocks and read all tokens after
them.

Source:
    Radford et al.: "Learning Transferable Visual Models From Natural Language Supervision" (CLIP),
    ICML 2021; Zheng et al.: "General Facial Representation Learning in a Visual-Linguistic Manner"
    (FaRL), CVPR 2022.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone


class QuickGELU(nn.Module):
    """CLIP's approximation of the GELU: x sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to every entry."""
        return x * torch.sigmoid(1.702 * x)


class ResidualAttentionBlock(nn.Module):
    """Self-attention, then a perceptron of four times the width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            OrderedDict(
                c_fc=nn.Linear(width, 4 * width),
                gelu=QuickGELU(),
                c_proj=nn.Linear(4 * width, width),
            )
        )
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, tokens, width) to the same shape."""
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        x = x + self.mlp(self.ln_2(x))
        return x


class Transformer(nn.Module):
    """A stack of residual attention blocks."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(
            *(ResidualAttentionBlock(width, heads) for _ in range(layers))
        )


class VisionTransformer(Backbone):
    """CLIP's image tower: (n, 3, size, size) -> (n, dim), not L2-normalised.

    The embedding is the class token, normalised and projected.
    """

    # FaRL's own masked image modelling
    ignored_prefixes = ("lm_transformer.", "ln_lm.", "lm_head.", "mask_token")

    def __init__(
        self,
        size: int = 224,
        patch: int = 16,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        dim: int = 512,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(
            width**-0.5 * torch.randn((size // patch) ** 2 + 1, width)
        )
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(width**-0.5 * torch.randn(width, dim))

    def embed_patches(self, x: Tensor) -> Tensor:
        """Embed the patches, without position: (n, 3, size, size) -> (n, patches, width)."""
        y: Tensor = self.conv1(x)
        return y.flatten(2).transpose(1, 2)

    def add_class_token(self, patches: Tensor) -> Tensor:
        """Prepend the class token and add positions: -> (n, 1 + patches, width)."""
        first = self.class_embedding.expand(len(patches), 1, -1)
        y: Tensor = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        return y

    def forward_tokens(self, patches: Tensor) -> Tensor:
        """Run all blocks: (n, patches, width) -> (n, 1 + patches, width), class token first."""
        y: Tensor = self.ln_post(self.transformer.resblocks(self.add_class_token(patches)))
        return y

    def trunk(self, x: Tensor) -> Tensor:
        """Run every block but the last: (n, 3, size, size) -> (n, 1 + patches, width)."""
        y: Tensor = self.transformer.resblocks[:-1](self.add_class_token(self.embed_patches(x)))
        return y

    def tail(self, x: Tensor) -> Tensor:
        """Run the last block and project its class token: -> (n, dim)."""
        y: Tensor = self.ln_post(self.transformer.resblocks[-1](x)[:, 0]) @ self.proj
        return y

    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that only `tail` runs."""
        return [self.transformer.resblocks[-1], self.ln_post]
