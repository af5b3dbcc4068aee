"""The data of the report: characters, tracks and crops of a project, loaded once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from personae.export.export_format import ExportRequest
from personae.export.tables import build_characters_table
from personae.export.titles import shot_title
from personae.report.formatting import format_tenths
from personae.report.portraits import Portraits

if TYPE_CHECKING:
    from personae.project import Character, Project
    from personae.project.manifest import Source

N_CHARACTER_COLOURS = 8
"""Number of character colours in the style sheet; they repeat after that."""


@dataclass(frozen=True)
class ReportTrack:
    """A face track with the character it was assigned to."""

    number: int
    shot: int
    start_s: float
    end_s: float
    status: str
    character: str | None
    """Label of the character; None where unknown."""

    confidence: float
    runner_up: str | None
    """Label of the second most likely character."""

    @property
    def duration_s(self) -> float:
        """Length of the track in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class FaceImage:
    """A face with its caption."""

    uri: str
    side: int
    """Width and height in pixels."""

    track: int
    time_s: float
    caption: str
    """Whose face it is and when it was seen."""


@dataclass(frozen=True)
class CharacterLink:
    """Name and colour of a character, and where its card is."""

    label: str
    title: str
    """The name given by a user, otherwise the label."""

    colour: int

    @property
    def anchor(self) -> str:
        """Id of the character's card."""
        return f"character-{self.label}"


@dataclass(frozen=True)
class ReportData:
    """Everything that the sections of the report read from a project."""

    project: Project
    characters: tuple[Character, ...]
    """By falling screen time."""

    unknown: tuple[int, ...]
    """Numbers of the tracks without a character."""

    ignored: tuple[int, ...]
    """Numbers of the tracks that a person has left out of the cast."""

    tracks: dict[int, ReportTrack]
    portraits: Portraits

    @classmethod
    def load(cls, project: Project) -> ReportData:
        """Load the data of a project.

        Raises:
            ProjectError: The clustering has not finished.
        """
        cast = project.cast()
        assigned = {row["track"]: row for row in project.table("characters").to_pylist()}
        tracks = {}
        for row in project.table("tracks").to_pylist():
            number = row["track"]
            tracks[number] = ReportTrack(
                number=number,
                shot=row["shot"],
                start_s=row["start_s"],
                end_s=row["end_s"],
                status=row["status"],
                character=assigned[number]["character"],
                confidence=assigned[number]["confidence"],
                runner_up=assigned[number]["runner_up"],
            )
        portraits = Portraits(project)
        return cls(project, tuple(cast), cast.unknown, cast.ignored, tracks, portraits)

    @property
    def source(self) -> Source:
        """Properties of the film's file."""
        return self.project.source

    @cached_property
    def everything(self) -> ExportRequest:
        """What an export of the whole project is given: exact times of all characters."""
        return ExportRequest.of_everything(self.project)

    @cached_property
    def links(self) -> dict[str, CharacterLink]:
        """Map the label of every character to its name, colour and card."""
        return {
            one.label: CharacterLink(one.label, one.name or one.label, index % N_CHARACTER_COLOURS)
            for index, one in enumerate(self.characters)
        }

    @cached_property
    def most_similar(self) -> dict[str, str | None]:
        """Map the label of every character to the most frequent runner-up of its tracks."""
        table = build_characters_table(self.everything)
        columns = (table[name].to_pylist() for name in ("character", "most_similar"))
        return dict(zip(*columns, strict=True))

    def link(self, label: str | None) -> CharacterLink | None:
        """Return a character's name and colour; None for an unknown one."""
        return self.links.get(label) if label is not None else None

    def best_faces(
        self, tracks: Iterable[int], count: int, side: int, tight: bool = True
    ) -> list[FaceImage]:
        """Return the best faces of some tracks, one of every track before a second of any."""
        rows = self.portraits.select(tracks, count)
        return [self._face_image(row, side, tight) for row in rows]

    def _face_image(self, row: int, side: int, tight: bool) -> FaceImage:
        number, time_s = self.portraits.track(row), self.portraits.time_s(row)
        track = self.tracks[number]
        link = self.link(track.character)
        title = link.title if link else "Unknown"
        caption = f"{title} at {format_tenths(time_s)}, {shot_title(track.shot)}, track {number}"
        uri = self.portraits.data_uri(row, side, tight)
        return FaceImage(uri, side, number, time_s, caption)
