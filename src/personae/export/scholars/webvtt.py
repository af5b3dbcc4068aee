"""WebVTT subtitles that say who is on screen."""

from __future__ import annotations

from typing import BinaryIO

from personae.export.cue_clock import format_cue_clock
from personae.export.export_format import ExportRequest
from personae.export.scholars.cues import list_cues


def write_webvtt(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a cue for each stretch with the same characters, a line each.

    Source: WebVTT: The Web Video Text Tracks Format, W3C.
    """
    stream.write(b"WEBVTT\n")
    for number, cue in enumerate(list_cues(request), 1):
        lines = "\n".join(escape_cue_text(title) for title in cue.titles)
        start, end = (format_cue_clock(time) for time in (cue.start_s, cue.end_s))
        stream.write(f"\n{number}\n{start} --> {end}\n{lines}\n".encode())


def escape_cue_text(text: str) -> str:
    """Return a line of text as it stands in a cue, markup escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
