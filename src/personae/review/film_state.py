"""The cast and the edits of a film at one moment, as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from personae.project import Character, Project
from personae.review.group_similarity import GroupSimilarity
from personae.review.questions import Question, Sides
from personae.review.queue import ReviewQueue
from personae.review.settled_pairs import SettledPairs

if TYPE_CHECKING:
    from personae.project import Cast
    from personae.project.edits import CompiledEdits

MIN_TRACK_LENGTH_S = 1e-3
"""Lower bound of a track's length as a weight."""


@dataclass(frozen=True)
class ReviewTrack:
    """A track as the pages show it."""

    number: int
    start_s: float
    end_s: float
    status: str
    confidence: float
    """0..1 that it belongs to its character."""

    runner_up: str | None
    """Label of the next best character."""


@dataclass(frozen=True)
class Reversal:
    """An edit that can be undone or redone."""

    number: int
    text: str


@dataclass(frozen=True)
class Guess:
    """The character that an unknown track most probably is."""

    character: Character
    probability: float


@dataclass(frozen=True)
class ProposedSplit:
    """The best cut of a character into two."""

    sides: Sides
    """The larger side first."""

    probability: float
    """0..1 that the two sides are one person."""


@dataclass(frozen=True)
class FilmState:
    """The cast and the edits at one moment."""

    project: Project
    cast: Cast
    tracks: dict[int, ReviewTrack]
    edits: CompiledEdits
    to_undo: Reversal | None
    to_redo: Reversal | None
    problems: tuple[str, ...]
    names: tuple[str, ...]
    """Names to complete from: those of the cast list first, then those that were given."""

    queue: ReviewQueue | None
    """None where the crops are not encoded, so that nothing can be compared."""

    similarity: GroupSimilarity | None

    def title(self, label: str | None) -> str | None:
        """Return the name of a character, or its label where it has none."""
        if label is None:
            return None
        character = self.by_label.get(label)
        return label if character is None else character.name or label

    @cached_property
    def by_label(self) -> dict[str, Character]:
        """The characters by their labels."""
        return {one.label: one for one in self.cast}

    def by_typicality(self, tracks: Sequence[int]) -> tuple[int, ...]:
        """Return tracks, those that are long and surely of their character first."""

        def weight(number: int) -> tuple[float, int]:
            track = self.tracks[number]
            length = max(track.end_s - track.start_s, MIN_TRACK_LENGTH_S)
            return -track.confidence * length, number

        return tuple(sorted(tracks, key=weight))

    def questions(self, ask_of_seen_together: bool = False) -> list[Question]:
        """Return the queue, the most useful question first.

        Args:
            ask_of_seen_together: Ask about groups too that are on screen together at some time, as
                a person and its image in a mirror are.
        """
        if self.queue is None:
            return []
        if ask_of_seen_together not in self._questions:
            links = self.project.table("cannot_links")
            pairs = zip(links["track_a"].to_pylist(), links["track_b"].to_pylist(), strict=True)
            characters = [self.by_typicality(one.tracks) for one in self.cast]
            self._questions[ask_of_seen_together] = self.queue.build(
                characters, self.cast.unknown, self.edits, () if ask_of_seen_together else pairs
            )
        return self._questions[ask_of_seen_together]

    @cached_property
    def _questions(self) -> dict[bool, list[Question]]:
        """Queues that have been made."""
        return {}

    def split(self, character: Character) -> ProposedSplit | None:
        """Return the best cut of a character's tracks; None where it was answered, or is none."""
        if self.queue is None or self.similarity is None:
            return None
        self.similarity.calibrate([one.tracks for one in self.cast])
        sides = self.queue.split(self.by_typicality(character.tracks), self.edits)
        if sides is None or SettledPairs(self.edits).is_answered(*sides):
            return None
        same = self.similarity.probabilities(sides[:1], sides[1:])
        return ProposedSplit(sides, float(same[0, 0]))

    @cached_property
    def guesses(self) -> dict[int, Guess]:
        """The nearest character of every unknown track, of those that an edit does not rule out."""
        if self.similarity is None or not len(self.cast):
            return {}
        self.similarity.calibrate([one.tracks for one in self.cast])
        settled = SettledPairs(self.edits)
        characters = self.cast.characters
        unknown = [track for track in self.cast.unknown if self.similarity.knows(track)]
        found = self.similarity.track_probabilities(unknown, [one.tracks for one in characters])
        guesses = {}
        for track, row in zip(unknown, found, strict=True):
            for place in (-row).argsort(kind="stable"):
                if not settled.is_answered(characters[place].tracks, (track,)):
                    guesses[track] = Guess(characters[place], float(row[place]))
                    break
        return guesses
