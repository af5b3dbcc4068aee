"""What is hidden covers a face in every frame in which it may be, within its shot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.film_export.frame_geometry import to_stored_boxes
from personae.film_export.hidden_faces import FacePath
from personae.film_export.regions import build_regions, find_bridges

FPS = 25.0
SHOT = (100, 299)
boxes_of = st.tuples(
    st.floats(-50, 600, allow_subnormal=False),
    st.floats(-50, 400, allow_subnormal=False),
    st.floats(1, 200, allow_subnormal=False),
    st.floats(1, 200, allow_subnormal=False),
)


def path(first: int, boxes: list, track: int = 0, character: str | None = "P01") -> FacePath:
    array = np.array(boxes, dtype=np.float64)
    return FacePath(track, character, 0, first, array, np.ones(len(array), dtype=bool))


def contains(outer: np.ndarray, inner: np.ndarray) -> bool:
    low, high = outer[:2] - 1e-6, outer[:2] + outer[2:] + 1e-6
    return bool((low <= inner[:2]).all() and (inner[:2] + inner[2:] <= high).all())


def hidden(paths: list[FacePath], hold_s: float = 0.5, padding: float = 0.4):
    return build_regions(paths, find_bridges(paths, FPS), {0: SHOT}, FPS, hold_s, padding)


@settings(deadline=None)
@given(
    first=st.integers(SHOT[0], SHOT[1] - 20),
    boxes=st.lists(boxes_of, min_size=1, max_size=20),
    hold_s=st.floats(0, 3, allow_subnormal=False),
    padding=st.floats(0, 1, allow_subnormal=False),
)
def test_a_face_is_covered_with_padding_from_before_to_after_its_track(
    first, boxes, hold_s, padding
):
    face = path(first, boxes)
    regions = hidden([face], hold_s, padding)
    n_held = round(hold_s * FPS)
    for frame in range(SHOT[0] - 3, SHOT[1] + 4):
        found = regions.at(frame)
        seen = min(max(frame, first), face.last_frame)
        if SHOT[0] <= frame <= SHOT[1] and abs(frame - seen) <= n_held:
            x, y, w, h = face.boxes[seen - first]
            wanted = np.array(
                [x - padding * w, y - padding * h, w + 2 * padding * w, h + 2 * padding * h]
            )
            assert len(found) == 1
            assert contains(found[0], wanted)
        else:
            assert not len(found)


@settings(deadline=None)
@given(gap=st.integers(1, 49), start=boxes_of, end=boxes_of)
def test_a_gap_between_two_tracks_of_a_character_is_filled(gap, start, end):
    before, after = path(110, [start] * 3), path(113 + gap, [end] * 3, track=1)
    regions = hidden([before, after], hold_s=0, padding=0)
    for step in range(gap):
        share = (step + 1) / (gap + 1)
        between = np.array(start) + (np.array(end) - start) * share
        assert any(contains(one, between) for one in regions.at(113 + step))


def test_in_a_gap_of_some_length_all_between_two_tracks_is_hidden():
    before, after = path(110, [(0, 0, 50, 50)]), path(141, [(300, 200, 50, 50)], track=1)
    regions = hidden([before, after], hold_s=0, padding=0)
    for frame in range(111, 141):
        assert any(contains(one, np.array([0, 0, 350, 250])) for one in regions.at(frame))


def test_a_longer_gap_is_not_filled():
    regions = hidden([path(110, [(0, 0, 9, 9)]), path(161 + 1, [(0, 0, 9, 9)], 1)], hold_s=0)
    assert not len(regions.at(130))


@pytest.mark.parametrize(("distance", "filled"), [(100, True), (400, False)])
def test_a_gap_between_unknown_faces_is_filled_if_they_are_near(distance, filled):
    before = path(110, [(50, 50, 80, 80)], 0, None)
    after = path(130, [(50 + distance, 50, 80, 80)], 1, None)
    assert bool(len(hidden([before, after], hold_s=0).at(120))) == filled


def test_two_characters_are_not_joined():
    before, after = path(110, [(50, 50, 80, 80)]), path(130, [(50, 50, 80, 80)], 1, "P02")
    assert not len(hidden([before, after], hold_s=0).at(120))


def test_all_between_two_detections_that_are_far_apart_is_hidden():
    boxes = np.linspace((0, 0, 50, 50), (300, 200, 50, 50), 31)
    detected = np.zeros(31, dtype=bool)
    detected[[0, -1]] = True
    regions = hidden([FacePath(0, "P01", 0, 110, boxes, detected)], hold_s=0, padding=0)
    assert contains(regions.at(125)[0], np.array([0, 0, 350, 250]))


def test_a_face_that_moves_is_held_where_it_was_and_where_it_goes():
    boxes = [(100 + 10 * i, 50, 40, 40) for i in range(10)]
    regions = hidden([path(120, boxes)], hold_s=0.4, padding=0)
    assert contains(regions.at(139)[0], np.array([190, 50, 40, 40]))
    assert contains(regions.at(139)[0], np.array([290, 50, 40, 40]))
    assert contains(regions.at(110)[0], np.array([0, 50, 40, 40]))


@settings(deadline=None)
@given(
    rotation=st.sampled_from([0, 90, 180, 270]),
    left=st.integers(0, 20),
    top=st.integers(0, 10),
    width=st.integers(1, 11),
    height=st.integers(1, 10),
)
def test_boxes_are_found_in_the_stored_frame_as_players_turn_it(rotation, left, top, width, height):
    stored_size = (20, 32) if rotation in (0, 180) else (32, 20)
    box = np.array([[left, top, width, height]], dtype=np.float64)
    x, y, w, h = to_stored_boxes(box, rotation, 32, 20)[0].astype(int)
    stored = np.zeros(stored_size, dtype=bool)
    stored[y : y + h, x : x + w] = True
    displayed = np.rot90(stored, -rotation // 90)
    wanted = np.zeros((20, 32), dtype=bool)
    wanted[top : top + height, left : left + width] = True
    np.testing.assert_array_equal(displayed, wanted)
