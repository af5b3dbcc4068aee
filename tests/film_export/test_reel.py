"""A reel holds the right frames at the right times, with the sound that belongs to them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from helpers.numbered_film import (
    CLICK_DELAY_S,
    CLICK_INTERVAL,
    SAMPLE_RATE,
    DecodedFilm,
    NumberedFilm,
    decode_numbered_film,
    frames_of,
    numbered_film,
)
from helpers.rated_film import RATES, VARIABLE, FilmRate
from personae.core.errors import OutputError, SettingError
from personae.film_export import ReelSettings, write_reel

RATE = FilmRate(Fraction(25), Fraction(1, 12800))
FILMS = {
    "23.976": (RATES["23.976"], ".mp4"),
    "23.976 in milliseconds, from 1.4 s": (RATES["23.976 in milliseconds, from 1.4 s"], ".mkv"),
    "25 from 1.4 s": (RATES["25 from 1.4 s"], ".mp4"),
    "29.97": (RATES["29.97"], ".mov"),
    "59.94": (FilmRate(Fraction(60000, 1001), Fraction(1, 90000)), ".mp4"),
    "variable": (VARIABLE, ".mp4"),
}
NO_GAP = ReelSettings(max_gap_s=0)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> NumberedFilm:
    folder = tmp_path_factory.mktemp("film")
    return numbered_film(folder, RATE, names={"P01": "Hamlet", "P02": "Ophelia"})


def spans_of(film: NumberedFilm, label: str) -> list[tuple[int, int]]:
    """Return the frames of a character's tracks, from the numbers the film was made with."""
    return sorted((first, end) for who, first, end in film.rated.spans if who == label)


def stretches(numbers: list[int]) -> list[tuple[int, int]]:
    """Return runs of consecutive frame numbers as first frame and the frame after the last."""
    cuts = [i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1]
    return [(part[0], part[-1] + 1) for part in np.split(np.array(numbers), cuts)]


def check_reel(reel: DecodedFilm, film: NumberedFilm, numbers: list[int], tick_s: float) -> None:
    """Check that a reel shows these frames without a gap, and clicks with those that clicked."""
    assert reel.numbers == numbers
    time_base, pts = film.rated.rate.time_base, film.rated.pts
    expected, clicks, end_s = [], [], Fraction(0)
    for first, end in stretches(numbers):
        for frame in range(first, end):
            at_s = end_s + (pts[frame] - pts[first]) * time_base
            expected.append(at_s)
            if frame % CLICK_INTERVAL == 0:
                clicks.append(float(at_s + CLICK_DELAY_S))
        end_s += (pts[end] - pts[first]) * time_base
    assert np.abs(np.array(reel.times_s, float) - np.array(expected, float)).max() <= tick_s
    assert len(reel.clicks_s) == len(clicks)
    assert np.abs(reel.clicks_s - clicks).max() < 0.002
    assert reel.sound_s[0] == pytest.approx(0, abs=0.001)
    assert reel.sound_s[1] == pytest.approx(float(end_s), abs=1024 / SAMPLE_RATE)


@pytest.mark.parametrize("name", FILMS)
def test_a_reel_holds_exactly_the_appearances_in_picture_and_sound(name, tmp_path):
    rate, ending = FILMS[name]
    film = numbered_film(tmp_path, rate, ending=ending)
    written = write_reel(film.project, film.film, ("P01",), tmp_path / "reel.mp4", NO_GAP)
    reel = decode_numbered_film(written.path)
    check_reel(reel, film, frames_of(spans_of(film, "P01")), tick_s=1e-9)
    assert written.frames == len(reel.numbers)
    assert written.notes == ()


@pytest.mark.parametrize("ending", [".mkv", ".mov"])
def test_other_containers_hold_the_same_reel(film, ending, tmp_path):
    out = tmp_path / f"reel{ending}"
    write_reel(film.project, film.film, ("P02",), out, NO_GAP)
    numbers = frames_of(spans_of(film, "P02"))
    check_reel(decode_numbered_film(out), film, numbers, tick_s=0.0006)


def test_a_name_is_as_good_as_a_label(film, tmp_path):
    write_reel(film.project, film.film, ("hamlet",), tmp_path / "a.mp4", NO_GAP)
    write_reel(film.project, film.film, ("P01",), tmp_path / "b.mp4", NO_GAP)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_whole_shots_are_shown_from_cut_to_cut(film, tmp_path):
    write_reel(
        film.project, film.film, ("P01",), tmp_path / "r.mp4", ReelSettings(whole_shots=True)
    )
    shots = film.project.table("shots").to_pylist()
    seen = set(frames_of(spans_of(film, "P01")))
    bounds = [(row["first_frame"], row["last_frame"] + 1) for row in shots]
    wanted = [(first, end) for first, end in bounds if seen & set(range(first, end))]
    assert 0 < len(wanted) < len(shots)
    check_reel(decode_numbered_film(tmp_path / "r.mp4"), film, frames_of(wanted), 1e-9)


