"""WebVTT and SRT: read back, every frame shows exactly those who are on screen in it."""

from __future__ import annotations

import io
from datetime import timedelta
from fractions import Fraction

import pytest
import srt
import webvtt

from helpers.appearance_times import exported, frame_times, labels_by_frame
from helpers.rated_film import RatedFilm
from personae.export import Selection
from personae.export.cue_clock import format_cue_clock

TITLES = {"P01": "P01", "P02": "Hamlet", "P03": "P03"}


def read_webvtt(text: bytes) -> list[tuple[Fraction, Fraction, set[str]]]:
    def seconds(clock: str) -> Fraction:
        hours, minutes, rest = clock.split(":")
        return (int(hours) * 60 + int(minutes)) * 60 + Fraction(rest)

    captions = webvtt.from_buffer(io.BytesIO(text))
    return [(seconds(one.start), seconds(one.end), set(one.lines)) for one in captions]


def read_srt(text: bytes) -> list[tuple[Fraction, Fraction, set[str]]]:
    def seconds(time: timedelta) -> Fraction:
        return Fraction(round(time / timedelta(milliseconds=1)), 1000)

    subtitles = srt.parse(text.decode())
    return [
        (seconds(one.start), seconds(one.end), set(one.content.split("\n"))) for one in subtitles
    ]


READERS = {"vtt": read_webvtt, "srt": read_srt}


@pytest.mark.parametrize("fmt", READERS)
def test_each_frame_is_in_the_cue_of_those_on_screen(film: RatedFilm, fmt: str) -> None:
    cues = READERS[fmt](exported(film, fmt))
    for time, labels in zip(frame_times(film), labels_by_frame(film), strict=False):
        shown = [titles for start, end, titles in cues if start <= time < end]
        assert len(shown) <= 1, "cues do not overlap"
        names = {TITLES.get(label, label) for label in labels}
        assert set().union(*shown) == names


@pytest.mark.parametrize("fmt", READERS)
def test_two_hours_at_23_976_do_not_drift(long_film: RatedFilm, fmt: str) -> None:
    cues = READERS[fmt](exported(long_film, fmt))
    times, labels = frame_times(long_film), labels_by_frame(long_film)
    changes = [frame for frame in range(1, len(labels)) if labels[frame] != labels[frame - 1]]
    edges = {edge for start, end, _ in cues for edge in (start, end)} - {0}
    in_cues = [times[frame] for frame in changes]
    if labels[-1]:
        in_cues.append(times[-1])
    assert sorted(edges) == [Fraction(int(time * 1000), 1000) for time in in_cues]


def test_a_gap_between_two_appearances_can_be_closed(film: RatedFilm) -> None:
    apart = read_webvtt(exported(film, "vtt", Selection(only=("P01",))))
    joined = read_webvtt(exported(film, "vtt", Selection(only=("P01",), gap_s=60.0)))
    assert len(apart) > len(joined) == 1
    assert joined[0][:2] == (apart[0][0], apart[-1][1])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "00:00:00.000"),
        (Fraction(999_999, 1_000_000), "00:00:00.999"),
        (Fraction(3_723_004, 1000), "01:02:03.004"),
        (Fraction(360_000), "100:00:00.000"),
    ],
)
def test_clocks_are_rounded_down(seconds: Fraction, text: str) -> None:
    assert format_cue_clock(seconds) == text
