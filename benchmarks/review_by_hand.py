"""Repair of a cast by hand: merging and moving in order of screen time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from personae.review.queue import CLICKS_TO_MERGE
from review_oracle import Groups, Oracle, Tracks

CLICKS_TO_OPEN_AND_MOVE = 2
"""Clicks of a move beside one for every track."""


@dataclass(frozen=True)
class Repair:
    """One action."""

    groups: Groups
    """After it."""
    clicks: int
    seen: int
    """Tracks of the characters that were gone through up to it."""


@dataclass
class HandRepair:
    """Somebody who goes through the characters in order of screen time and repairs each."""

    groups: Groups
    oracle: Oracle
    several_at_once: bool = False
    """Merge all characters of one person in one action, not two at a time."""

    home: dict[str, Tracks] = field(default_factory=dict)
    """Person -> the character that it is put together in."""
    seen: int = 0

    def run(self) -> Iterator[Repair]:
        """Yield every repair."""
        waiting = list(self.groups.characters)
        while waiting:
            character = waiting.pop(0)
            self.seen += len(character)
            person = self.oracle.person(character)
            if person is None:
                continue
            others = [one for one in waiting if self.oracle.person(one) == person]
            if self.several_at_once and others:
                self.seen += sum(map(len, others))
                waiting = [one for one in waiting if one not in others]
                yield self._merge([character, *others])
                character = _join(character, *others)
            yield from self._move_strangers(character, person, waiting)
            character = tuple(t for t in character if self._is_at_home(t, person))
            if person in self.home:
                yield self._merge([self.home[person], character])
            self.home[person] = _join(self.home.get(person, ()), character)
        yield from self._assign_unknown()

    def _is_at_home(self, track: int, person: str) -> bool:
        return self.oracle.person([track]) in (None, person)

    def _move_strangers(
        self, character: Tracks, person: str, waiting: list[Tracks]
    ) -> Iterator[Repair]:
        """Yield a move for everybody who is in the wrong character."""
        strangers: dict[str, list[int]] = defaultdict(list)
        for track in character:
            own = self.oracle.person([track])
            if own is not None and own != person:
                strangers[own].append(track)
        kept = character
        for other, tracks in strangers.items():
            left = tuple(track for track in kept if track not in tracks)
            characters = [left if one == kept else one for one in self.groups.characters]
            kept = left
            target = self.home.get(other) or next(
                (one for one in waiting if self.oracle.person(one) == other), None
            )
            joined = (*(target or ()), *tracks)
            if target is None:
                characters.append(joined)
                waiting.append(joined)
            else:
                characters = [joined if one == target else one for one in characters]
                waiting[:] = [joined if one == target else one for one in waiting]
                if self.home.get(other) == target:
                    self.home[other] = joined
            self.groups = Groups(characters, self.groups.unknown)
            yield self._repair(len(tracks) + CLICKS_TO_OPEN_AND_MOVE)

    def _merge(self, characters: list[Tracks]) -> Repair:
        joined = _join(*characters)
        first, *others = characters
        kept = [one for one in self.groups.characters if one not in others]
        self.groups = Groups([joined if one == first else one for one in kept], self.groups.unknown)
        return self._repair(CLICKS_TO_MERGE + len(characters) - 2)

    def _assign_unknown(self) -> Iterator[Repair]:
        """Yield a move for everybody among the unknown tracks."""
        self.seen += len(self.groups.unknown)
        of: dict[str, list[int]] = defaultdict(list)
        for track in self.groups.unknown:
            person = self.oracle.person([track])
            if person is not None:
                of[person].append(track)
        for person, tracks in sorted(of.items()):
            target = self.home.get(person, ())
            joined = (*target, *tracks)
            characters = [one for one in self.groups.characters if one != target]
            unknown = [one for one in self.groups.unknown if one not in tracks]
            self.groups, self.home[person] = Groups([*characters, joined], unknown), joined
            yield self._repair(len(tracks) + CLICKS_TO_OPEN_AND_MOVE)

    def _repair(self, clicks: int) -> Repair:
        return Repair(self.groups, clicks, self.seen)


def _join(*characters: Tracks) -> Tracks:
    return tuple(track for one in characters for track in one)
