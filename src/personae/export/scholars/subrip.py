"""SubRip subtitles (SRT) that say who is on screen."""

from __future__ import annotations

from typing import BinaryIO

from personae.export.cue_clock import format_cue_clock
from personae.export.export_format import ExportRequest
from personae.export.scholars.cues import list_cues

LOOK_ALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
"""Stand-ins for what players take for markup: the format has no way to escape it."""


def write_subrip(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a cue for each stretch with the same characters, a line each, in UTF-8."""
    separator = ""
    for number, cue in enumerate(list_cues(request), 1):
        lines = "\n".join(title.translate(LOOK_ALIKES) for title in cue.titles)
        start, end = (format_cue_clock(time, ",") for time in (cue.start_s, cue.end_s))
        stream.write(f"{separator}{number}\n{start} --> {end}\n{lines}\n".encode())
        separator = "\n"
