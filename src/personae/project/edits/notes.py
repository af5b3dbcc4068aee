"""What the maker of an edit should know beside that it is entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    entered: Sequence[LocatedEdit],
    compiled: CompiledEdits,
    cannot_links: pa.Table,
    edits: Sequence[Edit],
) -> list[tuple[str, ...]]:
    """Return sentences about what edits do beside what they say.

    Args:
        entered: Edits that have just been entered.
        compiled: All edits that hold, these included.
        cannot_links: The table of tracks that are on screen together.
        edits: All edits.
    """
    by_id = {one.id: one for one in edits}
    together = _seen_together(entered, cannot_links)
    return [
        tuple(_list_notes(edit, compiled, pairs, by_id))
        for edit, pairs in zip(entered, together, strict=True)
    ]


def _list_notes(
    edit: LocatedEdit,
    compiled: CompiledEdits,
    together: Sequence[tuple[int, int, int]],
    by_id: Mapping[int, Edit],
) -> Iterator[str]:
    for withdrawal in compiled.withdrawals:
        if withdrawal.edit == edit.id:
            for number in withdrawal.taken_back:
                told = describe_edit(by_id[number])
                yield f"Edit {number} ({told}) no longer holds for these tracks."
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


def _seen_together(
    edits: Sequence[LocatedEdit], cannot_links: pa.Table
) -> list[list[tuple[int, int, int]]]:
    """Return for every edit the pairs that it makes one person although they share frames."""
    if not any(edit.kind in ("merge", "move") for edit in edits):
        return [[] for _ in edits]
    columns = (cannot_links[name].to_pylist() for name in ("track_a", "track_b", "frames"))
    links = list(zip(*columns, strict=True))
    return [_joined_by(edit, links) for edit in edits]


def _joined_by(
    edit: LocatedEdit, links: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    sides = [set(group.tracks) for group in edit.groups if group.role != "rest"]
    if edit.kind not in ("merge", "move"):
        return []
    named = set().union(*sides)
    return [
        (a, b, frames)
        for a, b, frames in links
        if a in named
        and b in named
        and any((a in x and b in y) or (b in x and a in y) for x, y in combinations(sides, 2))
    ]


def _namesakes(edit: LocatedEdit, compiled: CompiledEdits) -> list[int]:
    """Return the tracks that an edit makes one person with others by giving them a known name."""
    if edit.kind != "name" or edit.name is None:
        return []
    named = set(edit.tracks("person"))
    return [track for track in compiled.names.get(edit.name, ()) if track not in named]
