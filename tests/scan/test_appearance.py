"""The appearance descriptor against its definition, and the similarity of two of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.faces import appearance_with_similarity, make_detection, random_appearance
from personae.scan.tracklets import appearance_descriptor, appearance_similarity

ANNE, BEN = random_appearance(1), random_appearance(2)


def test_similarity_is_high_for_the_same_face_and_low_for_another():
    anne, ben = make_detection(0, appearance=ANNE), make_detection(3, appearance=BEN)
    assert appearance_similarity(anne, make_detection(3, appearance=ANNE)) == pytest.approx(
        1, abs=0.01
    )
    assert appearance_similarity(anne, ben) < 0.6
    unknown = make_detection(0, appearance=None)
    assert appearance_similarity(unknown, anne) == appearance_similarity(anne, unknown) == 0


def test_colours_have_three_times_the_weight_of_the_grey_image():
    both = make_detection(0, appearance=appearance_with_similarity(1.0))
    grey_only = make_detection(0, appearance=appearance_with_similarity(1.0).copy())
    grey_only.appearance[400:] = 0
    assert appearance_similarity(both, grey_only) == 0.25


def test_the_descriptor_is_two_unit_vectors_of_a_flat_and_of_a_textured_crop():
    noise = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    flat = np.full((160, 160, 3), 77, dtype=np.uint8)
    for crop, grey_norm in ((noise, 1), (flat, 0)):
        descriptor = appearance_descriptor(crop).astype(float)
        assert descriptor.shape == (20 * 20 + 8 * 16 * 16,)
        assert np.linalg.norm(descriptor[:400]) == pytest.approx(grey_norm, abs=1e-3)
        assert np.linalg.norm(descriptor[400:]) == pytest.approx(1, abs=1e-2)


def test_the_descriptor_ignores_brightness_of_the_grey_image_and_knows_colours():
    noise = np.random.default_rng(0).integers(60, 120, (8, 8, 3), dtype=np.uint8)
    crop = cv2.resize(noise, (160, 160), interpolation=cv2.INTER_CUBIC)
    brighter = crop + np.uint8(60)
    a, b = (appearance_descriptor(image).astype(float) for image in (crop, brighter))
    assert a[:400] @ b[:400] == pytest.approx(1, abs=0.02)
    assert a[400:] @ b[400:] < 0.7
    reddish = np.clip(crop.astype(int) + np.array((60, 0, 0)), 0, 255).astype(np.uint8)
    bluish = np.ascontiguousarray(reddish[..., ::-1])
    red, blue = (appearance_descriptor(image).astype(float) for image in (reddish, bluish))
    assert red[400:] @ blue[400:] < 0.5


def lab_colours() -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 3) RGB colours at the edges of histogram bins, and their Lab values."""
    rgb = np.random.default_rng(0).integers(0, 256, (60_000, 3), dtype=np.uint8)
    lab = cv2.cvtColor(rgb[None], cv2.COLOR_RGB2LAB)[0].astype(int)
    inside = ((lab[:, 1:] >= 64) & (lab[:, 1:] < 192)).all(axis=1)
    rows: set[int] = set()
    for channel, width in ((0, 32), (1, 8), (2, 8)):
        for edge in range(0, 256, width):
            for value in (edge - 1, edge):
                rows.update(np.flatnonzero(inside & (lab[:, channel] == value))[:1].tolist())
    chosen = sorted(rows)
    return rgb[chosen], lab[chosen]


def test_a_flat_crop_fills_the_bin_of_its_colour():
    """Bins are 32 levels of L wide, 8 of a and 8 of b, these between 64 and 192."""
    colours, values = lab_colours()
    assert len(colours) > 60
    for colour, (lightness, a, b) in zip(colours, values, strict=True):
        crop = np.full((160, 160, 3), colour, np.uint8)
        histogram = appearance_descriptor(crop)[400:].reshape(8, 16, 16)
        fullest = np.unravel_index(int(histogram.argmax()), histogram.shape)
        assert fullest == (lightness // 32, (a - 64) // 8, (b - 64) // 8)


def test_the_histogram_is_the_square_root_of_shares():
    """Three quarters of one colour and a quarter of another, far apart."""
    crop = np.full((160, 160, 3), (200, 60, 60), np.uint8)
    crop[:40] = (90, 110, 180)
    histogram = np.sort(appearance_descriptor(crop)[400:].astype(float))
    assert histogram[-1] / histogram[-2] == pytest.approx(np.sqrt(3), rel=0.01)


def test_the_grey_part_is_the_average_of_cells_of_8_pixels():
    board = np.kron(np.indices((20, 20)).sum(axis=0) % 2, np.ones((8, 8), int))
    stripes = np.tile([1, 0, 0, 1], 40)[None, :] * np.ones((160, 1), int)
    crop = np.repeat((60 + 80 * board + 60 * stripes)[..., None], 3, axis=2).astype(np.uint8)
    descriptor = appearance_descriptor(crop)
    assert descriptor.dtype == np.float16
    expected = (np.indices((20, 20)).sum(axis=0) % 2 - 0.5).ravel() / 10
    assert descriptor[:400].astype(float) == pytest.approx(expected, abs=1e-3)


def test_neighbouring_bins_of_lightness_overlap():
    """A small change of light moves a colour to the next bin of L."""
    parts = [
        appearance_descriptor(np.full((160, 160, 3), level, np.uint8))[400:].astype(float)
        for level in (100, 130, 170)  # bins 3, 4 and 5
    ]
    assert parts[0] @ parts[1] > 0.4
    assert parts[1] @ parts[2] > 0.4
    assert parts[0] @ parts[2] < 0.2
