"""Media fragments: a stretch of time and a rectangle of a film as the end of its address."""

from __future__ import annotations

import math
from fractions import Fraction

from personae.export.appearances import Box

SECONDS_DIGITS = 6
"""Decimals of times: those of the clocks of browsers."""


def format_media_fragment(start_s: Fraction, end_s: Fraction, box: Box | None = None) -> str:
    """Return ``t=2.4,5.2`` or, with a box, ``t=2.4,5.2&xywh=pixel:160,120,320,240``.

    The box is widened to whole pixels.

    Source: Media Fragments URI 1.0, W3C, sections 4.2.1 and 4.2.2.
    """
    fragment = f"t={format_seconds(start_s)},{format_seconds(end_s)}"
    if box is None:
        return fragment
    left, top = max(0, math.floor(box.x)), max(0, math.floor(box.y))
    width, height = math.ceil(box.x + box.w) - left, math.ceil(box.y + box.h) - top
    return f"{fragment}&xywh=pixel:{left},{top},{width},{height}"


def format_seconds(seconds: Fraction) -> str:
    """Return seconds with at most six decimals, the nearest."""
    micros = round(seconds * 10**SECONDS_DIGITS)
    whole, rest = divmod(micros, 10**SECONDS_DIGITS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
