"""The queue of questions "Same person?", by the clicks that an answer is expected to save."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from personae.core.digest import json_digest
from personae.project.edits import CompiledEdits
from personae.review.proposed_split import propose_split
from personae.review.similarity import FaceSimilarity

CLICKS_TO_MERGE = 3
"""Clicks that it takes to merge two characters by hand: select both, merge."""

CLICKS_TO_MOVE = 2
"""Clicks that it takes to give one track to a character by hand: select it, move."""

CLICKS_TO_SPLIT = 1
"""Clicks that a split takes beside one for every track that is selected."""

N_NEAREST = 8
"""Other characters that a character is compared with in the queue."""

MIN_CLICKS_SAVED = 0.1
"""A question that is expected to save fewer clicks is not asked."""

MAX_QUESTIONS = 500
"""Questions in the queue."""

ID_DIGITS = 16

Sides = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Question:
    """Whether two groups of tracks are one person."""

    kind: Literal["characters", "parts", "unknown"]
    """Two characters; the two parts of one character; an unknown track and a character."""

    left: tuple[int, ...]
    """Tracks of the first group, the most typical first."""

    right: tuple[int, ...]
    """Tracks of the second group: of `parts` the smaller one, of `unknown` the one track."""

    probability: float
    """0..1 that they are one person."""

    clicks_saved: float
    """Clicks that an answer is expected to save."""

    @cached_property
    def id(self) -> str:
        """The same for the same groups, whatever is known of them."""
        sides = {"left": sorted(self.left), "right": sorted(self.right)}
        return json_digest({"kind": self.kind, **sides})[:ID_DIGITS]


class SettledPairs:
    """What a person has said, and who is on screen together: what need not be asked."""

    def __init__(self, edits: CompiledEdits, seen_together: Iterable[tuple[int, int]] = ()) -> None:
        self._person_of = {
            track: person for person, group in enumerate(edits.same_person) for track in group
        }
        self._others: dict[object, set[object]] = defaultdict(set)
        for pair in edits.different_people:
            one, other = (self._person(track) for track in pair)
            self._others[one].add(other)
            self._others[other].add(one)
        self._together: dict[int, set[int]] = defaultdict(set)
        for a, b in seen_together:
            self._together[a].add(b)
            self._together[b].add(a)

    def is_answered(self, left: Iterable[int], right: Iterable[int]) -> bool:
        """Return whether edits say of a track of each side that they are one person, or are not."""
        ones = {self._person(track) for track in left}
        others = {self._person(track) for track in right}
        return not ones.isdisjoint(others) or any(
            not self._others[one].isdisjoint(others) for one in ones if one in self._others
        )

    def is_seen_together(self, left: Iterable[int], right: Iterable[int]) -> bool:
        """Return whether a track of each side are ever on screen together."""
        others = set(right)
        return any(
            not self._together[one].isdisjoint(others) for one in left if one in self._together
        )

    def _person(self, track: int) -> object:
        person = self._person_of.get(track)
        return ("track", track) if person is None else ("person", person)


class ReviewQueue:
    """Makes the queue; keeps the proposed splits of characters that have not changed."""

    def __init__(self, similarity: FaceSimilarity) -> None:
        self._similarity = similarity
        self._splits: dict[object, Sides | None] = {}

    def build(
        self,
        characters: Sequence[tuple[int, ...]],
        unknown: Sequence[int],
        edits: CompiledEdits,
        seen_together: Iterable[tuple[int, int]] = (),
    ) -> list[Question]:
        """Return the questions that are worth asking, the most useful first.

        Args:
            characters: Tracks of every character, the most typical first.
            unknown: Tracks of nobody.
            edits: What a person has said; what it answers is not asked.
            seen_together: Pairs of tracks on screen together; such groups are not asked about.
        """
        self._similarity.calibrate(characters)
        settled = SettledPairs(edits, seen_together)
        found = [
            *self._compare_characters(characters, settled),
            *self._compare_parts(characters, edits, settled),
            *self._compare_unknown(characters, unknown, settled),
        ]
        worth = [one for one in found if one.clicks_saved >= MIN_CLICKS_SAVED]
        return sorted(worth, key=lambda one: (-one.clicks_saved, one.id))[:MAX_QUESTIONS]

    def split(self, character: tuple[int, ...], edits: CompiledEdits) -> Sides | None:
        """Return the larger and the smaller part of a character at its best cut."""
        members = set(character)
        groups = tuple(group for group in edits.same_person if not members.isdisjoint(group))
        key = (character, groups)
        if key not in self._splits:
            if len(self._splits) > 2 * MAX_QUESTIONS:
                self._splits.clear()
            self._splits[key] = propose_split(character, self._similarity, groups)
        return self._splits[key]

    def _compare_characters(
        self, characters: Sequence[tuple[int, ...]], settled: SettledPairs
    ) -> Iterator[Question]:
        probability = self._similarity.probabilities(characters, characters)
        np.fill_diagonal(probability, 0.0)
        nearest = np.argsort(-probability, axis=1, kind="stable")[:, :N_NEAREST]
        pairs = {tuple(sorted((a, int(b)))) for a, row in enumerate(nearest) for b in row if a != b}
        for a, b in sorted(pairs):
            left, right, same = characters[a], characters[b], float(probability[a, b])
            if same * CLICKS_TO_MERGE < MIN_CLICKS_SAVED:
                continue
            if not settled.is_answered(left, right) and not settled.is_seen_together(left, right):
                yield Question("characters", left, right, same, same * CLICKS_TO_MERGE)

    def _compare_parts(
        self, characters: Sequence[tuple[int, ...]], edits: CompiledEdits, settled: SettledPairs
    ) -> Iterator[Question]:
        for character in characters:
            sides = self.split(character, edits)
            if sides is None or settled.is_answered(*sides):
                continue
            same = float(self._similarity.probabilities(sides[:1], sides[1:])[0, 0])
            saved = (1 - same) * (CLICKS_TO_SPLIT + len(sides[1]))
            yield Question("parts", *sides, same, saved)

    def _compare_unknown(
        self,
        characters: Sequence[tuple[int, ...]],
        unknown: Sequence[int],
        settled: SettledPairs,
    ) -> Iterator[Question]:
        known = [track for track in unknown if self._similarity.knows(track)]
        if not known or not characters:
            return
        probability = self._similarity.probabilities([(track,) for track in known], characters)
        nearest = np.argsort(-probability, axis=1, kind="stable")[:, :N_NEAREST]
        for row, track in enumerate(known):
            for place in nearest[row]:
                character, same = characters[place], float(probability[row, place])
                if not (
                    settled.is_answered(character, (track,))
                    or settled.is_seen_together(character, (track,))
                ):
                    yield Question("unknown", character, (track,), same, same * CLICKS_TO_MOVE)
                    break  # one question a track; the next best follows when it is answered no
