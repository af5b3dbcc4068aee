"""Cuts in synthetic frames and in labelled clips."""

from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from helpers.films import DEMO, pan
from helpers.shared_data import shared
from personae.scan.shot_marks import mark_shots
from personae.scan.shots import (
    MIN_CHROMA_RESIDUAL,
    AdaptiveShotDetector,
    DissolveDetector,
    chroma_residual,
)
from personae.scan.video_reader import VideoReader

FPS = 25


def cuts(images) -> list[int]:
    """Return the first frames of all shots."""
    frames = [SimpleNamespace(index=i, preview=image) for i, image in enumerate(images)]
    marked = list(mark_shots(frames, AdaptiveShotDetector(FPS)))
    assert [frame.index for frame, _, _ in marked] == list(range(len(images)))
    starts = [frame.index for frame, starts, _ in marked if starts]
    ends = [frame.index for frame, _, ends in marked if ends]
    assert ends == [first - 1 for first in starts[1:]] + [len(images) - 1]
    return starts


def test_hard_cuts_are_found_on_the_frame():
    assert cuts(pan(0, 40) + pan(1, 13) + pan(2, 30) + pan(3, 9) + pan(4, 40)) == [
        0,
        40,
        53,
        83,
        92,
    ]


def test_a_cut_may_be_reported_with_the_detectors_delay():
    def process_frame(index, _preview):
        return [10] if index == 13 else []

    detector = SimpleNamespace(delay=3, process_frame=process_frame)
    frames = [SimpleNamespace(index=i, preview=None) for i in range(20)]
    marked = [(frame.index, starts, ends) for frame, starts, ends in mark_shots(frames, detector)]
    assert [index for index, starts, _ in marked if starts] == [0, 10]
    assert [index for index, _, ends in marked if ends] == [9, 19]


