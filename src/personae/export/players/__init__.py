"""Formats for players and archives, one a module."""

from __future__ import annotations

from personae.export.export_format import ExportFormat
from personae.export.players.cast_sidecar import write_cast_sidecar
from personae.export.players.matroska import write_matroska_chapters
from personae.export.players.metadata_track import write_metadata_track
from personae.export.players.mp4 import write_mp4_chapters

FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat(
        name="cast-json",
        extension=".cast.json",
        exports="appearances",
        users="players",
        holds="sidecar of the film for players and archives: cast, appearances, moving boxes, "
        "provenance",
        loses="pts; boxes follow the face to a hundredth of the frame",
        write=write_cast_sidecar,
    ),
    ExportFormat(
        name="vtt-metadata",
        extension=".metadata.vtt",
        exports="appearances",
        users="players",
        holds="WebVTT track of kind metadata for web players: a JSON cue with moving boxes an "
        "appearance",
        loses="provenance, pts; times are rounded down to milliseconds, boxes follow the face to "
        "a hundredth of the frame",
        write=write_metadata_track,
    ),
    ExportFormat(
        name="mkv-chapters",
        extension=".mkv",
        exports="appearances",
        users="players",
        holds="Matroska copy of the film with chapters that say who is on screen",
        loses="labels of named characters, shots, boxes, confidence, review; the film's own "
        "chapters and data streams; times are rounded to milliseconds",
        write=write_matroska_chapters,
        to_stdout=False,
    ),
    ExportFormat(
        name="mp4-chapters",
        extension=".mp4",
        exports="appearances",
        users="players",
        holds="MP4 copy of the film with chapters that say who is on screen (of a .mov film: "
        "QuickTime)",
        loses="labels of named characters, shots, boxes, confidence, review; the film's own "
        "chapters, data streams, and subtitles that MP4 cannot hold; chapters are rounded to "
        "milliseconds",
        write=write_mp4_chapters,
        to_stdout=False,
    ),
)
"""In the order in which `personae export --list` shows them."""
