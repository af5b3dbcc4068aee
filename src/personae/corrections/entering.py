"""Enter the edits that a corrected file asks for, as far as earlier edits allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from personae.core.errors import EditError
from personae.corrections.intended_edits import IntendedEdit

if TYPE_CHECKING:
    from personae.project import Cast, Project
    from personae.project.edits import Person


def enter_edits(project: Project, intended: Iterable[IntendedEdit], by: str | None) -> list[str]:
    """Enter edits one by one; one that contradicts what a person has said before is left out.

    Args:
        project: The project.
        intended: In the order in which they have to be made.
        by: Who has corrected the file.

    Returns:
        A sentence for each edit that could not be entered.

    Raises:
        OutputError: The edits cannot be written.
    """
    held = {track for one in project.cast() for track in one.tracks}
    refused = []
    for edit in intended:
        try:
            _enter(project, edit, not held.isdisjoint(edit.tracks), by)
        except EditError as error:
            refused.append(f"Not done: {edit.describe()}. {error}")
    return refused


def _enter(project: Project, edit: IntendedEdit, is_held: bool, by: str | None) -> None:
    """Enter one edit.

    Args:
        project: The project.
        edit: What is to be said.
        is_held: Whether any of its tracks belonged to a character before the first edit.
        by: Who says so.
    """
    edits, cast = project.edits, project.cast()
    tracks, kept = _find_person(cast, edit.tracks), _find_person(cast, edit.of_character)
    match edit.kind:
        case "ignore":
            edits.ignore(tracks, by=by)
        case "different":
            edits.different(tracks, kept, by=by)
        case "split":
            if is_held:
                edits.split(None, edit.tracks, by=by)
            elif len(edit.tracks) > 1:
                edits.merge(*edit.tracks, by=by)
        case "move" if is_held or isinstance(kept, str):
            edits.move(edit.tracks, kept, by=by)
        case "merge" | "move":
            edits.merge(kept, tracks, by=by)
        case "name":
            edits.name(tracks, edit.name, by=by)


def _find_person(cast: Cast, tracks: tuple[int, ...]) -> Person:
    """Return the character that holds exactly these tracks, or else the tracks.

    The cast stays as it was until it is clustered anew, so a character may still hold tracks that
    have been moved away.
    """
    wanted = set(tracks)
    return next((one.label for one in cast if set(one.tracks) == wanted), tracks)
