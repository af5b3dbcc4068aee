"""From labels to P01, P02, ... by falling screen time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from personae.cluster import Clustering, ReviewItem
from personae.core.schema import CHARACTERS
from personae.pipeline.characters import name_labels, store_review_items, tabulate_characters


def tracks_table(*spans):
    """Tracks of one shot each, from start to end in seconds."""
    rows = [
        {"track": track, "shot": track, "start_s": start, "end_s": end}
        for track, (start, end) in enumerate(spans)
    ]
    return pa.Table.from_pylist(rows)


def clustering(labels, runner_up=None, items=()):
    labels = np.array(labels)
    runners_up = np.full(len(labels), -1) if runner_up is None else np.array(runner_up)
    return Clustering(labels, np.full(len(labels), 0.5, np.float32), runners_up, list(items))


def test_names_follow_falling_screen_time_then_the_first_appearance():
    tracks = tracks_table((0, 1), (1, 4), (5, 6), (7, 8))
    ids = np.arange(4, dtype=np.int32)
    assert name_labels(clustering([0, 1, 2, -1]), ids, tracks) == {1: "P01", 0: "P02", 2: "P03"}


def test_of_equal_screen_times_the_one_seen_first_comes_first():
    tracks = tracks_table((6, 8), (1, 3))
    ids = np.arange(2, dtype=np.int32)
    assert name_labels(clustering([0, 1]), ids, tracks) == {1: "P01", 0: "P02"}


def test_screen_times_that_differ_by_less_than_a_microsecond_are_equal():
    tracks = tracks_table((0, 1), (1, 2 + 4e-7), (3, 4 + 2e-6))
    ids = np.arange(3, dtype=np.int32)
    assert name_labels(clustering([0, 1, 2]), ids, tracks) == {2: "P01", 0: "P02", 1: "P03"}


def test_a_hundred_characters_have_three_digits():
    tracks = tracks_table(*((t, t + 1) for t in range(100)))
    ids = np.arange(100, dtype=np.int32)
    names = name_labels(clustering(range(100)), ids, tracks)
    assert names[0] == "P001"
    assert names[99] == "P100"
    assert name_labels(clustering(range(99)), ids[:99], tracks)[0] == "P01"


def test_a_track_without_crops_is_unknown():
    tracks = tracks_table((0, 1), (1, 2), (2, 5))
    found = clustering([0, 1], runner_up=[1, -1])
    table = tabulate_characters(found, np.array([0, 2], np.int32), tracks)
    assert table.schema.equals(CHARACTERS)
    assert table.to_pylist() == [
        {"track": 0, "character": "P02", "confidence": 0.5, "runner_up": "P01"},
        {"track": 1, "character": None, "confidence": 0.0, "runner_up": None},
        {"track": 2, "character": "P01", "confidence": 0.5, "runner_up": None},
    ]


def test_review_items_name_the_tracks_of_the_tables():
    found = clustering([0, 1], items=[ReviewItem("split", (0, 1), 0.25, "two people?")])
    assert store_review_items(found, np.array([3, 8], np.int32)) == [
        {"kind": "split", "tracks": [3, 8], "probability": 0.25, "text": "two people?"}
    ]
