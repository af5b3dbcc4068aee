"""Find the tracks that edits name in the scan at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from personae.project.edits.edit import Edit, TrackMark
from personae.project.edits.statements import LocatedEdit, LocatedGroup
from personae.project.edits.track_marks import TrackSpans, find_marks

if TYPE_CHECKING:
    import pyarrow as pa


class UnmatchedTrack(NamedTuple):
    """A track of an edit that the scan does not have."""

    edit: int
    mark: TrackMark


@dataclass(frozen=True)
class LocatedEdits:
    """Edits by the tracks of one scan."""

    edits: tuple[LocatedEdit, ...] = ()
    unmatched: tuple[UnmatchedTrack, ...] = ()
    """What the edits name and the scan does not have."""


def locate_edits(
    edits: Sequence[Edit], scan: str, tracks: pa.Table, load_faces: Callable[[], pa.Table]
) -> LocatedEdits:
    """Replace the marks of edits by the numbers of the tracks that show the same.

    Numbers hold within the scan that an edit was made on; in others, tracks are matched by time and
    overlap. What is not found again is left out of the edits and listed.

    Args:
        edits: In the order in which they were made.
        scan: Digest of the scan.
        tracks: Its table of tracks.
        load_faces: Loads its table of faces; called only where tracks have to be matched.
    """
    spans = TrackSpans(tracks)
    known = [[edit.scan == scan and spans.has(mark) for mark in edit.marks()] for edit in edits]
    lost = [
        mark
        for edit, is_known in zip(edits, known, strict=True)
        for mark, found in zip(edit.marks(), is_known, strict=True)
        if not found
    ]
    found_again = find_marks(lost, load_faces()) if lost else {}
    located, unmatched = [], []
    for edit, is_known in zip(edits, known, strict=True):
        groups, places = [], iter(is_known)
        for group in edit.groups:
            numbers: dict[int, None] = {}
            for mark in group.tracks:
                hits = (mark.track,) if next(places) else found_again[mark]
                numbers.update(dict.fromkeys(hits))
                if not hits:
                    unmatched.append(UnmatchedTrack(edit.id, mark))
            groups.append(LocatedGroup(group.role, tuple(numbers), group.label))
        located.append(LocatedEdit(edit.id, edit.kind, tuple(groups), edit.name))
    return LocatedEdits(tuple(located), tuple(unmatched))
