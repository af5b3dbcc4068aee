"""CMX 3600 edit decision list: the appearances cut together, character after character."""

from __future__ import annotations

import re
from typing import BinaryIO

from personae.core.errors import SettingError
from personae.core.timecode import Timecode, parse_timecode
from personae.export.editors.cut_list import FilmClip, describe_film, list_cuts
from personae.export.export_format import ExportRequest

MAX_EVENTS = 999
"""Events of a list, whose numbers have three digits."""

REEL_CHARACTERS = 8
"""Length of a reel's name."""

TITLE_CHARACTERS = 70
"""Length of a list's title."""

RECORD_START = "01:00:00:00"
"""Record timecode of the first event, as is usual."""

LOCATOR_COLOURS = ("RED", "GREEN", "BLUE", "CYAN", "MAGENTA", "YELLOW", "WHITE", "BLACK")
"""Colours of markers in Avid's `LOC` comments; characters take them in turn."""


def write_edl(request: ExportRequest, stream: BinaryIO) -> None:
    """Write an event for each appearance, cut together without gaps from 01:00:00:00 on.

    Out points are exclusive, as everywhere in an EDL. Comments name the film's file, and a `LOC`
    comment the character.

    Raises:
        SettingError: The film has a variable frame rate or one without timecode, or there are more
            events than a list holds.
    """
    film = describe_film(request)
    cuts = sorted(list_cuts(request), key=lambda cut: (cut.place, cut.start_frame))
    if len(cuts) > MAX_EVENTS:
        raise SettingError(
            f"A CMX 3600 EDL holds {MAX_EVENTS} events and these are {len(cuts)}: choose "
            "characters with --only, join appearances with --gap, or export otio or resolve."
        )
    record = _record_start(film)
    source = Timecode(film.first_timecode_frame, film.rate, film.drop_frame)
    fcm = "DROP FRAME" if film.drop_frame else "NON-DROP FRAME"
    lines = [f"TITLE: {film.name[:TITLE_CHARACTERS]}", f"FCM: {fcm}"]
    for number, cut in enumerate(cuts, 1):
        start, end = source + cut.start_frame, source + cut.end_frame
        record_end = record + cut.frames
        colour = LOCATOR_COLOURS[cut.place % len(LOCATOR_COLOURS)]
        lines += [
            "",
            format_event(number, reel_name(film.name), start, end, record, record_end),
            f"* FROM CLIP NAME: {film.name}",
            f"* COMMENT: {cut.title}, {cut.note}",
            f"* LOC: {record} {colour:<7} {cut.title}",
        ]
        record = record_end
    stream.write(("\n".join(lines) + "\n").encode())


def format_event(
    number: int,
    reel: str,
    source_start: Timecode,
    source_end: Timecode,
    record_start: Timecode,
    record_end: Timecode,
) -> str:
    """Return the line of an event: a cut of the picture, with exclusive out points."""
    times = f"{source_start} {source_end} {record_start} {record_end}"
    return f"{number:03d}  {reel:<{REEL_CHARACTERS}} V     C        {times}"


def reel_name(file: str) -> str:
    """Return the name of a film's reel: its file's, in capital letters and digits, cut off."""
    stem = file.rpartition(".")[0] or file
    return re.sub("[^A-Z0-9]", "", stem.upper())[:REEL_CHARACTERS] or "FILM"


def _record_start(film: FilmClip) -> Timecode:
    text = RECORD_START
    return parse_timecode(f"{text[:-3]};{text[-2:]}" if film.drop_frame else text, film.rate)
