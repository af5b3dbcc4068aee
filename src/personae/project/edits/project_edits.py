"""`project.edits`: what a person has said about the cast, and the verbs to say more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from personae.core.errors import EditError
from personae.project.edits.compiled import CompiledEdits
from personae.project.edits.describe import list_tracks
from personae.project.edits.edit import Edit, Role
from personae.project.edits.edit_store import (
    EditedProject,
    EditStore,
    EnteredEdit,
    LogEntry,
    NumberedGroup,
)
from personae.project.edits.history import edit_to_redo, edit_to_undo
from personae.project.edits.locating import UnmatchedTrack
from personae.project.edits.names import clean_name
from personae.project.edits.people import FoundTracks, People, Person


class ProjectEdits:
    """The edits of a project; several threads and processes may read and enter at once.

    A character is named by its label or name, a track by its number, several tracks by a list of
    numbers. Every verb returns once the edit is safe on the disk; the clustering changes with the
    next `personae.recluster`.
    """

    def __init__(self, project: EditedProject) -> None:
        self._project = project
        self._store = EditStore(project)

    def name(self, who: Person, name: str | None, *, by: str | None = None) -> EnteredEdit:
        """Name a character or some tracks; None takes the name away.

        Two characters that get one name are one person.

        Args:
            who: A character or tracks.
            name: The name.
            by: Who says so.

        Raises:
            EditError: There is no such character or track, or the name cannot be one.
            ContradictionError: Earlier edits say that the name's bearer is somebody else.
        """
        cleaned = None if name is None else clean_name(name)
        return self._store.enter("name", [_group("person", self._people().find(who))], by, cleaned)

    def merge(self, *people: Person, by: str | None = None) -> EnteredEdit:
        """Say that characters or tracks are one person; the first keeps its number and name.

        Args:
            *people: Two or more characters or tracks; or one list of tracks.
            by: Who says so.

        Raises:
            EditError: There is no such character or track, or fewer than two are named.
            ContradictionError: Earlier edits say that they are different people.
        """
        found = [self._people().find(who) for who in people]
        named_alone = len(found) == 1 and found[0].label is not None
        if named_alone or len({track for one in found for track in one.tracks}) < 2:
            raise EditError("One person alone cannot be merged: name two or more.")
        return self._store.enter("merge", [_group("person", one) for one in found], by)

    def split(
        self, character: str | None, tracks: Iterable[int], *, by: str | None = None
    ) -> EnteredEdit:
        """Say that some tracks are somebody else than the others of their characters.

        Args:
            character: The character that the tracks are taken out of; None: whoever holds them.
            tracks: The tracks, which are one other person.
            by: Who says so.

        Raises:
            EditError: There is no such character, or not all tracks are in it, or no other is.
            ContradictionError: Earlier edits say that the tracks are several people.
        """
        people = self._people()
        moved = people.find(tracks)
        if character is not None:
            whole = people.find_character(character)
            foreign = sorted(set(moved.tracks) - set(whole.tracks))
            if foreign:
                raise EditError(f"{whole.label} does not hold {list_tracks(foreign)}.")
        groups = _moved_groups(people, moved.tracks)
        if not any(group.role == "rest" for group in groups):
            where = f"no other track of {character}" if character else "nobody to split them from"
            raise EditError(f"There is {where}: name only the tracks that are somebody else.")
        return self._store.enter("split", groups, by)

    def move(self, who: Person, to: Person, *, by: str | None = None) -> EnteredEdit:
        """Say that tracks are another character, and not the one that holds them.

        Args:
            who: The tracks, or a character.
            to: The character or track that they are.
            by: Who says so.

        Raises:
            EditError: There is no such character or track, or the tracks are there already.
            ContradictionError: Earlier edits say that the tracks are several people.
        """
        people = self._people()
        moved, target = people.find(who), people.find(to)
        joined = [track for track in target.tracks if track not in moved.tracks]
        homes = {people.label_of.get(one) for one in moved.tracks}
        if not joined or (target.label is not None and homes == {target.label}):
            raise EditError(
                f"{list_tracks(moved.tracks).capitalize()} cannot move there: no change."
            )
        groups = [
            group
            for group in _moved_groups(people, moved.tracks)
            if group.role == "moved" or not set(group.tracks) & set(joined)
        ]
        groups.append(NumberedGroup("target", target.label, tuple(joined)))
        return self._store.enter("move", groups, by)

    def ignore(self, *who: Person, by: str | None = None) -> EnteredEdit:
        """Leave characters or tracks out of the cast: extras, posters, what is no face.

        Raises:
            EditError: There is no such character or track.
        """
        found = [self._people().find(one) for one in who]
        return self._store.enter("ignore", [_group("person", one) for one in found], by)

    def confirm(self, *characters: Person, by: str | None = None) -> EnteredEdit:
        """Say that all tracks of a character are one person, of each if several are named.

        Raises:
            EditError: There is no such character or track.
            ContradictionError: Earlier edits say that two of the tracks are different people.
        """
        found = [self._people().find(one) for one in characters]
        return self._store.enter("confirm", [_group("person", one) for one in found], by)

    def different(self, one: Person, *others: Person, by: str | None = None) -> EnteredEdit:
        """Say that a character or tracks are none of some others.

        Nothing is said of the others among each other.

        Args:
            one: A character or tracks.
            *others: One or more characters or tracks that are somebody else.
            by: Who says so.

        Raises:
            EditError: There is no such character or track, or one shares a track with another.
            ContradictionError: Earlier edits say that they are one person.
        """
        found = [self._people().find(who) for who in (one, *others)]
        if len(found) < 2:
            raise EditError("One person alone is nobody else: name two or more.")
        named = set(found[0].tracks)
        for other in found[1:]:
            shared = named & set(other.tracks)
            if shared:
                told = list_tracks(sorted(shared))
                raise EditError(f"Both hold {told}: name two different people.")
        return self._store.enter("different", [_group("person", each) for each in found], by)

    def undo(self, edit: int | None = None, *, by: str | None = None) -> EnteredEdit:
        """Undo the latest edit, or the one with a number.

        Raises:
            EditError: There is none, or it is undone already.
            ContradictionError: What it had taken back contradicts other edits.
        """
        return self._store.reverse("undo", edit, by)

    def redo(self, edit: int | None = None, *, by: str | None = None) -> EnteredEdit:
        """Let an undone edit hold again: the one undone last, or the one with a number.

        Without a number it must be the latest thing done, as in other programs.

        Raises:
            EditError: There is none, or it is not undone.
            ContradictionError: It contradicts edits made since.
        """
        return self._store.reverse("redo", edit, by)

    def log(self) -> list[LogEntry]:
        """Return all edits in their order."""
        return self._store.log()

    def edit_to_undo(self) -> Edit | None:
        """Return what a plain `undo` would undo."""
        return edit_to_undo(self._store.read())

    def edit_to_redo(self) -> Edit | None:
        """Return what a plain `redo` would redo."""
        return edit_to_redo(self._store.read())

    def any_entered(self) -> bool:
        """Return whether an edit was ever entered, undone ones included."""
        return bool(self._store.read())

    def compiled(self) -> CompiledEdits:
        """Return what all edits that hold say about the tracks of the present scan.

        Raises:
            ProjectError: There are edits, and the scan has not finished.
        """
        return self._store.compiled()

    def unmatched(self) -> list[UnmatchedTrack]:
        """Return the tracks of edits that hold which the present scan does not have."""
        return self._store.unmatched()

    def problems(self) -> list[str]:
        """Return a sentence for everything in the edits that cannot be honoured."""
        return self._store.problems()

    def _people(self) -> People:
        project = self._project
        return People(project.cast(), project.table("tracks"), project.table("characters"))


def _group(role: Role, found: FoundTracks) -> NumberedGroup:
    return NumberedGroup(role, found.label, found.tracks)


def _moved_groups(people: People, tracks: Sequence[int]) -> list[NumberedGroup]:
    """Return the tracks that leave each character, and those that stay in it."""
    groups = []
    for label, own in people.by_character(tracks).items():
        groups.append(NumberedGroup("moved", label, own))
        if label is not None:
            rest = tuple(one for one in people.find_character(label).tracks if one not in own)
            if rest:
                groups.append(NumberedGroup("rest", label, rest))
    return groups
