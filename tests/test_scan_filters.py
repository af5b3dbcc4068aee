"""Why a track is not good enough, and how good it is."""

from __future__ import annotations

import pytest

from faces import face
from personae.core.schema import TRACK_STATUS
from personae.scan.track_quality import quality, status

LEAST_WIDTH = 25.0


def track(count=10, **how):
    return [face(3 * i, **how) for i in range(count)]


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        (track(), "kept"),
        (track(size=20), "small"),
        (track(sharpness=0.5), "blurred"),
        (track(2), "short"),
        (track(score=0.8), "low_quality"),
    ],
)
def test_the_reason_is_named(faces, reason):
    assert status(faces, LEAST_WIDTH) == reason
    assert reason in TRACK_STATUS


def test_the_first_failed_filter_is_named_in_the_order_of_the_schema():
    for first in range(1, len(TRACK_STATUS)):
        failed = TRACK_STATUS[first:]
        faces = track(
            2 if "short" in failed else 10,
            size=20 if "small" in failed else 80,
            sharpness=0.5 if "blurred" in failed else 50,
            score=0.6,
        )
        assert status(faces, LEAST_WIDTH) == TRACK_STATUS[first]


def test_a_track_the_detector_is_sure_of_now_and_then_is_kept():
    faces = track(12, score=0.75)
    for one in faces[::3]:
        one.score = 0.99
    assert status(faces, LEAST_WIDTH) == "kept"
    faces[0].score = faces[3].score = 0.75
    assert status(faces, LEAST_WIDTH) == "low_quality"


def test_quality_follows_its_formula_and_its_parts():
    expected = (48 / 64 * (50 / 150) * 0.99 * (1 + 0.8) / 2) ** 0.25
    assert quality(track(size=48)) == pytest.approx(expected, abs=1e-6)
    best = quality(track())
    for worse in ({"size": 30}, {"sharpness": 10.0}, {"score": 0.6}, {"frontality": 0.0}):
        assert 0 <= quality(track(**worse)) < best <= 1
