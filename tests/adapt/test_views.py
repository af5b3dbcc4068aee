"""Augmented views: scale, rotation, flip, colour temperature and resolution."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from personae.adapt.views import (
    FLIP_PROBABILITY,
    GLOBAL_VIEW,
    LOCAL_VIEW,
    ViewParameters,
    draw_view,
    reduce_resolution,
    shift_colour_temperature,
)
from personae.core.arrays import UInt8Array

NEUTRAL = (6500.0, 6500.0)


def test_scales_are_the_papers() -> None:
    """Paper: "2 global (crop scale 0.7-1.0) and 4 local (0.4-0.6)"."""
    assert GLOBAL_VIEW.scale == (0.7, 1.0)
    assert LOCAL_VIEW.scale == (0.4, 0.6)


@pytest.mark.parametrize("parameters", [GLOBAL_VIEW, LOCAL_VIEW])
def test_ranges_that_the_paper_does_not_state(parameters: ViewParameters) -> None:
    """Ours: videoclusternet.md, section 2.3."""
    assert parameters.max_rotation_deg == 15.0
    assert parameters.temperature_k == (4000.0, 9000.0)
    assert FLIP_PROBABILITY == 0.5


@pytest.mark.parametrize("parameters", [GLOBAL_VIEW, LOCAL_VIEW])
def test_views_show_the_wanted_share_of_the_template(parameters: ViewParameters) -> None:
    """On a ramp the view's slope tells its scale; its values tell where it lies."""
    ramp = np.tile(np.arange(160, dtype=np.uint8)[None, :, None], (160, 1, 3))
    upright = replace(parameters, max_rotation_deg=0.0, temperature_k=NEUTRAL)
    rng = np.random.default_rng(0)
    slopes, lowest, highest = [], [], []
    for _ in range(50):
        view = draw_view(ramp, upright, rng).astype(float)
        assert view.shape == (112, 112, 3)
        slopes.append(abs(view[56, 106, 0] - view[56, 6, 0]) / 100)
        lowest.append(view.min())
        highest.append(view.max())
    low, high = (math.sqrt(s) for s in parameters.scale)
    assert low - 0.02 <= min(slopes) < low + 0.05
    assert high - 0.05 < max(slopes) <= high + 0.02
    assert 23 <= min(lowest) < 30
    assert 129 < max(highest) <= 136


def test_views_are_rotated_within_limits_and_flipped_half_of_the_time() -> None:
    """Two ramps give the derivative of crop coordinates by view coordinates."""
    y, x = np.mgrid[:160, :160].astype(np.uint8)
    ramps = np.stack([x, y, x], axis=-1)
    still = ViewParameters(scale=(1.0, 1.0), temperature_k=NEUTRAL)
    rng = np.random.default_rng(0)
    angles, flips = [], []
    for _ in range(400):
        view = draw_view(ramps, still, rng).astype(float)
        across = (view[56, 96] - view[56, 16])[:2] / 80
        down = (view[96, 56] - view[16, 56])[:2] / 80
        flips.append(across[0] < 0)
        angles.append(math.degrees(math.atan2(-down[0], down[1])))
    assert 14 < max(angles) < 15.8
    assert -15.8 < min(angles) < -14
    assert 0.42 < np.mean(flips) < 0.58


def test_colour_temperature_warms_and_cools() -> None:
    grey = np.full((2, 2, 3), 100, np.uint8)
    warm, cool = (shift_colour_temperature(grey, k)[0, 0].astype(int) for k in (4000.0, 9000.0))
    assert warm[0] > warm[1] > warm[2]
    assert cool[0] < cool[1] < cool[2]
    assert abs(warm @ [0.299, 0.587, 0.114] - 100) < 1
    np.testing.assert_array_equal(shift_colour_temperature(grey, 6500.0), grey)


def noise() -> UInt8Array:
    return np.random.default_rng(0).integers(0, 255, (160, 160, 3), dtype=np.uint8)


def test_resolution_is_that_of_the_narrower_face() -> None:
    """A face is 0.69 of the template's 112 pixels wide, so one of 38.64 pixels has half of them."""
    crop = noise()
    reduced = cv2.resize(crop, (80, 80), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(reduced, (160, 160), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(reduce_resolution(crop, 38.64), expected)


def test_resolution_never_rises() -> None:
    crop = noise()
    for width in (77.28, 100.0, 1e4):
        np.testing.assert_array_equal(reduce_resolution(crop, width), crop)
    assert reduce_resolution(crop, 76.0).std() < crop.std()


def test_resolution_is_at_least_8_pixels() -> None:
    crop = noise()
    reduced = cv2.resize(crop, (8, 8), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(reduced, (160, 160), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(reduce_resolution(crop, 0.5), expected)
