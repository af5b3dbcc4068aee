"""The cast of a film: its characters with their appearances and screen time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

MIN_TRACK_WEIGHT_S = 1e-3
"""Lower bound of a track's length as the weight of its confidence; no sum of weights is then 0."""


class Appearance(NamedTuple):
    """A stretch of one shot in which a character is on screen without a break."""

    start_s: float
    end_s: float
    shot: int


@dataclass(frozen=True)
class Character:
    """One person of the film."""

    label: str
    """P01, P02, ... by falling screen time; kept from the first edit of the cast on."""

    name: str | None
    """Name that a user has given to the character; None where there is none."""

    reviewed: bool
    """Whether a person has named, confirmed or edited it: half of its tracks or more."""

    screen_time: float
    """Seconds in which at least one of its tracks is on screen."""

    first_seen: float
    """Seconds from the container's zero."""

    last_seen: float
    """Seconds from the container's zero."""

    tracks: tuple[int, ...]
    """Numbers of its tracks, in order of time."""

    confidence: float
    """0..1: mean confidence of its tracks, weighted by their length."""

    appearances: tuple[Appearance, ...]
    """In order of time; two tracks that overlap or touch within a shot are one appearance."""


@dataclass(frozen=True)
class Cast:
    """The characters of a film by falling screen time; iterate over it or take `cast["P01"]`."""

    characters: tuple[Character, ...]
    """By falling screen time."""

    unknown: tuple[int, ...]
    """Tracks that belong to no character, in order of time."""

    ignored: tuple[int, ...]
    """Tracks that a person has left out of the cast, in order of time."""

    folder: Path
    """The project folder that the cast was read from."""

    def __iter__(self) -> Iterator[Character]:
        return iter(self.characters)

    def __len__(self) -> int:
        return len(self.characters)

    def __getitem__(self, label: str) -> Character:
        for character in self.characters:
            if label in (character.label, character.name):
                return character
        raise KeyError(label)

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON.

        Returns:
            `characters` (a mapping each, with the fields of `Character`), `unknown`, `ignored` and
            `folder`.
        """
        characters = [
            {
                **vars(character),
                "tracks": list(character.tracks),
                "appearances": [one._asdict() for one in character.appearances],
            }
            for character in self
        ]
        return {
            "characters": characters,
            "unknown": list(self.unknown),
            "ignored": list(self.ignored),
            "folder": str(self.folder),
        }


class TrackSpan(NamedTuple):
    """When a track is on screen, and how surely it belongs to its character."""

    track: int
    shot: int
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Corrections:
    """What people have said about the tracks of a film, as far as the cast shows it."""

    names: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Name -> the tracks that it was given to."""

    reviewed: Set[int] = frozenset()
    """Tracks that a person has named, confirmed or edited."""

    ignored: Set[int] = frozenset()
    """Tracks that are left out of the cast."""


NO_CORRECTIONS = Corrections()


def build_cast(
    tracks: pa.Table, characters: pa.Table, folder: Path, said: Corrections = NO_CORRECTIONS
) -> Cast:
    """Build the cast from the tables of tracks and of their characters.

    Args:
        tracks: Table with the columns `track`, `shot`, `start_s` and `end_s`.
        characters: Table with the columns `track`, `character` and `confidence`, a row per track.
        folder: The project folder that the tables are from.
        said: What people have said about the tracks.

    Returns:
        The characters by falling screen time, and the tracks without a character.
    """
    assigned = {
        row["track"]: (row["character"], row["confidence"])
        for row in characters.select(["track", "character", "confidence"]).to_pylist()
    }
    groups: dict[str | None, list[TrackSpan]] = defaultdict(list)
    ignored: list[TrackSpan] = []
    for row in tracks.select(["track", "shot", "start_s", "end_s"]).to_pylist():
        label, confidence = assigned[row["track"]]
        span = TrackSpan(**row, confidence=confidence)
        (ignored if span.track in said.ignored else groups[label]).append(span)
    unknown = groups.pop(None, [])
    labels = {span.track: label for label, spans in groups.items() for span in spans}
    names = assign_names(said.names, labels)
    found = [
        _build_character(label, spans, names.get(label), said.reviewed)
        for label, spans in groups.items()
        if label is not None and spans
    ]
    return Cast(
        characters=tuple(sorted(found, key=_by_screen_time)),
        unknown=tuple(span.track for span in sorted(unknown, key=_by_time)),
        ignored=tuple(span.track for span in sorted(ignored, key=_by_time)),
        folder=folder,
    )


def assign_names(
    names: Mapping[str, tuple[int, ...]], labels: Mapping[int, str | None]
) -> dict[str, str]:
    """Return label -> name: a name is that of the character that holds most of its tracks.

    Where a character holds most of the tracks of two names, it has the one with more of them; of
    equals the one that was given first.

    Args:
        names: Name -> the tracks that it was given to.
        labels: Track -> its character.
    """
    best: dict[str, tuple[int, str]] = {}
    for name, tracks in names.items():
        counts = Counter(label for track in tracks if (label := labels.get(track)) is not None)
        if counts:
            label, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
            if label not in best or count > best[label][0]:
                best[label] = count, name
    return {label: name for label, (_, name) in best.items()}


def join_appearances(spans: Iterable[TrackSpan]) -> tuple[Appearance, ...]:
    """Return the appearances that some tracks make, joining those that overlap within a shot."""
    joined: list[Appearance] = []
    for span in sorted(spans, key=_by_time):
        last = joined[-1] if joined else None
        if last is not None and last.shot == span.shot and span.start_s <= last.end_s:
            joined[-1] = last._replace(end_s=max(last.end_s, span.end_s))
        else:
            joined.append(Appearance(span.start_s, span.end_s, span.shot))
    return tuple(joined)


def screen_time(spans: Iterable[TrackSpan]) -> float:
    """Return the seconds in which at least one of the tracks is on screen."""
    return sum(one.end_s - one.start_s for one in join_appearances(spans))


def _build_character(
    label: str, spans: list[TrackSpan], name: str | None, reviewed: Set[int]
) -> Character:
    spans = sorted(spans, key=_by_time)
    lengths = [max(span.end_s - span.start_s, MIN_TRACK_WEIGHT_S) for span in spans]
    weighted = sum(span.confidence * length for span, length in zip(spans, lengths, strict=True))
    return Character(
        label=label,
        name=name,
        reviewed=2 * sum(span.track in reviewed for span in spans) >= len(spans),
        screen_time=screen_time(spans),
        first_seen=min(span.start_s for span in spans),
        last_seen=max(span.end_s for span in spans),
        tracks=tuple(span.track for span in spans),
        confidence=weighted / sum(lengths),
        appearances=join_appearances(spans),
    )


def _by_time(span: TrackSpan) -> tuple[int, float, float, int]:
    return span.shot, span.start_s, span.end_s, span.track


def _by_screen_time(character: Character) -> tuple[float, float, int]:
    # rounded: sums of seconds must not rank two equal characters by their last bit
    return -round(character.screen_time, 6), character.first_seen, min(character.tracks)
