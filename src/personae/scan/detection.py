"""One detected face, and the choice of the detections of a track that become crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float16Array, Float32Array, Float64Array


@dataclass(slots=True)
class Detection:
    """One detected face of one frame, with its aligned crop while that may still be sampled."""

    frame: int
    pts: int
    time_s: float
    box: Float32Array
    """(4,) x, y, w, h in pixels of the film."""
    score: float
    """Detector confidence in 0..1."""
    landmarks: Float32Array
    """(5, 2) x, y in pixels of the film."""
    frontality: float
    sharpness: float
    appearance: Float16Array | None = None
    """Appearance descriptor, see `tracklets.appearance_descriptor`; None once no longer needed."""
    crop_jpeg: bytes | None = None
    """The aligned crop; None once it cannot be sampled any more."""
    thumbnail: bytes | None = None
    """RGB bytes of the frame at `core.crops.THUMBNAIL_SHAPE`; discarded with the crop."""
    clothes: bytes | None = None
    """Packed colour histogram, see `clothes.describe_clothes`; None: none visible, or discarded."""

    def discard_crop(self) -> None:
        """Discard the crop and what belongs to it: the detection will not be sampled."""
        self.crop_jpeg = self.thumbnail = self.clothes = None

    @property
    def width(self) -> float:
        """Width of the box in pixels of the film."""
        return float(self.box[2])


def sample_crops(detections: Sequence[Detection], interval: int, min_crops: int) -> list[int]:
    """Select the detections of a track whose crops are kept.

    The sampling points are f_1, f_1 + interval, f_1 + 2 interval, ... with f_1 the track's first
    frame; the best detection near each point is taken. Where that gives fewer than `min_crops`, the
    detections are divided into `min_crops` groups of equal size (or as many as there are
    detections), and the best of each group is taken. Detections without a crop are skipped.

    Args:
        detections: One track's detections, ordered by frame.
        interval: Frames between two sampling points.
        min_crops: Crops to reach where the track is short.

    Returns:
        Indices into `detections`, ascending.

    Source:
        VideoClusterNet, section 3.2: one crop every 12 frames. Which of the nearby detections is
        taken, and the denser sampling of short tracks, are not stated in the paper.
    """
    usable = [i for i, one in enumerate(detections) if one.crop_jpeg is not None]
    if not usable:
        return []
    frames = np.array([detections[i].frame for i in usable])
    group = (frames - detections[0].frame + interval // 2) // interval
    n_wanted = min(min_crops, len(usable))
    if len(np.unique(group)) < n_wanted:
        group = np.arange(len(usable)) * n_wanted // len(usable)
    scores = _crop_scores([detections[i] for i in usable])
    selected = []
    for g in np.unique(group):
        members = np.flatnonzero(group == g)
        selected.append(usable[int(members[np.argmax(scores[members])])])
    return selected


def _crop_scores(detections: Sequence[Detection]) -> Float64Array:
    """Return how good each crop of a track is: confident, frontal, sharp for its track."""
    score = np.array([one.score for one in detections])
    frontality = np.array([one.frontality for one in detections])
    sharpness = np.array([one.sharpness for one in detections])
    return np.asarray(
        score * (1 + frontality) * sharpness / (sharpness + np.median(sharpness) + 1e-9)
    )


def discard_unsampled_crops(detections: Sequence[Detection], interval: int, min_crops: int) -> None:
    """Discard the crops of a growing track that `sample_crops` would not select.

    This bounds the memory of long tracks.

    Args:
        detections: The track's detections so far; changed in place.
        interval: See `sample_crops`.
        min_crops: See `sample_crops`.
    """
    kept = set(sample_crops(detections, interval, min_crops))
    for i, one in enumerate(detections):
        if i not in kept:
            one.discard_crop()
