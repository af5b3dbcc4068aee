"""Markers for a timeline of DaVinci Resolve, as the EDL that Resolve itself exports them to."""

from __future__ import annotations

from typing import BinaryIO

from personae.core.timecode import Timecode
from personae.export.editors.cut_list import describe_film, list_cuts
from personae.export.editors.edl import format_event
from personae.export.export_format import ExportRequest

REEL = "001"
"""What Resolve writes in place of a reel."""

MARKER_COLOURS = (
    "Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia",
    "Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream",
)  # fmt: skip
"""Resolve's names of its sixteen colours; characters take them in turn."""


def write_resolve_markers(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a marker with its length for each appearance, named after its character.

    A marker is a one-frame event at its timecode on the timeline, followed by a line with its note,
    colour, name and length in frames.

    Raises:
        SettingError: The film has a variable frame rate or one without timecode.
    """
    film = describe_film(request)
    source = Timecode(film.first_timecode_frame, film.rate, film.drop_frame)
    fcm = "DROP FRAME" if film.drop_frame else "NON-DROP FRAME"
    lines = [f"TITLE: {film.name}", f"FCM: {fcm}"]
    for number, cut in enumerate(list_cuts(request), 1):
        start, following = source + cut.start_frame, source + (cut.start_frame + 1)
        colour = MARKER_COLOURS[cut.place % len(MARKER_COLOURS)]
        name = cut.title.replace("|", "/")
        lines += [
            "",
            format_event(number, REEL, start, following, start, following),
            f"{cut.note} |C:ResolveColor{colour} |M:{name} |D:{cut.frames}",
        ]
    stream.write(("\n".join(lines) + "\n").encode())
