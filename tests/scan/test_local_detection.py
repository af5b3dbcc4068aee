"""Faces searched near expected boxes: as exact as in the whole frame, None where one is missing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.films import frames_at
from personae.scan.local_detection import detect_near
from personae.scan.retinaface import MEAN_BGR, FaceDetections, RetinaFace
from personae.weights import weight_file

WINDOW = 192


@pytest.fixture(scope="module")
def detector():
    return RetinaFace(weight_file("retinaface-mobilenet025").path(), threads=1)


@pytest.fixture(scope="module")
def two():
    """Two people side by side, (360, 640, 3) RGB."""
    return frames_at([12.0])[0]


def detect_in_full(detector, image):
    return detector(np.ascontiguousarray(image[..., ::-1]))


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5, 3.0])
def test_landmarks_are_as_in_the_whole_frame(detector, two, factor):
    image = cv2.resize(two, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    truth = detect_in_full(detector, two).scaled(factor, factor)
    assert len(truth) == 2
    width = truth.boxes[:, 2]
    offset = np.array([[0.15, -0.1, 0, 0]], np.float32) * width[:, None]
    found = detect_near(detector, image, truth.boxes + offset, (1.5, 1.5))
    assert found is not None
    assert (np.diff(found.scores) <= 0).all()
    for i in range(2):
        error = np.linalg.norm(found.landmarks - truth.landmarks[i], axis=2).mean(axis=1) / width[i]
        assert error.min() < 0.06


def test_none_where_a_face_is_missing(detector, two):
    truth = detect_in_full(detector, two)
    empty = np.full_like(two, 127)
    assert detect_near(detector, empty, truth.boxes, (1.0, 1.0)) is None
    left = truth.boxes[:, 0].argmin()
    elsewhere = truth.boxes.copy()
    elsewhere[left, :2] = (2, 2)
    assert detect_near(detector, two, elsewhere, (1.0, 1.0)) is None


def test_faces_at_the_edge_are_found_and_boxes_beyond_it_are_not(detector, two):
    truth = detect_in_full(detector, two)
    x, y, w, h = truth.boxes[0]
    left, top = max(0, int(x)), max(0, int(y - 0.1 * h))
    cut = np.ascontiguousarray(two[top:, left:])
    box = (truth.boxes[:1] - np.array([[left, top, 0, 0]], np.float32)).astype(np.float32)
    found = detect_near(detector, cut, box, (1.0, 1.0))
    assert found is not None
    assert found.boxes[0] == pytest.approx(box[0], abs=0.2 * float(w))
    for corner in ((-500, -500), (5000, 20), (639, 359)):
        beyond = np.array([[*corner, 60, 80]], dtype=np.float32)
        assert detect_near(detector, two, beyond, (1.0, 1.0)) is None


def test_films_with_pixels_that_are_not_square(detector, two):
    """Pixels are twice as wide as high: faces are found upright, boxes are in the film's pixels."""
    narrow = cv2.resize(two, None, fx=0.5, fy=1, interpolation=cv2.INTER_AREA)
    truth = detect_in_full(detector, two).scaled(0.5, 1)
    found = detect_near(detector, narrow, truth.boxes, (2.0, 1.0))
    assert found is not None
    assert found.boxes[np.argsort(found.boxes[:, 0])] == pytest.approx(
        truth.boxes[np.argsort(truth.boxes[:, 0])], abs=0.15 * float(truth.boxes[:, 3].max())
    )


class KnownFaces:
    """Detects given boxes in every window, and records the windows."""

    def __init__(self, *boxes):
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self.windows: list[np.ndarray] = []

    def __call__(self, window):
        self.windows.append(window)
        n = len(self.boxes)
        scores = np.linspace(0.9, 0.8, n, dtype=np.float32)
        return FaceDetections(self.boxes, scores, np.zeros((n, 5, 2), np.float32))


def grey_image(height=1000, width=1000):
    return np.full((height, width, 3), 50, np.uint8)


def detect_one(known: KnownFaces, box, image=None, pixel_scale=(1.0, 1.0)):
    image = grey_image() if image is None else image
    return detect_near(known, image, np.array([box], np.float32), pixel_scale)


@pytest.mark.parametrize(("iou", "found"), [(0.0, False), (0.29, False), (0.31, True)])
def test_a_detection_must_lie_on_the_expected_box(iou, found):
    """The window of a box in the middle of the image shows the box in its own middle."""
    shift = 60 * (1 - 2 * iou / (1 + iou))
    known = KnownFaces((66 + shift, 66, 60, 60))
    result = detect_one(known, (470, 470, 60, 60))
    assert (result is not None) == found


