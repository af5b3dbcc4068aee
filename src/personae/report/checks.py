"""Check these first: the clustering's decisions nearest to the edge, with the faces of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from personae.report.film import Face, Film, Person
from personae.report.gallery import THUMBNAIL
from personae.report.texts import count_of, short_clock

SHOWN = 24
"""Decisions on the page."""

FACES = 4
"""Faces of each side."""

TITLES = {"merge": "Put together", "split": "Kept apart", "unknown": "Left unknown"}
"""Kind of decision -> its title."""


@dataclass(frozen=True)
class Side:
    """One of the two that a decision compares."""

    person: Person | None
    caption: str
    faces: list[Face]


@dataclass(frozen=True)
class Check:
    """A decision worth a look."""

    kind: str
    title: str
    text: str
    probability: float
    sides: list[Side]


def read_checks(film: Film) -> list[Check]:
    """List the decisions nearest to the edge, nearest first."""
    return [
        Check(one["kind"], TITLES[one["kind"]], one["text"], one["probability"], _sides(film, one["tracks"]))
        for one in film.project.checks[:SHOWN]
    ]


def _sides(film: Film, tracks: Sequence[int]) -> list[Side]:
    """Two tracks face each other; one faces its runner-up; more are parted by their character."""
    if len(tracks) == 2:
        return [_side(film, [track]) for track in tracks]
    parted: dict[str | None, list[int]] = {}
    for track in tracks:
        parted.setdefault(film.tracks[track].character, []).append(track)
    sides = [_side(film, members) for members in parted.values()]
    if len(tracks) == 1 and (rival := film.person(film.tracks[tracks[0]].runner_up)) is not None:
        character = next(one for one in film.cast if one.label == rival.label)
        sides.append(Side(rival, "nearest character", film.best_faces(character.tracks, FACES, THUMBNAIL)))
    return sides


def _side(film: Film, tracks: Sequence[int]) -> Side:
    first = film.tracks[tracks[0]]
    caption = (
        f"track {first.number}, shot {first.shot + 1}, {short_clock(first.start_s)}"
        if len(tracks) == 1
        else count_of(len(tracks), "track")
    )
    return Side(film.person(first.character), caption, film.best_faces(tracks, FACES, THUMBNAIL))
