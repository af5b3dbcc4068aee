"""SMPTE timecode: labels of frames at a constant rate, with and without drop frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from personae.core.errors import SettingError

NTSC_FACTOR = Fraction(1000, 1001)
"""Ratio of a rate such as 24000/1001 to the whole number of frames that its timecode counts."""

DROPPED_LABELS_AT_30 = 2
"""Labels that drop frame leaves out at each minute but every tenth, at 29.97 frames per second."""

HOURS_PER_DAY = 24
"""After so many hours timecode starts again at zero."""

_PATTERN = re.compile(r"(\d{2})[:;](\d{2})[:;](\d{2})([:;.,])(\d{2,3})")


@dataclass(frozen=True)
class Timecode:
    """The label of a frame; `str()` gives ``hh:mm:ss:ff``, with ``;`` before ff for drop frame."""

    frames: int
    """Frames since 00:00:00:00, within a day."""

    rate: Fraction
    """Frames per second: whole, or a whole number times 1000/1001."""

    drop_frame: bool
    """Whether labels are left out so that they keep to the clock."""

    def __str__(self) -> str:
        base = timecode_base(self.rate)
        label = self.frames
        if self.drop_frame:
            per_ten_minutes, per_minute, dropped = _drop_frame_counts(base)
            tens, rest = divmod(label, per_ten_minutes)
            # the first minute of ten is whole, each of the others begins with dropped labels
            label += 9 * dropped * tens + dropped * max(0, (rest - dropped) // per_minute)
        seconds, frames = divmod(label, base)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        separator = ";" if self.drop_frame else ":"
        width = len(str(base - 1))
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{separator}{frames:0{max(2, width)}d}"

    def __add__(self, frames: int) -> Timecode:
        """Return the label of the frame so many frames later, past midnight from zero again."""
        day = _frames_per_day(timecode_base(self.rate), self.drop_frame)
        return Timecode((self.frames + frames) % day, self.rate, self.drop_frame)


def has_timecode(rate: Fraction) -> bool:
    """Return whether timecode exists at a rate: at 25 and 24000/1001, but not at 12.5."""
    return rate >= 1 and round(rate / NTSC_FACTOR) in (rate, rate / NTSC_FACTOR)


def timecode_base(rate: Fraction) -> int:
    """Return the frames that timecode counts in a second: 24 at 24000/1001.

    Raises:
        SettingError: There is no timecode at this rate.
    """
    if not has_timecode(rate):
        raise SettingError(
            f"There is no timecode at {float(rate):g} frames per second; "
            "choose a format that holds seconds, such as csv or json."
        )
    return round(rate / NTSC_FACTOR) if rate.denominator != 1 else int(rate)


def parse_timecode(text: str, rate: Fraction) -> Timecode:
    """Read ``hh:mm:ss:ff``; ``;`` or ``.`` before the frames stands for drop frame.

    Args:
        text: The label.
        rate: Frames per second.

    Raises:
        SettingError: The text is no timecode, or no frame has this label at the rate.
    """
    base = timecode_base(rate)
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise SettingError(f"{text!r} is no timecode; write it as 01:00:00:00.")
    hours, minutes, seconds, frames = (int(match[group]) for group in (1, 2, 3, 5))
    if hours >= HOURS_PER_DAY or minutes >= 60 or seconds >= 60 or frames >= base:
        raise SettingError(
            f"{text} is no timecode at {float(rate):.6g} frames per second: it goes from "
            f"00:00:00:00 to 23:59:59:{base - 1}."
        )
    drop_frame = match[4] != ":"
    count = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if drop_frame:
        if not allows_drop_frame(rate):
            raise SettingError(
                f"{text} is drop-frame timecode, which exists at 29.97 and 59.94 frames per "
                f"second and not at {float(rate):.6g}: write it with a colon."
            )
        _, _, dropped = _drop_frame_counts(base)
        if minutes % 10 and seconds == 0 and frames < dropped:
            raise SettingError(
                f"Drop-frame timecode leaves {text} out: the next frame is "
                f"{hours:02d}:{minutes:02d}:00;{dropped:02d}."
            )
        whole_minutes = hours * 60 + minutes
        count -= dropped * (whole_minutes - whole_minutes // 10)
    return Timecode(count, rate, drop_frame)


def allows_drop_frame(rate: Fraction) -> bool:
    """Return whether drop-frame timecode exists at a rate: at multiples of 30000/1001."""
    return rate.denominator == 1001 and rate.numerator % 30000 == 0


def _drop_frame_counts(base: int) -> tuple[int, int, int]:
    """Return the frames of ten minutes and of a minute that drops labels, and the labels."""
    dropped = DROPPED_LABELS_AT_30 * base // 30
    per_minute = base * 60 - dropped
    return per_minute * 10 + dropped, per_minute, dropped


def _frames_per_day(base: int, drop_frame: bool) -> int:
    if drop_frame:
        return _drop_frame_counts(base)[0] * 6 * HOURS_PER_DAY
    return base * 3600 * HOURS_PER_DAY
