"""Dark images: how far they are brightened, and that recognition profits."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.films import DEMO, frames_at
from personae.core.crops import template_square
from personae.encode import load_encoder
from personae.scan.alignment import align_crop, normalise_exposure
from personae.scan.exposure import brighten, contrast, exposure_gain, white_level
from personae.scan.retinaface import RetinaFace
from personae.weights import weight_file


@pytest.fixture(scope="module")
def crops():
    """Aligned RGB crops of two people of the demo clip, two of each."""
    found = []
    detector = RetinaFace(weight_file("retinaface-mobilenet025").path())
    for image in frames_at([3.0, 4.0, 11.0, 12.0], DEMO):
        landmarks = detector(np.ascontiguousarray(image[..., ::-1])).landmarks[0]
        found.append(align_crop(image, landmarks))
    return found


def test_white_level_ignores_the_brightest_hundredth():
    image = np.full((10, 30, 3), 40, dtype=np.uint8)
    image[0, :4, 1] = 200  # four of 300 pixels, in one channel
    assert white_level(image) > 150
    image[0, :2, 1] = 40  # two of 300 are less than a hundredth
    assert white_level(image) == 40


def test_contrast_is_between_the_first_and_the_last_hundredth():
    image = np.repeat(np.arange(101, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert contrast(image) == 98
    assert contrast(np.full((10, 10, 3), 77, np.uint8)) == 0


def test_brightening_multiplies_up_to_the_highest_gain():
    image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    assert np.abs(brighten(image, 127.5) - np.minimum(2.0 * image, 255)).max() <= 0.5
    assert np.abs(brighten(image, 10.0) - np.minimum(4.0 * image, 255)).max() <= 0.5
    assert brighten(image, 255.0) is image
    assert not brighten(np.zeros((4, 4, 3), dtype=np.uint8), 0.0).any()


@pytest.mark.parametrize(("level", "gain"), [(0, 4), (63, 4), (63.75, 4), (85, 3), (255, 1)])
def test_exposure_gain(level, gain):
    assert exposure_gain(level) == gain


def test_a_lamp_beside_the_face_does_not_keep_it_dark(crops):
    dim = (crops[0] * 0.3).astype(np.uint8)
    dim[:20] = 255
    assert white_level(template_square(normalise_exposure(dim))) > 3 * white_level(
        template_square(dim)
    )


def test_normalised_exposure_improves_embeddings_of_dark_faces(crops):
    encoder = load_encoder()

    def embed(images):
        rows = encoder.encode(images)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    dark = [(crop * 0.15).astype(np.uint8) for crop in crops]
    bright, as_is = embed(crops), embed(dark)
    normalised = embed([normalise_exposure(crop) for crop in dark])
    assert ((bright * normalised).sum(axis=1) > (bright * as_is).sum(axis=1)).all()
