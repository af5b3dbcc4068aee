"""How deep to train: which part of the encoder is frozen, which is copied into student and teacher."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from personae.adapt.head import Branch, FixedLength, ProjectionHead
from personae.adapt.sources import CachedViews, LiveViews, ViewSource
from personae.adapt.tokens import TokenBody, TokenNetwork
from personae.core.compute import native_bfloat16
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.encode.architectures.backbone import Backbone
    from personae.encode.encoder import Encoder


class Tail(nn.Module):
    """The encoder's last block, from cached trunk activations to embeddings; the trunk itself is left out of
    training."""

    def __init__(self, network: Backbone) -> None:
        super().__init__()
        self.layers = nn.ModuleList(network.tail_modules())
        self._network = [
            network
        ]  # in a list, so that the trunk's weights are no parameters of this module

    def forward(self, activations: Tensor) -> Tensor:
        output: Tensor = self._network[0].tail(activations)
        return output


def make_branches(
    tracks: TrackSet, encoder: Encoder | None, config: AdaptConfig
) -> tuple[Branch, Branch]:
    """Make student and teacher: copies of the encoder's trained part, each with a head of its own
    initialisation.

    At `depth=full` a transformer's student learns by masked image modelling too. At `depth=last` it cannot:
    the patches are hidden before the first block, and what the frozen blocks make of whole views is cached.
    """
    dim = encoder.dim if encoder is not None else tracks.require_embeddings().shape[1]
    generator_state = torch.get_rng_state()
    torch.manual_seed(config.seed)
    heads = [ProjectionHead(dim, config.head_width) for _ in range(2)]
    torch.set_rng_state(generator_state)

    def body(is_student: bool) -> nn.Module:
        scaling = FixedLength(config.embedding_norm)
        if config.depth == "head":
            return scaling
        if encoder is None:
            raise SettingError(
                f"depth={config.depth} needs face pictures, and these tracks have features only."
            )
        network = copy.deepcopy(encoder.module)
        if config.depth == "full" and config.masked_share and isinstance(network, TokenNetwork):
            return TokenBody(network, scaling, mask_token=is_student)
        return nn.Sequential(network if config.depth == "full" else Tail(network), scaling)

    student, teacher = Branch(body(True), heads[0]), Branch(body(False), heads[1])
    device = encoder.device if encoder is not None else "cpu"
    return student.to(device).eval(), teacher.to(device).eval()


def make_views(
    tracks: TrackSet, encoder: Encoder | None, config: AdaptConfig, progress: Callable[[int], None]
) -> ViewSource:
    """Choose the source of views that fits the depth; cached ones are drawn and encoded here, the costly
    part on a CPU."""
    if tracks.crops.images is None or encoder is None:
        return CachedViews.of_features(tracks.require_embeddings())
    if config.depth == "full":
        return LiveViews(tracks.crops.images, encoder.prepare)

    # Nothing is lost: what was computed in bfloat16 is such a number already.
    precision = torch.bfloat16 if native_bfloat16(encoder.device) else torch.float32

    @torch.inference_mode()
    def frozen(pictures: np.ndarray) -> Tensor:
        images = encoder.prepare(pictures)
        if config.depth == "head":
            return encoder.encode(images, half=True).to(precision).cpu()
        return encoder.activations(images, half=True).half().cpu()

    known = config.depth == "head" and tracks.embeddings is not None
    clean = torch.from_numpy(tracks.require_embeddings())[:, None] if known else None
    return CachedViews.draw(
        tracks.crops.images,
        tracks.crops.widths if config.match_detail else None,
        frozen,
        clean,
        config.global_views,
        config.local_views,
        config.seed,
        progress,
    )
