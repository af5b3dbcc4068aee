"""Check these first: the clustering's decisions nearest to the edge, with the faces of both sides."""

from __future__ import annotations

from dataclasses import dataclass

from personae.report.formatting import short_clock
from personae.report.gallery import THUMBNAIL
from personae.report.report_data import Face, Film, Person

SHOWN = 24
"""Decisions on the page."""

FACES = 4
"""Faces of each side."""

TITLES = {"merge": "Put together", "split": "Kept apart", "unknown": "Left unknown"}
"""Kind of decision -> its title."""


@dataclass(frozen=True)
class Side:
    """One of the two that a decision compares: a track that is typical of it, and whom it belongs to."""

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
    """That the sides are one person, 0..1."""

    sides: list[Side]


def review_cards(film: Film) -> list[Check]:
    """List the decisions nearest to the edge, least certain first."""
    return [
        Check(
            kind=one["kind"],
            title=TITLES[one["kind"]],
            text=one["text"],
            probability=one["probability"],
            sides=[_side(film, track, one["kind"]) for track in one["tracks"]],
        )
        for one in film.project.checks[:SHOWN]
    ]


def _side(film: Film, number: int, kind: str) -> Side:
    """Show a track; where whole characters are compared, half the faces are from its character's others."""
    track = film.tracks[number]
    person = film.person(track.character)
    rest: list[int] = []
    if person is not None and kind != "merge":
        character = next(one for one in film.cast if one.label == person.label)
        rest = [other for other in character.tracks if other != number]
    others = film.best_faces(rest, FACES // 2, THUMBNAIL)
    own = film.best_faces([number], FACES - len(others), THUMBNAIL)
    caption = f"track {number}, shot {track.shot + 1}, {short_clock(track.start_s)}"
    return Side(person, caption, own + others)
