"""The shipped example: a clip that decodes, and labels that fit it."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import av
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIP, LABELS = EXAMPLES / "demo.mp4", EXAMPLES / "demo_labels.csv"


@pytest.fixture(scope="module")
def labels() -> list[dict[str, str]]:
    with open(LABELS, newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == ["video", "time_s", "x", "y", "w", "h", "person"]
        return list(reader)


@pytest.fixture(scope="module")
def frame_times() -> list[float]:
    with av.open(str(CLIP)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_the_clip_is_small_and_about_a_minute_long(frame_times: list[float]) -> None:
    assert CLIP.stat().st_size <= 3_000_000
    assert 50 <= frame_times[-1] <= 75
    assert len(frame_times) == round((frame_times[-1] + 0.04) * 25)
    assert frame_times[0] == 0
    assert frame_times == sorted(set(frame_times))


def test_the_clip_is_h264_without_sound() -> None:
    with av.open(str(CLIP)) as container:
        (stream,) = container.streams
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.average_rate) == (640, 360, 25)


def test_every_label_falls_on_a_frame_and_inside_it(
    labels: list[dict[str, str]], frame_times: list[float]
) -> None:
    times = {round(time, 3) for time in frame_times}
    for row in labels:
        x, y, w, h = (float(row[name]) for name in "xywh")
        assert row["video"] == CLIP.name
        assert float(row["time_s"]) in times
        assert min(w, h) > 10
        assert x >= 0
        assert y >= 0
        assert x + w <= 640.05
        assert y + h <= 360.05


def test_nobody_is_in_two_places_at_once(labels: list[dict[str, str]]) -> None:
    seen = [(row["time_s"], row["person"]) for row in labels]
    assert len(seen) == len(set(seen))


def test_four_people_come_back_and_sometimes_meet(labels: list[dict[str, str]]) -> None:
    times, company = defaultdict(list), defaultdict(set)
    for row in labels:
        times[row["person"]].append(float(row["time_s"]))
        company[row["time_s"]].add(row["person"])
    assert len(times) >= 4
    for person, seen in times.items():
        stretches = 1 + sum(later - earlier > 1 for earlier, later in pairwise(seen))
        assert stretches >= 3, person
    assert sum(len(people) == 2 for people in company.values()) >= 10


def test_somewhere_a_face_is_small_and_somewhere_nobody_is_seen(
    labels: list[dict[str, str]], frame_times: list[float]
) -> None:
    assert 30 <= min(float(row["w"]) for row in labels) <= 40
    seen = sorted({float(row["time_s"]) for row in labels})
    gaps = [
        later - earlier
        for earlier, later in zip([0.0, *seen], [*seen, frame_times[-1]], strict=True)
    ]
    assert max(gaps) > 1.5
