"""Screen time by part of the film: a row a character, a field a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.export.scholars.co_appearance import compute_co_appearance
from personae.export.scholars.screen_time import compute_part_times
from personae.report.report_data import CharacterLink, ReportData

if TYPE_CHECKING:
    from personae.project import Character

N_PARTS = 20
"""Parts of equal length."""

MAX_CHARACTERS = 16
"""Characters with a row."""


@dataclass(frozen=True)
class FilmPart:
    """How long a character is on screen in a part of the film."""

    start_s: float
    end_s: float
    seconds: float
    share: float
    """0..1 of the part."""


@dataclass(frozen=True)
class PartsRow:
    """The row of a character."""

    link: CharacterLink
    parts: list[FilmPart]
    screen_time_s: float


@dataclass(frozen=True)
class FilmParts:
    """The drawing."""

    rows: list[PartsRow]
    part_s: float
    """Length of a part."""

    n_left_out: int
    """Characters beyond `MAX_CHARACTERS`."""


def make_film_parts(data: ReportData, characters: Sequence[Character]) -> FilmParts:
    """Divide the screen time of characters among the parts of the film, in the order given."""
    clock = data.everything.time
    nodes = {one.label: one for one in compute_co_appearance(data.everything).nodes}
    start_s = float(clock.seconds(clock.start_pts))
    part_s = float(clock.seconds(clock.end_pts - clock.start_pts)) / N_PARTS
    rows = []
    for character in characters[:MAX_CHARACTERS]:
        times = compute_part_times(clock, nodes[character.label].stretches, N_PARTS)
        parts = [
            FilmPart(
                start_s=start_s + place * part_s,
                end_s=start_s + (place + 1) * part_s,
                seconds=float(seconds),
                share=round(float(seconds) / part_s, 3) if part_s else 0.0,
            )
            for place, seconds in enumerate(times)
        ]
        rows.append(PartsRow(data.links[character.label], parts, character.screen_time))
    return FilmParts(rows, part_s, max(0, len(characters) - MAX_CHARACTERS))
