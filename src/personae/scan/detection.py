"""Which faces of a track become crops: one about every 12 frames (paper), more in short tracks."""

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
    landmarks: Float32Array
    """(5, 2) x, y in pixels of the film."""
    frontality: float
    sharpness: float
    look: Float16Array | None = None
    """What the face looks like, for telling two people apart; see `track.look`. Dropped where no longer
    needed."""
    jpeg: bytes | None = None
    """The aligned crop; dropped as soon as it is sure not to be sampled."""
    picture: bytes | None = None
    """The whole picture, small, as in `core.crops.THUMBNAIL_SHAPE`; dropped with the crop."""

    def drop_crop(self) -> None:
        """Forget the crop and the picture: the face will not be sampled."""
        self.jpeg = self.picture = None

    @property
    def width(self) -> float:
        """Of the box, in pixels of the film."""
        return float(self.box[2])


def sample(faces: Sequence[Detection], every: int, at_least: int) -> list[int]:
    """Choose the crops of a track: indices into its detected `faces`, which are ordered by frame.

    The sampling points are f_1, f_1 + every, f_1 + 2 every, ... (paper section 3.2); the best face nearest to
    a point stands for it. Where that gives fewer than `at_least` crops, the faces are divided into `at_least`
    groups of equal size (or as many as there are faces), and the best of each is taken. Faces without a crop
    are passed over.
    """
    usable = [i for i, face in enumerate(faces) if face.jpeg is not None]
    if not usable:
        return []
    frames = np.array([faces[i].frame for i in usable])
    point = (frames - faces[0].frame + every // 2) // every
    wanted = min(at_least, len(usable))
    if len(np.unique(point)) < wanted:
        point = np.arange(len(usable)) * wanted // len(usable)
    worth = _worth([faces[i] for i in usable])
    chosen = []
    for p in np.unique(point):
        members = np.flatnonzero(point == p)
        chosen.append(usable[int(members[np.argmax(worth[members])])])
    return chosen


def _worth(faces: Sequence[Detection]) -> Float64Array:
    """Rank the faces of one track: confident, frontal, and sharp compared with the others."""
    score = np.array([face.score for face in faces])
    front = np.array([face.frontality for face in faces])
    sharp = np.array([face.sharpness for face in faces])
    return np.asarray(score * (1 + front) * sharp / (sharp + np.median(sharp) + 1e-9))


def drop_unsampled_crops(faces: Sequence[Detection], every: int, at_least: int) -> None:
    """Drop the crops of a growing track that `sample` would not choose, so that memory stays bounded."""
    keep = set(sample(faces, every, at_least))
    for i, face in enumerate(faces):
        if i not in keep:
            face.drop_crop()
