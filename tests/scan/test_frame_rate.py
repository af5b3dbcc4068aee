"""Constant rates are found exactly, whatever a container rounds; variable ones are none."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from helpers.films import encode_film, shifting, texture
from helpers.rated_film import RATES, VARIABLE, FilmRate
from personae.scan.frame_rate import STANDARD_RATES, find_constant_rate
from personae.scan.video_reader import VideoReader

NTSC_24 = Fraction(24000, 1001)
MS = Fraction(1, 1000)


def pts_at(rate, frames, time_base, start=0):
    return [start + round(n / rate / time_base) for n in range(frames)]


@pytest.mark.parametrize("time_base", [MS, Fraction(1, 90000), Fraction(1, 12800)])
@pytest.mark.parametrize("rate", STANDARD_RATES, ids=str)
def test_every_standard_rate_is_found_in_every_time_base(rate, time_base):
    pts = pts_at(rate, 3000, time_base, start=777)
    assert find_constant_rate(pts, time_base, None) == rate
    assert find_constant_rate(pts, time_base, Fraction(2398, 100)) == rate


def test_two_hours_at_23976_are_not_taken_for_24():
    pts = pts_at(NTSC_24, 172_627, MS)
    assert find_constant_rate(pts, MS, Fraction(24)) == NTSC_24


def test_a_short_film_has_the_rate_that_its_container_states():
    assert find_constant_rate(pts_at(NTSC_24, 20, MS), MS, Fraction(24)) == 24
    assert find_constant_rate([0], MS, NTSC_24) == NTSC_24
    assert find_constant_rate([5], MS, None) in STANDARD_RATES


@pytest.mark.parametrize("rate", [Fraction(25, 2), Fraction(15), Fraction(18)])
def test_other_constant_rates_are_those_that_the_container_states(rate):
    pts = pts_at(rate, 1000, MS)
    assert find_constant_rate(pts, MS, rate) == rate
    assert find_constant_rate(pts, MS, None) is None


def test_a_film_of_time_base_one_frame_has_its_rate():
    assert find_constant_rate(list(range(500)), Fraction(1, 25), Fraction(25)) == 25


def test_a_few_missing_frames_leave_the_rate_constant_and_many_do_not():
    pts = pts_at(25, 1000, MS)
    assert find_constant_rate(pts[:500] + pts[505:], MS, Fraction(2487, 100)) == 25
    assert find_constant_rate(pts[:500] + pts[530:], MS, Fraction(2487, 100)) is None


@pytest.mark.parametrize(
    "steps_ms",
    [
        [33, 33, 34, 50] * 200,
        [33] * 500 + [17] * 500,
        [40] * 500 + [41] * 500,
        [40] * 999 + [60],
    ],
    ids=["jitter", "30 then 60", "a drift", "one late frame"],
)
def test_a_variable_frame_rate_is_none(steps_ms):
    pts = list(accumulate(steps_ms, initial=0))
    average = Fraction(1000 * len(steps_ms), pts[-1])
    assert find_constant_rate(pts, MS, average) is None


def test_every_second_frame_of_50_is_25():
    pts = pts_at(50, 2000, MS)[::2]
    assert find_constant_rate(pts, MS, None) == 25


@pytest.mark.parametrize(
    ("name", "ending"), [(name, end) for name in RATES for end in ("mkv", "mov")]
)
def test_films_state_what_their_frames_show(tmp_path: Path, name: str, ending: str):
    rate = RATES[name]
    if rate.start_pts < 0:  # muxers shift what starts before zero
        rate = FilmRate(rate.rate, rate.time_base)
    film = write_rated(tmp_path / f"a.{ending}", rate, 50)
    reader = VideoReader(film)
    times = [frame.time_s for frame in reader]
    assert reader.media.constant_rate == str(rate.rate)
    assert np.diff(times) == pytest.approx(np.full(49, 1 / float(rate.rate)), abs=2e-3)


def test_a_film_of_variable_rate_has_no_constant_one(tmp_path: Path):
    reader = VideoReader(write_rated(tmp_path / "a.mkv", VARIABLE, 60))
    assert len(list(reader)) == 60
    assert reader.media.constant_rate is None
    assert reader.media.frame_rate is not None


def write_rated(path: Path, rate: FilmRate, frames: int) -> Path:
    images = shifting(texture(48, 64), frames)
    return encode_film(path, images, rate.pts(frames)[:-1], time_base=rate.time_base)
