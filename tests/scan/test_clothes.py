"""Colour histograms of the clothes below a face."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest

from helpers.films import DEMO, frames_at
from personae.core.arrays import Float32Array, UInt8Array
from personae.core.colour_histogram import CLOTHES_BYTES
from personae.scan.clothes import (
    CHROMA_STEP,
    MIN_VISIBLE_SHARE,
    PictureArea,
    describe_clothes,
    find_picture_area,
)

RED, GREEN, WALL, SKIN = (170, 30, 40), (30, 120, 60), (120, 125, 130), (220, 170, 140)
FACE = (290.0, 60.0, 60.0, 80.0)
"""x, y, w, h; the region below spans x 260 to 380 and y 168 to 268."""
NOBODY = np.empty((0, 4), np.float32)


def person(image: UInt8Array, face: tuple[float, ...], colour: tuple[int, ...]) -> UInt8Array:
    """Draw a person with a face at a box and clothes of one colour down to the picture's edge."""
    x, y, w, h = (round(value) for value in face)
    cv2.rectangle(image, (x - w, y + round(1.2 * h)), (x + 2 * w, image.shape[0]), colour, -1)
    cv2.ellipse(image, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, SKIN, -1)
    return image


def frame(height: int = 360, width: int = 640) -> UInt8Array:
    """A wall."""
    return np.full((height, width, 3), WALL, np.uint8)


def describe(
    image: UInt8Array, face: tuple[float, ...] = FACE, others: Float32Array = NOBODY
) -> Float32Array | None:
    return describe_clothes(
        image, np.array(face, np.float32), np.float32(others), find_picture_area(image)
    )


def similarity(a: Float32Array | None, b: Float32Array | None) -> float:
    """Bhattacharyya coefficient of two descriptions."""
    assert a is not None
    assert b is not None
    return float(np.sqrt(a) @ np.sqrt(b))


in_red, in_green = describe(person(frame(), FACE, RED)), describe(person(frame(), FACE, GREEN))


def test_a_description_is_a_histogram():
    assert in_red.shape == (CLOTHES_BYTES,)
    assert in_red.dtype == np.float32
    assert in_red.sum() == pytest.approx(1, abs=1e-6)
    assert in_red.max() == 1, "clothes of one colour fill one bin"
    assert similarity(in_red, in_green) == 0


def test_only_the_region_below_the_face_counts():
    image = frame()
    image[168:268, 260:380] = RED
    assert similarity(describe(image), in_red) == pytest.approx(1)
    image[168:268, 320:380] = GREEN
    found = describe(image)
    assert found.max() == pytest.approx(0.5, abs=0.02), "half of it in each colour"


@pytest.mark.parametrize("scale", [0.25, 1, 2, 3.5])
def test_the_size_of_the_film_does_not_matter(scale):
    image = person(frame(), FACE, RED)
    image[208:228] = GREEN
    resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = describe(resized, tuple(scale * value for value in FACE))
    assert similarity(found, describe(image)) > 0.95


@pytest.mark.parametrize("side", ["left", "right", "below"])
def test_clothes_that_the_edge_of_the_picture_cuts_are_described_by_the_rest(side):
    face = {"left": (-10, 60, 60, 80), "right": (590, 60, 60, 80), "below": (290, 180, 60, 80)}
    image = person(frame(), face[side], RED)
    assert similarity(describe(image, face[side]), in_red) == 1


@pytest.mark.parametrize("face", [(200, 40, 240, 300), (290, 250, 60, 80), (-120, 60, 60, 80)])
def test_where_no_clothes_are_seen_there_is_no_description(face):
    assert describe(person(frame(), face, RED), face) is None


@pytest.mark.parametrize("more_px", [1, -1])
def test_a_quarter_of_the_region_must_be_visible(more_px):
    face = (290, 360 - 108 - MIN_VISIBLE_SHARE * 100 - more_px, 60, 80)
    found = describe(person(frame(), face, RED), face)
    assert (found is not None) == (more_px > 0)


@pytest.mark.parametrize("noise", [0, 12])
def test_bars_are_no_clothes(noise):
    image = person(frame(), FACE, RED)
    bars = np.random.default_rng(0).integers(0, noise + 1, image.shape).astype(np.uint8)
    image[:48], image[-140:] = bars[:48], bars[-140:]
    assert find_picture_area(image).bottom in range(217, 221)
    assert similarity(describe(image), in_red) == 1, "the half of the region above the bar"
    image[-180:] = bars[-180:]
    assert describe(image) is None, "missing, not black"


def test_the_picture_is_found_inside_of_bars_on_all_sides():
    image = np.zeros((720, 1280, 3), np.uint8)
    image[90:-60, 160:-200] = WALL
    found = find_picture_area(image)
    assert 90 <= found.top <= 98
    assert 652 <= found.bottom <= 660
    assert 160 <= found.left <= 168
    assert 1072 <= found.right <= 1080


def test_a_picture_without_bars_is_whole_even_where_it_is_dark():
    image = frame()
    image[-150:] = 5
    image[-150:, :40] = 90  # something at its side can be seen
    assert find_picture_area(image) == PictureArea(0, 0, 640, 360)
    assert find_picture_area(frame(96, 128)) == PictureArea(0, 0, 128, 96)


def test_a_black_frame_has_no_picture_and_no_clothes():
    image = np.zeros((360, 640, 3), np.uint8)
    assert describe(image) is None


