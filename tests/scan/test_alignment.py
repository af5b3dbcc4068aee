"""Aligned crops against plain formulas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE
from personae.scan.alignment import (
    JPEG_QUALITY,
    align_crop,
    encode_crop,
    estimate_similarity,
    frontality,
    normalise_exposure,
    sharpness,
)

TARGET = ARCFACE_TEMPLATE.astype(float) + CROP_MARGIN


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
def test_similarity_transform_is_the_least_squares_solution(seed, scale, angle):
    rng = np.random.default_rng(seed)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    points = ARCFACE_TEMPLATE @ [[cos, sin], [-sin, cos]] + rng.normal(0, 900, 2)
    points += rng.normal(0, 3 * scale, (5, 2))
    ours = estimate_similarity(points, ARCFACE_TEMPLATE)
    assert ours == pytest.approx(plain_similarity(points, ARCFACE_TEMPLATE), abs=1e-6)


def test_similarity_transform_of_coinciding_points_is_a_translation():
    expected = np.column_stack([np.eye(2), ARCFACE_TEMPLATE.mean(axis=0) - 1])
    assert estimate_similarity(np.ones((5, 2)), ARCFACE_TEMPLATE) == pytest.approx(expected)


def spots(landmarks, height=800, width=800, aspect=1.0):
    """Return a black image with a soft white spot on every landmark."""
    y, x = np.mgrid[:height, :width]
    size = np.ptp(landmarks[:, 1]) / 10
    light = sum(
        np.exp(-(((x - u) * aspect) ** 2 + (y - v) ** 2) / (2 * size**2)) for u, v in landmarks
    )
    return np.repeat((255 * np.clip(light, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def centre_of_light(crop, near):
    """Return the centre of light within 8 pixels of a point."""
    u, v = np.round(near).astype(int)
    part = crop[v - 8 : v + 9, u - 8 : u + 9, 0].astype(float)
    y, x = np.mgrid[v - 8 : v + 9, u - 8 : u + 9]
    return np.array([(part * x).sum(), (part * y).sum()]) / part.sum()


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("angle", [0.0, 0.5, -1.2])
@pytest.mark.parametrize("aspect", [1.0, 64 / 45])
def test_landmarks_are_mapped_to_the_template_at_any_size(scale, angle, aspect):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    landmarks = (ARCFACE_TEMPLATE - 56) @ np.array([[cos, sin], [-sin, cos]]) + 400
    landmarks[:, 0] /= aspect
    crop = align_crop(spots(landmarks, aspect=aspect), landmarks, aspect)
    assert crop.shape == (CROP_SIZE, CROP_SIZE, 3)
    assert crop.dtype == np.uint8
    for point in TARGET:
        assert centre_of_light(crop, point) == pytest.approx(point, abs=0.6)


@pytest.mark.parametrize("scale", [2, 8])
def test_large_faces_are_averaged_and_no_pixel_is_skipped(scale):
    board = (np.indices((1600, 1600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(board[..., None], 3, axis=2)
    crop = align_crop(image, ARCFACE_TEMPLATE * (scale + 0.01) + 300)
    assert np.abs(crop.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("corner", [(-30, -30), (700, -30), (-30, 700), (2000, 2000)])
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_border_is_repeated_where_a_face_leaves_the_image(corner, scale):
    image = np.full((720, 720, 3), 90, dtype=np.uint8)
    crop = align_crop(image, ARCFACE_TEMPLATE * scale + corner)
    assert crop.shape == (CROP_SIZE, CROP_SIZE, 3)
    assert (crop == 90).all()


def test_stored_crops_have_normalised_exposure_and_the_jpeg_quality():
    noise = np.random.default_rng(0).integers(0, 90, (CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
    lit = normalise_exposure(noise)
    assert lit.mean() > 2 * noise.mean()
    bgr = np.ascontiguousarray(lit[..., ::-1])
    assert JPEG_QUALITY == 92
    expected = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    assert encode_crop(noise) == expected


def test_sharpness_falls_with_blur_and_ignores_the_margin():
    noise = np.random.default_rng(0).integers(0, 256, (CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
    blurred = [cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (0.5, 1, 2, 4)]
    values = [sharpness(noise), *(sharpness(crop) for crop in blurred)]
    assert values == sorted(values, reverse=True)
    framed = np.full_like(noise, 128)
    framed[: CROP_MARGIN - 2] = noise[: CROP_MARGIN - 2]
    assert sharpness(framed) == 0


def test_sharpness_is_the_variance_of_the_laplacian():
    crop = np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8)
    crop[80, 80] = 10  # the Laplacian is -40 there and 10 in four neighbours
    mean = 0.0
    assert sharpness(crop) == pytest.approx((40**2 + 4 * 10**2) / 112**2 - mean, rel=1e-5)


def test_frontality_falls_as_the_nose_leaves_the_middle_and_ignores_in_plane_rotation():
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


def test_frontality_follows_its_formula():
    """The nose is off the middle by 0.2 of half the eyes' distance, 0.5 of the mouth corners'."""
    landmarks = [(0, 0), (100, 0), (60, 50), (30, 100), (70, 100)]
    assert frontality(landmarks) == pytest.approx(1 - 0.5)
    landmarks[3:] = [(0, 100), (100, 100)]
    assert frontality(landmarks) == pytest.approx(1 - 0.2)
