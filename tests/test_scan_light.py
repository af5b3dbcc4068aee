"""Dark pictures: brightened so far, and for the sake of recognition."""

from __future__ import annotations

import numpy as np
import pytest

from films import DEMO, frames_at
from personae.core.crops import template_square
from personae.encode import load_encoder
from personae.scan.alignment import aligned_crop, evenly_lit
from personae.scan.exposure import brightened, white
from personae.scan.retinaface import RetinaFace
from personae.weights import weight


@pytest.fixture(scope="module")
def faces():
    """Aligned RGB crops of two people of the demo clip, two of each."""
    found = []
    detector = RetinaFace(weight("retinaface-mobilenet025").path())
    for picture in frames_at([3.0, 4.0, 11.0, 12.0], DEMO):
        landmarks = detector(np.ascontiguousarray(picture[..., ::-1])).landmarks[0]
        found.append(aligned_crop(picture, landmarks))
    return found


def test_white_is_where_a_hundredth_of_a_picture_begins():
    picture = np.full((10, 30, 3), 40, dtype=np.uint8)
    picture[0, :4, 1] = 200  # four of 300 pixels, in one channel
    assert white(picture) > 150
    picture[0, :2, 1] = 40  # two of 300 are less than a hundredth
    assert white(picture) == 40


def test_brightening_is_a_gain_within_its_bounds():
    picture = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    assert np.abs(brightened(picture, 127.5) - np.minimum(2.0 * picture, 255)).max() <= 0.5
    assert np.abs(brightened(picture, 10.0) - np.minimum(4.0 * picture, 255)).max() <= 0.5
    assert brightened(picture, 255.0) is picture
    assert not brightened(np.zeros((4, 4, 3), dtype=np.uint8), 0.0).any()


def test_a_lamp_beside_the_face_does_not_keep_it_dark(faces):
    dim = (faces[0] * 0.3).astype(np.uint8)
    dim[:20] = 255
    assert white(template_square(evenly_lit(dim))) > 3 * white(template_square(dim))


def test_a_dark_face_is_recognised_better_when_it_is_lit(faces):
    encoder = load_encoder()

    def unit(crops):
        rows = encoder.embed(crops)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    dark = [(face * 0.15).astype(np.uint8) for face in faces]
    bright, as_is, lit = unit(faces), unit(dark), unit([evenly_lit(face) for face in dark])
    assert ((bright * lit).sum(axis=1) > (bright * as_is).sum(axis=1)).all()
