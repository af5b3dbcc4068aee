"""Describe tracks so that they are found again in a new scan, and find them there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float64Array, Int64Array
from personae.project.edits.edit import TrackMark

if TYPE_CHECKING:
    import pyarrow as pa

FACE_COLUMNS = ("track", "time_s", "x", "y", "w", "h")
"""Columns of the table of faces that are read."""

BOX_POSITIONS = (1 / 6, 1 / 2, 5 / 6)
"""Where along a track the boxes are taken that describe it."""

MAX_TIME_DIFFERENCE_S = 0.06
"""Largest distance in time of two boxes that are compared; a frame and a half at 25 per second."""

MIN_IOU = 0.5
"""Least overlap of two boxes of one face in two scans."""

MAX_ROUNDING_S = 0.002
"""Difference of two times that are equal but for rounding."""

MAX_PAIRS_AT_A_TIME = 1_000_000
"""Pairs of boxes that are compared at a time; bounds memory."""


class MarkMaker:
    """Describes the tracks of one scan."""

    def __init__(self, tracks: pa.Table, faces: pa.Table) -> None:
        """Take the tables of tracks, and of faces with `FACE_COLUMNS`."""
        columns = (tracks[name].to_pylist() for name in ("track", "start_s", "end_s"))
        self._spans = {track: (start, end) for track, start, end in zip(*columns, strict=True)}
        track_of = faces["track"].to_numpy()
        self._order = np.argsort(track_of, kind="stable")
        self._sorted = track_of[self._order]
        self._boxes = _time_and_box(faces)

    def make(self, track: int) -> TrackMark:
        """Describe a track by its span and some of its boxes.

        Raises:
            KeyError: There is no such track.
        """
        start_s, end_s = self._spans[track]
        first, end = np.searchsorted(self._sorted, [track, track + 1])
        picked = sorted({first + int(at * (end - first)) for at in BOX_POSITIONS if end > first})
        boxes = self._boxes[self._order[picked]].tolist() if picked else []
        return TrackMark(
            track=track,
            start_s=round(start_s, 3),
            end_s=round(end_s, 3),
            boxes=tuple((round(t, 3), *(round(side, 1) for side in box)) for t, *box in boxes),
        )


class TrackSpans:
    """When each track of a scan is on screen; tells whether a mark's number holds in the scan."""

    def __init__(self, tracks: pa.Table) -> None:
        """Take the table of tracks."""
        columns = (tracks[name].to_pylist() for name in ("track", "start_s", "end_s"))
        self._spans = {track: (start, end) for track, start, end in zip(*columns, strict=True)}

    def has(self, mark: TrackMark) -> bool:
        """Return whether the track of the mark's number is on screen when the mark is.

        A film that was scanned again with the same settings on another machine may number its
        tracks in another way.
        """
        span = self._spans.get(mark.track)
        return (
            span is not None
            and abs(span[0] - mark.start_s) <= MAX_ROUNDING_S
            and abs(span[1] - mark.end_s) <= MAX_ROUNDING_S
        )


def find_marks(marks: Iterable[TrackMark], faces: pa.Table) -> dict[TrackMark, tuple[int, ...]]:
    """Find the tracks of a scan that show what tracks of another scan showed.

    Each box of a mark votes for the track whose box at that time overlaps it most. A track that the
    new scan has broken in two is found as both.

    Args:
        marks: Tracks of an earlier scan.
        faces: The table of faces of the scan, with `FACE_COLUMNS`.

    Returns:
        The tracks of every mark in ascending order; none where no box was found again.
    """
    wanted = list(dict.fromkeys(marks))
    owner = np.array([place for place, mark in enumerate(wanted) for _ in mark.boxes], np.int64)
    boxes = np.array([box for mark in wanted for box in mark.boxes], np.float64).reshape(-1, 5)
    track_of = faces["track"].to_numpy()
    rows = np.flatnonzero(track_of >= 0)
    found: dict[TrackMark, set[int]] = defaultdict(set)
    if len(rows):
        candidates = _time_and_box(faces)[rows]
        order = np.argsort(candidates[:, 0], kind="stable")
        best = _find_overlapping(boxes, candidates[order])
        for place, row in zip(owner.tolist(), best.tolist(), strict=True):
            if row >= 0:
                found[wanted[place]].add(int(track_of[rows[order[row]]]))
    return {mark: tuple(sorted(found[mark])) for mark in wanted}


def _time_and_box(faces: pa.Table) -> Float64Array:
    """Return (n, 5) time in seconds, left, top, width, height."""
    columns = [faces[name].to_numpy().astype(np.float64) for name in FACE_COLUMNS[1:]]
    return np.column_stack(columns)


def _find_overlapping(boxes: Float64Array, candidates: Float64Array) -> Int64Array:
    """Return for each of (m, 5) boxes the row of the best of (n, 5) candidates, -1 where none is.

    Candidates are in order of time; those of the nearest moment are compared.
    """
    times = candidates[:, 0]
    moments, starts = np.unique(times, return_index=True)
    ends = np.append(starts[1:], len(times))
    after = np.clip(np.searchsorted(moments, boxes[:, 0]), 1, max(len(moments) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(moments) - 1)
    is_nearer = np.abs(moments[after] - boxes[:, 0]) < np.abs(moments[before] - boxes[:, 0])
    nearest = np.where(is_nearer, after, before)
    in_time = np.abs(moments[nearest] - boxes[:, 0]) <= MAX_TIME_DIFFERENCE_S
    counts = np.where(in_time, ends[nearest] - starts[nearest], 0)
    best = np.full(len(boxes), -1, dtype=np.int64)
    for part in _parts(counts):
        count = counts[part]
        box_of = np.repeat(part, count)
        offset = np.arange(len(box_of)) - np.repeat(np.cumsum(count) - count, count)
        row = starts[nearest[box_of]] + offset
        overlap = _iou(boxes[box_of, 1:], candidates[row, 1:])
        order = np.lexsort((-row, overlap))  # the best of each box is written last
        kept = order[overlap[order] >= MIN_IOU]
        best[box_of[kept]] = row[kept]
    return best


def _parts(counts: Int64Array) -> Sequence[Int64Array]:
    """Divide the indices of `counts` so that the counts of a part add up to a bounded number."""
    total = int(counts.sum())
    return np.array_split(np.arange(len(counts)), total // MAX_PAIRS_AT_A_TIME + 1)


def _iou(a: Float64Array, b: Float64Array) -> Float64Array:
    """Return (n,) intersection over union of (n, 4) boxes."""
    top_left = np.maximum(a[:, :2], b[:, :2])
    bottom_right = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    shared: Float64Array = np.prod(np.clip(bottom_right - top_left, 0, None), axis=1)
    union = np.prod(a[:, 2:], axis=1) + np.prod(b[:, 2:], axis=1) - shared
    iou: Float64Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou
