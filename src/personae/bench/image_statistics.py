"""How hard a data set's pictures are: lighting and blur of its tracks (FaceTrackClusterer, supplementary)."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Float64Array, UInt8Array
from personae.core.crops import template_square
from personae.datasets.labelled import LabelledTracks

LARGEST = 1
"""Singular values that count as blur. Not stated in the paper; with 1 faces come nearest to its 0.65 to 0.75,
and further ones lower the value by less and less."""


def lightness(crop: UInt8Array) -> float:
    """Give the mean lightness of an (S, S, 3) crop's face, 0..1: L of HLS, (max + min) / 2 of a pixel."""
    face = template_square(crop).astype(np.float64) / 255
    return float((face.max(axis=-1) + face.min(axis=-1)).mean() / 2)


def sharpness_by_svd(crop: UInt8Array) -> float:
    """Give 1 - beta, 0..1, of an (S, S, 3) crop's face in grey; higher is sharper.

    beta = sum_{i<=k} s_i / sum_i s_i over falling singular values grows with blur (Su, Lu, Tan, ACM MM 2011);
    the paper's value falls with blur, hence 1 - beta. k is `LARGEST`.
    """
    face = template_square(crop).astype(np.float64)
    values = np.linalg.svd(face @ np.array([0.299, 0.587, 0.114]), compute_uv=False)
    total = float(values.sum())
    return 1.0 - float(values[:LARGEST].sum()) / total if total > 0 else 0.0


def picture_statistics(data: LabelledTracks) -> dict[str, Float64Array]:
    """Average lightness and sharpness over each track's crops; two (T,) arrays, none without pictures."""
    tracks = data.tracks
    if tracks.crops.images is None or not tracks.n_crops:
        return {}
    rows = [tracks.crops.images[row] for row in range(tracks.n_crops)]
    count = np.bincount(tracks.track_of, minlength=tracks.n_tracks)
    return {
        name: np.bincount(tracks.track_of, [measure(crop) for crop in rows], tracks.n_tracks)
        / count
        for name, measure in (("lightness", lightness), ("sharpness", sharpness_by_svd))
    }
