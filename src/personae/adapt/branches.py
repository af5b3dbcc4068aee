"""Depth of training: which part of the encoder is frozen, and which is in student and teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from personae.adapt.head import Branch, FixedNorm, ProjectionHead
from personae.adapt.masked_modelling import TokenBackbone, TokenNetwork
from personae.adapt.sources import CachedViews, LiveViews, ViewSource
from personae.core.arrays import UInt8Array
from personae.core.compute import supports_bfloat16
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.encode.architectures.backbone import Backbone
    from personae.encode.encoder import Encoder


class LastBlock(nn.Module):
    """The last layers of an encoder, from activations of its frozen trunk to embeddings."""

    def __init__(self, network: Backbone) -> None:
        super().__init__()
        self.layers = nn.ModuleList(network.tail_modules())
        # in a list, so that the trunk's weights are no parameters of this module
        self._network = [network]

    def forward(self, activations: Tensor) -> Tensor:
        """Map a batch of activations to (batch, dim) embeddings."""
        output: Tensor = self._network[0].tail(activations)
        return output


def resolve_depth(config: AdaptConfig, tracks: TrackSet, encoder: Encoder | None) -> AdaptConfig:
    """Return the settings with a definite depth: `auto` is `last` with images, else `head`."""
    if config.depth != "auto":
        return config
    has_images = tracks.crops.images is not None and encoder is not None
    return config.model_copy(update={"depth": "last" if has_images else "head"})


def make_branches(
    tracks: TrackSet, encoder: Encoder | None, config: AdaptConfig
) -> tuple[Branch, Branch]:
    """Make student and teacher, with copies of the trained part of the encoder.

    Each has a projection head of its own initialisation. At depth full the student of a transformer
    also learns by masked image modelling. At depth last it cannot: patches are masked before the
    first block, and the outputs of the frozen blocks are cached.

    Args:
        tracks: Tracks to adapt to.
        encoder: Network to adapt; None for tracks with embeddings alone, at depth head.
        config: Settings of the adaptation.

    Returns:
        Student and teacher, in evaluation mode, on the device of the encoder.

    Raises:
        SettingError: The depth needs images, and there is no encoder.
    """
    dim = encoder.dim if encoder is not None else tracks.require_embeddings().shape[1]
    generator_state = torch.get_rng_state()
    torch.manual_seed(config.seed)
    heads = [ProjectionHead(dim, config.head_hidden_dim) for _ in range(2)]
    torch.set_rng_state(generator_state)

    def make_backbone(is_student: bool) -> nn.Module:
        scaling = FixedNorm(config.embedding_norm)
        if config.depth == "head":
            return scaling
        if encoder is None:
            raise SettingError(
                f"depth={config.depth} needs face images, and these tracks have features only."
            )
        network = copy.deepcopy(encoder.module)
        if config.depth == "last":
            return nn.Sequential(LastBlock(network), scaling)
        if config.mask_sample_probability and isinstance(network, TokenNetwork):
            return TokenBackbone(network, scaling, has_mask_token=is_student)
        return nn.Sequential(network, scaling)

    student, teacher = Branch(make_backbone(True), heads[0]), Branch(make_backbone(False), heads[1])
    device = encoder.device if encoder is not None else "cpu"
    return student.to(device).eval(), teacher.to(device).eval()


def make_view_source(
    tracks: TrackSet, encoder: Encoder | None, config: AdaptConfig, progress: Callable[[int], None]
) -> ViewSource:
    """Make the source of views for the depth; cached views are drawn and encoded here.

    Args:
        tracks: Tracks to adapt to.
        encoder: Network to adapt; None for tracks with embeddings alone.
        config: Settings of the adaptation.
        progress: Called with the number of finished crops.
    """
    if tracks.crops.images is None or encoder is None:
        return CachedViews.from_embeddings(tracks.require_embeddings())
    if config.depth == "full":
        return LiveViews(tracks.crops.images, encoder.preprocess)

    # bfloat16 keeps every bit of what was computed in it
    precision = torch.bfloat16 if supports_bfloat16(encoder.device) else torch.float32

    @torch.inference_mode()
    def frozen_forward(images: UInt8Array) -> Tensor:
        inputs = encoder.preprocess(images)
        if config.depth == "head":
            return encoder.forward(inputs, half=True).to(precision).cpu()
        return encoder.forward_trunk(inputs, half=True).half().cpu()

    is_known = config.depth == "head" and tracks.embeddings is not None
    return CachedViews.from_crops(
        tracks.crops.images,
        tracks.crops.widths if config.resolution_augmentation else None,
        frozen_forward,
        torch.from_numpy(tracks.require_embeddings())[:, None] if is_known else None,
        config.global_views,
        config.local_views,
        config.seed,
        progress,
    )
