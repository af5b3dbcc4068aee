"""From the labels that a person has given to tracks to the edits of the cast that they mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from personae.export.researchers.face_tracks import IGNORED, UNKNOWN

Kind = Literal["ignore", "different", "split", "move", "merge", "name"]

ORDER: tuple[tuple[Kind, bool], ...] = (
    ("ignore", False),
    ("different", False),
    ("split", False),
    ("move", False),
    ("name", False),
    ("merge", False),
    ("name", True),
)
"""In which edits are made, those with a name marked: who leaves a character comes before who joins
it, and names are taken away before they are given to others."""


@dataclass(frozen=True)
class IntendedEdit:
    """One edit that a corrected file asks for."""

    kind: Kind

    tracks: tuple[int, ...]
    """What it is about: those that are named, merged, moved, split off, ignored, or not of
    `character`."""

    character: str | None = None
    """The character that they join, or that they are not of; the one that is named."""

    of_character: tuple[int, ...] = ()
    """Its tracks, without those that the file gives to somebody else."""

    other: str | None = None
    """Of a merge: the character that joins."""

    name: str | None = None
    """Of `name`: the name; None takes it away."""

    def describe(self) -> str:
        """Return one line for people."""
        plural = "s" if len(self.tracks) > 1 else ""
        tracks = f"track{plural} {', '.join(map(str, self.tracks))}"
        match self.kind:
            case "name" if self.name is None:
                return f"take the name from {self.character}"
            case "name":
                return f"name {self.character or tracks} {self.name!r}"
            case "merge":
                return f"merge {self.other} into {self.character}"
            case "move":
                return f"move {tracks} to {self.character}"
            case "split":
                return f"make {tracks} a character of its own"
            case "different":
                return f"take {tracks} out of {self.character}"
            case "ignore":
                return f"ignore {tracks}"


@dataclass(frozen=True)
class PresentCast:
    """Who the tracks of a film are at present."""

    owners: Mapping[int, str | None]
    """Track -> its character, None where it is unknown; ignored tracks are not here."""

    labels: Mapping[str, str]
    """Character -> its label for people."""

    def find_character(self, text: str) -> str | None:
        """Return the character that a label means, in any case of letters; None for a new one."""
        for character, label in self.labels.items():
            if text == label:
                return character
        for character, label in self.labels.items():
            if text.casefold() in (label.casefold(), character.casefold()):
                return character
        return None

    def tracks_of(self, character: str | None) -> list[int]:
        """Return the tracks of a character, in ascending order."""
        return sorted(track for track, owner in self.owners.items() if owner == character)


def plan_edits(cast: PresentCast, corrected: Mapping[int, str]) -> list[IntendedEdit]:
    """Return the edits that turn the present cast into the corrected one.

    A character at least half of whose tracks are in the file, all with one label, is meant as a
    whole: it is named, or becomes part of another. Otherwise only the tracks that changed are
    moved.

    Args:
        cast: Who the tracks are at present.
        corrected: Track -> the label that it has in the file.

    Returns:
        In the order in which they have to be made; empty where nothing was corrected.
    """
    edits = [edit for person in _group_people(cast, corrected) for edit in person.plan()]
    edits += _free_names(cast, edits)
    return sorted(edits, key=lambda one: ORDER.index((one.kind, one.name is not None)))


def _free_names(cast: PresentCast, edits: list[IntendedEdit]) -> list[IntendedEdit]:
    """Return the edits that take names from the characters that lose them to others."""
    given = {one.name: one.character for one in edits if one.name is not None}
    unnamed = {one.character for one in edits if one.kind == "name" and one.name is None}
    return [
        IntendedEdit("name", tuple(cast.tracks_of(bearer)), bearer)
        for bearer, name in cast.labels.items()
        if name in given and given[name] != bearer and bearer not in unnamed
    ]


def _group_people(cast: PresentCast, corrected: Mapping[int, str]) -> list[_Person]:
    """Return the people of the file; labels that mean the same character are one person."""
    keys = {track: _person_key(cast, label) for track, label in corrected.items()}
    tracks: dict[str, list[int]] = defaultdict(list)
    for track in sorted(keys):
        tracks[keys[track]].append(track)
    return [
        _Person(cast, keys, key, corrected[members[0]], members) for key, members in tracks.items()
    ]


def _person_key(cast: PresentCast, label: str) -> str:
    """Return one key for all spellings of a label."""
    folded = label.casefold()
    if folded in (UNKNOWN, IGNORED, ""):
        return folded or UNKNOWN
    return cast.find_character(label) or f"new {folded}"


@dataclass(frozen=True)
class _Person:
    """Tracks that the file gives one label."""

    cast: PresentCast

    keys: Mapping[int, str]
    """Every track of the file -> the person that the file says it is."""

    key: str
    label: str
    tracks: list[int]

    def plan(self) -> list[IntendedEdit]:
        """Return the edits that make the tracks this person."""
        if self.key == IGNORED:
            present = tuple(track for track in self.tracks if track in self.cast.owners)
            return [IntendedEdit("ignore", present)] if present else []
        if self.key == UNKNOWN:
            return self._leave_unknown()
        owned: dict[str, list[int]] = defaultdict(list)
        for track in self.tracks:
            owner = self.cast.owners.get(track)
            if owner is not None:
                owned[owner].append(track)
        base = self.key if self._is_kept(self.key) else self._find_predecessor(owned)
        if base is None:
            tracks = tuple(self.tracks)
            name = self.cast.labels.get(self.key, self.label)
            named = [IntendedEdit("name", tracks, name=name)] if name != self.key else []
            return [IntendedEdit("split", tracks), *named]
        kept = tuple(self._staying(base))
        merged = [one for one in owned if one != base and self._is_whole(one)]
        edits = [
            IntendedEdit("merge", tuple(self._staying(one)), base, kept, other=one)
            for one in merged
        ]
        gone = set(kept).union(*(self._staying(one) for one in merged))
        moved = tuple(track for track in self.tracks if track not in gone)
        if moved:
            edits.append(IntendedEdit("move", moved, base, kept))
        if base != self.key:
            edits += self._rename(base, kept)
        return edits

    def _rename(self, base: str, kept: tuple[int, ...]) -> list[IntendedEdit]:
        """Return the edit that gives a character this person's label."""
        meant = self.cast.labels.get(self.key)
        if meant is None or meant != self.key:
            return [IntendedEdit("name", kept, base, kept, name=meant or self.label)]
        has_name = self.cast.labels[base] != base
        return [IntendedEdit("name", kept, base, kept, name=None)] if has_name else []

    def _leave_unknown(self) -> list[IntendedEdit]:
        """Return the edits that take tracks out of their characters."""
        edits = []
        for track in self.tracks:
            owner = self.cast.owners.get(track)
            kept = tuple(self._largest_part(owner)) if owner else ()
            if kept:
                edits.append(IntendedEdit("different", (track,), owner, kept))
        return edits

    def _is_kept(self, character: str) -> bool:
        """Return whether a character keeps tracks in the file, or most of it is not there."""
        own = self.cast.tracks_of(character)
        is_given = any(self.keys.get(track) == character for track in own)
        return bool(own) and (is_given or not self._is_mostly_in_file(character))

    def _find_predecessor(self, owned: Mapping[str, list[int]]) -> str | None:
        """Return the character that these tracks go on with; None for a new person.

        It is one that the file leaves no track under its own label, and these are its largest part.
        """
        candidates = [
            one
            for one in owned
            if self._is_mostly_in_file(one)
            and not self._is_kept(one)
            and self._largest_part_key(one) == self.key
        ]
        return max(candidates, key=lambda one: (len(owned[one]), one), default=None)

    def _is_mostly_in_file(self, character: str) -> bool:
        own = self.cast.tracks_of(character)
        return 2 * sum(track in self.keys for track in own) >= len(own)

    def _is_whole(self, character: str) -> bool:
        """Return whether a character is this person as a whole."""
        given = {self.keys.get(track, self.key) for track in self.cast.tracks_of(character)}
        return given == {self.key} and self._is_mostly_in_file(character)

    def _staying(self, character: str) -> list[int]:
        """Return the tracks of a character that the file does not give to somebody else."""
        own = self.cast.tracks_of(character)
        return [track for track in own if self.keys.get(track, self.key) == self.key]

    def _largest_part_key(self, character: str) -> str | None:
        """Return the person that most tracks of a character are given to, of new people only."""
        given = Counter(
            key
            for track in self.cast.tracks_of(character)
            if (key := self.keys.get(track)) is not None
            and key not in (UNKNOWN, IGNORED)
            and not self._is_kept(key)
        )
        return min(given, key=lambda key: (-given[key], key), default=None)

    def _largest_part(self, character: str) -> list[int]:
        """Return the tracks of a character that stay together, as many as possible."""
        own = self.cast.tracks_of(character)
        parts: dict[str, list[int]] = defaultdict(list)
        for track in own:
            parts[self.keys.get(track, character)].append(track)
        known = [part for key, part in parts.items() if key not in (UNKNOWN, IGNORED)]
        return max(known, key=len, default=[])
