"""Praat TextGrids: a tier of shots, and an interval tier a character."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

from personae.export.export_format import ExportRequest
from personae.export.scholars.tiers import Interval, Tier, list_tiers


def write_textgrid(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a TextGrid in the long text format, in UTF-8; times have nine decimals.

    Praat's tiers have no gaps, so that an interval with an empty text lies where a character is
    not on screen.

    Source: P. Boersma, D. Weenink: Praat, manual page "TextGrid file formats".
    """
    tiers = list_tiers(request)
    end_s = request.time.player_seconds(request.time.end_pts)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_format_seconds(end_s)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, tier in enumerate(tiers, 1):
        lines += [f"    item [{number}]:", *_tier_lines(tier, end_s)]
    stream.write(("\n".join(lines) + "\n").encode())


def _tier_lines(tier: Tier, end_s: Fraction) -> Iterator[str]:
    intervals = list(_fill_gaps(tier, end_s))
    yield '        class = "IntervalTier"'
    yield f"        name = {_quote(tier.title)}"
    yield "        xmin = 0"
    yield f"        xmax = {_format_seconds(end_s)}"
    yield f"        intervals: size = {len(intervals)}"
    for number, one in enumerate(intervals, 1):
        yield f"        intervals [{number}]:"
        yield f"            xmin = {_format_seconds(one.start_s)}"
        yield f"            xmax = {_format_seconds(one.end_s)}"
        yield f"            text = {_quote(one.text)}"


def _fill_gaps(tier: Tier, end_s: Fraction) -> Iterator[Interval]:
    last_s = Fraction(0)
    for one in tier.intervals:
        if one.start_s > last_s:
            yield Interval(last_s, one.start_s, "")
        yield one
        last_s = one.end_s
    if last_s < end_s or not tier.intervals:
        yield Interval(last_s, end_s, "")


def _format_seconds(seconds: Fraction) -> str:
    return f"{float(seconds):.9f}".rstrip("0").rstrip(".")


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
