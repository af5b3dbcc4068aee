"""The face detector: its decoding against plain formulas, and what it finds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from films import DEMO, frames_at
from personae.scan.exposure import DARK, white
from personae.scan.retinaface import RetinaFace, anchors, decode, overlaps, suppress, working_size
from personae.weights import weight


@pytest.fixture(scope="module")
def detector():
    return RetinaFace(weight("retinaface-mobilenet025").path())


@pytest.fixture(scope="module")
def portrait():
    """A woman's face about 150 pixels wide in (360, 640, 3) BGR."""
    return np.ascontiguousarray(frames_at([3.0], DEMO)[0][..., ::-1])


def plain_anchors(width, height):
    found = []
    for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        for row in range(-(-height // stride)):
            for column in range(-(-width // stride)):
                for side in sides:
                    found.append(((column + 0.5) * stride, (row + 0.5) * stride, side, side))
    return np.array(found)


@pytest.mark.parametrize("size", [(960, 544), (100, 60), (33, 500)])
def test_anchors(size):
    assert anchors(*size) == pytest.approx(plain_anchors(*size))


def test_decoding_one_box_follows_the_formula():
    priors = plain_anchors(96, 64)
    rng = np.random.default_rng(0)
    offsets = rng.normal(0, 1, (len(priors), 4)).astype(np.float32)
    points = rng.normal(0, 1, (len(priors), 10)).astype(np.float32)
    scores = np.zeros(len(priors), dtype=np.float32)
    scores[77] = 0.9
    faces = decode(offsets, scores, points, 96, 64, 0.5)
    cx, cy, aw, ah = priors[77]
    x, y = cx + offsets[77, 0] * 0.1 * aw, cy + offsets[77, 1] * 0.1 * ah
    w, h = aw * np.exp(offsets[77, 2] * 0.2), ah * np.exp(offsets[77, 3] * 0.2)
    assert len(faces) == 1
    assert faces.boxes[0] == pytest.approx((x - w / 2, y - h / 2, w, h), rel=1e-5)
    for k in range(5):
        expected = (cx + points[77, 2 * k] * 0.1 * aw, cy + points[77, 2 * k + 1] * 0.1 * ah)
        assert faces.landmarks[0, k] == pytest.approx(expected, rel=1e-5)


def plain_overlap(a, b):
    wide = max(0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    high = max(0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    inter, first, second = wide * high, a[2] * a[3], b[2] * b[3]
    return inter / (first + second - inter), inter / min(first, second)


boxes_of = st.lists(
    st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2), min_size=1, max_size=12
)


@given(boxes_of, st.integers(0, 2**32 - 1))
def test_suppression_keeps_the_best_of_every_heap(boxes, seed):
    boxes = np.array(boxes, dtype=np.float32)
    scores = np.random.default_rng(seed).permutation(len(boxes)).astype(np.float32)
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(
            plain_overlap(boxes[i], boxes[j])[0] <= 0.4
            and plain_overlap(boxes[i], boxes[j])[1] <= 0.7
            for j in kept
        ):
            kept.append(i)
    assert suppress(boxes, scores).tolist() == kept
    iou, covered = overlaps(boxes, boxes)
    assert np.diag(iou) == pytest.approx(np.ones(len(boxes)))
    assert (iou <= covered + 1e-6).all()


def test_no_boxes():
    assert len(suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))) == 0


def test_working_size_keeps_the_shape_and_suits_the_network():
    for width, height in (
        (640, 360),
        (1920, 1080),
        (3840, 2160),
        (720, 1280),
        (160, 120),
        (2000, 20),
    ):
        w, h = working_size(width, height, 960)
        assert w % 8 == h % 8 == 0
        assert max(w, h) == 960
        if min(width, height) > 100:
            assert w / h == pytest.approx(width / height, rel=0.02)


def test_a_face_is_found_with_its_landmarks_in_order(detector, portrait):
    faces = detector(portrait)
    assert len(faces) == 1
    assert faces.scores[0] > 0.95
    x, y, w, h = faces.boxes[0]
    eye_l, eye_r, nose, mouth_l, mouth_r = faces.landmarks[0]
    assert x < eye_l[0] < nose[0] < eye_r[0] < x + w
    assert y < eye_l[1] < nose[1] < mouth_l[1] < y + h
    assert mouth_l[0] < mouth_r[0]


def test_several_sizes_in_turn_give_what_each_gives_alone(detector, portrait):
    half = cv2.resize(portrait, (320, 184))
    alone = detector(portrait)
    detector(half)
    again = detector(portrait)
    assert np.array_equal(alone.boxes, again.boxes)
    assert np.array_equal(alone.scores, again.scores)


@pytest.mark.parametrize("pixels", [20, 24, 40])
def test_small_faces_of_a_small_film_are_found_at_the_default_size(detector, portrait, pixels):
    """A face of 20 pixels in 640x360, as recorded and as a telephone would have compressed it."""
    x, y, w, h = detector(portrait).boxes[0]
    head = portrait[int(y - 0.4 * h) : int(y + 1.3 * h), int(x - 0.5 * w) : int(x + 1.5 * w)]
    scale = pixels / w
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    width, height = working_size(640, 360, 960)
    for left, top in ((20, 20), (303, 151), (530, 260)):
        canvas = np.full((360, 640, 3), 110, dtype=np.uint8)
        canvas[top : top + head.shape[0], left : left + head.shape[1]] = head
        for picture in (canvas, cv2.imdecode(cv2.imencode(".jpg", canvas, [1, 50])[1], 1)):
            faces = detector(cv2.resize(picture, (width, height))).scaled(640 / width, 360 / height)
            assert faces.scores[0] > 0.7  # enough to start a track
            assert faces.boxes[0, 2] == pytest.approx(pixels, rel=0.35)
            centre = faces.boxes[0, :2] + faces.boxes[0, 2:] / 2
            assert centre == pytest.approx(
                (left + head.shape[1] / 2, top + head.shape[0] / 2), abs=pixels / 2
            )


def test_a_lit_picture_is_not_called_dark(portrait):
    assert white(portrait[::4, ::4]) >= DARK > white((portrait * 0.2).astype(np.uint8)[::4, ::4])


def test_a_face_in_the_dark_is_found(detector, portrait):
    dark = (portrait * 0.12).astype(np.uint8)
    faces = detector(dark)
    assert len(faces) == 1
    assert faces.boxes[0] == pytest.approx(detector(portrait).boxes[0], abs=12)
