"""Which detections of a track become crops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.faces import make_detection
from personae.core.config import ScanConfig
from personae.scan.detection import discard_unsampled_crops, sample_crops

INTERVAL, MIN_CROPS = ScanConfig().crop_interval, ScanConfig().min_crops_per_track


def test_one_crop_near_every_sampling_point():
    detections = [make_detection(frame) for frame in range(100, 401, 3)]
    sampled = sample_crops(detections, INTERVAL, MIN_CROPS)
    frames = np.array([detections[i].frame for i in sampled])
    points = 100 + INTERVAL * np.arange(26)
    assert len(frames) == len(points)
    assert np.abs(frames - points).max() <= INTERVAL // 2


@pytest.mark.parametrize(("frame", "point"), [(5, 0), (6, 1), (17, 1), (18, 2)])
def test_a_detection_belongs_to_the_nearest_sampling_point(frame, point):
    """Detections on the three sampling points 0, 12 and 24, and a better one between them."""
    detections = [make_detection(f, score=0.6) for f in sorted({0, 12, 24, frame})]
    best = [one.frame for one in detections].index(frame)
    detections[best].score = 0.99
    sampled = [detections[i].frame for i in sample_crops(detections, 12, 3)]
    assert sampled == [frame if i == point else 12 * i for i in range(3)]


def test_short_tracks_are_sampled_more_densely():
    for count in range(1, 12):
        detections = [make_detection(3 * i) for i in range(count)]
        assert len(sample_crops(detections, INTERVAL, MIN_CROPS)) == min(count, MIN_CROPS)


def test_groups_of_a_short_track_are_of_equal_size():
    detections = [make_detection(i) for i in range(10)]
    assert sample_crops(detections, 12, 5) == [0, 2, 4, 6, 8]


def test_the_best_detection_near_a_point_is_sampled():
    def count_best(**worse):
        detections = [make_detection(frame, **worse) for frame in range(0, 240, 3)]
        for good in detections[2::4]:
            good.score, good.frontality, good.sharpness = 1.0, 1.0, 100.0
        sampled = sample_crops(detections, INTERVAL, MIN_CROPS)
        return [detections[i].score for i in sampled].count(1.0)

    assert count_best(sharpness=5.0) == 20
    assert count_best(frontality=0.1) == 20
    assert count_best(score=0.6) == 20


@pytest.mark.parametrize(("frontality", "sampled"), [(0.49, 0), (0.51, 1)])
def test_the_crop_score_is_score_by_one_plus_frontality_by_relative_sharpness(frontality, sampled):
    """Sharpness 100 and 50: with their median 75 they are 4/7 and 2/5 of full."""
    factor = (1 + 0.5) * (2 / 5) / (4 / 7)
    detections = [
        make_detection(0, score=0.9 * factor, frontality=0.0, sharpness=100.0),
        make_detection(3, score=0.9, frontality=frontality, sharpness=50.0),
    ]
    assert sample_crops(detections, 12, 1) == [sampled]


@given(
    st.lists(st.integers(0, 600), min_size=1, max_size=80, unique=True),
    st.integers(1, 30),
    st.integers(1, 8),
)
def test_every_track_has_enough_crops_and_not_too_many(frames, interval, min_crops):
    detections = [make_detection(frame) for frame in sorted(frames)]
    sampled = sample_crops(detections, interval, min_crops)
    assert sampled == sorted(set(sampled))
    assert len(sampled) >= min(min_crops, len(detections))
    assert len(sampled) <= max(min_crops, (max(frames) - min(frames)) // interval + 2)


def test_discarding_crops_of_a_growing_track_keeps_the_sampling():
    detections = [make_detection(frame, sharpness=frame % 7 + 1) for frame in range(0, 3000, 3)]
    discard_unsampled_crops(detections[:500], INTERVAL, MIN_CROPS)
    kept = [one for one in detections[:500] if one.crop_jpeg is not None]
    assert len(kept) == 500 * 3 // INTERVAL + 1
    assert sum(one.thumbnail is not None for one in detections[:500]) == len(kept)
    sampled = sample_crops(detections, INTERVAL, MIN_CROPS)
    frames = np.array([detections[i].frame for i in sampled])
    assert np.diff(frames).max() <= 2 * INTERVAL
    assert len(frames) == 3000 // INTERVAL + 1


def test_detections_without_a_crop_are_skipped():
    detections = [make_detection(frame) for frame in range(0, 60, 3)]
    for one in detections[:10]:
        one.crop_jpeg = None
    assert min(sample_crops(detections, INTERVAL, MIN_CROPS)) >= 10
    for one in detections:
        one.crop_jpeg = None
    assert sample_crops(detections, INTERVAL, MIN_CROPS) == []
