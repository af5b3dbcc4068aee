"""Dissolves in synthetic frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from helpers.films import pan, scenery
from personae.scan import shots
from personae.scan.shots import Dissolve, DissolveDetector, is_blend

FPS = 25


def dissolve(frames: int) -> list[np.ndarray]:
    """Return 30 frames of one pan, `frames` of blending, 30 of another."""
    total = 60 + frames
    pairs = zip(pan(0, total, 1), pan(1, total, 1), strict=True)
    shares = np.clip((np.arange(total) - 30) / frames, 0, 1)
    return [(a * (1 - k) + b * k).astype(np.uint8) for (a, b), k in zip(pairs, shares, strict=True)]


def dissolves(images, fps=FPS):
    detector = DissolveDetector(fps)
    for index, image in enumerate(images):
        detector.process_frame(index, image)
    return detector.dissolves()


@pytest.mark.parametrize("frames", [13, 20, 30, 50])
def test_a_dissolve_is_found_about_its_middle(frames):
    (one,) = dissolves(dissolve(frames))
    assert 30 + frames / 4 <= one.middle_frame <= 30 + 3 * frames / 4
    assert one.first_frame <= one.middle_frame <= one.last_frame


def blend(before, after, shares) -> list[np.ndarray]:
    return [np.round(before * (1 - k) + after * k).astype(np.uint8) for k in shares]


@pytest.mark.parametrize(("fps", "half"), [(25, 8), (50, 15), (8, 3)])
def test_a_dissolve_is_even_over_six_tenths_of_a_second(fps, half):
    """Still images blend over twice half the window: only its middle is the mean of both ends."""
    before, after = (scenery(seed)[:, :256].astype(float) for seed in (0, 1))
    shares = np.clip((np.arange(100) - 40) / (2 * half), 0, 1)
    (found,) = dissolves(blend(before, after, shares), fps)
    assert found.middle_frame == 40 + half
    assert found.last_frame - found.middle_frame == found.middle_frame - found.first_frame
    assert 2 * half <= found.last_frame - found.first_frame <= 4 * half


@pytest.mark.parametrize("n_frames", [16, 17])
def test_a_dissolve_needs_a_whole_window(n_frames):
    before, after = (scenery(seed)[:, :256].astype(float) for seed in (0, 1))
    found = dissolves(blend(before, after, np.linspace(0, 1, 17)[:n_frames]))
    assert found == ([Dissolve(0, 8, 16)] if n_frames == 17 else [])


def test_dissolves_half_a_window_apart_are_separate():
    a, b, c = (scenery(seed)[:, :256].astype(float) for seed in (0, 1, 2))
    shares = np.clip((np.arange(40) - 12) / 16, 0, 1)
    found = dissolves(blend(a, b, shares) + blend(b, c, shares))
    assert [one.middle_frame for one in found] == [20, 60]


RNG = np.random.default_rng(0)
FIRST, SECOND = (RNG.permutation(np.linspace(0, 100, 1000)).astype(np.float32) for _ in range(2))


def orthogonal_noise(scale: float) -> np.ndarray:
    """Return noise of a norm relative to that of the change from FIRST to SECOND."""
    change = SECOND - FIRST
    noise = np.random.default_rng(1).normal(size=change.shape)
    noise -= change * (noise @ change) / (change @ change)
    return (noise * scale * np.linalg.norm(change) / np.linalg.norm(noise)).astype(np.float32)


@pytest.mark.parametrize(("residual", "blended"), [(0.0, True), (0.199, True), (0.201, False)])
def test_a_blend_deviates_from_the_mean_by_a_fifth_of_the_change_at_most(residual, blended):
    middle = (FIRST + SECOND) / 2 + orthogonal_noise(residual)
    assert is_blend(FIRST, middle, SECOND) == blended


@pytest.mark.parametrize(("change", "blended"), [(9.9, False), (10.1, True)])
def test_a_blend_changes_by_ten_levels_on_average(change, blended):
    scale = np.float32(change / np.abs(SECOND - FIRST).mean())
    first, second = FIRST * scale, SECOND * scale
    assert is_blend(first, (first + second) / 2, second) == blended


@pytest.mark.parametrize(("correlation", "blended"), [(0.79, True), (0.81, False)])
def test_frames_that_correlate_are_not_a_blend(correlation, blended):
    a = FIRST - FIRST.mean()
    b = SECOND - SECOND.mean()
    b -= a * (a @ b) / (a @ a)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    after = correlation * a + np.sqrt(1 - correlation**2) * b
    first, last = (a + 100).astype(np.float32), (after + 160).astype(np.float32)
    assert is_blend(first, (first + last) / 2, last) == blended


def test_flat_frames_blend():
    flat = np.zeros(10, np.float32)
    assert is_blend(flat, flat + 50, flat + 100)


def test_pans_cuts_and_changing_light_are_not_dissolves():
    assert dissolves(pan(0, 100, speed=1)) == []
    assert dissolves(pan(0, 100, speed=5)) == []
    assert dissolves(pan(0, 40, 1) + pan(1, 40, 1)) == []
    brightening = [
        np.clip(image * (0.3 + 0.02 * i), 0, 255) for i, image in enumerate(pan(0, 30, 1))
    ]
    assert dissolves([image.astype(np.uint8) for image in brightening]) == []
    assert dissolves(np.zeros((60, 144, 256, 3), np.uint8)) == []


def test_a_new_shot_starts_without_dissolves():
    detector = DissolveDetector(FPS)
    for index, image in enumerate(dissolve(20)):
        detector.process_frame(index, image)
    detector.reset()
    assert detector.dissolves() == []


@pytest.mark.parametrize("axis", [0, 1])
def test_frames_are_compared_at_64_by_36(axis):
    """Stripes that this size averages to grey leave a blend even, though they flicker."""
    before, after = (
        0.4 * cv2.resize(scenery(seed)[:, :256], (64, 36), interpolation=cv2.INTER_AREA)
        for seed in (0, 1)
    )
    shares = np.clip((np.arange(60) - 20) / 16, 0, 1)
    cell = np.array([1, 1, -0.5, -1.5])  # no part of it averages to 0
    stripes = np.tile([*cell, *-cell], (144, 256)[axis] // 8)
    stripes = stripes[:, None, None] if axis == 0 else stripes[None, :, None]
    signs = np.where(np.arange(60) // 8 % 2, 1, -1)  # the middle of a window unlike its ends
    images = [
        (np.kron(before * (1 - k) + after * k, np.ones((4, 4, 1))) + 77 + 50 * sign * stripes)
        for k, sign in zip(shares, signs, strict=True)
    ]
    (found,) = dissolves([np.round(image).astype(np.uint8) for image in images])
    assert found.middle_frame == 28


def test_the_run_of_one_dissolve_is_bridged_over_half_a_window(monkeypatch):
    """Frames that blend at most 8 frames apart are one dissolve, 9 apart are two."""
    for gap, n_found in ((8, 1), (9, 2)):
        verdicts = iter([i in (0, gap) for i in range(20)])
        monkeypatch.setattr(shots, "is_blend", lambda *_, verdicts=verdicts: next(verdicts))
        found = dissolves(np.zeros((36, 36, 64, 3), np.uint8))
        assert len(found) == n_found
        if n_found == 1:
            assert found == [Dissolve(0, 12, 24)]
        else:
            assert found == [Dissolve(0, 8, 16), Dissolve(9, 17, 25)]


def test_the_window_is_compared_at_its_first_middle_and_last_frame(monkeypatch):
    seen = []
    monkeypatch.setattr(
        shots, "is_blend", lambda *images: seen.append([image[0] for image in images])
    )
    dissolves([np.full((36, 64, 3), level, np.uint8) for level in range(19)])
    assert seen == [[0, 8, 16], [1, 9, 17], [2, 10, 18]]
