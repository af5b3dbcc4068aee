"""The presence matrix: a row a shot, a column a character."""

from __future__ import annotations

from collections import defaultdict
from typing import BinaryIO

from personae.export.appearances import SelectedTrack
from personae.export.export_format import ExportRequest
from personae.export.on_screen import list_stretches
from personae.export.titles import distinct_titles

SHOT_COLUMNS = ("shot", "first_frame", "last_frame", "start_s", "end_s", "start_clock", "end_clock")
"""Columns before those of the characters."""


def write_presence_matrix(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a CSV table with the seconds for which each character is on screen in each shot.

    Times are container times, as in the other tables; the number of the first shot is 0.
    """
    import pyarrow as pa

    from personae.export.columns import clock_column, round_column
    from personae.export.table_formats import write_csv
    from personae.export.tables import SECONDS_DIGITS

    shots = request.project.table("shots")
    columns = {
        **{name: shots[name] for name in ("shot", "first_frame", "last_frame")},
        **{name: round_column(shots[name], SECONDS_DIGITS) for name in ("start_s", "end_s")},
        "start_clock": clock_column(shots["start_s"]),
        "end_clock": clock_column(shots["end_s"]),
    }
    ticks = _ticks_on_screen(request)
    numbers = shots["shot"].to_pylist()
    for label, title in distinct_titles(request.tracks, reserved=SHOT_COLUMNS).items():
        seconds = [float(request.time.seconds(ticks[label, shot])) for shot in numbers]
        columns[title] = round_column(pa.array(seconds, pa.float64()), SECONDS_DIGITS)
    write_csv(pa.table(columns), "presence", {}, stream)


def _ticks_on_screen(request: ExportRequest) -> dict[tuple[str, int], int]:
    """Return for each character and shot how many ticks of it the character is on screen."""
    tracks_of: dict[int, list[SelectedTrack]] = defaultdict(list)
    for track in request.tracks:
        tracks_of[track.shot].append(track)
    ticks: dict[tuple[str, int], int] = defaultdict(int)
    for shot, tracks in tracks_of.items():
        for one in list_stretches(tracks):
            for label in one.characters:
                ticks[label, shot] += one.end_pts - one.start_pts
    return ticks
