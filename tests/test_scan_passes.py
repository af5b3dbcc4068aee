"""How frames are looked at between two full searches, with searches that are told what they find."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.scan.retinaface import Faces
from personae.scan.search_schedule import (
    LEAST_WIDTH,
    SHARES,
    Passes,
    between,
    covers,
    enough,
    same_places,
)


def faces_at(*boxes) -> Faces:
    n = len(boxes)
    places = np.array(boxes, dtype=np.float32).reshape(n, 4)
    return Faces(places, np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))


class Told:
    """Frames whose faces are known; notes how each is looked at."""

    def __init__(self, truth: dict[int, Faces], overlooked=(), closest=1):
        self.truth, self.overlooked = truth, set(overlooked)
        self.searched: list[tuple[int, float]] = []
        self.followed: list[int] = []
        self.passes = Passes(self.search, self.follow, lambda faces: faces, 1.0, closest)

    def search(self, i, share):
        self.searched.append((i, share))
        return faces_at() if share < 1 and i in self.overlooked else self.truth[i]

    def follow(self, i, places):
        self.followed.append(i)
        return self.truth[i] if i not in self.overlooked and covers(self.truth[i], places) else None

    def fill(self):
        ends = min(self.truth), max(self.truth)
        found = {i: self.truth[i] for i in ends}
        self.passes.fill(found, *ends)
        return found


def moving(i: int) -> Faces:
    return faces_at((100 + 5 * i, 50, 80, 100), (400, 60 + 3 * i, 40, 50))


def test_faces_that_stay_are_only_followed():
    told = Told({i: moving(i) for i in range(9)})
    assert told.fill() == told.truth
    assert (told.searched, told.followed) == ([], list(range(1, 8)))


def test_where_one_is_not_found_again_the_frame_is_searched_in_full():
    told = Told({i: moving(i) for i in range(9)}, overlooked=[3, 6])
    assert told.fill() == told.truth
    assert told.searched == [(3, 1.0), (6, 1.0)]


@pytest.mark.parametrize("arrival", range(1, 9))
def test_the_moment_when_somebody_comes_is_searched_in_full(arrival):
    told = Told({i: moving(i) if i >= arrival else moving(i).take(np.array([0])) for i in range(9)})
    assert told.fill() == told.truth
    in_full = {i for i, share in told.searched if share == 1} | {0, 8}
    assert {arrival - 1, arrival} <= in_full
    assert len(in_full) <= 5


def test_a_change_within_the_closest_frames_is_searched_in_pictures_just_large_enough():
    told = Told(
        {i: faces_at((50, 50, 70, 70)) if i > 2 else faces_at() for i in range(5)}, closest=4
    )
    told.fill()
    assert told.searched == [
        (1, 1 / 2),
        (2, 1 / 2),
        (3, 1 / 2),
    ]  # 70 pixels are 35 in half the size
    told = Told(
        {0: moving(0), 1: moving(1), 2: moving(2).take(np.array([0]))}, overlooked=[1], closest=4
    )
    assert told.fill()[1] is told.truth[1]  # who stays was overlooked in the small picture
    assert told.searched == [(1, 1.0)] or told.searched[-1] == (1, 1.0)


def test_where_nobody_is_every_frame_is_still_looked_at():
    told = Told({i: faces_at() for i in range(6)})
    told.fill()
    assert told.searched == [(i, SHARES[0]) for i in range(1, 5)]


@given(st.lists(st.floats(4, 900), min_size=1, max_size=6), st.floats(0.2, 2))
def test_the_picture_is_the_smallest_in_which_all_are_wide_enough(widths, full_width):
    share = enough([faces_at(*[(0, 0, w, w) for w in widths])], full_width)
    narrowest = float(np.float32(min(widths))) * full_width
    assert share in (*SHARES, 1.0)
    assert share == 1 or share * narrowest >= LEAST_WIDTH
    assert all(smaller * narrowest < LEAST_WIDTH for smaller in SHARES if smaller < share)


def test_each_face_is_paired_once_with_the_nearest():
    before = faces_at((0, 0, 100, 100), (30, 0, 100, 100), (500, 0, 50, 50))
    after = faces_at((28, 0, 100, 100), (300, 0, 50, 50))
    assert same_places(before, after) == [(1, 0)]
    assert same_places(faces_at(), after) == []


def test_places_between_move_evenly():
    before, after = (
        faces_at((0, 0, 10, 10), (50, 50, 20, 20)),
        faces_at((60, 50, 20, 20), (4, 8, 10, 10)),
    )
    places = between(before, after, [(0, 1), (1, 0)], 0.25)
    assert places == pytest.approx(np.array([[1, 2, 10, 10], [52.5, 50, 20, 20]]))
