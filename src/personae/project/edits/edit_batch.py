"""Edits that are about to be entered: who is meant by them, and whether they can be made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from personae.core.errors import EditError
from personae.project.edits.describe import list_tracks
from personae.project.edits.edit import Kind, Role
from personae.project.edits.names import clean_name
from personae.project.edits.people import FoundTracks, People, Person


class NumberedGroup(NamedTuple):
    """A group of tracks of an edit that is about to be entered."""

    role: Role
    label: str | None
    tracks: tuple[int, ...]


class NewEdit(NamedTuple):
    """An edit that is about to be entered."""

    kind: Kind
    groups: tuple[NumberedGroup, ...]
    name: str | None = None


class EditBatch:
    """Edits that are entered together; `ProjectEdits` has the same verbs and explains them.

    Every verb raises an EditError where there is no such character or track, or where the edit
    would say nothing.
    """

    def __init__(self, people: People) -> None:
        """Take the characters and tracks that the edits are about."""
        self._people = people
        self.edits: list[NewEdit] = []
        """What has been said so far."""

    def name(self, who: Person, name: str | None) -> None:
        """Name a character or some tracks; None takes the name away."""
        cleaned = None if name is None else clean_name(name)
        self._add("name", [_group("person", self._people.find(who))], cleaned)

    def merge(self, *people: Person) -> None:
        """Say that characters or tracks are one person."""
        found = [self._people.find(who) for who in people]
        named_alone = len(found) == 1 and found[0].label is not None
        if named_alone or len({track for one in found for track in one.tracks}) < 2:
            raise EditError("One person alone cannot be merged: name two or more.")
        self._add("merge", [_group("person", one) for one in found])

    def split(self, character: str | None, tracks: Iterable[int]) -> None:
        """Say that some tracks are somebody else than the others of their characters."""
        moved = self._people.find(tracks)
        if character is not None:
            whole = self._people.find_character(character)
            foreign = sorted(set(moved.tracks) - set(whole.tracks))
            if foreign:
                raise EditError(f"{whole.label} does not hold {list_tracks(foreign)}.")
        groups = self._moved_groups(moved.tracks)
        if not any(group.role == "rest" for group in groups):
            where = f"no other track of {character}" if character else "nobody to split them from"
            raise EditError(f"There is {where}: name only the tracks that are somebody else.")
        self._add("split", groups)

    def move(self, who: Person, to: Person) -> None:
        """Say that tracks are another character, and not the one that holds them."""
        moved, target = self._people.find(who), self._people.find(to)
        joined = [track for track in target.tracks if track not in moved.tracks]
        homes = {self._people.label_of.get(one) for one in moved.tracks}
        if not joined or (target.label is not None and homes == {target.label}):
            raise EditError(
                f"{list_tracks(moved.tracks).capitalize()} cannot move there: no change."
            )
        groups = [
            group
            for group in self._moved_groups(moved.tracks)
            if group.role == "moved" or not set(group.tracks) & set(joined)
        ]
        groups.append(NumberedGroup("target", target.label, tuple(joined)))
        self._add("move", groups)

    def ignore(self, *who: Person) -> None:
        """Leave characters or tracks out of the cast."""
        self._add("ignore", [_group("person", self._people.find(one)) for one in who])

    def confirm(self, *characters: Person) -> None:
        """Say that all tracks of a character are one person, of each if several are named."""
        self._add("confirm", [_group("person", self._people.find(one)) for one in characters])

    def different(self, one: Person, *others: Person) -> None:
        """Say that a character or tracks are none of some others."""
        found = [self._people.find(who) for who in (one, *others)]
        if len(found) < 2:
            raise EditError("One person alone is nobody else: name two or more.")
        named = set(found[0].tracks)
        for other in found[1:]:
            shared = named & set(other.tracks)
            if shared:
                told = list_tracks(sorted(shared))
                raise EditError(f"Both hold {told}: name two different people.")
        self._add("different", [_group("person", each) for each in found])

    def _add(self, kind: Kind, groups: Sequence[NumberedGroup], name: str | None = None) -> None:
        self.edits.append(NewEdit(kind, tuple(groups), name))

    def _moved_groups(self, tracks: Sequence[int]) -> list[NumberedGroup]:
        """Return the tracks that leave each character, and those that stay in it."""
        groups = []
        for label, own in self._people.by_character(tracks).items():
            groups.append(NumberedGroup("moved", label, own))
            if label is not None:
                held = self._people.find_character(label).tracks
                rest = tuple(one for one in held if one not in own)
                if rest:
                    groups.append(NumberedGroup("rest", label, rest))
        return groups


def _group(role: Role, found: FoundTracks) -> NumberedGroup:
    return NumberedGroup(role, found.label, found.tracks)
