"""The cast gallery: a card per character, and a compact list of those who are hardly seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.report.report_data import Face, Film, Person, Track

if TYPE_CHECKING:
    from personae.project import Character
    from personae.project.cast import Appearance

PORTRAIT, THUMBNAIL, SMALL, TINY = 144, 88, 64, 48
"""Sides of the pictures in pixels."""

FACES = 12
"""Best faces of a character, the portrait among them."""

DOUBTS = 6
"""Least certain tracks shown of a character."""

APPEARANCES = 200
"""Appearances listed on a card."""


@dataclass(frozen=True)
class Doubt:
    """A track of a character that may be somebody else's."""

    face: Face
    confidence: float
    runner_up: Person | None


@dataclass(frozen=True)
class Card:
    """What the gallery says of one character."""

    person: Person
    character: Character
    share: float
    """Screen time as a share of the film's length."""

    relative: float
    """Screen time as a share of the longest in the cast."""

    shots: int
    portrait: Face | None
    faces: list[Face]
    similar: Person | None
    """The most frequent runner-up of its tracks."""

    doubts: list[Doubt]
    appearances: tuple[Appearance, ...]
    more_appearances: int


def cards(film: Film, characters: Sequence[Character]) -> list[Card]:
    """Describe characters for the gallery, in the order given."""
    return [_card(film, one) for one in characters]


@dataclass(frozen=True)
class Row:
    """What the compact list says of one character."""

    person: Person
    character: Character
    face: Face | None


def compact_list(film: Film, characters: Sequence[Character]) -> list[Row]:
    """Describe characters in one line each."""
    rows = []
    for one in characters:
        faces = film.best_faces(one.tracks, 1, TINY)
        rows.append(Row(film.people[one.label], one, faces[0] if faces else None))
    return rows


def _card(film: Film, character: Character) -> Card:
    portraits = film.best_faces(character.tracks, 1, PORTRAIT, tight=False)
    longest = max(one.screen_time for one in film.cast)
    tracks = [film.tracks[number] for number in character.tracks]
    return Card(
        person=film.people[character.label],
        character=character,
        share=character.screen_time / film.source.duration_s if film.source.duration_s > 0 else 0.0,
        relative=character.screen_time / longest if longest > 0 else 0.0,
        shots=len({seen.shot for seen in character.appearances}),
        portrait=portraits[0] if portraits else None,
        faces=film.best_faces(character.tracks, FACES, THUMBNAIL)[1:],
        similar=film.person(film.similar[character.label]),
        doubts=_doubts(film, tracks),
        appearances=character.appearances[:APPEARANCES],
        more_appearances=max(0, len(character.appearances) - APPEARANCES),
    )


def _doubts(film: Film, tracks: list[Track]) -> list[Doubt]:
    """Show the tracks with the lowest confidence, unless a method without probabilities put 1 everywhere."""
    if len(tracks) < 2 or min(track.confidence for track in tracks) >= 1:
        return []
    least = sorted(tracks, key=lambda track: (track.confidence, track.number))[:DOUBTS]
    return [
        Doubt(face, track.confidence, film.person(track.runner_up))
        for track in least
        for face in film.best_faces([track.number], 1, SMALL)
    ]
