"""Which tracks are good enough to form a character (paper section 3.2), and why others are not.

Nothing is dropped: a track that fails keeps its faces and crops, and its `status` names the first
filter that it fails.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personae.scan.detection import Detection

MIN_DETECTIONS = 3
"""A track of fewer detections is `short`."""
MIN_DURATION_S = 0.2
"""A track of less time from the first to the last detection is `short`."""
MIN_SHARPNESS = 20 / 12
"""A track of lower median sharpness is `blurred`. Rounding to 8 bits alone (variance 1/12 per
pixel) gives a flat image this much, since the squared weights of the Laplacian add up to 20."""
MIN_CONFIDENT_SCORE = 0.95
"""Detector confidence from which a detection is confident."""
MIN_CONFIDENT_SHARE = 0.25
"""A track with a smaller share of confident detections is of `low_quality`. Chosen on labelled
clips."""
FULL_QUALITY_WIDTH_PX = 64.0
"""Width in pixels of the film from which a larger face is hardly recognised better."""
HALF_QUALITY_SHARPNESS = 100.0
"""Sharpness at which a crop has half of the quality that it can have."""


def track_quality(detections: Sequence[Detection]) -> float:
    """Return a track's quality in 0..1: the geometric mean of four factors.

    The factors are medians over the track's detections: width / `FULL_QUALITY_WIDTH_PX`, clipped at
    1; s / (s + `HALF_QUALITY_SHARPNESS`) of the sharpness s; the detector's score; and (1 + f) / 2
    of the frontality f, since a profile is worth less but not nothing.
    """
    width, sharpness, score, frontality = _medians(detections)
    factors = (
        min(1.0, width / FULL_QUALITY_WIDTH_PX),
        sharpness / (sharpness + HALF_QUALITY_SHARPNESS),
        score,
        (1 + frontality) / 2,
    )
    return float(np.prod(factors) ** (1 / len(factors)))


def track_status(detections: Sequence[Detection], min_width_px: float) -> str:
    """Return the first filter that a track fails, or "kept"; one of `core.schema.TRACK_STATUS`.

    Args:
        detections: The track's detections, ordered by frame.
        min_width_px: Lowest median width of a track that is not "small", in pixels of the film.
    """
    width, sharpness, _, _ = _medians(detections)
    if width < min_width_px:
        return "small"
    if sharpness < MIN_SHARPNESS:
        return "blurred"
    duration_s = detections[-1].time_s - detections[0].time_s
    if len(detections) < MIN_DETECTIONS or duration_s < MIN_DURATION_S:
        return "short"
    n_confident = sum(one.score >= MIN_CONFIDENT_SCORE for one in detections)
    if n_confident < MIN_CONFIDENT_SHARE * len(detections):
        return "low_quality"
    return "kept"


def _medians(detections: Sequence[Detection]) -> tuple[float, float, float, float]:
    """Return the medians of width, sharpness, score and frontality."""
    rows = np.array([(one.width, one.sharpness, one.score, one.frontality) for one in detections])
    width, sharpness, score, frontality = np.median(rows, axis=0)
    return float(width), float(sharpness), float(score), float(frontality)
