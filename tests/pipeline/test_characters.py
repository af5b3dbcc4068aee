"""From labels to the table of characters, and what people have said in it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from personae.cluster import Clustering, ReviewItem
from personae.core.schema import CHARACTERS
from personae.pipeline.characters import (
    assign_tracks,
    rank_labels,
    store_review_items,
    tabulate_characters,
)
from personae.project.edits import CompiledEdits


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


def test_labels_are_ranked_by_falling_screen_time_then_by_the_first_appearance():
    tracks = tracks_table((0, 1), (1, 4), (5, 6), (7, 8))
    assert rank_labels({0: 0, 1: 1, 2: 2}, tracks) == [1, 0, 2]


def test_of_equal_screen_times_the_one_seen_first_comes_first():
    assert rank_labels({0: 0, 1: 1}, tracks_table((6, 8), (1, 3))) == [1, 0]


def test_screen_times_that_differ_by_less_than_a_microsecond_are_equal():
    tracks = tracks_table((0, 1), (1, 2 + 4e-7), (3, 4 + 2e-6))
    assert rank_labels({0: 0, 1: 1, 2: 2}, tracks) == [2, 0, 1]


def test_a_track_without_crops_is_unknown():
    found = clustering([0, 1], runner_up=[1, -1])
    ids, names = np.array([0, 2], np.int32), {0: "P02", 1: "P01"}
    assigned = assign_tracks(found, ids)
    table = tabulate_characters(found, ids, [0, 1, 2], assigned, names)
    unknown = {"track": 1, "character": None, "confidence": 0.0, "runner_up": None}
    assert table.schema.equals(CHARACTERS)
    assert table.to_pylist() == [
        {"track": 0, "character": "P02", "confidence": 0.5, "runner_up": "P01", "ignored": False},
        {**unknown, "ignored": False},
        {"track": 2, "character": "P01", "confidence": 0.5, "runner_up": None, "ignored": False},
    ]


def test_ignored_tracks_are_marked_and_a_persons_word_is_certain():
    certain, ignored = frozenset({0, 1}), frozenset({2})
    edits = CompiledEdits(same_person=((0, 1),), certain=certain, ignored=ignored)
    ids = np.array([0, 1], np.int32)
    found = clustering([0, 0])
    assigned = assign_tracks(found, ids, edits)
    rows = tabulate_characters(found, ids, [0, 1, 2], assigned, {0: "P01"}, edits).to_pylist()
    assert [row["ignored"] for row in rows] == [False, False, True]
    assert [row["confidence"] for row in rows] == [1.0, 1.0, 0.0]
    assert rows[2]["character"] is None


def test_a_track_without_crops_is_who_a_person_says_it_is():
    found, ids = clustering([0, 1, -1]), np.array([0, 1, 2], np.int32)
    edits = CompiledEdits(same_person=((1, 7),))
    assert assign_tracks(found, ids, edits) == {0: 0, 1: 1, 7: 1}


def test_unknown_tracks_that_are_said_to_be_somebody_become_a_character():
    found, ids = clustering([0, -1, -1, -1]), np.array([0, 1, 2, 3], np.int32)
    said = CompiledEdits(founders=((1, 8), (0, 2)))
    assert assign_tracks(found, ids, said) == {0: 0, 1: 1, 8: 1}
    disputed = CompiledEdits(
        founders=((1, 2, 3, 8),), same_person=((3, 8),), different_people=((1, 2), (1, 8))
    )
    assert assign_tracks(found, ids, disputed) == {0: 0, 1: 1}


def test_review_items_name_the_tracks_of_the_tables():
    found = clustering([0, 1], items=[ReviewItem("split", (0, 1), 0.25, "two people?")])
    assert store_review_items(found, np.array([3, 8], np.int32)) == [
        {"kind": "split", "tracks": [3, 8], "probability": 0.25, "text": "two people?"}
    ]
