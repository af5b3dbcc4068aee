"""Aligned crops against plain formulas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE
from personae.scan.alignment import aligned_crop, frontality, sharpness, similarity

GOAL = ARCFACE_TEMPLATE.astype(float) + CROP_MARGIN


def plain_similarity(points, target):
    """Least squares for a, b, tx, ty of x' = a x - b y + tx, y' = b x + a y + ty.

    Solved around the points' middle: far from it, rounding would be larger than the tests' bound.
    """
    rows, values = [], []
    middle = np.mean(points, axis=0)
    for (x, y), (u, v) in zip(points - middle, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, (tx, ty) - linear @ middle])


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50), st.integers(-180, 180).map(np.radians))
def test_similarity_is_the_least_squares_solution(seed, scale, turn):
    rng = np.random.default_rng(seed)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    points = ARCFACE_TEMPLATE @ [[cos, sin], [-sin, cos]] + rng.normal(0, 900, 2)
    points += rng.normal(0, 3 * scale, (5, 2))
    ours = similarity(points, ARCFACE_TEMPLATE)
    assert ours == pytest.approx(plain_similarity(points, ARCFACE_TEMPLATE), abs=1e-6)


def test_points_in_one_place_do_not_break_it():
    assert np.isfinite(similarity(np.ones((5, 2)), ARCFACE_TEMPLATE)).all()


def spots(landmarks, height=800, width=800, aspect=1.0):
    """A black picture with a soft white spot on every landmark."""
    y, x = np.mgrid[:height, :width]
    size = np.ptp(landmarks[:, 1]) / 10
    light = sum(
        np.exp(-(((x - u) * aspect) ** 2 + (y - v) ** 2) / (2 * size**2)) for u, v in landmarks
    )
    return np.repeat((255 * np.clip(light, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def brightest(crop, near):
    """Centre of light within 8 pixels of a place."""
    u, v = np.round(near).astype(int)
    part = crop[v - 8 : v + 9, u - 8 : u + 9, 0].astype(float)
    y, x = np.mgrid[v - 8 : v + 9, u - 8 : u + 9]
    return np.array([(part * x).sum(), (part * y).sum()]) / part.sum()


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("turn", [0.0, 0.5, -1.2])
@pytest.mark.parametrize("aspect", [1.0, 64 / 45])
def test_landmarks_land_on_the_template_whatever_the_size(scale, turn, aspect):
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    landmarks = (ARCFACE_TEMPLATE - 56) @ np.array([[cos, sin], [-sin, cos]]) + 400
    landmarks[:, 0] /= aspect
    crop = aligned_crop(spots(landmarks, aspect=aspect), landmarks, aspect)
    assert crop.shape == (CROP_SIZE, CROP_SIZE, 3)
    assert crop.dtype == np.uint8
    for place in GOAL:
        assert brightest(crop, place) == pytest.approx(place, abs=0.6)


def test_a_large_face_is_averaged_and_not_skipped_over():
    checks = (np.indices((1600, 1600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(checks[..., None], 3, axis=2)
    crop = aligned_crop(image, ARCFACE_TEMPLATE * 8 + 300)
    assert np.abs(crop.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("corner", [(-30, -30), (700, -30), (-30, 700), (2000, 2000)])
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_faces_that_leave_the_picture_still_have_a_crop(corner, scale):
    image = np.full((720, 720, 3), 90, dtype=np.uint8)
    crop = aligned_crop(image, ARCFACE_TEMPLATE * scale + corner)
    assert crop.shape == (CROP_SIZE, CROP_SIZE, 3)
    assert (crop == 90).all()  # the border goes on, no black is made up


def test_sharpness_falls_with_blur_and_sees_only_the_template_square():
    noise = np.random.default_rng(0).integers(0, 256, (CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
    blurred = [cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (0.5, 1, 2, 4)]
    values = [sharpness(noise), *(sharpness(crop) for crop in blurred)]
    assert values == sorted(values, reverse=True)
    framed = np.full_like(noise, 128)
    framed[: CROP_MARGIN - 2] = noise[: CROP_MARGIN - 2]
    assert sharpness(framed) == 0


def test_frontality():
    frontal = ARCFACE_TEMPLATE
    assert frontality(frontal) > 0.9
    turned = frontal.copy()
    values = []
    for shift in (0, 4, 8, 12, 16, 30):
        turned[2, 0] = frontal[2, 0] + shift
        values.append(frontality(turned))
    assert values == sorted(values, reverse=True)
    assert values[-1] == 0
    mirrored = frontal.copy()
    mirrored[:, 0] = 112 - frontal[[1, 0, 2, 4, 3], 0]
    assert frontality(mirrored) == pytest.approx(frontality(frontal), abs=0.05)
    angle = 0.6
    tilted = frontal @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert frontality(tilted) == pytest.approx(frontality(frontal), abs=0.1)
    assert frontality(np.zeros((5, 2))) == 0
