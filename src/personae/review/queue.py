"""The queue of questions "Same person?", by the clicks that an answer is expected to save.

A question shows several pairs of groups side by side, and one answer settles them all: characters
that may be one person and unknown tracks with the characters that they probably are, or characters
that may be two people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Literal

import numpy as np

from personae.core.arrays import Float64Array
from personae.core.digest import json_digest
from personae.project.edits import CompiledEdits
from personae.review.group_similarity import GroupSimilarity
from personae.review.proposed_split import propose_split

CLICKS_TO_MERGE = 3
"""Clicks that it takes to merge two characters by hand: select both, merge."""

CLICKS_TO_MOVE = 2
"""Clicks that it takes to give one track to a character by hand: select it, move."""

CLICKS_TO_SPLIT = 1
"""Clicks that a split takes beside one for every track that is selected."""

CLICKS_TO_CORRECT = 1
"""Clicks that it takes to change whether a pair is selected."""

MIN_SELECTED_PROBABILITY = 0.5
"""Probability from which a pair is selected when a question is shown."""

MAX_PAIRS = 24
"""Pairs that one question is about."""

N_NEAREST = 2
"""Larger characters that a character is compared with, however improbable the nearest ones are."""

LEAST_PROBABILITY = 0.03
"""Probability that these pairs are believed to have at least.

