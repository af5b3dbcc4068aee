"""Face and track quality by SER-FIQ: a good face keeps its embedding under dropout."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from personae.adapt.head import ProjectionHead
from personae.core.arrays import BoolArray, Float32Array, Int32Array
from personae.core.memory import CHUNK_SIZE

MAX_DEVIATION_IN_MADS = 2.7
"""Absolute deviations below the mean quality beyond which a track is an outlier (suppl. Eq. 1)."""

N_PASSES = 50
"""Stochastic passes of a crop; not stated in the paper."""

DROPOUT_PROBABILITY = 0.4
"""Probability that a unit is dropped; not stated in the paper."""

BATCH_SIZE = 64
"""Crops whose passes are compared together."""


@torch.inference_mode()
def crop_quality(
    head: ProjectionHead,
    features: Tensor,
    passes: int = N_PASSES,
    dropout: float = DROPOUT_PROBABILITY,
    seed: int = 0,
) -> Float32Array:
    """Compute the SER-FIQ score q = 2 sigmoid(-mean_{i<j} ||x_i - x_j||) of crops.

    x_i are the L2-normalised outputs of the passes, with dropout before the last layer of the head,
    which alone is repeated. This raw form fits the published ranges. The place of dropout is not
    stated in the paper.

    Args:
        head: Projection head of the student.
        features: (n, dim) inputs of the head.
        passes: Stochastic passes of each crop.
        dropout: Probability that a unit is dropped.
        seed: Seed of the dropout masks.

    Returns:
        (n,) in 0..1, higher is better.

    Source:
        "VideoClusterNet", Sec. 3.6; Terhorst et al., "SER-FIQ", CVPR 2020.
    """
    generator = torch.Generator(device=features.device).manual_seed(seed)
    # Allocated at once: small scores kept between large passes would fragment the heap.
    scores, done = features.new_empty(len(features)), 0
    chunks = (head.penultimate(chunk) for chunk in torch.split(features, CHUNK_SIZE))
    for hidden in (batch for chunk in chunks for batch in torch.split(chunk, BATCH_SIZE)):
        shape = (passes, 1, hidden.shape[-1])
        mask = torch.rand(shape, generator=generator, device=hidden.device) >= dropout
        outputs = head.last(hidden * mask / (1.0 - dropout))
        x = nn.functional.normalize(outputs, dim=-1).transpose(0, 1)
        distance = (2.0 - 2.0 * x @ x.transpose(1, 2)).clamp_min(0.0).sqrt()
        distance.diagonal(dim1=1, dim2=2).zero_()
        total = distance.sum(dim=(1, 2))
        scores[done : done + len(total)] = 2.0 * torch.sigmoid(-total / (passes * (passes - 1)))
        done += len(total)
    return scores.cpu().numpy().astype(np.float32)


def average_crop_quality(crop_scores: Float32Array, track_of: Int32Array) -> Float32Array:
    """Average the scores of the crops of each track.

    Args:
        crop_scores: (n,) scores.
        track_of: (n,) track 0..T-1 of each crop.

    Returns:
        (T,) in 0..1, higher is better.
    """
    total = np.bincount(track_of, weights=crop_scores)
    mean: Float32Array = (total / np.bincount(track_of)).astype(np.float32)
    return mean


def quality_inliers(quality: Float32Array, mad: Literal["median", "mean"] = "median") -> BoolArray:
    """Mark the tracks of quality >= mean - 2.7 MAD.

    The sources leave the deviation open: the raw median absolute deviation cuts 3.4 % of a
    Gaussian, the mean absolute deviation the 1.5 % that the supplementary material aims at.

    Args:
        quality: (T,) track quality.
        mad: Median absolute deviation from the median, or mean absolute deviation from the mean.

    Returns:
        (T,) True where the track stays in matching and clustering.

    Source:
        "VideoClusterNet", supplementary material, Eq. 1.
    """
    deviation = np.abs(quality - (np.median(quality) if mad == "median" else quality.mean()))
    spread = np.median(deviation) if mad == "median" else deviation.mean()
    inliers: BoolArray = quality >= quality.mean() - MAX_DEVIATION_IN_MADS * spread
    return inliers
