"""The film beside the report: where the page looks for it, and its clock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

from personae.report.report_data import ReportData


@dataclass(frozen=True)
class FilmPlayer:
    """What the page needs to play moments of the film."""

    file_name: str

    addresses: list[str]
    """Relative addresses to try, in order: beside the project folder, then beside the page."""

    start_s: float
    """Container time of the first frame."""

    container_start_s: float
    """Container time at which the file starts; some players count from there."""

    frame_s: float
    """Length of a frame in seconds."""


def make_film_player(data: ReportData) -> FilmPlayer:
    """Return the film's addresses and clock.

    The page names no folder of the machine that made it: the film is found where the report's
    folder lies beside it, or where the page itself was moved beside it.
    """
    source = data.source
    file_name = PurePath(source.path).name
    address = quote(file_name)
    return FilmPlayer(
        file_name=file_name,
        addresses=[f"../{address}", f"./{address}"],
        start_s=source.start_s,
        container_start_s=source.container_start_s,
        frame_s=source.duration_s / source.frames if source.frames else 0.04,
    )
