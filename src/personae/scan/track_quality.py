"""Which tracks are good enough to make a character (paper section 3.2), and the reason where one is not.

Nothing is dropped: a track that fails keeps its faces and crops, and its `status` names the first it failed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personae.scan.detection import Detection

FEWEST_FACES = 3
SHORTEST_S = 0.2
"""A track of fewer detections, or of less time, is `short`."""
LEAST_SHARPNESS = 20 / 12
"""A track is `blurred` if its median sharpness is lower: rounding to 8 bits alone (variance 1/12 a pixel)
gives a flat picture this much, since the squared weights of the Laplacian add up to 20."""
SURE_SCORE = 0.95
SURE_SHARE = 0.25
"""A track is of `low_quality` unless the detector was at least this sure in at least this share of its
detections. Settled while looking at labelled clips."""
GOOD_WIDTH = 64.0
"""Width in pixels from which a face could not be much better recognised if it were larger."""
GOOD_SHARPNESS = 100.0
"""Sharpness at which a crop is half as good as it can be."""


def quality(faces: Sequence[Detection]) -> float:
    """Give a track's quality in 0..1: the geometric mean of four medians over its detected faces.

    Size, width / `GOOD_WIDTH` cut at 1; sharpness s as s / (s + `GOOD_SHARPNESS`); the detector's score; and
    frontality f as (1 + f) / 2, since a profile is worth less but not nothing.
    """
    width, sharp, score, front = _medians(faces)
    parts = (min(1.0, width / GOOD_WIDTH), sharp / (sharp + GOOD_SHARPNESS), score, (1 + front) / 2)
    return float(np.prod(parts) ** (1 / len(parts)))


def status(faces: Sequence[Detection], least_width: float) -> str:
    """Name the first filter a track fails, or `kept` (`core.schema.TRACK_STATUS`); width in pixels."""
    width, sharp, _, _ = _medians(faces)
    if width < least_width:
        return "small"
    if sharp < LEAST_SHARPNESS:
        return "blurred"
    if len(faces) < FEWEST_FACES or faces[-1].time_s - faces[0].time_s < SHORTEST_S:
        return "short"
    if sum(face.score >= SURE_SCORE for face in faces) < SURE_SHARE * len(faces):
        return "low_quality"
    return "kept"


def _medians(faces: Sequence[Detection]) -> tuple[float, float, float, float]:
    rows = np.array([(face.width, face.sharpness, face.score, face.frontality) for face in faces])
    width, sharp, score, front = np.median(rows, axis=0)
    return float(width), float(sharp), float(score), float(front)
