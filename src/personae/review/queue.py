"""The queue of questions "Same person?", by the clicks that an answer is expected to save.

A question shows several pairs of groups side by side, and one answer settles them all: characters
that may be one person, unknown tracks with the characters that they probably are, and characters
that may be two people, with whom the smaller part may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from threading import RLock

import numpy as np
from scipy.special import softmax

from personae.core.arrays import Float64Array
from personae.project.edits import CompiledEdits
from personae.review.group_similarity import GroupSimilarity
from personae.review.proposed_split import propose_split
from personae.review.questions import (
    MIN_SELECTED_PROBABILITY,
    Pair,
    Question,
    Sides,
    Tracks,
)
from personae.review.settled_pairs import SettledPairs

CLICKS_TO_MERGE = 3
"""Clicks that it takes to merge two characters by hand: select both, merge."""

CLICKS_TO_MOVE = 2
"""Clicks that it takes to give one track to a character by hand: select it, move."""

CLICKS_TO_SPLIT = 1
"""Clicks that a split takes beside one for every track that is selected."""

CLICKS_TO_CORRECT = 1
"""Clicks that it takes to change whether a pair is selected."""

MAX_PAIRS = 24
"""Pairs that one question is about."""

N_NEAREST = 2
"""Larger characters that a character is compared with, however improbable the nearest ones are."""

LEAST_PROBABILITY = 0.03
"""Least probability that is believed of the mistakes that come nearest.

