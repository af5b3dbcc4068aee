"""Faces looked for where they should be: as exact as in the whole picture, and None where they are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from films import frames_at
from personae.scan.local_search import detect_near
from personae.scan.retinaface import RetinaFace
from personae.weights import weight


@pytest.fixture(scope="module")
def detector():
    return RetinaFace(weight("retinaface-mobilenet025").path(), threads=1)


@pytest.fixture(scope="module")
def two():
    """Two people side by side, (360, 640, 3) RGB."""
    return frames_at([12.0])[0]


def whole(detector, image):
    return detector(np.ascontiguousarray(image[..., ::-1]))


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5, 3.0])
def test_as_in_the_whole_picture(detector, two, factor):
    image = cv2.resize(two, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    truth = whole(detector, two).scaled(factor, factor)
    assert len(truth) == 2
    width = truth.boxes[:, 2]
    places = (
        truth.boxes + np.array([[0.15, -0.1, 0, 0]], np.float32) * width[:, None]
    )  # they have moved
    found = detect_near(detector, image, places, (1.5, 1.5))
    assert found is not None
    assert (np.diff(found.scores) <= 0).all()
    for i in range(2):
        error = np.linalg.norm(found.landmarks - truth.landmarks[i], axis=2).mean(axis=1) / width[i]
        assert error.min() < 0.06


def test_nobody_there(detector, two):
    truth = whole(detector, two)
    empty = np.full_like(two, 127)
    assert detect_near(detector, empty, truth.boxes, (1.0, 1.0)) is None
    elsewhere = truth.boxes.copy()
    elsewhere[1, :2] = (2, 2)
    if elsewhere[1, 0] + elsewhere[1, 2] < truth.boxes[:, 0].min():
        assert detect_near(detector, two, elsewhere, (1.0, 1.0)) is None


def test_at_the_edge_and_beyond(detector, two):
    truth = whole(detector, two)
    x, y, w, h = truth.boxes[0]
    left, top = max(0, int(x)), max(0, int(y - 0.1 * h))
    cut = np.ascontiguousarray(two[top:, left:])
    place = (truth.boxes[:1] - np.array([[left, top, 0, 0]], np.float32)).astype(np.float32)
    found = detect_near(detector, cut, place, (1.0, 1.0))
    assert found is not None
    assert found.boxes[0] == pytest.approx(place[0], abs=0.2 * float(w))
    for corner in ((-500, -500), (5000, 20), (639, 359)):
        far = np.array([[*corner, 60, 80]], dtype=np.float32)
        assert detect_near(detector, two, far, (1.0, 1.0)) is None


def test_pixels_that_are_not_square(detector, two):
    """A film whose pixels are twice as wide as high: faces are found upright, places are the film's own."""
    narrow = cv2.resize(two, None, fx=0.5, fy=1, interpolation=cv2.INTER_AREA)
    truth = whole(detector, two).scaled(0.5, 1)
    found = detect_near(detector, narrow, truth.boxes, (2.0, 1.0))
    assert found is not None
    assert found.boxes[np.argsort(found.boxes[:, 0])] == pytest.approx(
        truth.boxes[np.argsort(truth.boxes[:, 0])], abs=0.15 * float(truth.boxes[:, 3].max())
    )
