"""Two faces in one frame are two people, unless they are two boxes on one head."""

from __future__ import annotations

import pytest

from faces import face
from personae.scan.cannot_links import cannot_link, distance


def track(frames, **where):
    return [face(frame, **where) for frame in frames]


def test_distance_is_in_sizes_of_the_larger_box():
    assert distance((0, 0, 100, 100), (150, 0, 100, 100)) == pytest.approx(1.5)
    assert distance((0, 0, 100, 100), (0, 0, 40, 40)) == pytest.approx(0.3)
    assert distance((0, 0, 100, 200), (0, 260, 100, 200)) == pytest.approx(1.3)
    assert distance((5, 5, 30, 30), (5, 5, 30, 30)) == 0


def test_two_people_in_the_same_frames():
    left, right = track(range(0, 30, 3), x=0), track(range(12, 60, 3), x=300)
    assert cannot_link([left, right]) == [(0, 1, 6)]
    assert cannot_link([right, left]) == [(0, 1, 6)]


def test_two_people_one_after_the_other_are_not_linked():
    assert cannot_link([track(range(0, 30, 3), x=0), track(range(30, 60, 3), x=300)]) == []


def test_one_shared_frame_proves_nothing():
    assert cannot_link([track(range(0, 31, 3), x=0), track(range(30, 60, 3), x=300)]) == []


@pytest.mark.parametrize("shift", [0, 25, 50])
def test_two_boxes_on_one_head_are_not_linked(shift):
    head, part = track(range(0, 60, 3), size=100), track(range(0, 60, 3), x=100 + shift, size=90)
    assert cannot_link([head, part]) == []


def test_a_box_beside_a_head_counts_only_if_it_stays():
    def beside(frames):
        return cannot_link([track(frames, x=100, size=100), track(frames, x=185, size=100)])

    assert beside(range(0, 15, 3)) == []
    assert beside(range(0, 60, 3)) == [(0, 1, 20)]


def test_boxes_that_mostly_coincide_are_not_linked_by_a_few_frames_apart():
    one = track(range(0, 60, 3))
    other = track(range(0, 48, 3)) + track(range(48, 60, 3), x=400)
    assert cannot_link([one, other]) == []


def test_three_people_make_three_pairs():
    frames = range(0, 30, 3)
    tracks = [track(frames, x=0), track(frames, x=300), track(frames, y=400)]
    assert cannot_link(tracks) == [(0, 1, 10), (0, 2, 10), (1, 2, 10)]
