"""Who is on screen when: the film cut where a character comes or goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Span(Protocol):
    """A stretch of time of a character: an appearance or a track."""

    @property
    def character(self) -> str:
        """Label of the character."""

    @property
    def start_pts(self) -> int:
        """First tick."""

    @property
    def end_pts(self) -> int:
        """First tick after it."""


class Stretch(NamedTuple):
    """A stretch of the film in which the same characters are on screen."""

    start_pts: int

    end_pts: int
    """Exclusive."""

    characters: tuple[str, ...]
    """Labels in their order."""


def list_stretches(spans: Iterable[Span]) -> list[Stretch]:
    """Return the stretches with somebody on screen, in order of time, none overlapping.

    Two stretches that touch have different characters: a cut that changes nobody is not seen.
    """
    changes = [
        change
        for one in spans
        if one.end_pts > one.start_pts
        for change in ((one.start_pts, one.character, 1), (one.end_pts, one.character, -1))
    ]
    present: Counter[str] = Counter()
    stretches: list[Stretch] = []
    last_pts = 0
    for pts, character, change in sorted(changes):
        characters = tuple(sorted(+present))
        if pts > last_pts and characters:
            last = stretches[-1] if stretches else None
            if last is not None and (last.end_pts, last.characters) == (last_pts, characters):
                stretches[-1] = last._replace(end_pts=pts)
            else:
                stretches.append(Stretch(last_pts, pts, characters))
        present[character] += change
        last_pts = pts
    return stretches


def fill_gaps(stretches: Iterable[Stretch], start_pts: int, end_pts: int) -> list[Stretch]:
    """Return stretches from `start_pts` to `end_pts` without gaps; in a new one nobody is seen."""
    filled: list[Stretch] = []
    last_pts = start_pts
    for one in stretches:
        if one.start_pts > last_pts:
            filled.append(Stretch(last_pts, one.start_pts, ()))
        filled.append(one)
        last_pts = one.end_pts
    if last_pts < end_pts:
        filled.append(Stretch(last_pts, end_pts, ()))
    return filled
