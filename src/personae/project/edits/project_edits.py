"""`project.edits`: what a person has said about the cast, and the verbs to say more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from personae.core.errors import ContradictionError
from personae.project.edits.compiled import CompiledEdits
from personae.project.edits.describe import describe_with_parts
from personae.project.edits.edit import Edit
from personae.project.edits.edit_batch import EditBatch
from personae.project.edits.edit_store import EditedProject, EditStore, EnteredEdit, LogEntry
from personae.project.edits.history import edit_to_redo, edit_to_undo
from personae.project.edits.locating import UnmatchedTrack
from personae.project.edits.people import People, Person


class EditsEnteredTogether(EditBatch):
    """Edits that are entered at the end of a block."""

    entered: tuple[EnteredEdit, ...] = ()
    """What was entered, in order; empty inside the block."""

    refused: list[ContradictionError] | None = None
    """Why edits were left out; None unless they may be."""


class ProjectEdits:
    """The edits of a project; several threads and processes may read and enter at once.

    A character is named by its label or name, a track by its number, several tracks by a list of
    numbers. Every verb returns once the edit is safe on the disk; the clustering changes with the
    next `personae.recluster`.
    """

    def __init__(self, project: EditedProject) -> None:
        self._project = project
        self._store = EditStore(project)

    @contextmanager
    def together(
        self, *, by: str | None = None, leave_out: bool = False
    ) -> Iterator[EditsEnteredTogether]:
        """Enter several edits as one: all of them or none, and undone together.

        The verbs of what is returned are those of this class; the edits are entered at the end of
        the block, and are then in its `entered`. All are about the cast as it is at its beginning.

        Args:
            by: Who says so.
            leave_out: Leave out what contradicts earlier edits, or those before it in the block;
                `refused` then says why.

        Raises:
            ContradictionError: They contradict earlier edits or each other.
        """
        project = self._project
        people = People(project.cast(), project.table("tracks"), project.table("characters"))
        batch = EditsEnteredTogether(people)
        yield batch
        batch.refused = [] if leave_out else None
        batch.entered = self._store.enter(batch.edits, by, batch.refused)

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
        with self.together(by=by) as batch:
            batch.name(who, name)
        return batch.entered[0]

    def merge(self, *people: Person, by: str | None = None) -> EnteredEdit:
        """Say that characters or tracks are one person; the first keeps its number and name.

        Args:
            *people: Two or more characters or tracks; or one list of tracks.
            by: Who says so.

        Raises:
            EditError: There is no such character or track, or fewer than two are named.
            ContradictionError: Earlier edits say that they are different people.
        """
        with self.together(by=by) as batch:
            batch.merge(*people)
        return batch.entered[0]

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
        with self.together(by=by) as batch:
            batch.split(character, tracks)
        return batch.entered[0]

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
        with self.together(by=by) as batch:
            batch.move(who, to)
        return batch.entered[0]

    def ignore(self, *who: Person, by: str | None = None) -> EnteredEdit:
        """Leave characters or tracks out of the cast: extras, posters, what is no face.

        Raises:
            EditError: There is no such character or track.
        """
        with self.together(by=by) as batch:
            batch.ignore(*who)
        return batch.entered[0]

    def confirm(self, *characters: Person, by: str | None = None) -> EnteredEdit:
        """Say that all tracks of a character are one person, of each if several are named.

        Raises:
            EditError: There is no such character or track.
            ContradictionError: Earlier edits say that two of the tracks are different people.
        """
        with self.together(by=by) as batch:
            batch.confirm(*characters)
        return batch.entered[0]

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
        with self.together(by=by) as batch:
            batch.different(one, *others)
        return batch.entered[0]

    def undo(self, edit: int | None = None, *, by: str | None = None) -> EnteredEdit:
        """Undo the latest edit, or the one with a number, and what was entered together with it.

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

    def describe(self, edit: Edit) -> str:
        """Return what an edit says, and how many more were entered together with it."""
        return describe_with_parts(edit, self._store.read())

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
