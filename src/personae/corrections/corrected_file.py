"""What a corrected file holds, whichever program wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from personae.corrections.corrected_track import CorrectedTrack


@dataclass(frozen=True)
class CorrectedFile:
    """The tracks that a person has corrected."""

    tracks: tuple[CorrectedTrack, ...]

    counts_by_time: bool = False
    """Whether frames are numbered by time, from 1, as in Label Studio; else counted from 0."""

    size: tuple[int, int] | None = None
    """Width and height of the film, where the file states them."""

    content_hash: str | None = None
    """Of the film, where the file states it."""

    boxes_without_track: int = 0
    """Boxes of single frames, which say nothing about a track."""
