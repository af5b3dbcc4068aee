"""What every section of the report reads: the cast, the tracks and the pictures, loaded once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from personae.export.characters import characters_table
from personae.report.formatting import short_clock
from personae.report.portraits import Pictures

if TYPE_CHECKING:
    from personae.project import Character, Project
    from personae.project.manifest import Source

COLOURS = 8
"""Character colours in the style sheet; further characters start again with the first."""


@dataclass(frozen=True)
class Track:
    """One face track with whom it was given to."""

    number: int
    shot: int
    start_s: float
    end_s: float
    status: str
    character: str | None
    confidence: float
    runner_up: str | None

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Face:
    """A thumbnail with the words that go with it."""

    uri: str
    side: int
    """Pixels of the square picture."""

    track: int
    time_s: float
    says: str
    """Whose face it is and when it was seen."""


@dataclass(frozen=True)
class Person:
    """How a character is called and coloured."""

    label: str
    title: str
    """The name a person has given, otherwise the label."""

    colour: int

    @property
    def anchor(self) -> str:
        """Id of the character's card."""
        return f"character-{self.label}"


@dataclass(frozen=True)
class Film:
    """A project as the report sees it."""

    project: Project
    cast: tuple[Character, ...]
    unknown: tuple[int, ...]
    tracks: dict[int, Track]
    pictures: Pictures

    @classmethod
    def read(cls, project: Project) -> Film:
        """Load what the report needs; ProjectError where the clustering has not finished."""
        cast = project.cast()
        given = {row["track"]: row for row in project.table("characters").to_pylist()}
        tracks = {
            row["track"]: _track(row, given[row["track"]])
            for row in project.table("tracks").to_pylist()
        }
        return cls(project, tuple(cast), cast.unknown, tracks, Pictures(project))

    @property
    def source(self) -> Source:
        """The film's file."""
        return self.project.source

    @cached_property
    def people(self) -> dict[str, Person]:
        """Every character by its label."""
        return {
            one.label: Person(one.label, one.name or one.label, place % COLOURS)
            for place, one in enumerate(self.cast)
        }

    @cached_property
    def similar(self) -> dict[str, str | None]:
        """For each character the label of the one it is likeliest mistaken for, None where there is none."""
        table = characters_table(self.project)
        return dict(
            zip(*(table[name].to_pylist() for name in ("character", "most_similar")), strict=True)
        )

    def person(self, label: str | None) -> Person | None:
        """Find a character; None for an unknown one."""
        return self.people.get(label) if label is not None else None

    def best_faces(
        self, tracks: Iterable[int], count: int, side: int, tight: bool = True
    ) -> list[Face]:
        """Show the best faces of some tracks, each track once before any comes again."""
        return [self._face(row, side, tight) for row in self.pictures.best(tracks, count)]

    def _face(self, row: int, side: int, tight: bool) -> Face:
        number, time_s = self.pictures.track(row), self.pictures.time_s(row)
        track = self.tracks[number]
        person = self.person(track.character)
        who = person.title if person else "Unknown"
        says = f"{who} at {short_clock(time_s)}, shot {track.shot + 1}, track {number}"
        return Face(self.pictures.uri(row, side, tight), side, number, time_s, says)


def _track(row: dict[str, Any], given: dict[str, Any]) -> Track:
    return Track(
        number=row["track"],
        shot=row["shot"],
        start_s=row["start_s"],
        end_s=row["end_s"],
        status=row["status"],
        character=given["character"],
        confidence=given["confidence"],
        runner_up=given["runner_up"],
    )
