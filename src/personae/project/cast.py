"""The cast of a film: its characters with their appearances and screen time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from personae.project.folder import Project


class Appearance(NamedTuple):
    """A stretch of one shot in which a character is seen without a break."""

    start_s: float
    end_s: float
    shot: int


@dataclass(frozen=True)
class Character:
    """One person of the film."""

    label: str
    """P01, P02, ... by falling screen time."""

    name: str | None
    """What a person has called the character; None where nobody has."""

    screen_time: float
    """Seconds in which at least one of its tracks is on screen."""

    first_seen: float
    """Seconds from the container's zero."""

    last_seen: float
    tracks: tuple[int, ...]
    """Numbers of its tracks, in order of time."""

    confidence: float
    """0..1: its tracks' confidences, weighted by their length."""

    appearances: tuple[Appearance, ...]
    """In order of time; two tracks that overlap or touch within a shot are one appearance."""


@dataclass(frozen=True)
class Cast:
    """The characters of a film by falling screen time; iterate over it or take `cast["P01"]`."""

    characters: tuple[Character, ...]
    unknown: tuple[int, ...]
    """Tracks that were given to nobody, in order of time."""

    folder: Path
    """The project folder this was read from."""

    def __iter__(self) -> Iterator[Character]:
        return iter(self.characters)

    def __len__(self) -> int:
        return len(self.characters)

    def __getitem__(self, label: str) -> Character:
        for character in self.characters:
            if label in (character.label, character.name):
                return character
        raise KeyError(label)

    def as_dict(self) -> dict[str, Any]:
        """Give plain data for JSON: `characters` (a mapping each, as `Character`), `unknown` and `folder`."""
        characters = [
            {
                **vars(one),
                "tracks": list(one.tracks),
                "appearances": [a._asdict() for a in one.appearances],
            }
            for one in self
        ]
        return {"characters": characters, "unknown": list(self.unknown), "folder": str(self.folder)}


class TrackSpan(NamedTuple):
    """What the cast needs to know of a track."""

    track: int
    shot: int
    start_s: float
    end_s: float
    confidence: float


def read_cast(project: Project) -> Cast:
    """Read the cast from a project's tables; ProjectError where it has not been clustered."""
    tracks, characters = project.table("tracks"), project.table("characters")
    given = {
        row["track"]: (row["character"], row["confidence"])
        for row in characters.select(["track", "character", "confidence"]).to_pylist()
    }
    groups: dict[str | None, list[TrackSpan]] = defaultdict(list)
    for row in tracks.select(["track", "shot", "start_s", "end_s"]).to_pylist():
        label, confidence = given[row["track"]]
        groups[label].append(TrackSpan(**row, confidence=confidence))
    unknown = tuple(span.track for span in sorted(groups.pop(None, []), key=_by_time))
    cast = [_character(label, spans) for label, spans in groups.items() if label is not None]
    return Cast(tuple(sorted(cast, key=lambda one: one.label)), unknown, project.folder)


def appearances(spans: Iterable[TrackSpan]) -> tuple[Appearance, ...]:
    """Join tracks that overlap or touch within their shot."""
    joined: list[Appearance] = []
    for span in sorted(spans, key=_by_time):
        last = joined[-1] if joined else None
        if last is not None and last.shot == span.shot and span.start_s <= last.end_s:
            joined[-1] = last._replace(end_s=max(last.end_s, span.end_s))
        else:
            joined.append(Appearance(span.start_s, span.end_s, span.shot))
    return tuple(joined)


def screen_time(spans: Iterable[TrackSpan]) -> float:
    """Seconds in which at least one of the tracks is on screen."""
    return sum(one.end_s - one.start_s for one in appearances(spans))


def _character(label: str, spans: list[TrackSpan]) -> Character:
    spans = sorted(spans, key=_by_time)
    lengths = [max(span.end_s - span.start_s, 1e-3) for span in spans]
    weighted = sum(span.confidence * length for span, length in zip(spans, lengths, strict=True))
    return Character(
        label=label,
        name=None,
        screen_time=screen_time(spans),
        first_seen=min(span.start_s for span in spans),
        last_seen=max(span.end_s for span in spans),
        tracks=tuple(span.track for span in spans),
        confidence=weighted / sum(lengths),
        appearances=appearances(spans),
    )


def _by_time(span: TrackSpan) -> tuple[int, float, float, int]:
    return span.shot, span.start_s, span.end_s, span.track