@pytest.mark.parametrize("rate", [24, 30, 50, 60])
def test_duplicate_frames_change_nothing(rate):
    """24 frames per second shown at a higher rate, in a quick pan."""
    films = pan(0, 40, speed=9) + pan(1, 40, speed=9)
    shown = [films[int(i * 24 / rate)] for i in range(80 * rate // 24)]
    first = next(i for i in range(len(shown)) if int(i * 24 / rate) >= 40)
    assert cuts(shown) == [0, first]


@pytest.mark.parametrize(("n_frames", "starts"), [(7, [0, 40]), (8, [0, 40, 48])])
def test_a_shot_lasts_at_least_three_tenths_of_a_second(n_frames, starts):
    assert cuts(pan(0, 40) + pan(1, n_frames) + pan(2, 40)) == starts


def coloured_frames(offset: int, count: int) -> list[np.ndarray]:
    """Return equal frames of high contrast and colour whose HSV value is raised by an offset."""
    rng = np.random.default_rng(0)
    hsv = np.stack(
        [
            rng.integers(0, 180, (90, 160)),
            np.full((90, 160), 200),
            rng.integers(30, 190, (90, 160)),
        ],
        axis=-1,
    )
    hsv[..., 2] += offset
    return [cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)] * count


@pytest.mark.parametrize(("offset", "starts"), [(42, [0]), (46, [0, 20])])
def test_a_cut_changes_hue_saturation_and_value_by_15_on_average(offset, starts):
    """A change of value alone counts a third."""
    assert cuts(coloured_frames(0, 20) + coloured_frames(offset, 20)) == starts


def processed(images, monkeypatch) -> list[int]:
    """Return the frames that are not skipped as duplicates."""
    detector, frames = AdaptiveShotDetector(FPS), []
    monkeypatch.setattr(
        detector._detector,
        "process_frame",
        lambda time, _: (frames.append(time.frame_num), [])[1],
    )
    for index, image in enumerate(images):
        detector.process_frame(index, image)
    return frames


@pytest.mark.parametrize(("n_changed", "skipped"), [(49, True), (50, False)])
def test_a_duplicate_differs_by_less_than_half_a_level(monkeypatch, n_changed, skipped):
    image = np.full((10, 10, 3), 100, np.uint8)
    other = image.copy()
    other.reshape(100, 3)[:n_changed] += 1
    assert processed([image, other], monkeypatch) == ([0] if skipped else [0, 1])


def test_at_most_two_duplicates_in_a_row_are_skipped(monkeypatch):
    image = np.full((10, 10, 3), 100, np.uint8)
    assert processed([image] * 8, monkeypatch) == [0, 3, 6]


def two_levels(low: int, high: int, tint: int = 0) -> np.ndarray:
    """Return an image of two grey levels, with less blue in half of the higher."""
    image = np.full((64, 64, 3), low, np.uint8)
    image[:32] = high
    image[:32, ::8, 0] -= np.uint8(tint)
    return image


@pytest.mark.parametrize(
    ("image", "luma_only"),
    [
        (two_levels(10, 138, 60), False),
        (two_levels(10, 137, 60), True),  # contrast 127
        (two_levels(10, 200, 0), True),  # no colour
        (two_levels(10, 200, 60), False),
    ],
)
def test_brightness_alone_counts_where_contrast_or_colour_is_low(image, luma_only):
    detector = AdaptiveShotDetector(FPS)
    detector.process_frame(0, image)
    assert (detector._luma_detector is not None) == luma_only


@pytest.mark.parametrize(("levels", "min_change"), [(255, 15.0), (85, 5.0), (20, 3.75)])
def test_the_lowest_change_of_brightness_falls_with_the_contrast(levels, min_change):
    detector = AdaptiveShotDetector(FPS)
    detector.process_frame(0, two_levels(0, levels))
    assert detector._luma_detector.min_content_val == min_change


def test_colour_is_low_below_a_chroma_residual_of_one_and_a_half():
    """Some columns of a grey image are tinted; the detector samples every fourth pixel."""
    images = []
    for n_tinted in range(64):
        image = np.repeat(np.repeat(two_levels(10, 200), 4, axis=0), 4, axis=1)
        image[:, : 4 * n_tinted, 0] += np.uint8(8)
        images.append(image)
    residuals = [chroma_residual(np.ascontiguousarray(image[::4, ::4])) for image in images]
    low = max((value, i) for i, value in enumerate(residuals) if value < 1.5)
    high = min((value, i) for i, value in enumerate(residuals) if value >= 1.5)
    assert 1.4 < low[0] < high[0] < 1.6
    for (_, i), luma_only in ((low, True), (high, False)):
        detector = AdaptiveShotDetector(FPS)
        detector.process_frame(0, images[i])
        assert (detector._luma_detector is not None) == luma_only


@pytest.mark.parametrize(
    ("fps", "min_shot", "half_window"), [(25, 8, 8), (50, 15, 15), (100, 30, 30), (5, 2, 3)]
)
def test_times_are_converted_to_frames(fps, min_shot, half_window):
    assert AdaptiveShotDetector(fps)._min_shot_frames == min_shot
    assert DissolveDetector(fps)._half == half_window


def test_the_highest_contrast_of_the_window_counts():
    detector = AdaptiveShotDetector(FPS)
    for index, levels in enumerate((85, 20, 30, 20, 30)):
        detector.process_frame(index, two_levels(0, levels))
    assert detector._luma_detector.min_content_val == 5.0
    detector.process_frame(5, two_levels(0, 20))
    assert detector._luma_detector.min_content_val == 3.75


def test_chroma_residual_is_the_mean_deviation_of_both_channels():
    """Half of a grey image is bluer, evenly over all levels of brightness."""
    image = np.repeat(np.arange(20, 220, dtype=np.uint8)[None, :, None], 3, axis=2)
    image = np.concatenate([image, image])
    image[1] = cv2.cvtColor(
        (cv2.cvtColor(image[1:], cv2.COLOR_BGR2YCrCb) + np.array((0, 4, 10))).astype(np.uint8),
        cv2.COLOR_YCrCb2BGR,
    )
    assert chroma_residual(image) == pytest.approx((4 + 10) / 2, abs=0.5)


def grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def sepia(image: np.ndarray) -> np.ndarray:
    return (grey(image) * (0.7, 0.85, 1.0)).astype(np.uint8)


def low_contrast(image: np.ndarray) -> np.ndarray:
    return (70 + 0.4 * (0.6 * grey(image) + 0.4 * image)).astype(np.uint8)


@pytest.fixture(scope="module")
def demo_previews():
    return [frame.preview for frame in VideoReader(DEMO)]


@pytest.fixture(scope="module")
def demo_cuts(demo_previews):
    return cuts(demo_previews)


@pytest.mark.parametrize(
    "change",
    [
        grey,
        sepia,
        low_contrast,
        lambda image: (grey(image) * 0.3).astype(np.uint8),
        lambda image: (image * 0.3).astype(np.uint8),
    ],
    ids=["grey", "sepia", "low contrast", "grey and dark", "dark"],
)
def test_cuts_are_found_without_colour_and_light(demo_previews, demo_cuts, change):
    """All but one, which is not a cut: a dissolve from a grey image to a coloured one starts."""
    found = cuts([change(image) for image in demo_previews])
    assert len(demo_cuts) == 26
    assert set(found) <= set(demo_cuts)
    assert len(found) >= 25


def test_toned_images_have_almost_no_chroma_residual(demo_previews):
    for image in demo_previews[400:1000:100]:
        assert chroma_residual(grey(image)) == 0
        assert chroma_residual(sepia(image)) < MIN_CHROMA_RESIDUAL < chroma_residual(image)


def test_a_pan_is_not_a_cut():
    assert cuts(pan(0, 100, speed=5)) == [0]
    assert cuts([grey(image) for image in pan(0, 100, speed=5)]) == [0]


def test_few_frames_are_one_shot():
    for count in range(1, 8):
        assert cuts(pan(0, count)) == [0]


def test_a_slow_change_of_light_is_not_a_cut():
    lit = [
        np.clip(image * (0.5 + 0.01 * i), 0, 255).astype(np.uint8)
        for i, image in enumerate(pan(0, 60))
    ]
    assert cuts(lit) == [0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "labels", "max_false"),
    [
        ("intel_people.mp4", "intel", 0),
        ("short_hamilton_clip.mp4", "hamilton", 1),
        ("simplefr_Video_2.mp4", "fotb", 0),
    ],
)
def test_all_cuts_of_labelled_clips_are_found(clip, labels, max_false):
    truth = json.loads(shared(f"video/{labels}_shots.json").read_text())["shots"]
    reader = VideoReader(shared(f"video/{clip}"))
    starts = [
        frame.index
        for frame, starts, _ in mark_shots(reader, AdaptiveShotDetector(reader.media.fps))
        if starts
    ]
    assert set(truth) <= set(starts)
    assert len(starts) - len(truth) <= max_false


