"""Why a track is not good enough, and how good it is."""

from __future__ import annotations

import pytest

from helpers.faces import make_detection
from personae.core.schema import TRACK_STATUS
from personae.scan.track_quality import track_quality, track_status

MIN_WIDTH_PX = 25.0


def make_track(count=10, step=3, **values):
    return [make_detection(step * i, **values) for i in range(count)]


@pytest.mark.parametrize(
    ("track", "status"),
    [
        (make_track(), "kept"),
        (make_track(size=20), "small"),
        (make_track(sharpness=0.5), "blurred"),
        (make_track(2), "short"),
        (make_track(score=0.8), "low_quality"),
    ],
)
def test_status_names_the_failed_filter(track, status):
    assert track_status(track, MIN_WIDTH_PX) == status
    assert status in TRACK_STATUS


@pytest.mark.parametrize(
    ("track", "status"),
    [
        (make_track(size=25), "kept"),
        (make_track(size=24.9), "small"),
        (make_track(sharpness=20 / 12), "kept"),
        (make_track(sharpness=1.66), "blurred"),
        (make_track(3), "kept"),
        (make_track(2, step=5), "short"),
        (make_track(6, step=1), "kept"),  # five frames are 0.2 s
        (make_track(5, step=1), "short"),
        (make_track(score=0.95), "kept"),
        (make_track(score=0.949), "low_quality"),
    ],
)
def test_status_at_the_thresholds(track, status):
    assert track_status(track, MIN_WIDTH_PX) == status


def test_status_is_the_first_failed_filter_in_the_order_of_the_schema():
    for first in range(1, len(TRACK_STATUS)):
        failed = TRACK_STATUS[first:]
        track = make_track(
            2 if "short" in failed else 10,
            size=20 if "small" in failed else 80,
            sharpness=0.5 if "blurred" in failed else 50,
            score=0.6,
        )
        assert track_status(track, MIN_WIDTH_PX) == TRACK_STATUS[first]


def test_a_quarter_of_confident_detections_is_enough():
    track = make_track(40, score=0.75)
    for one in track[::4]:
        one.score = 0.99
    assert track_status(track, MIN_WIDTH_PX) == "kept"
    track[0].score = 0.75
    assert track_status(track, MIN_WIDTH_PX) == "low_quality"


@pytest.mark.parametrize(("duration_s", "status"), [(0.2, "kept"), (0.19, "short")])
def test_a_track_lasts_a_fifth_of_a_second(duration_s, status):
    track = make_track(3)
    track[0].time_s, track[-1].time_s = 0.0, duration_s
    assert track_status(track, MIN_WIDTH_PX) == status


def test_medians_decide():
    track = make_track(3)
    track[0].box[2], track[1].sharpness = 1, 0
    assert track_status(track, MIN_WIDTH_PX) == "kept"


def test_quality_follows_its_formula_and_its_factors():
    expected = (48 / 64 * (50 / 150) * 0.99 * (1 + 0.8) / 2) ** 0.25
    assert track_quality(make_track(size=48)) == pytest.approx(expected, abs=1e-6)
    expected = (50 / 150 * 0.99 * (1 + 0.8) / 2) ** 0.25
    for size in (64, 200):
        assert track_quality(make_track(size=size)) == pytest.approx(expected, abs=1e-6)
    best = track_quality(make_track())
    for worse in ({"size": 30}, {"sharpness": 10.0}, {"score": 0.6}, {"frontality": 0.0}):
        assert 0 <= track_quality(make_track(**worse)) < best <= 1
