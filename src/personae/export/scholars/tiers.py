"""Tiers: the shots, and the appearances of each character, as annotation programs take them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from personae.export.export_format import ExportRequest
from personae.export.titles import distinct_titles, shot_title

SHOTS_TITLE = "Shots"
"""Title of the tier of shots."""


class Interval(NamedTuple):
    """A labelled stretch of a tier."""

    start_s: Fraction
    """What a player shows; exact."""

    end_s: Fraction
    """Exclusive."""

    text: str


@dataclass(frozen=True)
class Tier:
    """Intervals in order of time, none overlapping."""

    title: str
    """Unlike that of any other tier."""

    intervals: tuple[Interval, ...]

    is_character: bool


def list_tiers(request: ExportRequest) -> list[Tier]:
    """Return the tier of shots, then a tier for each selected character by falling screen time."""
    clock = request.time
    shots = tuple(
        Interval(
            clock.player_seconds(row["start_pts"]),
            clock.player_seconds(row["end_pts"]),
            shot_title(row["shot"]),
        )
        for row in request.project.table("shots").to_pylist()
    )
    tiers = [Tier(SHOTS_TITLE, shots, is_character=False)]
    for label, title in distinct_titles(request.appearances, reserved=[SHOTS_TITLE]).items():
        intervals = tuple(
            Interval(one.start_s - clock.container_start, one.end_s - clock.container_start, title)
            for one in request.appearances
            if one.character == label
        )
        tiers.append(Tier(title, intervals, is_character=True))
    return tiers
