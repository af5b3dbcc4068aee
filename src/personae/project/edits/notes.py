"""What the maker of an edit should know beside that it is entered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from personae.project.edits.compiled import CompiledEdits
from personae.project.edits.describe import describe_edit, list_tracks
from personae.project.edits.edit import Edit
from personae.project.edits.statements import LocatedEdit

if TYPE_CHECKING:
    import pyarrow as pa

MAX_PAIRS_SHOWN = 3
"""Pairs of tracks on screen together that are listed before the rest is counted."""


def list_notes(
    edit: LocatedEdit,
    compiled: CompiledEdits,
    cannot_links: pa.Table,
    edits: Sequence[Edit],
) -> Iterator[str]:
    """Yield a sentence for each thing that an edit does beside what it says.

    Args:
        edit: The edit.
        compiled: All edits that hold, this one included.
        cannot_links: The table of tracks that are on screen together.
        edits: All edits.
    """
    by_id = {one.id: one for one in edits}
    for withdrawal in compiled.withdrawals:
        if withdrawal.edit == edit.id:
            for number in withdrawal.taken_back:
                told = describe_edit(by_id[number])
                yield f"Edit {number} ({told}) no longer holds for these tracks."
    together = _seen_together(edit, cannot_links)
    for a, b, frames in together[:MAX_PAIRS_SHOWN]:
        yield (
            f"Tracks {a} and {b} are on screen together in {frames} frames; "
            "that they are one person overrules it."
        )
    if len(together) > MAX_PAIRS_SHOWN:
        yield f"So are {len(together) - MAX_PAIRS_SHOWN} more pairs of these tracks."
    namesakes = _namesakes(edit, compiled)
    if namesakes:
        yield f"It is one person with {list_tracks(namesakes)}, which has that name too."


def _seen_together(edit: LocatedEdit, cannot_links: pa.Table) -> list[tuple[int, int, int]]:
    """Return the pairs of tracks that an edit makes one person although they share frames."""
    sides = [set(group.tracks) for group in edit.groups if group.role != "rest"]
    if edit.kind not in ("merge", "move"):
        return []
    columns = (cannot_links[name].to_pylist() for name in ("track_a", "track_b", "frames"))
    return [
        (a, b, frames)
        for a, b, frames in zip(*columns, strict=True)
        if any((a in x and b in y) or (b in x and a in y) for x, y in combinations(sides, 2))
    ]


def _namesakes(edit: LocatedEdit, compiled: CompiledEdits) -> list[int]:
    """Return the tracks that an edit makes one person with others by giving them a known name."""
    if edit.kind != "name" or edit.name is None:
        return []
    named = set(edit.tracks("person"))
    return [track for track in compiled.names.get(edit.name, ()) if track not in named]
