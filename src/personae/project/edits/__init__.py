"""What people have said about the cast: an append-only list of edits, and what they compile to."""

from __future__ import annotations

from personae.project.edits.compiled import CompiledEdits, Contradiction, compile_edits
from personae.project.edits.edit import Edit, TrackGroup, TrackMark
from personae.project.edits.edit_store import EnteredEdit, LogEntry
from personae.project.edits.names import CastList
from personae.project.edits.people import Person
from personae.project.edits.project_edits import ProjectEdits
from personae.project.edits.statements import LocatedEdit, LocatedGroup

__all__ = [
    "CastList",
    "CompiledEdits",
    "Contradiction",
    "Edit",
    "EnteredEdit",
    "LocatedEdit",
    "LocatedGroup",
    "LogEntry",
    "Person",
    "ProjectEdits",
    "TrackGroup",
    "TrackMark",
    "compile_edits",
]
