"""Rows of shots, faces, tracks and crops from tracks of which all is known."""

from __future__ import annotations

import math

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
    assert len(received) == 3
    assert pa.concat_tables(received).equals(tables.table("crops"))
    assert tables.table("faces")["frame"].to_pylist() == [
        f for number in range(150) for f in range(20 * number, 20 * number + 16)
    ]
