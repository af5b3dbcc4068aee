"""Face and track quality by SER-FIQ: a good face keeps its embedding when units drop out (paper, Sec.
3.6)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from personae.adapt.head import ProjectionHead
from personae.core.arrays import BoolArray, Float32Array, Int32Array
from personae.core.memory import AT_ONCE

OUTLIER_FACTOR = 2.7
"""Tracks below mean - 2.7 MAD leave the iteration (supplementary, Eq. 1)."""


@torch.inference_mode()
def crop_quality(
    head: ProjectionHead, features: Tensor, passes: int = 50, dropout: float = 0.4, seed: int = 0
) -> Float32Array:
    """Score crops by q = 2 sigmoid(-mean_{i<j} ||x_i - x_j||) over `passes` stochastic passes; returns (n,)
    in 0..1.

    `features` is (n, dim), the head's input; x_i are the L2-normalised outputs with dropout before the
    head's last layer, which alone needs repeating. This is the raw form of Terhorst et al. 2020, which fits
    the published ranges; passes and the place of dropout are not stated in the paper.
    """
    generator = torch.Generator(device=features.device).manual_seed(seed)
    # One block from the start: small scores kept among large passes would tear the heap apart.
    scores, done = features.new_empty(len(features)), 0
    parts = (head.penultimate(part) for part in torch.split(features, AT_ONCE))
    for hidden in (few for part in parts for few in torch.split(part, 64)):
        mask = (
            torch.rand((passes, 1, hidden.shape[-1]), generator=generator, device=hidden.device)
            >= dropout
        )
        x = nn.functional.normalize(head.last(hidden * mask / (1.0 - dropout)), dim=-1).transpose(
            0, 1
        )
        distance = (2.0 - 2.0 * x @ x.transpose(1, 2)).clamp_min(0.0).sqrt()
        distance.diagonal(dim1=1, dim2=2).zero_()
        total = distance.sum(dim=(1, 2))
        scores[done : done + len(total)] = 2.0 * torch.sigmoid(-total / (passes * (passes - 1)))
        done += len(total)
    return scores.cpu().numpy().astype(np.float32)


def track_quality(crop_scores: Float32Array, track_of: Int32Array) -> Float32Array:
    """Average the crops' scores over each track; (T,)."""
    total = np.bincount(track_of, weights=crop_scores)
    mean: Float32Array = (total / np.bincount(track_of)).astype(np.float32)
    return mean


def good_tracks(quality: Float32Array, mad: Literal["median", "mean"] = "median") -> BoolArray:
    """Mark the tracks with quality >= mean - 2.7 MAD.

    MAD is ambiguous in the sources: the raw median absolute deviation (default) cuts 3.4 % of a Gaussian,
    the mean absolute deviation the 1.5 % the supplementary aims at.
    """
    deviation = np.abs(quality - (np.median(quality) if mad == "median" else quality.mean()))
    spread = np.median(deviation) if mad == "median" else deviation.mean()
    kept: BoolArray = quality >= quality.mean() - OUTLIER_FACTOR * spread
    return kept
