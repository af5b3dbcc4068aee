"""The clock of a film: exact seconds, frames and timecode at every rate and start."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from helpers.expected_cuts import expected_timecode
from helpers.fake_film import fake_film
from helpers.rated_film import RATES, VARIABLE, FilmRate, rated_film
from personae.core.errors import SettingError
from personae.export import load_film_time


@pytest.mark.parametrize("name", RATES)
def test_every_frame_has_its_number_and_timecode(tmp_path: Path, name: str):
    film = rated_film(tmp_path / "film", RATES[name], duration_s=20.0)
    clock = load_film_time(film.project)
    for frame, pts in enumerate(film.pts):
        assert clock.frame_number(pts) == frame
        if frame % 50 == 0:
            assert str(clock.timecode(pts)) == expected_timecode(film, frame, "00:00:00:00")


@pytest.mark.parametrize("name", RATES)
def test_seconds_are_exact_and_count_from_container_first_frame_or_player(tmp_path, name):
    film = rated_film(tmp_path / "film", RATES[name], duration_s=10.0)
    clock = load_film_time(film.project)
    base, first, last = film.rate.time_base, film.pts[0], film.pts[-1]
    assert (clock.start_pts, clock.end_pts) == (first, last)
    assert clock.seconds(last) == last * base
    assert clock.seconds_from_first_frame(last) == (last - first) * base
    # containers state their start in microseconds
    assert abs(clock.player_seconds(last) - (last - first) * base) <= Fraction(1, 2_000_000)


def test_two_hours_at_23976_end_on_their_frame(tmp_path: Path):
    rate = RATES["23.976 in milliseconds, from 1.4 s"]
    film = rated_film(tmp_path / "film", rate, duration_s=7200.0, shots=20, face_step=5000)
    clock = load_film_time(film.project)
    assert clock.rate == Fraction(24000, 1001)
    assert clock.frame_number(film.pts[-1]) == len(film.pts) - 1 == 172_627
    for frame in range(0, len(film.pts), 997):
        assert clock.frame_number(film.pts[frame]) == frame
    expected = expected_timecode(film, 172_627, "00:00:00:00")
    assert str(clock.timecode(film.pts[-1])) == expected == "01:59:52:19"


@pytest.mark.parametrize(
    ("given", "container", "expected"),
    [
        (None, None, "00:00:00:00"),
        (None, "10:00:00:00", "10:00:00:00"),
        ("01:00:00:00", "10:00:00:00", "01:00:00:00"),
        ("01:00:00;00", None, "01:00:00;00"),
        (None, "01:00:00;00", "01:00:00;00"),
        (None, "10:00:00:31", "00:00:00:00"),
        (None, "rubbish", "00:00:00:00"),
    ],
)
def test_timecode_starts_as_given_or_as_the_container_states_or_at_zero(
    tmp_path, given, container, expected
):
    film = rated_film(
        tmp_path / "film", RATES["29.97"], duration_s=2.0, shots=1, timecode=container
    )
    clock = load_film_time(film.project, given)
    assert str(clock.timecode(film.pts[0])) == expected
    assert str(clock.start_timecode) == expected


def test_a_given_timecode_that_labels_no_frame_is_refused(tmp_path: Path):
    film = rated_film(tmp_path / "film", RATES["25 from 1.4 s"], duration_s=2.0, shots=1)
    with pytest.raises(SettingError, match=r"29\.97 and 59\.94"):
        load_film_time(film.project, "01:00:00;00")


def test_a_variable_frame_rate_has_seconds_but_no_frames_and_no_timecode(tmp_path: Path):
    film = rated_film(tmp_path / "film", VARIABLE, duration_s=5.0, shots=2, timecode="01:00:00:00")
    clock = load_film_time(film.project)
    assert (clock.rate, clock.start_timecode, clock.average_rate) == (None, None, 30)
    assert clock.seconds(film.pts[7]) == Fraction(film.pts[7], 90000)
    for refused in (
        lambda: clock.frame_number(film.pts[7]),
        lambda: clock.timecode(film.pts[7]),
        lambda: load_film_time(film.project, "01:00:00:00"),
    ):
        with pytest.raises(
            SettingError, match=r"^A film.mp4 has a variable frame rate.*json or vtt\.$"
        ):
            refused()


def test_a_rate_without_timecode_has_frames(tmp_path: Path):
    rate = FilmRate(Fraction(25, 2), Fraction(1, 1000))
    film = rated_film(tmp_path / "film", rate, duration_s=10.0, shots=2)
    clock = load_film_time(film.project)
    assert clock.start_timecode is None
    assert clock.frame_number(film.pts[30]) == 30
    with pytest.raises(SettingError, match=r"no timecode at 12\.5 frames per second"):
        clock.timecode(film.pts[30])


def test_a_film_without_shots_lasts_as_long_as_the_container_states(tmp_path: Path):
    clock = load_film_time(fake_film(tmp_path / "film", shots=0, characters=0, unknown=0))
    assert (clock.start_pts, clock.end_pts) == (0, 60 * 90000)


class DamagedRate(FilmRate):
    """A constant rate of which the frames 300 to 304 are missing."""

    def pts(self, frames: int) -> list[int]:
        whole = super().pts(frames + 5)
        return whole[:300] + whole[305:]


def test_missing_frames_leave_later_ones_at_their_time(tmp_path: Path):
    """An editing program shows the frame before the gap for longer; decoded frames are fewer."""
    rate = DamagedRate(Fraction(25), Fraction(1, 90000))
    film = rated_film(tmp_path / "film", rate, duration_s=40.0)
    clock = load_film_time(film.project)
    assert clock.rate == 25
    assert [clock.frame_number(film.pts[n]) for n in (299, 300, 999)] == [299, 305, 1004]
    assert str(clock.timecode(film.pts[300])) == "00:00:12:05"