They are that a group is apart from its nearest ones, and that the parts of a character are
together. Whoever is apart wrongly looks like somebody else, or the clustering would have known.
"""

MIN_CLICKS_SAVED = 0.1
"""Any other pair that is expected to save fewer clicks is not asked about."""

PARTS_TO_BE_LARGE = 4
"""A part of a character is large that holds at least so small a share of it: a quarter."""

MAX_QUESTIONS = 500
"""Questions in the queue."""

PairsTogether = tuple[Pair, ...]
"""Pairs that are asked about by one question."""


class ReviewQueue:
    """Makes the queue; keeps the proposed splits of characters that have not changed.

    Threads may share it.
    """

    def __init__(self, similarity: GroupSimilarity) -> None:
        self._similarity = similarity
        self._splits: dict[object, Sides | None] = {}
        self._lock = RLock()

    def build(
        self,
        characters: Sequence[Tracks],
        unknown: Sequence[int],
        edits: CompiledEdits,
        seen_together: Iterable[tuple[int, int]] = (),
    ) -> list[Question]:
        """Return the questions, the most useful first.

        Args:
            characters: Tracks of every character, the most typical first.
            unknown: Tracks of nobody.
            edits: What a person has said; what it answers is not asked.
            seen_together: Pairs of tracks on screen together; such groups are not asked about.
        """
        with self._lock:
            self._similarity.calibrate(characters)
            settled = SettledPairs(edits, seen_together)
            found = chain(
                self._compare_characters(characters, settled),
                self._guess(characters, unknown, settled),
                self._compare_parts(characters, edits, settled),
            )
            asked = sorted(_ask(found), key=lambda one: (-one.clicks_saved, one.id))
        return asked[:MAX_QUESTIONS]

    def split(self, character: Tracks, edits: CompiledEdits, min_tracks: int = 1) -> Sides | None:
        """Return the larger and the smaller part of a character at its best cut.

        Args:
            character: Its tracks, the most typical first.
            edits: What a person has said; who is one person is not divided.
            min_tracks: Tracks of the smaller part at least.
        """
        members = set(character)
        groups = tuple(group for group in edits.same_person if not members.isdisjoint(group))
        key = (character, groups, min_tracks)
        with self._lock:
            if key not in self._splits:
                if len(self._splits) > 2 * MAX_QUESTIONS:
                    self._splits.clear()
                self._splits[key] = propose_split(character, self._similarity, groups, min_tracks)
            return self._splits[key]

    def _compare_characters(
        self, characters: Sequence[Tracks], settled: SettledPairs
    ) -> Iterator[PairsTogether]:
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
                    yield (Pair("apart", left, right, same, max(saved, least)),)

    def _guess(
        self, characters: Sequence[Tracks], unknown: Sequence[int], settled: SettledPairs
    ) -> Iterator[PairsTogether]:
        """Yield every unknown track with the nearest character, and others that are probable."""
        known = [track for track in unknown if self._similarity.knows(track)]
        if not known or not characters:
            return
        probability = self._similarity.track_probabilities(known, characters)
        least = _saved_by_joining(LEAST_PROBABILITY, CLICKS_TO_MOVE)
        for track, row in zip(known, probability, strict=True):
            is_nearest = True
            for left, same in _nearest(row, characters):
                saved = _saved_by_joining(same, CLICKS_TO_MOVE)
                if not is_nearest and saved < MIN_CLICKS_SAVED:
                    break
                if settled.is_seen_together(left, (track,)):
                    continue
                if not settled.is_answered(left, (track,)):
                    worth = max(saved, least) if is_nearest else saved
                    yield (Pair("apart", left, (track,), same, worth),)
                is_nearest = False

    def _compare_parts(
        self, characters: Sequence[Tracks], edits: CompiledEdits, settled: SettledPairs
    ) -> Iterator[PairsTogether]:
        """Yield the two parts of every character at its best cuts, and whom the smaller may be.

        The probability is the expected share of the smaller part that is in the right place.
        """
        found = [
            (place, pair)
            for place, character in enumerate(characters)
            for pair in self._cut(character, edits, settled)
        ]
        if not found:
            return
        log_odds = self._similarity.log_odds([pair.right for _, pair in found], characters)
        for (place, pair), row in zip(found, log_odds, strict=True):
            row[place] = -np.inf
            # if the parts are two people, the smaller one is one of the others, or somebody new
            believed = min(pair.probability, 1 - LEAST_PROBABILITY)
            shares = (1 - believed) * softmax(np.append(row, 0.0))[:-1]
            yield (pair, *self._place_part(pair.right, shares, characters, settled))

    def _cut(
        self, character: Tracks, edits: CompiledEdits, settled: SettledPairs
    ) -> Iterator[Pair]:
        """Yield the parts of a character at its best cut, and at its best cut into large parts."""
        is_known, known_sides = settled.knows_parts_of(character), set[Sides]()
        for min_tracks in dict.fromkeys((1, max(1, len(character) // PARTS_TO_BE_LARGE))):
            sides = self.split(character, edits, min_tracks)
            if sides is None or sides in known_sides:
                continue
            known_sides.add(sides)
            if settled.is_answered(*sides) or settled.is_several(sides[1]):
                continue
            same = float(self._similarity.track_probabilities(sides[1], sides[:1]).mean())
            clicks = CLICKS_TO_SPLIT + len(sides[1])
            saved = _saved_by_dividing(same, clicks)
            if not is_known:
                saved = max(saved, _saved_by_dividing(1 - LEAST_PROBABILITY, clicks))
            if saved >= MIN_CLICKS_SAVED or not is_known:
                yield Pair("parts", *sides, same, saved)

    def _place_part(
        self,
        part: Tracks,
        probabilities: Float64Array,
        characters: Sequence[Tracks],
        settled: SettledPairs,
    ) -> Iterator[Pair]:
        """Yield the nearest open character that a part of another one may be, if it is probable."""
        for left, same in _nearest(probabilities, characters):
            saved = _saved_by_joining(same, CLICKS_TO_MERGE)
            if saved < MIN_CLICKS_SAVED:
                return
            if settled.is_open(left, part):
                yield Pair("part", left, part, same, saved)
                return


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


def _ask(found: Iterable[PairsTogether]) -> Iterator[Question]:
    """Yield questions about all pairs, those together that save most."""

    def rank(pairs: PairsTogether) -> tuple[float, float, int, Tracks]:
        saved, first = sum(pair.clicks_saved for pair in pairs), pairs[0]
        return -saved, -first.probability, -len(first.right), first.right

    asked: list[Pair] = []
    for pairs in sorted(found, key=rank):
        if len(asked) + len(pairs) > MAX_PAIRS:
            yield Question(tuple(asked))
            asked = []
        asked += pairs
    if asked:
        yield Question(tuple(asked))