def subtitle(image: UInt8Array, y: int) -> UInt8Array:
    """Two lines of white letters with a black outline."""
    for line, text in enumerate(("Mom, this is the best dinner", "you have ever made! Is it not?")):
        place = 150, y + 26 * line
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 5, cv2.LINE_AA)
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (245,) * 3, 2, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("scale", [1, 3])
def test_letters_over_clothes_are_left_out(scale):
    face = (290.0, 150.0, 60.0, 80.0)
    plain = person(frame(), face, RED)
    written = subtitle(plain.copy(), 290)
    assert np.abs(written[258:358, 260:380].astype(int) - plain[258:358, 260:380]).mean() > 10
    written = cv2.resize(written, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found = describe(written, tuple(scale * value for value in face))
    assert similarity(found, in_red) > 0.97


def test_a_subtitle_in_the_lower_bar_does_not_make_it_a_picture():
    image = person(frame(), FACE, RED)
    image[:90] = image[-90:] = 0
    image = subtitle(image, 300)
    assert find_picture_area(image).bottom in range(266, 271)


def test_white_clothes_are_no_letters():
    white = (235, 235, 230)
    face = (290.0, 150.0, 60.0, 80.0)
    image = person(frame(), face, white)
    image[270:360, 300:340] = RED
    found = describe(image, face)
    assert 0.55 < found.max() < 0.75, "most of the region is still white"


def test_another_face_in_the_region_is_left_out():
    other = (300.0, 200.0, 50.0, 60.0)
    image = person(frame(), FACE, RED)
    x, y, w, h = (round(value) for value in other)
    image[y : y + h, x : x + w] = SKIN
    found = describe(image, others=np.array([other]))
    assert similarity(found, in_red) == pytest.approx(1, abs=1e-3)
    assert similarity(describe(image), in_red) < 0.9


def test_the_body_of_somebody_in_front_is_left_out():
    nearer = (380.0, 70.0, 90.0, 120.0)
    image = person(person(frame(), FACE, RED), nearer, GREEN)
    image[:, :340] = person(frame(), FACE, RED)[:, :340]
    found = describe(image, others=np.array([nearer]))
    assert similarity(found, in_red) > 0.99
    assert similarity(describe(image), in_red) < 0.9


def test_the_body_of_somebody_behind_hides_nothing():
    farther = (400.0, 60.0, 40.0, 50.0)
    image = person(frame(), FACE, RED)
    assert similarity(describe(image, others=np.array([farther])), in_red) == 1


def test_a_second_detection_of_the_same_head_hides_nothing():
    image = person(frame(), FACE, RED)
    twice = np.array([(280.0, 90.0, 80.0, 110.0)])
    assert similarity(describe(image, others=twice), in_red) == 1


def test_where_somebody_in_front_hides_all_there_is_no_description():
    nearer = (250.0, 230.0, 160.0, 200.0)
    assert describe(person(frame(), FACE, RED), others=np.array([nearer])) is None


def test_in_a_grey_film_clothes_are_light_or_dark():
    def grey(colour: tuple[int, ...]) -> Float32Array | None:
        image = cv2.cvtColor(person(frame(), FACE, colour), cv2.COLOR_RGB2GRAY)
        return describe(np.repeat(image[..., None], 3, axis=2))

    assert similarity(grey(RED), grey((165, 35, 40))) == 1
    assert similarity(grey(RED), grey((240, 240, 200))) == 0
    occupied = np.flatnonzero(grey(RED)) % 64
    assert set(occupied.tolist()) == {4 * 8 + 4}, "neutral in a and b"


def test_muted_colours_are_told_apart():
    """Half of a bin's width around grey, in either direction, is another bin."""
    navy, brown = (30, 33, 50), (50, 38, 30)
    lab = cv2.cvtColor(np.array([[navy, brown]], np.uint8), cv2.COLOR_RGB2LAB)[0].astype(int)
    assert np.abs(lab - 128)[:, 1:].max() < 2 * CHROMA_STEP
    first, second = (describe(person(frame(), FACE, colour)) for colour in (navy, brown))
    assert similarity(first, second) == 0


@pytest.fixture(scope="module")
def demo_clothes() -> dict[tuple[str, float], Float32Array]:
    """Clothes at labelled faces of the demo, by person and time."""
    with open(DEMO.with_name("demo_labels.csv"), newline="") as file:
        rows = [row for row in csv.DictReader(file) if 10 < float(row["time_s"]) < 23]
    times = sorted({float(row["time_s"]) for row in rows})
    found = {}
    for time, image in zip(times, frames_at(times), strict=True):
        present = [row for row in rows if float(row["time_s"]) == time]
        boxes = np.array([[float(row[side]) for side in "xywh"] for row in present])
        for i, row in enumerate(present):
            described = describe(image, tuple(boxes[i]), np.delete(boxes, i, axis=0))
            if described is not None:
                found[row["person"], time] = described
    return found


def test_on_real_footage_clothes_of_one_shot_are_alike_and_those_of_two_people_differ(demo_clothes):
    """A dark suit and the orange suit of an astronaut, side by side from 10.4 s to 13.2 s."""
    suit, orange = (
        [one for (person, time), one in demo_clothes.items() if person == name and time < 13.2]
        for name in ("obama", "collins")
    )
    assert len(suit) == len(orange) >= 5
    for own, others in ((suit, orange), (orange, suit)):
        assert min(similarity(own[0], one) for one in own[1:]) > 0.95
        assert max(similarity(own[0], one) for one in others) < 0.3


def test_in_a_close_up_of_real_footage_clothes_are_missing(demo_clothes):
    assert not [time for person, time in demo_clothes if person == "webcam_man"]
