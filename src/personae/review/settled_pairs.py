"""What a person has said, and who is on screen together: what need not be asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from personae.project.edits import CompiledEdits


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

    def knows_parts_of(self, tracks: Iterable[int]) -> bool:
        """Return whether edits say of two of some tracks that they are one person."""
        people = Counter(self._person_of[track] for track in tracks if track in self._person_of)
        return max(people.values(), default=0) > 1

    def is_several(self, tracks: Iterable[int]) -> bool:
        """Return whether edits say of two of some tracks that they are two people."""
        people = {self._person(track) for track in tracks}
        return any(
            not self._others[one].isdisjoint(people) for one in people if one in self._others
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
