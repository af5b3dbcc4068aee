"""Compile edits into what clustering and the cast need: links, ignored tracks and names."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from personae.project.edits.statements import (
    DifferentPeople,
    LocatedEdit,
    SamePerson,
    Statements,
    Withdrawal,
    collect_statements,
)


class Contradiction(NamedTuple):
    """A statement that cannot hold together with earlier ones; it is set aside and listed."""

    edit: int
    """The edit whose statement is set aside."""

    because_of: tuple[int, ...]
    """The edits that it contradicts, in order."""

    tracks: tuple[int, int]
    """Two tracks that would be one person and two."""


@dataclass(frozen=True)
class CompiledEdits:
    """All that a person has said about the tracks of a scan, free of contradictions."""

    same_person: tuple[tuple[int, ...], ...] = ()
    """Groups of tracks that are one person each, disjoint; in ascending order."""

    different_people: tuple[tuple[int, int], ...] = ()
    """Pairs of tracks that are two people, each pair and all pairs in ascending order."""

    ignored: frozenset[int] = frozenset()
    """Tracks that are left out of the cast."""

    names: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Name -> the tracks that it was given to."""

    reviewed: frozenset[int] = frozenset()
    """Tracks that a person has named, confirmed, merged, moved or split."""

    certain: frozenset[int] = frozenset()
    """Tracks of which a person has said who they are, not only that a character holds them."""

    founders: tuple[tuple[int, ...], ...] = ()
    """Groups of tracks that are somebody: one at least has a character."""

    heads: tuple[int, ...] = ()
    """Tracks whose character keeps its number when others join it, in order of the edits."""

    contradictions: tuple[Contradiction, ...] = ()
    """What had to be set aside, in order of the edits."""

    withdrawals: tuple[Withdrawal, ...] = ()
    """What edits took back of earlier ones, in their order."""

    def as_dict(self) -> dict[str, object]:
        """Return what the clustering depends on as plain data; empty where nothing is said."""
        said: dict[str, object] = {
            "same_person": [list(group) for group in self.same_person],
            "different_people": [list(pair) for pair in self.different_people],
            "ignored": sorted(self.ignored),
            "names": {name: list(tracks) for name, tracks in self.names.items()},
            "reviewed": sorted(self.reviewed),
            "certain": sorted(self.certain),
            "founders": [list(group) for group in self.founders],
            "heads": list(self.heads),
        }
        return said if any(said.values()) else {}


def compile_edits(edits: Iterable[LocatedEdit]) -> CompiledEdits:
    """Compile the edits that hold; chains of statements count.

    A statement that contradicts earlier ones is set aside and listed. None is where every edit was
    checked when it was made; a new scan may give two tracks of different people one track.

    Args:
        edits: In the order in which they were made.
    """
    statements = collect_statements(edits)
    people = _People()
    for said in _in_order(statements):
        if isinstance(said, SamePerson):
            people.say_same(said)
        else:
            people.say_different(said)
    ignored = statements.ignored
    same_person = _without(people.groups(), ignored, least=2)
    linked = {track for group in same_person for track in group}
    return CompiledEdits(
        same_person=same_person,
        different_people=people.different(ignored),
        ignored=ignored,
        names=statements.names,
        reviewed=statements.reviewed - ignored,
        certain=frozenset(linked | statements.split_off - ignored),
        founders=tuple(dict.fromkeys(_without(statements.founders, ignored, least=1))),
        heads=tuple(track for track in statements.heads if track not in ignored),
        contradictions=tuple(people.contradictions),
        withdrawals=statements.withdrawals,
    )


def _in_order(statements: Statements) -> list[SamePerson | DifferentPeople]:
    """Return all statements in the order of the edits that completed them."""
    return sorted([*statements.same, *statements.different], key=lambda said: said.edits[-1])