def test_the_detection_with_the_highest_iou_is_taken_though_another_scores_higher():
    known = KnownFaces((66 + 20, 66, 60, 60), (66 + 2, 66, 60, 60))
    found = detect_one(known, (470, 470, 60, 60))
    assert found.boxes.tolist() == [[472, 470, 60, 60]]
    assert found.scores == pytest.approx([0.8])


def test_one_missing_face_among_several_gives_none():
    known = KnownFaces((66, 66, 60, 60))
    present, missing = (470, 470, 60, 60), (300, 300, 30, 30)
    boxes = np.array([present, missing], np.float32)
    assert detect_near(known, grey_image(), boxes, (1.0, 1.0)) is None
    assert detect_near(known, grey_image(), boxes[:1], (1.0, 1.0)) is not None


@pytest.mark.parametrize(
    ("width", "pixel_scale", "width_in_window"),
    [
        (96, 1.0, 96),  # full scale
        (95, 1.0, 95),
        (200, 1.0, 96),  # larger faces are reduced
        (60, 0.5, 60),  # the film is finer than the frame at full scale: use its detail
        (60, 1.5, 90),  # the frame at full scale is enlarged: no more than that
        (80, 1.5, 96),
    ],
)
def test_the_scale_of_the_window(width, pixel_scale, width_in_window):
    scale = width_in_window / width
    side = width_in_window
    known = KnownFaces((WINDOW / 2 - side / 2, WINDOW / 2 - side / 2, side, side))
    box = (500 - width / 2, 500 - width / 2, width, width)
    found = detect_one(known, box, pixel_scale=(pixel_scale, pixel_scale))
    assert known.windows[0].shape == (WINDOW, WINDOW, 3)
    assert found.boxes[0] == pytest.approx(np.array(box), abs=1.5 / scale)


def test_the_window_shows_bgr_and_is_padded_with_the_networks_mean():
    image = grey_image()
    image[..., 0] = 200  # red
    known = KnownFaces((0, 0, 60, 60))
    detect_one(known, (0, 0, 60, 60), image)
    (window,) = known.windows
    assert (window[: WINDOW // 2 + 30, : WINDOW // 2 + 30] == (50, 50, 200)).all()
    assert (window[WINDOW // 2 + 30 :] == np.array(MEAN_BGR, np.uint8)).all()
    assert (window[:, WINDOW // 2 + 30 :] == np.array(MEAN_BGR, np.uint8)).all()


def test_a_detection_with_an_iou_of_exactly_three_tenths_is_taken():
    """Boxes of 65 are 35 apart: they share 30 of 100. The window starts at 406."""
    known = KnownFaces((470 - 406 + 35, 470 - 406, 65, 65))
    found = detect_one(known, (470, 470, 65, 65))
    assert found.boxes.tolist() == [[505, 470, 65, 65]]


def test_reduced_windows_average_the_image():
    """A face of 192 pixels is shown at half its size: stripes of a pixel vanish."""
    image = grey_image()
    image[:, ::4], image[:, 3::4] = 150, 150
    known = KnownFaces((48, 48, 96, 96))
    assert detect_one(known, (404, 404, 192, 192), image) is not None
    image[:, 1::2], image[:, ::2] = 50, 150
    detect_one(known, (404, 404, 192, 192), image)
    assert (known.windows[1] == 100).all()


def test_enlarged_windows_are_interpolated():
    """A slope of 10 levels per pixel is one of 5 at twice the size."""
    image = np.repeat(np.arange(25, dtype=np.uint8)[None, :, None] * 10, 3, axis=2)
    image = np.ascontiguousarray(np.repeat(image, 300, axis=0))
    known = KnownFaces((0, 96 - 24, 48, 48))
    detect_one(known, (0, 100, 24, 24), image, pixel_scale=(2.0, 2.0))
    steps = np.diff(known.windows[0][96, 1:49, 0].astype(int))
    assert steps == pytest.approx(np.full(47, 5), abs=1)


def test_scores_and_landmarks_are_those_of_the_detections_best_first():
    class InTurn:
        def __init__(self):
            self.calls = 0

        def __call__(self, _window):
            self.calls += 1
            box = np.array([(66, 66, 60, 60)], np.float32)
            points = np.full((1, 5, 2), 10 * self.calls, np.float32)
            return FaceDetections(box, np.array([0.5 + 0.1 * self.calls], np.float32), points)

    boxes = np.array([(470, 470, 60, 60), (270, 170, 60, 60), (670, 370, 60, 60)], np.float32)
    found = detect_near(InTurn(), grey_image(), boxes, (1.0, 1.0))
    assert found.scores == pytest.approx([0.8, 0.7, 0.6])
    assert found.boxes.tolist() == boxes[::-1].tolist()
    corners = boxes[::-1, :2] + boxes[::-1, 2:] / 2 - WINDOW / 2
    assert found.landmarks[:, 0].tolist() == (corners + np.array([[30], [20], [10]])).tolist()
