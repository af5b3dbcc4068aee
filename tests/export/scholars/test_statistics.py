"""The presence matrix and the statistics of screen time, compared with a count of frames."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from statistics import median

import pytest

from helpers.appearance_times import (
    exported,
    frame_times,
    list_seen,
    seconds_in_frames,
    shots_of,
)
from helpers.rated_film import RatedFilm
from personae.core.time import format_clock

TITLES = {"P01": "P01", "P02": "Hamlet", "P03": "P03"}


def read(film: RatedFilm, fmt: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported(film, fmt).decode(), newline="")))


def approximately(seconds: Fraction | float) -> object:
    return pytest.approx(float(seconds), abs=0.000501)


def test_the_matrix_has_the_seconds_of_each_character_in_each_shot(film: RatedFilm) -> None:
    rows, shots = read(film, "presence-matrix"), film.project.table("shots").to_pylist()
    assert len(rows) == len(shots) == 10
    assert list(rows[0])[-3:] == list(TITLES.values())
    for row, shot in zip(rows, shots, strict=True):
        frames = range(shot["first_frame"], shot["last_frame"] + 1)
        assert (int(row["shot"]), int(row["first_frame"])) == (shot["shot"], frames[0])
        assert float(row["start_s"]) == approximately(shot["start_s"])
        if shot["start_s"] >= 0:
            assert row["start_clock"] == "0" + format_clock(round(shot["start_s"], 3))
        for label, title in TITLES.items():
            seconds = seconds_in_frames(film, lambda labels, label=label: label in labels, frames)
            assert float(row[title]) == approximately(seconds)


def test_screen_time_is_that_of_the_frames(film: RatedFilm) -> None:
    rows = read(film, "screen-time")
    assert {row["character"] for row in rows} == set(TITLES)
    times = [float(row["screen_time_s"]) for row in rows]
    assert times == sorted(times, reverse=True)
    length, shots = frame_times(film)[-1], shots_of(film)
    for row in rows:
        label = row["character"]
        seconds = seconds_in_frames(film, lambda labels, label=label: label in labels)
        own = [one.end_s - one.start_s for one in list_seen(film) if one.label == label]
        assert float(row["screen_time_s"]) == approximately(seconds)
        assert float(row["share_of_film"]) == approximately(seconds / length)
        assert int(row["shots"]) == len(shots[label])
        assert float(row["share_of_shots"]) == approximately(len(shots[label]) / 10)
        assert int(row["appearances"]) == len(own)
        assert float(row["mean_appearance_s"]) == approximately(sum(own) / len(own))
        assert float(row["median_appearance_s"]) == approximately(median(own))
        assert float(row["longest_appearance_s"]) == approximately(max(own))
        assert row["name"] == ("Hamlet" if label == "P02" else "")


def test_times_first_and_last_seen_are_container_times(film: RatedFilm) -> None:
    start = film.pts[0] * film.rate.time_base
    for row in read(film, "screen-time"):
        own = [one for one in list_seen(film) if one.label == row["character"]]
        assert float(row["first_seen_s"]) == approximately(start + own[0].start_s)
        assert float(row["last_seen_s"]) == approximately(start + own[-1].end_s)


def test_time_alone_is_that_of_frames_with_nobody_else(film: RatedFilm) -> None:
    for row in read(film, "screen-time"):
        label = row["character"]
        alone = seconds_in_frames(film, lambda labels, label=label: labels == {label})
        assert float(row["alone_s"]) == approximately(alone)


def test_quarters_add_up_and_cut_appearances_at_their_limits(film: RatedFilm) -> None:
    length = frame_times(film)[-1]
    for row in read(film, "screen-time"):
        own = [one for one in list_seen(film) if one.label == row["character"]]
        for part in range(4):
            low, high = length * part / 4, length * (part + 1) / 4
            inside = sum(
                max(Fraction(0), min(one.end_s, high) - max(one.start_s, low)) for one in own
            )
            assert float(row[f"quarter_{part + 1}_s"]) == approximately(inside)
