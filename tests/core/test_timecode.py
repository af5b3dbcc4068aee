"""Timecode: every label of an hour and more, against counting and against two other libraries."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio
import pytest
import timecode as foreign
from hypothesis import given
from hypothesis import strategies as st

from personae.core.errors import SettingError
from personae.core.timecode import (
    Timecode,
    allows_drop_frame,
    has_timecode,
    parse_timecode,
    timecode_base,
)

NTSC_24, NTSC_30 = Fraction(24000, 1001), Fraction(30000, 1001)
NTSC_60, PAL = Fraction(60000, 1001), Fraction(25)


def count_labels(base: int, dropped: int, frames: int):
    """Yield the labels of so many frames by counting up, minute by minute."""
    minute = made = 0
    while made < frames:
        first = dropped if minute % 10 else 0
        for label in range(first, base * 60):
            if made == frames:
                return
            yield minute // 60, minute % 60, label // base, label % base
            made += 1
        minute += 1


@pytest.mark.parametrize(
    ("rate", "drop", "base", "dropped"),
    [(NTSC_24, False, 24, 0), (PAL, False, 25, 0), (NTSC_30, True, 30, 2), (NTSC_60, True, 60, 4)],
    ids=["23.976", "25", "29.97 drop frame", "59.94 drop frame"],
)
def test_every_frame_of_an_hour_and_more_has_its_label_and_is_found_by_it(
    rate, drop, base, dropped
):
    separator = ";" if drop else ":"
    for frame, (h, m, s, f) in enumerate(count_labels(base, dropped, base * 3600 + 40_000)):
        text = f"{h:02d}:{m:02d}:{s:02d}{separator}{f:02d}"
        assert str(Timecode(frame, rate, drop)) == text
        if frame % 41 == 0 or (s == 0 and f < 6):
            assert parse_timecode(text, rate) == Timecode(frame, rate, drop)


@given(st.integers(0, 24 * 3600 * 24 - 1))
def test_timecode_agrees_with_opentimelineio_within_a_day(frame):
    for rate, drop in ((NTSC_24, False), (NTSC_30, True), (NTSC_30, False), (NTSC_60, True)):
        time = otio.opentime.RationalTime(frame, float(rate))
        text = time.to_timecode(float(rate), drop_frame=drop)
        assert str(Timecode(frame, rate, drop)) == text
        assert parse_timecode(text, rate).frames == frame


@given(st.integers(0, 24 * 3600 * 24 - 1))
def test_timecode_agrees_with_the_timecode_package_within_a_day(frame):
    for name, rate, drop in (
        ("25", PAL, False),
        ("29.97", NTSC_30, True),
        ("59.94", NTSC_60, True),
    ):
        expected = foreign.Timecode(name, frames=frame + 1, force_non_drop_frame=not drop)
        assert str(Timecode(frame, rate, drop)) == str(expected)


def test_an_hour_of_drop_frame_keeps_to_the_clock_and_one_without_falls_behind():
    hour = round(3600 * NTSC_30)
    assert str(Timecode(hour, NTSC_30, True)) == "01:00:00;00"
    assert str(Timecode(hour, NTSC_30, False)) == "00:59:56:12"


@pytest.mark.parametrize(
    ("rate", "drop", "last"),
    [(PAL, False, "23:59:59:24"), (NTSC_30, True, "23:59:59;29"), (NTSC_24, False, "23:59:59:23")],
)
def test_after_midnight_timecode_starts_again(rate, drop, last):
    before = parse_timecode(last, rate)
    separator = ";" if drop else ":"
    assert str(before + 1) == f"00:00:00{separator}00"
    assert before + 1 + -1 == before


def test_three_digits_count_the_frames_of_high_rates():
    assert str(Timecode(119, Fraction(120), False)) == "00:00:00:119"
    assert parse_timecode("00:00:01:005", Fraction(120)).frames == 125


@pytest.mark.parametrize("text", ["01:00:00;02", "01;00;00;02", "01:00:00.02", "01:00:00,02"])
def test_a_semicolon_stop_or_comma_before_the_frames_means_drop_frame(text):
    assert parse_timecode(text, NTSC_30).drop_frame


@pytest.mark.parametrize(
    ("text", "rate", "why"),
    [
        ("1:00:00:00", PAL, "is no timecode; write it as 01:00:00:00"),
        ("01:00:00", PAL, "is no timecode; write it"),
        ("01:00:00:25", PAL, "from 00:00:00:00 to 23:59:59:24"),
        ("24:00:00:00", PAL, "from 00:00:00:00 to 23:59:59:24"),
        ("00:60:00:00", PAL, "is no timecode at 25"),
        ("00:00:60:00", PAL, "is no timecode at 25"),
        ("00:00:00:24", NTSC_24, "is no timecode at 23.976"),
        ("01:00:00;00", PAL, "exists at 29.97 and 59.94"),
        ("01:00:00;00", NTSC_24, "exists at 29.97 and 59.94"),
        ("00:01:00;00", NTSC_30, "leaves 00:01:00;00 out: the next frame is 00:01:00;02"),
        ("00:11:00;03", NTSC_60, "leaves 00:11:00;03 out: the next frame is 00:11:00;04"),
        ("00:00:00:00", Fraction(25, 2), "no timecode at 12.5"),
    ],
)
def test_what_labels_no_frame_is_one_sentence(text, rate, why):
    with pytest.raises(SettingError, match=why) as caught:
        parse_timecode(text, rate)
    assert str(caught.value).endswith(".")
    assert str(caught.value).count(". ") == 0


def test_a_label_of_the_tenth_minute_is_not_left_out():
    assert parse_timecode("00:10:00;00", NTSC_30).frames == 17982


@pytest.mark.parametrize(
    ("rate", "base"),
    [(Fraction(24), 24), (NTSC_24, 24), (NTSC_60, 60), (Fraction(120000, 1001), 120), (PAL, 25)],
)
def test_the_frames_that_timecode_counts_in_a_second(rate, base):
    assert has_timecode(rate)
    assert timecode_base(rate) == base


@pytest.mark.parametrize("rate", [Fraction(25, 2), Fraction(2997, 100), Fraction(1, 2)])
def test_other_rates_have_no_timecode(rate):
    assert not has_timecode(rate)


def test_drop_frame_exists_at_multiples_of_2997_only():
    assert [
        rate for rate in (NTSC_24, PAL, NTSC_30, Fraction(30), NTSC_60) if allows_drop_frame(rate)
    ] == [NTSC_30, NTSC_60]