def test_the_count_of_duplicates_starts_anew_after_every_new_frame(monkeypatch):
    images = [np.full((10, 10, 3), level, np.uint8) for level in (100, 150, 200)]
    shown = [images[0], images[1], images[1], images[2], images[2], images[2], images[0]]
    assert processed(shown, monkeypatch) == [0, 1, 3, 6]


def test_a_frame_is_compared_with_the_last_one_that_was_not_a_duplicate(monkeypatch):
    """A slow fade: each frame differs by 0.3 levels from the one before."""
    fade = []
    for n_changed in (0, 30, 60):
        image = np.full((10, 10, 3), 100, np.uint8)
        image.reshape(100, 3)[:n_changed] += 1
        fade.append(image)
    assert processed(fade, monkeypatch) == [0, 2]


def test_a_frame_is_passed_on_as_soon_as_no_cut_after_it_can_be_reported():
    """A cut at the next frame is reported three frames later at most."""
    taken = []

    def frames():
        for i in range(20):
            taken.append(i)
            yield SimpleNamespace(index=i, preview=None)

    detector = SimpleNamespace(delay=3, process_frame=lambda *_: [])
    for number, (frame, _, _) in zip(range(10), mark_shots(frames(), detector), strict=False):
        assert frame.index == number
        assert taken[-1] == number + 1 + 3
