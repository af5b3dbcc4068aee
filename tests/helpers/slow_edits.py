"""What edits say, worked out slowly and plainly, to compare the compiled form with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from personae.project.edits import Edit, LocatedEdit

N_TYPICAL = 5
N_NAMED = 2


def replay_reversals(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits that hold, by doing and undoing one after the other."""
    done: dict[int, Edit] = {}
    undone: dict[int, Edit] = {}
    for edit in edits:
        if edit.kind == "undo":
            _carry(done, undone, edit.of)
        elif edit.kind == "redo":
            _carry(undone, done, edit.of)
        else:
            done[edit.id] = edit
    return [done[number] for number in sorted(done)]


def _carry(source: dict[int, Edit], target: dict[int, Edit], number: int | None) -> None:
    """Carry an edit over, and those that were entered together with it."""
    assert number in source
    for edit in list(source.values()):
        if number in (edit.id, edit.part_of):
            target[edit.id] = source.pop(edit.id)


class SlowReplay:
    """Pairs of tracks that are one person or two, found by looking at every pair."""

    def __init__(self) -> None:
        self.same: set[frozenset[int]] = set()
        self.different: set[frozenset[int]] = set()
        self.name: dict[int, str] = {}
        self.ignored: set[int] = set()
        self.reviewed: set[int] = set()

    def run(self, edits: Iterable[LocatedEdit]) -> SlowReplay:
        for edit in edits:
            getattr(self, f"do_{edit.kind}")(edit)
        return self

    def people(self) -> set[frozenset[int]]:
        """Return the groups of two or more tracks that chains of pairs make one person."""
        tracks = {track for pair in self.same for track in pair}
        groups = []
        while tracks:
            group = {tracks.pop()}
            while True:
                more = {t for pair in self.same if pair & group for t in pair} - group
                if not more:
                    break
                group |= more
            tracks -= group
            groups.append(frozenset(group - self.ignored))
        return {group for group in groups if len(group) > 1}

    def pairs_apart(self, names: Mapping[str, Sequence[int]]) -> set[frozenset[int]]:
        """Return who are two people; the first tracks of every name, in its order, stand for it."""
        by_name = {
            frozenset((a, b))
            for one, other in combinations(names.values(), 2)
            for a in one[:N_NAMED]
            for b in other[:N_NAMED]
        }
        return {pair for pair in self.different | by_name if not pair & self.ignored}

    def do_different(self, edit: LocatedEdit) -> None:
        one, other = edit.groups
        self.part(one.tracks[:N_TYPICAL], other.tracks[:N_TYPICAL])

    def do_ignore(self, edit: LocatedEdit) -> None:
        tracks = set(edit.tracks("person"))
        self.cut(tracks)
        self.ignored |= tracks
        self.unname(tracks)

    def do_merge(self, edit: LocatedEdit) -> None:
        tracks = edit.tracks("person")
        self.take_in(tracks)
        people = [self.linked(group.tracks) for group in edit.groups]
        self.join(tracks)
        carried = [name for person in people for name in self.carried(person)]
        for name in carried[1:]:
            self.rename(name, carried[0])
        self.reviewed |= set(tracks)

    def do_confirm(self, edit: LocatedEdit) -> None:
        for group in edit.groups:
            self.take_in(group.tracks)
            self.join(group.tracks)
            self.reviewed |= set(group.tracks)

    def do_name(self, edit: LocatedEdit) -> None:
        tracks = edit.tracks("person")
        self.take_in(tracks)
        self.reviewed |= set(tracks)
        person = self.linked(tracks)
        namesakes = [t for t, name in self.name.items() if name == edit.name and t not in person]
        for name in self.carried(person):
            self.rename(name, edit.name)
        for track in person:
            self.set_name(track, edit.name)
        if edit.name is not None and (namesakes or edit.groups[0].label is None):
            self.join([*namesakes, *tracks])

    def do_split(self, edit: LocatedEdit) -> None:
        self.leave(edit)
        self.join(edit.tracks("moved"))
        self.part_from_rests(edit)
        self.reviewed |= {*edit.tracks("moved"), *edit.tracks("rest")}

    def do_move(self, edit: LocatedEdit) -> None:
        moved, target = edit.tracks("moved"), edit.tracks("target")
        self.different -= {frozenset((a, b)) for a in moved for b in target}
        self.leave(edit)
        self.join((*target, *moved))
        self.part_from_rests(edit)
        self.reviewed |= {*moved, *target}

    def leave(self, edit: LocatedEdit) -> None:
        moved = edit.tracks("moved")
        self.take_in(moved)
        self.cut(set(moved))
        for rest in (group for group in edit.groups if group.role == "rest"):
            gone = [g.tracks for g in edit.groups if g.role == "moved" and g.label == rest.label]
            for name in self.carried([*(t for g in gone for t in g), *rest.tracks])[:1]:
                for track in rest.tracks:
                    self.set_name(track, self.name.get(track, name))
        self.unname(moved)

    def part_from_rests(self, edit: LocatedEdit) -> None:
        for group in edit.groups:
            if group.role == "rest":
                self.part(edit.tracks("moved"), group.tracks[:N_TYPICAL])

    def linked(self, tracks: Sequence[int]) -> list[int]:
        found = list(tracks)
        while True:
            more = {t for pair in self.same if pair & set(found) for t in pair} - set(found)
            if not more:
                return found
            found += sorted(more)

    def join(self, tracks: Sequence[int]) -> None:
        self.same |= {frozenset(pair) for pair in combinations(dict.fromkeys(tracks), 2)}

    def part(self, tracks: Sequence[int], others: Sequence[int]) -> None:
        self.different |= {frozenset((a, b)) for a in tracks for b in others}

    def cut(self, tracks: set[int]) -> None:
        self.same = {pair for pair in self.same if len(pair & tracks) != 1}

    def take_in(self, tracks: Iterable[int]) -> None:
        self.ignored -= set(tracks)

    def unname(self, tracks: Iterable[int]) -> None:
        for track in tracks:
            self.name.pop(track, None)

    def carried(self, tracks: Sequence[int]) -> list[str]:
        own = [self.name[track] for track in tracks if track in self.name]
        names = [n for n in dict.fromkeys(own) if 2 * own.count(n) > self.count(n)]
        return sorted(names, key=own.count, reverse=True)

    def count(self, name: str) -> int:
        return list(self.name.values()).count(name)

    def rename(self, old: str, new: str | None) -> None:
        for track in [track for track, name in self.name.items() if name == old]:
            self.set_name(track, new)

    def set_name(self, track: int, name: str | None) -> None:
        """Give a track a name; a new one puts it after all others that have that name."""
        if self.name.get(track) != name:
            self.name.pop(track, None)
            if name is not None:
                self.name[track] = name
