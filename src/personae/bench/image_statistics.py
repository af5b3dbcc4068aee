"""Lightness and sharpness of a data set's tracks, as in VideoClusterNet's supplementary."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float64Array, UInt8Array
from personae.core.crops import template_square
from personae.datasets.labelled import LabelledTracks

N_BLUR_SINGULAR_VALUES = 1
"""Number k of singular values that count as blur.

Not stated in the paper. With 1, values come closest to its 0.65 to 0.75; larger k lower them
further."""


def lightness(crop: UInt8Array) -> float:
    """Return the mean lightness of a crop's face: L of HLS, (max + min) / 2 of each pixel.

    Args:
        crop: (S, S, 3) RGB.

    Returns:
        A value in 0..1.
    """
    face = template_square(crop).astype(np.float64) / 255
    return float((face.max(axis=-1) + face.min(axis=-1)).mean() / 2)


def svd_sharpness(crop: UInt8Array) -> float:
    """Return 1 - beta of a crop's grey face; higher is sharper.

    beta = sum_{i<=k} s_i / sum_i s_i over falling singular values grows with blur. The values of
    VideoClusterNet fall with blur, hence 1 - beta.

    Args:
        crop: (S, S, 3) RGB.

    Returns:
        A value in 0..1.

    Source: Su, Lu and Tan, ACM MM 2011.
    """
    face = template_square(crop).astype(np.float64)
    values = np.linalg.svd(face @ np.array([0.299, 0.587, 0.114]), compute_uv=False)
    total = float(values.sum())
    return 1.0 - float(values[:N_BLUR_SINGULAR_VALUES].sum()) / total if total > 0 else 0.0


def compute_image_statistics(data: LabelledTracks) -> dict[str, Float64Array]:
    """Average lightness and sharpness over each track's crops.

    Returns:
        Two (T,) arrays by name; empty for a data set without images.
    """
    tracks = data.tracks
    if tracks.crops.images is None or not tracks.n_crops:
        return {}
    crops = [tracks.crops.images[row] for row in range(tracks.n_crops)]
    count = np.bincount(tracks.track_of, minlength=tracks.n_tracks)
    return {
        name: np.bincount(tracks.track_of, [measure(crop) for crop in crops], tracks.n_tracks)
        / count
        for name, measure in (("lightness", lightness), ("sharpness", svd_sharpness))
    }
