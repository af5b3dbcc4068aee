"""An MP4 copy of the film with chapters by appearance; a QuickTime film stays one."""

from __future__ import annotations

from fractions import Fraction
from typing import BinaryIO

from personae.export.export_format import ExportRequest
from personae.export.players.chapters import NOBODY_TITLE, Chapter, list_chapters
from personae.export.players.film_copy import copy_with_chapters


def write_mp4_chapters(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a copy of the film whose chapters say who is on screen."""
    chapters = list_chapters(request)
    if chapters and chapters[0].start_s > 0:
        # the chapters of MP4 are a track, whose first entry begins at zero whatever it says
        chapters = [Chapter(Fraction(0), chapters[0].start_s, NOBODY_TITLE), *chapters]
    container_format = "mov" if request.film.suffix.lower() == ".mov" else "mp4"
    copy_with_chapters(request.film, chapters, container_format, stream)
