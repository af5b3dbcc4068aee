"""Times of WebVTT and SRT cues as text."""

from __future__ import annotations

from fractions import Fraction


def format_cue_clock(seconds: Fraction, decimal_mark: str = ".") -> str:
    """Return ``hh:mm:ss.mmm``, rounded down.

    A cue is shown from its start up to, and not at, its end. Rounded down, both keep every frame of
    an appearance inside its cue and its neighbours outside, for frames longer than a millisecond.
    """
    whole, millis = divmod(int(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{decimal_mark}{millis:03d}"
