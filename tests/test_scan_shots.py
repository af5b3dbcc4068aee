"""Cuts and dissolves, on made-up pictures and on labelled clips."""

from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from films import DEMO
from personae.scan.scanner import with_shots
from personae.scan.shots import OWN_COLOUR, AdaptiveShots, Dissolves, own_colour
from personae.scan.video_reader import Film
from shared_data import shared

FPS = 25


def scenery(seed: int) -> np.ndarray:
    """A wide smooth random picture to move a camera over, (144, 1024, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 16, 3)).astype(np.uint8)
    return cv2.resize(coarse, (1024, 144), interpolation=cv2.INTER_CUBIC)


def pan(seed: int, frames: int, speed: int = 2) -> list[np.ndarray]:
    """A slow pan with camera noise."""
    rng, wide = np.random.default_rng(seed), scenery(seed)
    return [
        np.clip(
            wide[:, i * speed : i * speed + 256] + rng.normal(0, 2, (144, 256, 3)), 0, 255
        ).astype(np.uint8)
        for i in range(frames)
    ]


def cuts(pictures) -> list[int]:
    """First frames of all shots."""
    frames = [SimpleNamespace(index=i, small=picture) for i, picture in enumerate(pictures)]
    seen = list(with_shots(frames, AdaptiveShots(FPS)))
    assert [frame.index for frame, _, _ in seen] == list(range(len(pictures)))
    starts = [frame.index for frame, starts, _ in seen if starts]
    ends = [frame.index for frame, _, ends in seen if ends]
    assert ends == [first - 1 for first in starts[1:]] + [len(pictures) - 1]
    return starts


def test_hard_cuts_are_found_on_the_frame():
    assert cuts(pan(0, 40) + pan(1, 13) + pan(2, 30) + pan(3, 9) + pan(4, 40)) == [
        0,
        40,
        53,
        83,
        92,
    ]


@pytest.mark.parametrize("rate", [24, 30, 50, 60])
def test_repeated_pictures_change_nothing(rate):
    """24 pictures a second shown at a higher rate, with a quick camera."""
    films = pan(0, 40, speed=9) + pan(1, 40, speed=9)
    shown = [films[int(i * 24 / rate)] for i in range(80 * rate // 24)]
    first = next(i for i in range(len(shown)) if int(i * 24 / rate) >= 40)
    assert cuts(shown) == [0, first]


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def sepia(picture: np.ndarray) -> np.ndarray:
    return (grey(picture) * (0.7, 0.85, 1.0)).astype(np.uint8)


def pale(picture: np.ndarray) -> np.ndarray:
    return (70 + 0.4 * (0.6 * grey(picture) + 0.4 * picture)).astype(np.uint8)


@pytest.fixture(scope="module")
def demo_pictures():
    return [frame.small for frame in Film(DEMO)]


@pytest.fixture(scope="module")
def demo_cuts(demo_pictures):
    return cuts(demo_pictures)


@pytest.mark.parametrize(
    "change",
    [
        grey,
        sepia,
        pale,
        lambda picture: (grey(picture) * 0.3).astype(np.uint8),
        lambda picture: (picture * 0.3).astype(np.uint8),
    ],
    ids=["grey", "sepia", "pale", "grey and dark", "dark"],
)
def test_cuts_are_found_without_colour_and_light(demo_pictures, demo_cuts, change):
    """But for one, which is none: the start of a dissolve from a grey picture to one in colour."""
    found = cuts([change(picture) for picture in demo_pictures])
    assert len(demo_cuts) == 26
    assert set(found) <= set(demo_cuts)
    assert len(found) >= 25


def test_toned_pictures_have_no_colour_of_their_own(demo_pictures):
    for picture in demo_pictures[400:1000:100]:
        assert own_colour(grey(picture)) == 0
        assert own_colour(sepia(picture)) < OWN_COLOUR < own_colour(picture)


def test_a_pan_is_no_cut():
    assert cuts(pan(0, 100, speed=5)) == [0]
    assert cuts([grey(picture) for picture in pan(0, 100, speed=5)]) == [0]


def test_one_frame_and_few_frames_are_one_shot():
    for count in range(1, 8):
        assert cuts(pan(0, count)) == [0]


def test_a_slow_change_of_light_is_no_cut():
    lit = [
        np.clip(picture * (0.5 + 0.01 * i), 0, 255).astype(np.uint8)
        for i, picture in enumerate(pan(0, 60))
    ]
    assert cuts(lit) == [0]


def dissolve(frames: int) -> list[np.ndarray]:
    """30 frames of one pan, `frames` of blending, 30 of another."""
    total = 60 + frames
    pairs = zip(pan(0, total, 1), pan(1, total, 1), strict=True)
    shares = np.clip((np.arange(total) - 30) / frames, 0, 1)
    return [(a * (1 - k) + b * k).astype(np.uint8) for (a, b), k in zip(pairs, shares, strict=True)]


def found(pictures):
    dissolves = Dissolves(FPS)
    for index, picture in enumerate(pictures):
        dissolves.see(index, picture)
    return dissolves.found()


@pytest.mark.parametrize("frames", [13, 20, 30, 50])
def test_a_dissolve_is_found_about_its_middle(frames):
    (one,) = found(dissolve(frames))
    assert 30 + frames / 4 <= one.middle <= 30 + 3 * frames / 4
    assert one.first <= one.middle <= one.last


def test_nothing_else_is_a_dissolve():
    assert found(pan(0, 100, speed=1)) == []
    assert found(pan(0, 100, speed=5)) == []
    assert found(pan(0, 40, 1) + pan(1, 40, 1)) == []
    brightening = [
        np.clip(picture * (0.3 + 0.02 * i), 0, 255) for i, picture in enumerate(pan(0, 30, 1))
    ]
    assert found([picture.astype(np.uint8) for picture in brightening]) == []
    assert found(np.zeros((60, 144, 256, 3), np.uint8)) == []


def test_a_new_shot_forgets_the_old_one():
    dissolves = Dissolves(FPS)
    for index, picture in enumerate(dissolve(20)):
        dissolves.see(index, picture)
    dissolves.start()
    assert dissolves.found() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "labels", "most_false"),
    [
        ("intel_people.mp4", "intel", 0),
        ("short_hamilton_clip.mp4", "hamilton", 1),
        ("simplefr_Video_2.mp4", "fotb", 0),
    ],
)
def test_all_cuts_of_the_labelled_clips(clip, labels, most_false):
    truth = json.loads(shared(f"video/{labels}_shots.json").read_text())["shots"]
    film = Film(shared(f"video/{clip}"))
    starts = [
        frame.index
        for frame, starts, _ in with_shots(film, AdaptiveShots(film.media.fps))
        if starts
    ]
    assert set(truth) <= set(starts)
    assert len(starts) - len(truth) <= most_false
