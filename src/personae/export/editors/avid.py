"""Markers (once called locators) for a sequence of Avid Media Composer."""

from __future__ import annotations

from typing import BinaryIO

from personae.core.timecode import Timecode
from personae.export.editors.cut_list import describe_film, list_cuts
from personae.export.export_format import ExportRequest

TRACK = "V1"
"""The track that the markers are put on."""

MARKER_COLOURS = ("red", "green", "blue", "cyan", "magenta", "yellow", "white", "black")
"""Media Composer's names of its eight oldest colours; characters take them in turn."""


def write_avid_markers(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a line with tabs for each appearance, as Media Composer exports markers.

    The columns are the character (where Media Composer has the user), timecode, track, colour,
    comment and length in frames.

    Raises:
        SettingError: The film has a variable frame rate or one without timecode.
    """
    film = describe_film(request)
    source = Timecode(film.first_timecode_frame, film.rate, film.drop_frame)
    for cut in list_cuts(request):
        cells = (
            cut.title,
            str(source + cut.start_frame),
            TRACK,
            MARKER_COLOURS[cut.place % len(MARKER_COLOURS)],
            f"{cut.title}: {cut.note}",
            str(cut.frames),
        )
        stream.write(("\t".join(cells) + "\n").encode())
