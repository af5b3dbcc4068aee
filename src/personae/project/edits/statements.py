"""From edits to statements about tracks: who is one person, who is not, names, who is ignored.

The rules, which docs/how-to/correct-a-cast.md tells in prose:

- `merge` and `confirm` say that all their tracks are one person. `different` says of the most
  typical tracks of two groups that they are two people.
- `split` says that the moved tracks are one person, and another one than the rest. `move` says that
  the moved tracks are the person of the target, and not that of the rest they came from. Both take
  back that the moved tracks are one person with any outside; `move` also takes back what was said
  against the target.
- `ignore` takes tracks out of the cast, and takes back what made them one person with others. Any
  later edit that names such a track, except `different`, takes it in again.
- A name stays with the tracks that it was given to. It belongs to one person: tracks that get the
  same name are one person, and the most typical ones of two names are two people. A character that
  is named by its label may still hold mistakes; tracks named by their numbers are one person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import chain, product
from typing import NamedTuple

from personae.project.edits.edit import Kind, Role
from personae.project.edits.track_names import TrackNames

MAX_TYPICAL_TRACKS = 5
"""Tracks of a group that a `different`, or the rest of a `split` or `move`, speaks of.

What holds of a person holds of its most typical tracks; the others may be mistakes that no one has
looked at yet.
"""

MAX_NAMED_TRACKS = 2
"""Typical tracks of each of two names that are said to be different people."""


@dataclass(frozen=True)
class LocatedGroup:
    """Tracks that an edit names, by their numbers in the scan at hand."""

    role: Role
    tracks: tuple[int, ...]
    label: str | None = None
    """The character that held them; a rest and the tracks moved out of it share it."""


@dataclass(frozen=True)
class LocatedEdit:
    """An edit about tracks, by their numbers in the scan at hand."""

    id: int
    kind: Kind
    groups: tuple[LocatedGroup, ...]
    name: str | None = None

    def tracks(self, role: Role) -> tuple[int, ...]:
        """Return the tracks of all groups with a role, each once."""
        named = (t for group in self.groups if group.role == role for t in group.tracks)
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True)
class SamePerson:
    """A statement that tracks are one person."""

    edits: tuple[int, ...]
    """The edits that say so, in order."""

    tracks: tuple[int, ...]
    """The first is the most typical."""


@dataclass(frozen=True)
class DifferentPeople:
    """A statement that two tracks are two people."""

    edits: tuple[int, ...]
    """The edits that say so, in order."""

    tracks: tuple[int, int]


class Withdrawal(NamedTuple):
    """An edit has taken back what earlier ones said of some of their tracks."""

    edit: int
    taken_back: tuple[int, ...]
    """The edits that no longer hold for the tracks of `edit`, in order."""


@dataclass(frozen=True)
class Statements:
    """All that some edits say."""

    same: tuple[SamePerson, ...]
    different: tuple[DifferentPeople, ...]
    names: dict[str, tuple[int, ...]]
    """Name -> the tracks that it was given to."""

    ignored: frozenset[int]
    reviewed: frozenset[int]
    """Tracks that an edit was about, other than an `ignore` or `different`."""

    split_off: frozenset[int]
    """Tracks that a `split` has made somebody of their own."""

    founders: tuple[tuple[int, ...], ...]
    """Groups of tracks that a person has said to be somebody."""

    heads: tuple[int, ...]
    """Tracks whose character keeps its number when others join it, in order of the edits."""

    withdrawals: tuple[Withdrawal, ...]
    """What edits took back, in their order."""


def collect_statements(edits: Iterable[LocatedEdit]) -> Statements:
    """Return what edits say; later ones may take back what earlier ones said."""
    collector = _Collector()
    for edit in edits:
        collector.add(edit)
    return collector.statements()


class _Collector:
    """What the edits so far say."""

    def __init__(self) -> None:
        self.same: dict[int, SamePerson] = {}
        self.same_with: dict[int, set[int]] = defaultdict(set)
        """Track -> the keys of the statements in `same` that name it."""
        self.n_same = 0
        self.different: dict[tuple[int, int], list[DifferentPeople]] = defaultdict(list)
        """Pair of tracks, the lower number first -> the statements that they are two people."""
        self.names = TrackNames()
        self.ignored: set[int] = set()
        self.reviewed: set[int] = set()
        self.split_off: set[int] = set()
        self.founders: list[tuple[int, ...]] = []
        self.heads: list[int] = []
        self.withdrawals: dict[int, set[int]] = defaultdict(set)

    def statements(self) -> Statements:
        differently_named = (
            DifferentPeople(self.names.given_by(pair), pair)
            for pair in self.names.pairs(MAX_NAMED_TRACKS)
        )
        return Statements(
            same=tuple(sorted(self.same.values(), key=lambda one: one.edits[-1])),
            different=(*chain.from_iterable(self.different.values()), *differently_named),
            names=self.names.all_holders(),
            ignored=frozenset(self.ignored),
            reviewed=frozenset(self.reviewed),
            split_off=frozenset(self.split_off),
            founders=tuple(self.founders),
            heads=tuple(self.heads),
            withdrawals=tuple(
                Withdrawal(edit, tuple(sorted(earlier)))
                for edit, earlier in self.withdrawals.items()
            ),
        )

    def add(self, edit: LocatedEdit) -> None:
        people, moved, target = (edit.tracks(role) for role in ("person", "moved", "target"))
        if edit.kind == "different":
            first, *others = (group.tracks for group in edit.groups)
            for other in others:
                self._say_different(edit.id, first[:MAX_TYPICAL_TRACKS], other)
            return
        if edit.kind == "ignore":
            self._withdraw_same(edit.id, set(people))
            self.names.drop(people)
            self.ignored |= set(people)
            return
        self.ignored -= {*people, *moved}
        self.heads = [track for track in self.heads if track not in set(moved)]
        match edit.kind:
            case "name":
                self._name(edit, people)
                self.reviewed |= set(people)
            case "merge":
                self.names.keep_one([self._linked(group.tracks) for group in edit.groups])
                self._say_same((edit.id,), people)
                self.heads += people[:1]
                self.reviewed |= set(people)
                self.founders.append(people)
            case "confirm":
                for group in edit.groups:
                    self._say_same((edit.id,), group.tracks)
                    self.founders.append(group.tracks)
                self.reviewed |= set(people)
            case "split":
                self._withdraw_same(edit.id, set(moved))
                self._leave_names(edit, moved)
                self._say_same((edit.id,), moved)
                self._leave_rests(edit, moved)
                self.split_off |= set(moved)
                self.reviewed |= {*moved, *edit.tracks("rest")}
                self.founders.append(moved)
            case "move":
                self._withdraw_same(edit.id, set(moved))
                self._withdraw_different(edit.id, set(moved), set(target))
                self._leave_names(edit, moved)
                self._say_same((edit.id,), (*target, *moved))
                self._leave_rests(edit, moved)
                self.heads += target[:1]
                self.reviewed |= {*moved, *target}
                self.founders.append((*target, *moved))

    def _name(self, edit: LocatedEdit, tracks: Sequence[int]) -> None:
        """Name tracks and all that are one person with them; namesakes are that person too."""
        person = self._linked(tracks)
        if edit.name is None:
            self.names.take_away(person)
            return
        known = set(person)
        namesakes = [one for one in self.names.holders(edit.name) if one not in known]
        said_by = (*self.names.given_by(namesakes), edit.id)
        self.names.give(edit.id, person, edit.name)
        self.founders.append(tuple(tracks))
        if namesakes:
            self.heads.append(namesakes[0])
        if namesakes or any(group.label is None for group in edit.groups):
            self._say_same(said_by, [*namesakes, *tracks])

    def _linked(self, tracks: Sequence[int]) -> list[int]:
        """Return tracks and all that chains of statements make one person with any of them."""
        found = dict.fromkeys(tracks)
        waiting, done = list(found), set[int]()
        while waiting:
            for key in self.same_with[waiting.pop()] - done:
                done.add(key)
                new = [track for track in self.same[key].tracks if track not in found]
                found.update(dict.fromkeys(new))
                waiting += new
        return list(found)

    def _leave_names(self, edit: LocatedEdit, moved: Sequence[int]) -> None:
        """Take the moved tracks' names away; the rest of their characters keep theirs."""
        for rest in edit.groups:
            if rest.role == "rest":
                gone = [
                    track
                    for group in edit.groups
                    if group.role == "moved" and group.label == rest.label
                    for track in group.tracks
                ]
                self.names.leave(gone, rest.tracks)
        self.names.drop(moved)

    def _say_same(self, edits: tuple[int, ...], tracks: Sequence[int]) -> None:
        if len(tracks) > 1:
            self.same[self.n_same] = SamePerson(edits, tuple(tracks))
            for track in tracks:
                self.same_with[track].add(self.n_same)
            self.n_same += 1

    def _say_different(self, edit: int, tracks: Sequence[int], others: Sequence[int]) -> None:
        for one in tracks:
            for other in others[:MAX_TYPICAL_TRACKS]:
                said = DifferentPeople((edit,), (one, other))
                self.different[min(one, other), max(one, other)].append(said)

    def _leave_rests(self, edit: LocatedEdit, moved: Sequence[int]) -> None:
        """Say that the moved tracks are somebody else than those that stay behind."""
        for group in edit.groups:
            if group.role == "rest":
                self._say_different(edit.id, moved, group.tracks)
                self.heads += group.tracks[:1]

    def _withdraw_same(self, edit: int, tracks: Set[int]) -> None:
        """Take back that any of `tracks` is one person with any other track."""
        for key in sorted({key for track in tracks for key in self.same_with[track]}):
            said = self.same[key]
            inside = [track for track in said.tracks if track in tracks]
            if len(inside) == len(said.tracks):
                continue
            self.withdrawals[edit] |= set(said.edits)
            del self.same[key]
            for track in said.tracks:
                self.same_with[track].discard(key)
            self._say_same(said.edits, inside)
            self._say_same(said.edits, [track for track in said.tracks if track not in tracks])

    def _withdraw_different(self, edit: int, tracks: Set[int], others: Set[int]) -> None:
        """Take back that any of `tracks` is somebody else than any of `others`."""
        for one, other in product(tracks, others):
            for said in self.different.pop((min(one, other), max(one, other)), ()):
                self.withdrawals[edit] |= set(said.edits)
