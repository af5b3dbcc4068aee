"""Rows of shots, faces, tracks and crops from tracks of which all is known."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from helpers.faces import FPS, make_detection
from personae.core.config import ScanConfig
from personae.scan.shots import Shot
from personae.scan.tables import SCHEMAS, ScanTables

TICK = 1 / 12800


def make_tables(sink=None) -> ScanTables:
    config = ScanConfig()
    return ScanTables(TICK, config.crop_interval, config.min_crops_per_track, 12.8, sink)


def add_shot(tables, tracks=(), unmatched=(), first=0, n_frames=20, number=0):
    pts = [512 * f for f in range(first, first + n_frames)]
    shot = Shot(number, first, first + n_frames - 1, pts[0], pts[-1] + 512)
    tables.add_shot(shot, pts, tracks, unmatched)


def test_boxes_between_detections_are_interpolated():
    tables = make_tables()
    track = [make_detection(4, x=100), make_detection(8, x=180)]
    add_shot(tables, [track])
    faces = tables.table("faces").to_pylist()
    assert [face["frame"] for face in faces] == [4, 5, 6, 7, 8]
    assert [face["x"] for face in faces] == [100, 120, 140, 160, 180]
    assert [face["pts"] for face in faces] == [512 * f for f in range(4, 9)]
    assert [face["time_s"] for face in faces] == pytest.approx([f / FPS for f in range(4, 9)])
    assert [face["interpolated"] for face in faces] == [False, True, True, True, False]
    assert [face["crop"] for face in faces] == [0, -1, -1, -1, 1]
    for face in faces:
        assert math.isnan(face["score"]) == (face["landmarks"] is None) == face["interpolated"]


def test_boxes_are_interpolated_in_time_and_not_by_frame_number():
    tables = make_tables()
    shot = Shot(0, 0, 2, 0, 40)
    before, after = make_detection(0, x=0), make_detection(2, x=100)
    before.pts, after.pts = 0, 40
    tables.add_shot(shot, [0, 10, 40], [[before, after]], [])
    assert [face["x"] for face in tables.table("faces").to_pylist()] == [0, 25, 100]


def test_faces_of_a_frame_are_ordered_by_track_and_those_without_come_last():
    tables = make_tables()
    tracks = [[make_detection(f, x=x) for f in (0, 1)] for x in (0, 300)]
    add_shot(tables, tracks, [make_detection(0, x=150), make_detection(1, x=150)])
    faces = tables.table("faces").to_pylist()
    assert [(face["frame"], face["track"]) for face in faces] == [
        (0, 0),
        (0, 1),
        (0, -1),
        (1, 0),
        (1, 1),
        (1, -1),
    ]


@pytest.mark.parametrize(("last", "end_s"), [(10, 11 / FPS), (19, 20 / FPS)])
def test_a_track_ends_with_the_frame_after_its_last(last, end_s):
    tables = make_tables()
    add_shot(tables, [[make_detection(0), make_detection(last)]])
    (track,) = tables.table("tracks").to_pylist()
    assert (track["start_s"], track["end_s"]) == (0, pytest.approx(end_s))
    assert (track["faces"], track["crops"], track["median_width"]) == (2, 2, 80)


def test_numbers_continue_over_shots():
    tables = make_tables()
    for number in range(3):
        first = 20 * number
        tracks = [[make_detection(first + f, x=x) for f in range(0, 20, 5)] for x in (0, 300)]
        add_shot(tables, tracks, first=first, number=number)
    assert tables.table("tracks")["track"].to_pylist() == list(range(6))
    assert tables.table("crops")["crop"].to_pylist() == list(range(24))
    links = tables.table("cannot_links").to_pylist()
    assert [(link["track_a"], link["track_b"]) for link in links] == [(0, 1), (2, 3), (4, 5)]
    assert tables.row_counts == {name: tables.table(name).num_rows for name in SCHEMAS}
    faces = tables.table("faces")["face"].to_pylist()
    assert faces == list(range(len(faces)))


def test_merged_batches_hold_all_rows_in_order():
    received: list[pa.Table] = []
    tables, with_sink = make_tables(), make_tables(received.append)
    for number in range(150):
        first = 20 * number
        track = [make_detection(first + f) for f in range(0, 20, 5)]
        for one in (tables, with_sink):
            add_shot(one, [track], first=first, number=number)
    assert tables.table("shots")["shot"].to_pylist() == list(range(150))
    assert with_sink.table("crops").num_rows == 0
    crops_per_shot = tables.row_counts["crops"] // 150
    assert [part.num_rows / crops_per_shot for part in received] == [64, 64, 22]  # shots
    assert pa.concat_tables(received).equals(tables.table("crops"))
    assert tables.table("faces")["frame"].to_pylist() == [
        f for number in range(150) for f in range(20 * number, 20 * number + 16)
    ]


def test_times_are_pts_by_the_time_base_in_every_table():
    """A shot with a variable frame rate, of 4 frames from frame 7 on; a tick is 10 ms."""
    tables = ScanTables(0.01, 12, 5, 12.8)
    first, last = make_detection(7, score=0.75), make_detection(9, x=200, score=0.5)
    first.pts, first.time_s, last.pts, last.time_s = 300, 3.0, 310, 3.1
    unmatched = make_detection(10, x=400)
    unmatched.pts, unmatched.time_s = 350, 3.5
    tables.add_shot(Shot(3, 7, 10, 300, 390), [300, 304, 310, 350], [[first, last]], [unmatched])
    (shot,) = tables.table("shots").to_pylist()
    assert shot == {
        "shot": 3,
        "first_frame": 7,
        "last_frame": 10,
        "start_pts": 300,
        "end_pts": 390,
        "start_s": pytest.approx(3.0),
        "end_s": pytest.approx(3.9),
    }
    faces = tables.table("faces").to_pylist()
    assert [(face["frame"], face["pts"], face["track"]) for face in faces] == [
        (7, 300, 0),
        (8, 304, 0),
        (9, 310, 0),
        (10, 350, -1),
    ]
    assert [face["time_s"] for face in faces] == pytest.approx([3.0, 3.04, 3.1, 3.5])
    assert [face["x"] for face in faces] == [100, 140, 200, 400]
    assert [face["shot"] for face in faces] == [3] * 4
    (track,) = tables.table("tracks").to_pylist()
    assert (track["shot"], track["first_frame"], track["last_frame"]) == (3, 7, 9)
    assert (track["start_s"], track["end_s"]) == pytest.approx((3.0, 3.5))
    crops = tables.table("crops").to_pylist()
    assert [crop["time_s"] for crop in crops] == [3.0, 3.1]
    assert tables.table("cannot_links").num_rows == 0


def test_rows_hold_what_was_measured_on_a_detection():
    tables = make_tables()
    detection = make_detection(2, x=10, y=20, size=40, score=0.75, frontality=0.25, sharpness=30)
    detection.crop_jpeg = b"a crop"
    detection.thumbnail = bytes(range(256)) * (len(detection.thumbnail) // 256 + 1)
    detection.clothes = bytes(SCHEMAS["crops"].field("clothes").type.byte_width)
    detection.thumbnail = detection.thumbnail[: SCHEMAS["crops"].field("thumbnail").type.byte_width]
    add_shot(tables, [[detection]])
    (crop,) = tables.table("crops").to_pylist()
    assert crop == {
        "crop": 0,
        "track": 0,
        "frame": 2,
        "time_s": 2 / FPS,
        "width": 40,
        "sharpness": 30,
        "score": 0.75,
        "frontality": 0.25,
        "image": b"a crop",
        "thumbnail": detection.thumbnail,
        "clothes": detection.clothes,
    }
    (face,) = tables.table("faces").to_pylist()
    assert tuple(face[side] for side in "xywh") == (10, 20, 40, 52)
    assert (face["score"], face["crop"], face["interpolated"]) == (0.75, 0, False)
    assert face["landmarks"] == detection.landmarks.ravel().tolist()


def test_a_track_has_its_median_width_quality_and_status():
    tables = make_tables()
    good = [make_detection(f, size=size) for f, size in ((0, 30), (5, 40), (10, 70))]
    small = [make_detection(f, x=500, size=12) for f in (0, 5, 10)]
    add_shot(tables, [good, small])
    tracks = tables.table("tracks").to_pylist()
    assert [track["median_width"] for track in tracks] == [40, 12]
    assert [track["status"] for track in tracks] == ["kept", "small"]
    assert [track["quality"] for track in tracks] == pytest.approx(
        [(width / 64 * (50 / 150) * 0.99 * 0.9) ** 0.25 for width in (40, 12)]
    )


def test_crops_are_sampled_at_the_interval_and_at_least_as_many_as_asked():
    tables = ScanTables(TICK, crop_interval=10, min_crops=3, min_width_px=12.8)
    long = [make_detection(f) for f in range(0, 60, 5)]
    short = [make_detection(f, x=500) for f in range(5)]
    add_shot(tables, [long, short], n_frames=60)
    tracks = tables.table("tracks").to_pylist()
    assert [(track["faces"], track["crops"]) for track in tracks] == [(12, 7), (5, 3)]
    of_track = tables.table("crops")["track"].to_pylist()
    assert of_track == [0] * 7 + [1] * 3


def test_a_long_shot_has_all_its_faces():
    """More rows than are converted at a time."""
    tables = make_tables()
    add_shot(tables, [[make_detection(0, x=0), make_detection(20_400, x=20_400)]], n_frames=20_401)
    faces = tables.table("faces")
    assert np.array_equal(faces["face"].to_numpy(), np.arange(20_401))
    assert np.array_equal(faces["frame"].to_numpy(), np.arange(20_401))
    assert faces["x"].to_numpy() == pytest.approx(np.arange(20_401), abs=0.01)
