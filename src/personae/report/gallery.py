"""The cast gallery: a card per character, and a compact list of those seen least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personae.report.report_data import CharacterLink, FaceImage, ReportData, ReportTrack

if TYPE_CHECKING:
    from personae.project import Character
    from personae.project.cast import Appearance

PORTRAIT_SIDE, THUMBNAIL_SIDE, SMALL_SIDE, TINY_SIDE = 144, 88, 64, 48
"""Sides of face images in pixels."""

MAX_FACES_PER_CHARACTER = 12
"""Best faces of a character, the portrait among them."""

MAX_UNCERTAIN_TRACKS = 6
"""Least certain tracks shown of a character."""

MAX_APPEARANCES = 200
"""Appearances listed on a card."""


@dataclass(frozen=True)
class UncertainTrack:
    """A track of a character that may belong to another one."""

    face: FaceImage
    start_s: float
    end_s: float
    confidence: float
    runner_up: CharacterLink | None


@dataclass(frozen=True)
class CharacterCard:
    """The card of one character."""

    link: CharacterLink
    character: Character
    share: float
    """Screen time as a share of the film's length."""

    relative_share: float
    """Screen time as a share of the longest in the cast."""

    n_shots: int
    portrait: FaceImage | None
    faces: list[FaceImage]
    most_similar: CharacterLink | None
    """The most frequent runner-up of its tracks."""

    uncertain_tracks: list[UncertainTrack]
    appearances: tuple[Appearance, ...]
    n_more_appearances: int


def make_character_cards(data: ReportData, characters: Sequence[Character]) -> list[CharacterCard]:
    """Return the cards of characters, in the order given."""
    return [_make_card(data, character) for character in characters]


@dataclass(frozen=True)
class CharacterRow:
    """The row of one character in the compact list."""

    link: CharacterLink
    character: Character
    face: FaceImage | None


def make_character_rows(data: ReportData, characters: Sequence[Character]) -> list[CharacterRow]:
    """Return the rows of characters, in the order given."""
    rows = []
    for character in characters:
        faces = data.best_faces(character.tracks, 1, TINY_SIDE)
        link = data.links[character.label]
        rows.append(CharacterRow(link, character, faces[0] if faces else None))
    return rows


def _make_card(data: ReportData, character: Character) -> CharacterCard:
    portraits = data.best_faces(character.tracks, 1, PORTRAIT_SIDE, tight=False)
    longest = max(one.screen_time for one in data.characters)
    duration_s = data.source.duration_s
    return CharacterCard(
        link=data.links[character.label],
        character=character,
        share=character.screen_time / duration_s if duration_s > 0 else 0.0,
        relative_share=character.screen_time / longest if longest > 0 else 0.0,
        n_shots=len({appearance.shot for appearance in character.appearances}),
        portrait=portraits[0] if portraits else None,
        faces=data.best_faces(character.tracks, MAX_FACES_PER_CHARACTER, THUMBNAIL_SIDE)[1:],
        most_similar=data.link(data.most_similar[character.label]),
        uncertain_tracks=_select_uncertain(data, [data.tracks[i] for i in character.tracks]),
        appearances=character.appearances[:MAX_APPEARANCES],
        n_more_appearances=max(0, len(character.appearances) - MAX_APPEARANCES),
    )


def _select_uncertain(data: ReportData, tracks: list[ReportTrack]) -> list[UncertainTrack]:
    """Select the tracks of lowest confidence; none where the method gives no probabilities."""
    if len(tracks) < 2 or min(track.confidence for track in tracks) >= 1:
        return []
    by_confidence = sorted(tracks, key=lambda track: (track.confidence, track.number))
    return [
        UncertainTrack(
            face, track.start_s, track.end_s, track.confidence, data.link(track.runner_up)
        )
        for track in by_confidence[:MAX_UNCERTAIN_TRACKS]
        for face in data.best_faces([track.number], 1, SMALL_SIDE)
    ]
