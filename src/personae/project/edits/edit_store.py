"""The edits of a project folder: reading, compiling, checking and entering them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from personae.core.errors import ContradictionError
from personae.project.edits.compiled import CompiledEdits, Contradiction, compile_edits
from personae.project.edits.describe import describe_edit, describe_moment
from personae.project.edits.edit import Edit, Kind, TrackGroup
from personae.project.edits.edit_batch import NewEdit, NumberedGroup
from personae.project.edits.history import edits_that_hold, find_edit_to_reverse
from personae.project.edits.journal import Journal, JournalContent
from personae.project.edits.locating import LocatedEdits, UnmatchedTrack, locate_edits
from personae.project.edits.notes import list_notes
from personae.project.edits.track_marks import FACE_COLUMNS, MarkMaker

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project.cast import Cast
    from personae.project.manifest import StageRecord


TAKE_BACK: frozenset[Kind] = frozenset({"name", "split", "move", "ignore"})
"""Kinds of edits that overrule others, or leave out tracks of which these spoke."""


class EditedProject(Protocol):
    """What edits need of a project."""

    folder: Path

    def require(self, stage: str) -> StageRecord:
        """Return the record of a finished stage."""
        ...

    def table(self, name: str, *columns: str) -> pa.Table:
        """Return a finished table."""
        ...

    def cast(self) -> Cast:
        """Return the characters."""
        ...


class EnteredEdit(NamedTuple):
    """An edit that has just been entered, and what its maker should know."""

    edit: Edit
    notes: tuple[str, ...]
    """Sentences, such as that two merged tracks are on screen together."""


class LogEntry(NamedTuple):
    """One edit of the log."""

    edit: Edit
    holds: bool
    """False for an edit that is undone; true for `undo` and `redo`."""

    text: str
    """What it says, in half a sentence."""


class EditStore:
    """The journal of a project, compiled for its present scan."""

    def __init__(self, project: EditedProject) -> None:
        self._project = project
        self._journal = Journal(project.folder)
        self._compiled: tuple[tuple[Edit, ...], str, CompiledEdits, LocatedEdits] | None = None
        self._mark_maker: tuple[str, MarkMaker] | None = None

    def read(self) -> tuple[Edit, ...]:
        """Return all edits in their order."""
        return self._journal.read().edits

    def log(self) -> list[LogEntry]:
        """Return all edits in their order."""
        edits = self.read()
        held = {edit.id for edit in edits_that_hold(edits)}
        return [
            LogEntry(edit, edit.is_reversal or edit.id in held, describe_edit(edit))
            for edit in edits
        ]

    def compiled(self) -> CompiledEdits:
        """Return what all edits that hold say about the tracks of the present scan.

        Raises:
            ProjectError: There are edits, and the scan has not finished.
        """
        return self._compile(self.read())[0]

    def unmatched(self) -> list[UnmatchedTrack]:
        """Return the tracks of edits that hold which the present scan does not have."""
        return list(self._compile(self.read())[1].unmatched)

    def problems(self) -> list[str]:
        """Return a sentence for everything in the edits that cannot be honoured."""
        content = self._journal.read()
        compiled, located = self._compile(content.edits)
        found = [
            f"Line {line.line} of {self._journal.path} cannot be read and is set aside: {line.text}"
            for line in content.unreadable
        ]
        found += [_describe_contradiction(one) for one in compiled.contradictions]
        found += [
            f"The scan has no track where edit {one.edit} names track {one.mark.track} "
            f"({one.mark.start_s:.1f} to {one.mark.end_s:.1f} s)."
            for one in located.unmatched
        ]
        return found

    def enter(
        self,
        new: Sequence[NewEdit],
        by: str | None,
        refused: list[ContradictionError] | None = None,
    ) -> tuple[EnteredEdit, ...]:
        """Check edits against all others and append them: all, or none of them.

        Args:
            new: The edits.
            by: Who says so.
            refused: Edits that contradict others are left out, and why is added here; None: they
                are an error.

        Raises:
            ContradictionError: They contradict earlier edits or each other.
        """
        if not new:
            return ()
        marked = [[self._mark(group) for group in one.groups] for one in new]
        with self._journal.writing() as writer:
            first = writer.next_id
            made = self._make_all(first, new, marked, by)
            try:
                self._check_together(writer.content, made)
            except ContradictionError:
                if refused is None:
                    raise
                rest = self._leave_out(writer.content, made, refused)
                new, marked = [new[place] for place in rest], [marked[place] for place in rest]
                made = self._make_all(first, new, marked, by)
                if not made:
                    return ()
            writer.append(*made)
            compiled, located = self._compile(writer.content.edits)
            edits = writer.content.edits
        links = self._project.table("cannot_links")
        notes = list_notes(located.edits[-len(made) :], compiled, links, edits)
        return tuple(map(EnteredEdit, made, notes))

    def _make_all(
        self,
        first: int,
        new: Sequence[NewEdit],
        marked: Sequence[Sequence[TrackGroup]],
        by: str | None,
    ) -> list[Edit]:
        """Return edits with their numbers; all but the first are parts of it."""
        made = []
        for number, (one, groups) in enumerate(zip(new, marked, strict=True), start=first):
            part_of = None if number == first else first
            fields = {"groups": groups, "name": one.name, "part_of": part_of}
            made.append(self._make(number, one.kind, by, **fields))
        return made

    def _check_together(self, content: JournalContent, made: Sequence[Edit]) -> None:
        """Check edits that are entered together, and what is left if a crash loses the last ones.

        Edits that take back what was said can end a contradiction, and hide it from the check of
        all.
        """
        known = self._known_contradictions(content)
        for place, one in enumerate(made):
            if place and one.kind in TAKE_BACK:
                self._check(content, made[:place], known)
        self._check(content, made, known)

    def _leave_out(
        self, content: JournalContent, made: Sequence[Edit], refused: list[ContradictionError]
    ) -> list[int]:
        """Return the places of the edits that contradict none before them."""
        known = self._known_contradictions(content)
        places: list[int] = []
        for place in range(len(made)):
            try:
                self._check(content, [made[k] for k in (*places, place)], known)
            except ContradictionError as error:
                refused.append(error)
            else:
                places.append(place)
        return places

    def reverse(self, kind: Kind, number: int | None, by: str | None) -> EnteredEdit:
        """Enter an `undo` or `redo`."""
        find_edit_to_reverse(kind, self.read(), number)  # a refusal leaves no empty file behind
        with self._journal.writing() as writer:
            target = find_edit_to_reverse(kind, writer.content.edits, number)
            edit = self._make(writer.next_id, kind, by, of=target.id)
            self._check(writer.content, [edit], self._known_contradictions(writer.content))
            writer.append(edit)
            edits = writer.content.edits
        done = "Undone" if kind == "undo" else "Redone"
        return EnteredEdit(edit, (f"{done}: {describe_moment(target, edits)}.",))

    def _make(self, number: int, kind: Kind, by: str | None, **fields: object) -> Edit:
        return Edit.model_validate(
            {
                "id": number,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "software": version("personae"),
                "kind": kind,
                "who": by,
                "scan": self._scan(),
                **fields,
            }
        )

    def _known_contradictions(self, content: JournalContent) -> set[tuple[object, ...]]:
        """Return what is set aside already, as in a new scan whose tracks are other ones."""
        return {one[:2] for one in self._compile(content.edits)[0].contradictions}

    def _check(
        self, content: JournalContent, made: Sequence[Edit], known: set[tuple[object, ...]]
    ) -> None:
        """Raise a ContradictionError where new edits contradict those that hold, or each other."""
        after = self._compile((*content.edits, *made))[0]
        new = [one for one in after.contradictions if one[:2] not in known]
        if not new:
            return
        by_id = {one.id: one for one in content.edits}
        involved = sorted({*new[0].because_of, new[0].edit} & set(by_id))
        told = " and ".join(describe_moment(by_id[one]) for one in involved) or "itself"
        one, other = new[0].tracks
        raise ContradictionError(
            f"That contradicts {told}: tracks {one} and {other} would be one person and two; "
            "undo what is wrong, or move the tracks that are wrong.",
            tuple(involved),
        )

    def _compile(self, edits: Sequence[Edit]) -> tuple[CompiledEdits, LocatedEdits]:
        held = tuple(edits_that_hold(edits))
        if not held:
            return CompiledEdits(), LocatedEdits()
        scan, cached = self._scan(), self._compiled
        if cached is None or cached[:2] != (held, scan):
            tracks = self._project.table("tracks")
            located = locate_edits(held, scan, tracks, self._load_faces)
            cached = held, scan, compile_edits(located.edits), located
            self._compiled = cached
        return cached[2], cached[3]

    def _mark(self, group: NumberedGroup) -> TrackGroup:
        """Describe the tracks of a group so that they are found again in a new scan."""
        scan, cached = self._scan(), self._mark_maker
        if cached is None or cached[0] != scan:
            cached = scan, MarkMaker(self._project.table("tracks"), self._load_faces())
            self._mark_maker = cached
        tracks = tuple(cached[1].make(track) for track in group.tracks)
        return TrackGroup(role=group.role, label=group.label, tracks=tracks)

    def _load_faces(self) -> pa.Table:
        return self._project.table("faces", *FACE_COLUMNS)

    def _scan(self) -> str:
        return self._project.require("scan").digest


def _describe_contradiction(found: Contradiction) -> str:
    """Return a sentence about a statement that was set aside."""
    one, other = found.tracks
    if one == other:
        return f"Edit {found.edit} is set aside: what it says are two people is track {one} now."
    word = "edit" if len(found.because_of) == 1 else "edits"
    numbers = " and ".join(map(str, found.because_of))
    where = f"tracks {one} and {other} would be one person and two"
    return f"Edit {found.edit} is set aside where it contradicts {word} {numbers}: {where}."
