"""What all formats for editors share: frames counted from the film's first, names and colours."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from urllib.parse import quote

from personae.export.appearances import Appearance
from personae.export.export_format import ExportRequest
from personae.export.titles import distinct_titles, one_line, shot_title


@dataclass(frozen=True)
class Cut:
    """An appearance as an editing program counts it."""

    appearance: Appearance

    start_frame: int
    """From the film's first frame, which is 0."""

    end_frame: int
    """Exclusive."""

    title: str
    """Name of the character in one line, or its label; no two characters have the same."""

    place: int
    """Of the character among the labels of the cast: 0, 1, ...; colours follow it."""

    @property
    def frames(self) -> int:
        """Return how many frames it has."""
        return self.end_frame - self.start_frame

    @property
    def note(self) -> str:
        """Return what else is known of the appearance, in one line that begins with a letter."""
        one = self.appearance
        label = f"{one.character}, " if self.title != one.character else ""
        reviewed = ", reviewed" if one.reviewed else ""
        return f"{label}{shot_title(one.shot)}, confidence {one.confidence:.2f}{reviewed}"


@dataclass(frozen=True)
class FilmClip:
    """The film as an editing program sees it."""

    name: str
    """Name of its file."""

    url: str
    """Its address, ``file:///...``."""

    rate: Fraction
    """Frames per second, exact."""

    frames: int
    """Its length."""

    first_timecode_frame: int
    """Frames from timecode 00:00:00:00 to its first frame; 0 where the rate has no timecode."""

    drop_frame: bool
    """Whether its timecode drops frames."""

    width: int
    """Pixels as displayed."""

    height: int
    """Pixels as displayed."""

    audio_channels: int
    """0 for a silent film."""


def list_cuts(request: ExportRequest) -> list[Cut]:
    """Return the appearances in order of time, counted in frames of the film.

    Raises:
        SettingError: The film has a variable frame rate.
    """
    clock = request.time
    titles = distinct_titles(request.appearances)
    labels = sorted(character.label for character in request.project.cast())
    places = {label: place for place, label in enumerate(labels)}
    return [
        Cut(
            appearance=one,
            start_frame=clock.frame_number(one.start_pts),
            end_frame=clock.frame_number(one.end_pts),
            title=titles[one.character],
            place=places[one.character],
        )
        for one in request.appearances
    ]


def describe_film(request: ExportRequest) -> FilmClip:
    """Return the film of a project.

    Raises:
        SettingError: The film has a variable frame rate.
        FilmError: The user says where the film is, and it is not there.
    """
    clock, source = request.time, request.project.source
    path = request.film if request.film_given is not None else PurePath(source.path)
    start = clock.start_timecode
    return FilmClip(
        name=one_line(path.name),
        url=_file_url(path),
        rate=clock.constant_rate(),
        frames=clock.frame_number(clock.end_pts),
        first_timecode_frame=start.frames if start is not None else 0,
        drop_frame=start is not None and start.drop_frame,
        width=source.width,
        height=source.height,
        audio_channels=source.audio_channels,
    )


def _file_url(path: PurePath) -> str:
    if isinstance(path, Path):
        path = path.resolve()
    text = path.as_posix()
    return "file://" + quote(text if text.startswith("/") else f"/{text}")
