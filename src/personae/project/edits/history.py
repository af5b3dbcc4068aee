"""Which edits hold: undo and redo are edits themselves, each about one other edit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from personae.core.errors import EditError
from personae.project.edits.edit import Edit, Kind


def edits_that_hold(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits about tracks that are not undone, in the order in which they were made.

    An edit that is undone and redone holds at its old place.
    """
    undone = _undone(edits)
    return [edit for edit in edits if not edit.is_reversal and edit.id not in undone]


def edit_to_undo(edits: Sequence[Edit]) -> Edit | None:
    """Return what a plain `undo` would undo: the latest edit that holds.

    Of edits that were entered together it is the first, which stands for all.
    """
    held = edits_that_hold(edits)
    if not held:
        return None
    return next((one for one in held if one.id == held[-1].part_of), held[-1])


def edit_to_redo(edits: Sequence[Edit]) -> Edit | None:
    """Return what a plain `redo` would redo: the edit undone last, unless a new one followed."""
    waiting: list[int] = []
    for edit in edits:
        match edit.kind:
            case "undo":
                waiting.append(_target(edit))
            case "redo":
                waiting = [one for one in waiting if one != edit.of]
            case _:
                waiting.clear()
    by_id = {edit.id: edit for edit in edits}
    return by_id[waiting[-1]] if waiting and waiting[-1] in by_id else None


def find_edit_to_reverse(kind: Kind, edits: Sequence[Edit], number: int | None) -> Edit:
    """Return the edit that an `undo` or `redo` is about.

    Args:
        kind: `undo` or `redo`.
        edits: All edits.
        number: Of the edit; None: the one that a plain `undo` or `redo` means.

    Raises:
        EditError: There is none, or it is already as it is asked to be.
    """
    if number is None:
        found = edit_to_undo(edits) if kind == "undo" else edit_to_redo(edits)
        if found is None:
            raise EditError(f"There is no edit to {kind}.")
        return found
    edit = {edit.id: edit for edit in edits}.get(number)
    if edit is None:
        raise EditError(f"There is no edit {number}: `log` lists them.")
    if edit.is_reversal:
        opposite = "redo" if edit.kind == "undo" else "undo"
        raise EditError(
            f"Edit {number} is of the kind {edit.kind}: {opposite} edit {edit.of} instead."
        )
    is_undone = number in _undone(edits)
    if is_undone == (kind == "undo"):
        raise EditError(f"Edit {number} is {'undone already' if is_undone else 'not undone'}.")
    return edit


def _undone(edits: Sequence[Edit]) -> set[int]:
    """Return the numbers of the edits that are undone; what was entered together goes together."""
    undone: set[int] = set()
    parts: dict[int, set[int]] = defaultdict(set)
    for edit in edits:
        if edit.part_of is not None:
            parts[edit.part_of].add(edit.id)
        if edit.kind == "undo":
            undone |= {_target(edit), *parts[_target(edit)]}
        elif edit.kind == "redo":
            undone -= {_target(edit), *parts[_target(edit)]}
    return undone


def _target(edit: Edit) -> int:
    return -1 if edit.of is None else edit.of
