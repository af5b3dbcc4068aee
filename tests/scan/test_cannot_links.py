"""Two faces in one frame are two people, unless they are two boxes on one head."""

from __future__ import annotations

import pytest

from helpers.faces import FPS, make_detection
from personae.scan.cannot_links import box_distance, find_cannot_links

STRIDE = 5
SIZE = 100


def make_track(frames, **where):
    return [make_detection(frame, **{"size": SIZE, **where}) for frame in frames]


def test_box_distance_is_in_sizes_of_the_larger_box():
    assert box_distance((0, 0, 100, 100), (150, 0, 100, 100)) == pytest.approx(1.5)
    assert box_distance((0, 0, 100, 100), (0, 0, 40, 40)) == pytest.approx(0.3)
    assert box_distance((0, 0, 100, 200), (0, 260, 100, 200)) == pytest.approx(1.3)
    assert box_distance((5, 5, 30, 30), (5, 5, 30, 30)) == 0


def test_two_people_in_the_same_frames_are_linked():
    left = make_track(range(0, 30, 3), x=0)
    right = make_track(range(12, 60, 3), x=300)
    assert find_cannot_links([left, right]) == [(0, 1, 6)]
    assert find_cannot_links([right, left]) == [(0, 1, 6)]


def test_two_people_one_after_the_other_are_not_linked():
    left, right = make_track(range(0, 30, 3), x=0), make_track(range(30, 60, 3), x=300)
    assert find_cannot_links([left, right]) == []


@pytest.mark.parametrize(("n_shared", "linked"), [(1, False), (2, True)])
def test_two_shared_frames_are_enough_and_one_is_not(n_shared, linked):
    left = make_track(range(0, 50, STRIDE), x=0)
    right = make_track(range(50 - n_shared * STRIDE, 100, STRIDE), x=300)
    assert find_cannot_links([left, right]) == ([(0, 1, n_shared)] if linked else [])


@pytest.mark.parametrize("shift", [0, 25, 50])
def test_two_boxes_on_one_head_are_not_linked(shift):
    head = make_track(range(0, 60, 3))
    part = make_track(range(0, 60, 3), x=100 + shift, size=90)
    assert find_cannot_links([head, part]) == []


@pytest.mark.parametrize(
    ("distance", "n_frames", "linked"),
    [
        (1.0, 2, False),  # two heads only above one size, unless they stay
        (1.01, 2, True),
        (0.7, 60, False),  # one head, however long
        (0.71, 60, True),
    ],
)
def test_boxes_are_two_heads_above_a_distance(distance, n_frames, linked):
    frames = range(0, n_frames * STRIDE, STRIDE)
    one, other = make_track(frames, x=0), make_track(frames, x=distance * SIZE)
    assert find_cannot_links([one, other]) == ([(0, 1, n_frames)] if linked else [])


@pytest.mark.parametrize(("last_frame", "linked"), [(FPS - 1, False), (FPS, True)])
def test_boxes_side_by_side_are_two_heads_after_a_second(last_frame, linked):
    frames = [0, 5, 10, last_frame]
    one, other = make_track(frames, x=0), make_track(frames, x=0.85 * SIZE)
    assert find_cannot_links([one, other]) == ([(0, 1, 4)] if linked else [])


@pytest.mark.parametrize(("n_apart", "linked"), [(10, False), (11, True)])
def test_boxes_must_be_apart_in_more_than_half_of_the_shared_frames(n_apart, linked):
    one = make_track(range(0, 100, STRIDE))
    first_apart = 100 - n_apart * STRIDE
    other = make_track(range(0, first_apart, STRIDE)) + make_track(
        range(first_apart, 100, STRIDE), x=400
    )
    assert find_cannot_links([one, other]) == ([(0, 1, n_apart)] if linked else [])


def test_three_people_are_three_pairs():
    frames = range(0, 30, 3)
    tracks = [make_track(frames, x=0), make_track(frames, x=300), make_track(frames, y=400)]
    assert find_cannot_links(tracks) == [(0, 1, 10), (0, 2, 10), (1, 2, 10)]