def test_together_shows_the_moments_that_they_share(film, tmp_path):
    write_reel(film.project, film.film, ("P02", "P01"), tmp_path / "r.mp4", NO_GAP)
    shared = set(frames_of(spans_of(film, "P01"))) & set(frames_of(spans_of(film, "P02")))
    assert shared
    check_reel(decode_numbered_film(tmp_path / "r.mp4"), film, sorted(shared), 1e-9)


def test_handles_reach_across_cuts_but_not_beyond_the_film(film, tmp_path):
    settings = ReelSettings(handle_s=0.41, max_gap_s=0)  # 10.25 frames
    write_reel(film.project, film.film, ("P01",), tmp_path / "r.mp4", settings)
    n_frames = len(film.rated.pts) - 1
    wanted = [(max(0, a - 10), min(n_frames, b + 11)) for a, b in spans_of(film, "P01")]
    check_reel(decode_numbered_film(tmp_path / "r.mp4"), film, frames_of(wanted), 1e-9)


def test_short_gaps_within_a_shot_are_shown_too(film, tmp_path):
    write_reel(film.project, film.film, ("P01",), tmp_path / "a.mp4", NO_GAP)
    write_reel(film.project, film.film, ("P01",), tmp_path / "b.mp4", ReelSettings(max_gap_s=60))
    some = decode_numbered_film(tmp_path / "a.mp4").numbers
    all_ = decode_numbered_film(tmp_path / "b.mp4").numbers
    assert set(some) <= set(all_)
    shots = film.project.table("shots").to_pylist()
    for shot in shots:
        inside = [n for n in all_ if shot["first_frame"] <= n <= shot["last_frame"]]
        assert inside == list(range(inside[0], inside[-1] + 1)) if inside else True


def test_a_film_without_sound_gives_a_reel_without(tmp_path):
    film = numbered_film(tmp_path, RATE, duration_s=4, shots=2, sound=False)
    written = write_reel(film.project, film.film, ("P01",), tmp_path / "r.mp4")
    with av.open(str(written.path)) as container:
        assert not container.streams.audio
    assert any("no sound" in note for note in written.notes)


def test_the_source_is_untouched_and_nothing_else_is_left(film, tmp_path):
    before = film.film.read_bytes()
    write_reel(film.project, film.film, ("P01",), tmp_path / "r.mp4")
    assert film.film.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["r.mp4"]


def test_an_interrupted_reel_leaves_the_old_file_and_no_other(film, tmp_path):
    out = tmp_path / "r.mp4"
    out.write_bytes(b"old")

    def interrupt(stage: str, done: int, total: int | None, **facts: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_reel(film.project, film.film, ("P01",), out, hook=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["r.mp4"]
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("names", "out", "error", "words"),
    [
        (("Horatio",), "r.mp4", SettingError, "There is no character 'Horatio'"),
        ((), "r.mp4", SettingError, "Name the character"),
        (("P01", "P02", "P03"), "r.mp4", SettingError, "never together on screen"),
        (("P01",), "r.avi", SettingError, r"\.mp4, \.m4v, \.mov or \.mkv"),
        (("P01",), "nowhere/r.mp4", OutputError, "name another place with -o"),
        (("P01",), ".", SettingError, "says no kind of film"),
    ],
)
def test_a_mistake_is_one_sentence(film, tmp_path, names, out, error, words):
    with pytest.raises(error, match=words) as caught:
        write_reel(film.project, film.film, names, tmp_path / out)
    assert str(caught.value).count("\n") == 0
    assert not list(tmp_path.iterdir())


def test_the_film_itself_is_no_target_by_any_name(film, tmp_path):
    link = tmp_path / "other name.mp4"
    link.symlink_to(film.film)
    with pytest.raises(SettingError, match="is the film itself"):
        write_reel(film.project, film.film, ("P01",), link)
    assert link.is_symlink()


def test_a_full_disk_is_one_sentence(film):
    with pytest.raises(OutputError, match="cannot be written"):
        write_reel(film.project, film.film, ("P01",), Path("/proc/r.mp4"))


@pytest.mark.parametrize("setting", [{"handle_s": -1}, {"max_gap_s": float("nan")}, {"crf": 52}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(SettingError):
        ReelSettings(**setting)


@pytest.mark.slow
def test_the_sound_is_in_step_to_the_frame_after_ten_minutes_of_cuts(tmp_path):
    film = numbered_film(tmp_path, RATES["23.976"], duration_s=1500, shots=500)
    written = write_reel(film.project, film.film, ("P01",), tmp_path / "reel.mp4", NO_GAP)
    assert written.duration_s > 600
    numbers = frames_of(spans_of(film, "P01"))
    check_reel(decode_numbered_film(written.path), film, numbers, tick_s=1e-9)