def _without(
    groups: Iterable[Sequence[int]], ignored: frozenset[int], least: int
) -> tuple[tuple[int, ...], ...]:
    """Return the groups without ignored tracks, those of at least so many tracks."""
    kept = (tuple(track for track in group if track not in ignored) for group in groups)
    return tuple(group for group in kept if len(group) >= least)


class _People:
    """Tracks joined into people, statement by statement, and who is not whom."""

    def __init__(self) -> None:
        self.contradictions: list[Contradiction] = []
        self._parent: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._others: dict[int, dict[int, DifferentPeople]] = defaultdict(dict)
        """Person -> the other people that it is not, each with the first statement that says so."""
        self._different: list[DifferentPeople] = []
        self._same_with: dict[int, list[SamePerson]] = defaultdict(list)
        """Track -> the accepted statements that name it."""

    def say_same(self, said: SamePerson) -> None:
        people = dict.fromkeys(self._find(track) for track in said.tracks)
        for one in people:
            for other, against in self._others[one].items():
                if other in people:
                    chain = self._chain(*against.tracks, said)
                    self._set_aside({*said.edits, *against.edits, *chain}, against.tracks)
                    return
        for track in said.tracks:
            self._same_with[track].append(said)
        kept, *joined = sorted(people, key=lambda one: -len(self._members[one]))
        for one in joined:
            self._join(kept, one)

    def say_different(self, said: DifferentPeople) -> None:
        one, other = (self._find(track) for track in said.tracks)
        if one == other:
            self._set_aside({*said.edits, *self._chain(*said.tracks)}, said.tracks)
            return
        self._different.append(said)
        self._others[one].setdefault(other, said)
        self._others[other].setdefault(one, said)

    def groups(self) -> list[tuple[int, ...]]:
        """Return the people of two or more tracks."""
        found = (tuple(sorted(one)) for one in self._members.values() if len(one) > 1)
        return sorted(found)

    def different(self, ignored: frozenset[int]) -> tuple[tuple[int, int], ...]:
        """Return the pairs of tracks, neither of them ignored, that are two people."""
        pairs = {(min(said.tracks), max(said.tracks)) for said in self._different}
        return tuple(sorted(pair for pair in pairs if ignored.isdisjoint(pair)))

    def _set_aside(self, edits: set[int], tracks: tuple[int, int]) -> None:
        """List that some edits contradict each other, once."""
        *earlier, latest = sorted(edits)
        found = Contradiction(latest, tuple(earlier), tracks)
        if all(found[:2] != known[:2] for known in self.contradictions):
            self.contradictions.append(found)

    def _chain(self, one: int, other: int, further: SamePerson | None = None) -> set[int]:
        """Return the edits of a shortest chain of statements that makes two tracks one person."""
        reached: dict[int, tuple[int, SamePerson] | None] = {one: None}
        waiting = deque([one])
        while waiting and other not in reached:
            track = waiting.popleft()
            statements = list(self._same_with[track])
            if further is not None and track in further.tracks:
                statements.append(further)
            for said in statements:
                for neighbour in said.tracks:
                    if neighbour not in reached:
                        reached[neighbour] = (track, said)
                        waiting.append(neighbour)
        edits: set[int] = set()
        step = reached[other]
        while step is not None:
            edits |= set(step[1].edits)
            step = reached[step[0]]
        return edits

    def _find(self, track: int) -> int:
        if track not in self._parent:
            self._parent[track] = track
            self._members[track] = [track]
        person = track
        while self._parent[person] != person:
            person = self._parent[person]
        while self._parent[track] != person:
            self._parent[track], track = person, self._parent[track]
        return person

    def _join(self, kept: int, joined: int) -> None:
        self._parent[joined] = kept
        self._members[kept] += self._members.pop(joined)
        for other, said in self._others.pop(joined, {}).items():
            del self._others[other][joined]
            self._others[other].setdefault(kept, said)
            self._others[kept].setdefault(other, said)
