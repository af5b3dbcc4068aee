"""How frames between two keyframes are searched, with searches of which the result is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.scan.keyframe_schedule import (
    MIN_FACE_WIDTH_PX,
    REDUCED_SCALES,
    KeyframeSchedule,
    all_found,
    interpolate_boxes,
    match_boxes,
    select_scale,
)
from personae.scan.retinaface import FaceDetections


def faces_at(*boxes) -> FaceDetections:
    n = len(boxes)
    array = np.array(boxes, dtype=np.float32).reshape(n, 4)
    return FaceDetections(array, np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))


class KnownFaces:
    """Frames whose faces are known; records how each frame is searched."""

    def __init__(self, truth: dict[int, FaceDetections], missed=(), min_gap=1):
        self.truth, self.missed = truth, set(missed)
        self.searched: list[tuple[int, float]] = []
        self.searched_near: list[int] = []
        self.schedule = KeyframeSchedule(
            self.search_frame, self.search_near_boxes, lambda faces: faces, 1.0, min_gap
        )

    def search_frame(self, i, scale):
        self.searched.append((i, scale))
        return faces_at() if scale < 1 and i in self.missed else self.truth[i]

    def search_near_boxes(self, i, boxes):
        self.searched_near.append(i)
        return self.truth[i] if i not in self.missed and all_found(self.truth[i], boxes) else None

    def fill(self):
        ends = min(self.truth), max(self.truth)
        detections = {i: self.truth[i] for i in ends}
        self.schedule.fill(detections, *ends)
        return detections


def moving(i: int) -> FaceDetections:
    return faces_at((100 + 5 * i, 50, 80, 100), (400, 60 + 3 * i, 40, 50))


def only_first(faces: FaceDetections) -> FaceDetections:
    return faces.select(np.array([0]))


def test_faces_at_both_keyframes_are_only_searched_near_their_boxes():
    known = KnownFaces({i: moving(i) for i in range(9)})
    assert known.fill() == known.truth
    assert (known.searched, known.searched_near) == ([], list(range(1, 8)))


def test_a_frame_is_searched_in_full_where_a_face_is_not_found_near_its_box():
    known = KnownFaces({i: moving(i) for i in range(9)}, missed=[3, 6])
    assert known.fill() == known.truth
    assert known.searched == [(3, 1.0), (6, 1.0)]


@pytest.mark.parametrize("arrival", range(1, 9))
def test_the_frames_around_an_arrival_are_searched_in_full(arrival):
    known = KnownFaces({i: moving(i) if i >= arrival else only_first(moving(i)) for i in range(9)})
    assert known.fill() == known.truth
    in_full = {i for i, scale in known.searched if scale == 1} | {0, 8}
    assert {arrival - 1, arrival} <= in_full
    assert len(in_full) <= 5


@pytest.mark.parametrize("departure", range(1, 9))
def test_the_frames_around_a_departure_are_searched_in_full(departure):
    known = KnownFaces({i: moving(i) if i < departure else only_first(moving(i)) for i in range(9)})
    assert known.fill() == known.truth
    in_full = {i for i, scale in known.searched if scale == 1} | {0, 8}
    assert {departure - 1, departure} <= in_full


@pytest.mark.parametrize(("min_gap", "n_keyframes"), [(4, 0), (3, 1)])
def test_keyframes_at_the_smallest_gap_get_no_further_one(min_gap, n_keyframes):
    truth = {i: faces_at((50, 50, 70, 70)) if i > 2 else faces_at() for i in range(5)}
    known = KnownFaces(truth, min_gap=min_gap)
    known.fill()
    assert len([i for i, scale in known.searched if scale == 1]) == n_keyframes


def test_a_change_within_the_smallest_gap_is_searched_at_a_reduced_scale():
    truth = {i: faces_at((50, 50, 70, 70)) if i > 2 else faces_at() for i in range(5)}
    known = KnownFaces(truth, min_gap=4)
    known.fill()
    assert known.searched == [(1, 1 / 2), (2, 1 / 2), (3, 1 / 2)]  # there, 70 pixels are 35


def test_a_matched_face_missed_at_a_reduced_scale_is_searched_in_full():
    truth = {i: faces_at((0, 0, 70, 70)) for i in range(3)}
    truth[2] = faces_at((0, 0, 70, 70), (300, 0, 70, 70))
    known = KnownFaces(truth, missed=[1], min_gap=4)
    assert known.fill()[1] is known.truth[1]
    assert known.searched == [(1, 1 / 2), (1, 1.0)]


def test_nothing_is_searched_twice_at_full_scale():
    """Narrow faces need the full scale; a missing face cannot be searched any better."""
    truth = {
        0: faces_at((0, 0, 20, 20)),
        1: faces_at(),
        2: faces_at((0, 0, 20, 20), (90, 0, 20, 20)),
    }
    known = KnownFaces(truth, min_gap=4)
    known.fill()
    assert known.searched == [(1, 1.0)]


def test_frames_without_faces_are_searched_at_the_smallest_scale():
    known = KnownFaces({i: faces_at() for i in range(6)})
    known.fill()
    assert known.searched == [(i, REDUCED_SCALES[0]) for i in range(1, 5)]


@given(st.lists(st.floats(4, 900), min_size=1, max_size=6), st.floats(0.2, 2))
def test_the_scale_is_the_smallest_at_which_all_faces_are_wide_enough(widths, full_pixel_scale):
    scale = select_scale([faces_at(*[(0, 0, w, w) for w in widths])], full_pixel_scale)
    narrowest = float(np.float32(min(widths))) * full_pixel_scale
    assert scale in (*REDUCED_SCALES, 1.0)
    assert scale == 1 or scale * narrowest >= MIN_FACE_WIDTH_PX
    assert all(
        smaller * narrowest < MIN_FACE_WIDTH_PX for smaller in REDUCED_SCALES if smaller < scale
    )


@pytest.mark.parametrize(
    ("width", "scale"),
    [(96, 1 / 3), (95, 1 / 2), (64, 1 / 2), (63, 2 / 3), (48, 2 / 3), (47, 1.0), (4, 1.0)],
)
def test_the_scale_keeps_faces_at_32_pixels(width, scale):
    assert select_scale([faces_at((0, 0, width, 300)), faces_at()], 1.0) == scale
    assert select_scale([faces_at(), faces_at((0, 0, 2 * width, 9))], 0.5) == scale


def shifted_by(iou: float) -> tuple[float, float, float, float]:
    """Return a box with an IoU with (0, 0, 100, 100)."""
    return (100 * (1 - 2 * iou / (1 + iou)), 0, 100, 100)


@pytest.mark.parametrize(("iou", "same"), [(0.29, False), (0.31, True)])
def test_boxes_are_of_one_face_from_an_iou_of_three_tenths(iou, same):
    face, other = faces_at((0, 0, 100, 100)), faces_at(shifted_by(iou))
    assert match_boxes(face, other) == ([(0, 0)] if same else [])
    assert all_found(face, other.boxes) == same


def test_every_expected_box_needs_a_detection():
    boxes = np.array([(0, 0, 10, 10), (50, 0, 10, 10)], np.float32)
    assert all_found(faces_at((50, 0, 10, 10), (0, 0, 10, 10)), boxes)
    assert not all_found(faces_at((50, 0, 10, 10)), boxes)
    assert not all_found(faces_at(), boxes)
    assert all_found(faces_at(), boxes[:0])
    assert all_found(faces_at((0, 0, 10, 10)), boxes[:0])


def test_each_box_is_matched_once_with_the_highest_iou_first():
    before = faces_at((0, 0, 100, 100), (30, 0, 100, 100), (500, 0, 50, 50))
    after = faces_at((28, 0, 100, 100), (300, 0, 50, 50))
    assert match_boxes(before, after) == [(1, 0)]
    assert match_boxes(after, before) == [(0, 1)]
    assert match_boxes(faces_at(), after) == []
    assert match_boxes(after, faces_at()) == []
    crowded = faces_at((0, 0, 100, 100), (2, 0, 100, 100))
    assert match_boxes(crowded, faces_at((1, 0, 100, 100), (4, 0, 100, 100))) == [(0, 0), (1, 1)]


def test_boxes_between_keyframes_are_interpolated_linearly():
    before = faces_at((0, 0, 10, 10), (50, 50, 20, 20))
    after = faces_at((60, 50, 20, 20), (4, 8, 10, 10))
    boxes = interpolate_boxes(before, after, [(0, 1), (1, 0)], 0.25)
    assert boxes == pytest.approx(np.array([[1, 2, 10, 10], [52.5, 50, 20, 20]]))


def test_an_iou_of_exactly_three_tenths_is_one_face():
    """Boxes of 130 are 70 apart: they share 60 of 200."""
    face, other = faces_at((0, 0, 130, 10)), faces_at((70, 0, 130, 10))
    assert match_boxes(face, other) == [(0, 0)]
    assert all_found(face, other.boxes)


def test_interpolated_boxes_are_in_single_precision():
    boxes = interpolate_boxes(faces_at((0, 0, 10, 10)), faces_at((3, 6, 10, 10)), [(0, 0)], 1 / 3)
    assert boxes.dtype == np.float32
    assert boxes == pytest.approx(np.array([[1, 2, 10, 10]]))
    assert interpolate_boxes(faces_at(), faces_at(), [], 0.5).shape == (0, 4)


def test_expected_boxes_are_interpolated_by_frame_number():
    """Frames 10 to 14; the box moves by 8 pixels per frame."""
    expected = {}
    truth = {10 + i: faces_at((8 * i, 0, 80, 80)) for i in range(5)}

    def search_near_boxes(i, boxes):
        expected[i] = boxes[0, 0]
        return truth[i]

    schedule = KeyframeSchedule(lambda *_: faces_at(), search_near_boxes, lambda f: f, 1.0, 1)
    detections = {10: truth[10], 14: truth[14]}
    schedule.fill(detections, 10, 14)
    assert expected == {11: 8, 12: 16, 13: 24}
    assert detections == truth


@pytest.mark.parametrize(("gap", "middle"), [(8, 4), (7, 3)])
def test_the_frame_in_the_middle_becomes_a_keyframe(gap, middle):
    truth = {i: faces_at() for i in range(gap)} | {gap: faces_at((0, 0, 90, 90))}
    known = KnownFaces(truth, min_gap=gap - 1)
    known.fill()
    assert [i for i, scale in known.searched if scale == 1] == [middle]


def test_adjacent_keyframes_have_nothing_between_them():
    known = KnownFaces({0: faces_at(), 1: faces_at((0, 0, 90, 90))}, min_gap=0)
    assert set(known.fill()) == {0, 1}
    assert known.searched == []
