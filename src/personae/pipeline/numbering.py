"""Numbers of characters: by falling screen time, and kept once people have begun to edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.project.edits.edit import TrackMark
from personae.project.edits.track_marks import (
    FACE_COLUMNS,
    MarkMaker,
    TrackSpans,
    find_marks,
)
from personae.project.tables import file_name, read_table

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project import Project

MIN_LABEL_DIGITS = 2
"""P01, not P1."""


@dataclass(frozen=True)
class KnownNumber:
    """A number that a character has had."""

    label: str
    """P01, P02, ..."""

    tracks: frozenset[int]
    """The tracks of the character when it last had the number."""

    is_current: bool
    """Whether the latest clustering used it."""


def number_characters(
    groups: Mapping[int, AbstractSet[int]],
    known: Sequence[KnownNumber] = (),
    heads: Sequence[int] = (),
) -> dict[int, str]:
    """Give every character a number: the one that it had, otherwise a new one.

    Characters and known numbers are matched one to one, so that as many tracks as possible keep
    theirs. A match needs more than half of the tracks of either; for a number that is no longer in
    use, of both. Where characters have been merged, the one that the merge named first keeps its
    number. A number is never given to somebody new.

    Args:
        groups: Label -> tracks of the character, by falling screen time.
        known: The numbers given so far.
        heads: Tracks whose character keeps its number when others join it, the latest last.

    Returns:
        Label -> P01, P02, ...
    """
    labels = list(groups)
    given: dict[int, str] = {}
    if known:
        weights = np.array(
            [[_overlap(groups[label], one) for one in known] for label in labels]
        ).reshape(len(labels), len(known))
        for row, column in _find_preferred(labels, groups, known, heads):
            if weights[row, column]:
                weights[row, column] += sum(len(tracks) for tracks in groups.values())
        given = {
            labels[row]: known[column].label
            for row, column in _match(weights)
            if weights[row, column]
        }
    used = {int(one.label[1:]) for one in known}
    width = min((len(one.label) - 1 for one in known), default=len(str(len(labels))))
    number = max(used, default=0)
    for label in labels:
        if label not in given:
            number += 1
            given[label] = f"P{number:0{max(width, MIN_LABEL_DIGITS)}d}"
    return given


def load_known_numbers(project: Project, scan: str) -> list[KnownNumber]:
    """Read the numbers given so far, by the tracks of a scan.

    Args:
        project: The project.
        scan: Digest of its scan.

    Returns:
        In ascending order; empty where none were given, or the table cannot be read.
    """
    import pyarrow as pa

    try:
        rows = read_table("numbers", project.folder / file_name("numbers")).to_pylist()
    except (OSError, ValueError, pa.ArrowException):
        return []
    marks = [_mark_of(row) for row in rows]
    spans = TrackSpans(project.table("tracks"))
    is_known = [row["scan"] == scan and spans.has(m) for m, row in zip(marks, rows, strict=True)]
    lost = [mark for mark, known in zip(marks, is_known, strict=True) if not known]
    found = find_marks(lost, project.table("faces", *FACE_COLUMNS)) if lost else {}
    tracks: dict[str, set[int]] = {}
    current: dict[str, bool] = {}
    for mark, row, known in zip(marks, rows, is_known, strict=True):
        label = row["character"]
        tracks.setdefault(label, set()).update((mark.track,) if known else found[mark])
        current[label] = row["current"]
    return [
        KnownNumber(label, frozenset(tracks[label]), current[label])
        for label in sorted(tracks, key=lambda label: int(label[1:]))
    ]


def tabulate_numbers(
    project: Project,
    scan: str,
    groups: Mapping[str, Iterable[int]],
    known: Sequence[KnownNumber],
) -> pa.Table:
    """Return the rows of `numbers.parquet`: of every number given so far, the tracks.

    Args:
        project: The project.
        scan: Digest of its scan.
        groups: P01, P02, ... -> the tracks that it has now.
        known: The numbers given before.
    """
    import pyarrow as pa

    from personae.core.schema import NUMBERS

    maker = MarkMaker(project.table("tracks"), project.table("faces", *FACE_COLUMNS))
    retired = {one.label: one.tracks for one in known if one.label not in groups}
    rows = []
    for label, tracks in sorted({**retired, **groups}.items(), key=lambda item: int(item[0][1:])):
        for track in sorted(tracks):
            mark = maker.make(track)
            rows.append(
                {
                    "character": label,
                    "current": label in groups,
                    **mark.model_dump(exclude={"boxes"}),
                    "boxes": [side for box in mark.boxes for side in box],
                    "scan": scan,
                }
            )
    return pa.Table.from_pylist(rows, schema=NUMBERS)


def _mark_of(row: Mapping[str, object]) -> TrackMark:
    flat = np.asarray(row["boxes"], dtype=np.float64).reshape(-1, 5).tolist()
    spans = {name: row[name] for name in ("track", "start_s", "end_s")}
    return TrackMark.model_validate({**spans, "boxes": tuple(map(tuple, flat))})


def _overlap(tracks: AbstractSet[int], number: KnownNumber) -> int:
    """Return how many tracks a character shares with a number; 0 where they are too few."""
    shared = len(tracks & number.tracks)
    sizes = len(tracks), len(number.tracks)
    needed = min(sizes) if number.is_current else max(sizes)
    return shared if 2 * shared > needed else 0


def _find_preferred(
    labels: Sequence[int],
    groups: Mapping[int, AbstractSet[int]],
    known: Sequence[KnownNumber],
    heads: Sequence[int],
) -> Iterable[tuple[int, int]]:
    """Yield for each character the number that its latest head has at present."""
    column_of = {track: i for i, one in enumerate(known) if one.is_current for track in one.tracks}
    rank = {track: place for place, track in enumerate(heads) if track in column_of}
    for row, label in enumerate(labels):
        own = [track for track in groups[label] if track in rank]
        if own:
            yield row, column_of[max(own, key=rank.__getitem__)]


def _match(weights: np.typing.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the one-to-one matches of rows and columns of the highest total weight."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(weights, maximize=True)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