Whoever is kept apart wrongly looks like somebody else, or the clustering would have known.
"""

MIN_CLICKS_SAVED = 0.1
"""A pair that is expected to save fewer clicks is not asked about."""

MAX_QUESTIONS = 500
"""Questions in the queue."""

ID_DIGITS = 16

Kind = Literal["apart", "parts"]
Tracks = tuple[int, ...]
Sides = tuple[Tracks, Tracks]


@dataclass(frozen=True)
class Pair:
    """Two groups of tracks that may be one person."""

    left: Tracks
    """Tracks of a character, or of its larger part; the most typical first."""

    right: Tracks
    """Tracks of the other group."""

    probability: float
    """0..1 that they are one person."""

    clicks_saved: float
    """Clicks that asking about the pair is expected to save."""

    @property
    def is_selected(self) -> bool:
        """Whether a question with several pairs is shown with this one selected as one person."""
        return self.probability >= MIN_SELECTED_PROBABILITY


@dataclass(frozen=True)
class Question:
    """Which pairs of groups are one person."""

    kind: Kind
    """Characters and unknown tracks that are apart, or the two parts of characters."""

    pairs: tuple[Pair, ...]
    """What is asked about, the pairs first that save most."""

    @property
    def clicks_saved(self) -> float:
        """Clicks that an answer is expected to save."""
        return sum(pair.clicks_saved for pair in self.pairs)

    @cached_property
    def id(self) -> str:
        """The same for the same groups, whatever is known of them."""
        sides = sorted([sorted(pair.left), sorted(pair.right)] for pair in self.pairs)
        return json_digest({"kind": self.kind, "pairs": sides})[:ID_DIGITS]


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

    def is_open(self, left: Iterable[int], right: Iterable[int]) -> bool:
        """Return whether it may be asked if two groups are one person."""
        left, right = tuple(left), tuple(right)
        return not self.is_answered(left, right) and not self.is_seen_together(left, right)

    def _person(self, track: int) -> object:
        person = self._person_of.get(track)
        return ("track", track) if person is None else ("person", person)


class ReviewQueue:
    """Makes the queue; keeps the proposed splits of characters that have not changed."""

    def __init__(self, similarity: GroupSimilarity) -> None:
        self._similarity = similarity
        self._splits: dict[object, Sides | None] = {}

    def build(
        self,
        characters: Sequence[Tracks],
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
        pairs: dict[Kind, Iterator[Pair]] = {
            "apart": chain(
                self._compare_characters(characters, settled),
                self._guess(characters, unknown, settled),
            ),
            "parts": self._compare_parts(characters, edits, settled),
        }
        found = [question for kind, of_kind in pairs.items() for question in _ask(kind, of_kind)]
        return sorted(found, key=lambda one: (-one.clicks_saved, one.id))[:MAX_QUESTIONS]

    def split(self, character: Tracks, edits: CompiledEdits) -> Sides | None:
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
        self, characters: Sequence[Tracks], settled: SettledPairs
    ) -> Iterator[Pair]:
        """Yield every character with the nearest larger ones that are still open."""
        ordered = sorted(characters, key=lambda one: -len(one))
        probability = self._similarity.probabilities(ordered, ordered)
        least = _saved_by_joining(LEAST_PROBABILITY, CLICKS_TO_MERGE)
        for row, right in enumerate(ordered):
            n_near = n_open = 0
            for left, same in _nearest(probability[row, :row], ordered):
                saved = _saved_by_joining(same, CLICKS_TO_MERGE)
                if n_open == N_NEAREST or (n_near >= N_NEAREST and saved < MIN_CLICKS_SAVED):
                    break
                if settled.is_seen_together(left, right):
                    continue
                n_near += 1
                if not settled.is_answered(left, right):
                    n_open += 1
                    yield Pair(left, right, same, max(saved, least))

    def _guess(
        self, characters: Sequence[Tracks], unknown: Sequence[int], settled: SettledPairs
    ) -> Iterator[Pair]:
        """Yield every unknown track with the most probable character that is still open."""
        known = [track for track in unknown if self._similarity.knows(track)]
        if not known or not characters:
            return
        probability = self._similarity.track_probabilities(known, characters)
        for track, row in zip(known, probability, strict=True):
            for left, same in _nearest(row, characters):
                saved = _saved_by_joining(same, CLICKS_TO_MOVE)
                if saved < MIN_CLICKS_SAVED:
                    break
                if settled.is_open(left, (track,)):
                    yield Pair(left, (track,), same, saved)
                    break

    def _compare_parts(
        self, characters: Sequence[Tracks], edits: CompiledEdits, settled: SettledPairs
    ) -> Iterator[Pair]:
        """Yield the two parts of every character at its best cut.

        The probability is the expected share of the smaller part that is in the right place.
        """
        for character in characters:
            sides = self.split(character, edits)
            if sides is None or settled.is_answered(*sides):
                continue
            same = float(self._similarity.track_probabilities(sides[1], sides[:1]).mean())
            saved = _saved_by_dividing(same, CLICKS_TO_SPLIT + len(sides[1]))
            if saved >= MIN_CLICKS_SAVED:
                yield Pair(*sides, same, saved)


def _saved_by_joining(same: float, clicks: int) -> float:
    """Return the clicks saved by asking about two groups that are apart.

    Args:
        same: Probability that they are one person.
        clicks: What joining them by hand takes.
    """
    wrong = 1 - same if same >= MIN_SELECTED_PROBABILITY else same
    return same * clicks - wrong * CLICKS_TO_CORRECT


def _saved_by_dividing(same: float, clicks: int) -> float:
    """Return the clicks saved by asking about two groups that are together."""
    wrong = 1 - same if same >= MIN_SELECTED_PROBABILITY else same
    return (1 - same) * clicks - wrong * CLICKS_TO_CORRECT


def _nearest(
    probabilities: Float64Array, groups: Sequence[Tracks]
) -> Iterator[tuple[Tracks, float]]:
    """Yield groups and their probabilities, the highest first."""
    for place in np.argsort(-probabilities, kind="stable").tolist():
        yield groups[place], float(probabilities[place])


def _ask(kind: Kind, pairs: Iterable[Pair]) -> Iterator[Question]:
    """Yield the questions about some pairs, those together that save most."""
    ordered = sorted(pairs, key=lambda pair: (-pair.clicks_saved, -pair.probability, pair.right))
    for first in range(0, len(ordered), MAX_PAIRS):
        yield Question(kind, tuple(ordered[first : first + MAX_PAIRS]))
