"""Cues that say who is on screen: what WebVTT and SRT subtitles have in common."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from personae.export.export_format import ExportRequest
from personae.export.on_screen import list_stretches
from personae.export.titles import distinct_titles


class Cue(NamedTuple):
    """A stretch of the film with the titles of all who are on screen."""

    start_s: Fraction
    """What a player shows; exact."""

    end_s: Fraction
    """Exclusive."""

    titles: tuple[str, ...]


def list_cues(request: ExportRequest) -> list[Cue]:
    """Return cues in order of time, none overlapping."""
    titles = distinct_titles(request.appearances)
    return [
        Cue(
            request.time.player_seconds(one.start_pts),
            request.time.player_seconds(one.end_pts),
            tuple(titles[label] for label in one.characters),
        )
        for one in list_stretches(request.appearances)
    ]
