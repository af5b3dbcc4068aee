"""A Matroska copy of the film with chapters by appearance."""

from __future__ import annotations

from typing import BinaryIO

from personae.export.export_format import ExportRequest
from personae.export.players.chapters import list_chapters
from personae.export.players.film_copy import copy_with_chapters


def write_matroska_chapters(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a copy of the film whose chapters say who is on screen."""
    copy_with_chapters(request.film, list_chapters(request), "matroska", stream)
