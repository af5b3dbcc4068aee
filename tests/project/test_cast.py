"""The cast as a read model of the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from personae.project.cast import TrackSpan, build_cast, join_appearances, screen_time


def tables(*rows):
    """Tracks with their characters from (shot, start_s, end_s, character, confidence)."""
    tracks = [
        {"track": track, "shot": shot, "start_s": start, "end_s": end}
        for track, (shot, start, end, _, _) in enumerate(rows)
    ]
    characters = [
        {"track": track, "character": character, "confidence": confidence}
        for track, (*_, character, confidence) in enumerate(rows)
    ]
    return pa.Table.from_pylist(tracks), pa.Table.from_pylist(characters)


def test_overlapping_tracks_count_once_within_a_shot_only():
    spans = [
        TrackSpan(0, 0, 1.0, 3.0, 1.0),
        TrackSpan(1, 0, 2.0, 4.0, 1.0),
        TrackSpan(2, 1, 4.0, 5.0, 1.0),
        TrackSpan(3, 1, 7.0, 8.0, 1.0),
    ]
    assert join_appearances(spans) == ((1.0, 4.0, 0), (4.0, 5.0, 1), (7.0, 8.0, 1))
    assert screen_time(spans) == pytest.approx(5.0)


def test_tracks_that_touch_or_lie_within_another_are_one_appearance():
    touching = [TrackSpan(0, 0, 1.0, 2.0, 1.0), TrackSpan(1, 0, 2.0, 3.0, 1.0)]
    assert join_appearances(touching) == ((1.0, 3.0, 0),)
    within = [TrackSpan(0, 0, 1.0, 5.0, 1.0), TrackSpan(1, 0, 2.0, 3.0, 1.0)]
    assert join_appearances(within) == ((1.0, 5.0, 0),)


def test_appearances_are_in_order_of_time_whatever_the_numbers_of_the_tracks():
    spans = [
        TrackSpan(0, 1, 8.0, 9.0, 1.0),
        TrackSpan(1, 0, 5.0, 6.0, 1.0),
        TrackSpan(2, 0, 1.0, 2.0, 1.0),
    ]
    assert join_appearances(spans) == ((1.0, 2.0, 0), (5.0, 6.0, 0), (8.0, 9.0, 1))


def test_a_character_has_its_tracks_and_appearances_in_order_of_time():
    rows = [
        (1, 8.0, 9.0, "P01", 1.0),
        (0, 5.0, 6.0, "P01", 1.0),
        (0, 1.0, 2.0, "P01", 1.0),
        (0, 1.5, 5.5, "P01", 1.0),
    ]
    character = build_cast(*tables(*rows), Path("f"))["P01"]
    assert character.tracks == (2, 3, 1, 0)
    assert character.appearances == ((1.0, 6.0, 0), (8.0, 9.0, 1))
    assert (character.first_seen, character.last_seen, character.screen_time) == (1.0, 9.0, 6.0)


def test_a_track_that_starts_with_the_next_shot_is_another_appearance():
    spans = [TrackSpan(0, 0, 1.0, 4.0, 1.0), TrackSpan(1, 1, 3.0, 5.0, 1.0)]
    assert join_appearances(spans) == ((1.0, 4.0, 0), (3.0, 5.0, 1))


def test_unknown_tracks_are_in_order_of_time_and_found_in_no_character():
    cast = build_cast(
        *tables((1, 9.0, 10.0, None, 0.5), (0, 5.0, 6.0, None, 0.5), (0, 1.0, 2.0, None, 0.5)),
        Path("f"),
    )
    assert cast.unknown == (2, 1, 0)
    assert len(cast) == 0
    assert build_cast(*tables((0, 1.0, 2.0, "P01", 1.0)), Path("f")).unknown == ()


def test_a_cast_without_tracks_is_empty():
    tracks, characters = tables((0, 1.0, 2.0, "P01", 1.0))
    cast = build_cast(tracks.slice(0, 0), characters.slice(0, 0), Path("f"))
    assert (list(cast), cast.unknown, cast.folder) == ([], (), Path("f"))


def test_characters_match_tracks_by_number_and_not_by_row():
    tracks, characters = tables((0, 1.0, 3.0, "P01", 1.0), (0, 4.0, 5.0, "P02", 0.5))
    cast = build_cast(tracks, characters.take([1, 0]), Path("f"))
    assert [(one.label, one.tracks, one.confidence) for one in cast] == [
        ("P01", (0,), 1.0),
        ("P02", (1,), 0.5),
    ]


def test_a_cast_holds_what_its_tables_say():
    cast = build_cast(
        *tables(
            (1, 9.0, 10.0, "P02", 0.5),
            (0, 1.0, 4.0, "P01", 1.0),
            (1, 5.0, 6.0, "P01", 0.6),
            (0, 2.0, 3.0, None, 0.2),
            (0, 0.0, 1.0, None, 0.1),
        ),
        Path("f"),
    )
    assert [one.label for one in cast] == ["P01", "P02"]
    assert len(cast) == 2
    first = cast["P01"]
    assert first.tracks == (1, 2)
    assert (first.first_seen, first.last_seen, first.screen_time) == (1.0, 6.0, 4.0)
    assert first.confidence == pytest.approx((3 * 1.0 + 1 * 0.6) / 4)
    assert cast.unknown == (4, 3)  # in order of time
    with pytest.raises(KeyError):
        cast["P99"]


def test_a_character_is_found_by_its_name_too():
    cast = build_cast(*tables((0, 1.0, 2.0, "P01", 1.0)), Path("f"))
    named = replace(cast, characters=(replace(cast["P01"], name="Ann"),))
    assert named["Ann"] is named["P01"]


def test_a_track_without_length_counts_as_a_millisecond():
    cast = build_cast(*tables((0, 1.0, 1.0, "P01", 0.5), (0, 2.0, 2.003, "P01", 1.0)), Path("f"))
    assert cast["P01"].confidence == pytest.approx(0.875)


def test_a_cast_as_plain_data():
    cast = build_cast(*tables((0, 1.0, 2.0, "P01", 1.0), (0, 3.0, 4.0, None, 0.0)), Path("f"))
    assert json.loads(json.dumps(cast.as_dict())) == {
        "characters": [
            {
                "label": "P01",
                "name": None,
                "reviewed": False,
                "screen_time": 1.0,
                "first_seen": 1.0,
                "last_seen": 2.0,
                "tracks": [0],
                "confidence": 1.0,
                "appearances": [{"start_s": 1.0, "end_s": 2.0, "shot": 0}],
            }
        ],
        "unknown": [1],
        "ignored": [],
        "folder": "f",
    }
