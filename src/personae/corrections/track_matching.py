"""Which tracks of a corrected file are which of the project's, box by box."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int64Array
from personae.core.boxes import box_iou
from personae.corrections.corrected_track import CorrectedTrack

MIN_IOU = 0.5
"""Overlap from which on a corrected box is that of a track."""

MIN_IOU_OF_NAMED_TRACK = 0.2
"""The same where the corrected track carries the number of the track: boxes may be redrawn."""

MIN_PIECE_SHARE = 0.05
"""Share of a track's boxes that a corrected track must cover to have a say about it."""


@dataclass(frozen=True)
class StoredTrack:
    """A face track of the project; positions are counted as the corrected file counts them."""

    number: int
    positions: Int64Array
    boxes: Float64Array


@dataclass(frozen=True)
class TrackMatching:
    """Which corrected tracks cover which tracks of the project."""

    covering: dict[int, tuple[int, ...]]
    """Number of a track -> the corrected tracks that cover it, the one that covers most first."""

    surplus: dict[int, int]
    """Corrected track -> how many of its boxes are those of no track."""


def match_tracks(
    corrected: Sequence[CorrectedTrack], stored: Sequence[StoredTrack]
) -> TrackMatching:
    """Match tracks by their boxes in the frames they share; each box is that of one track at most.

    Args:
        corrected: The tracks of the file.
        stored: The tracks of the project.
    """
    at_position: dict[int, list[tuple[int, Float64Array]]] = defaultdict(list)
    for track in stored:
        for position, box in zip(track.positions.tolist(), track.boxes, strict=True):
            at_position[position].append((track.number, box))
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    surplus: dict[int, int] = {}
    for row, given in enumerate(corrected):
        matched = 0
        for position, box in zip(given.positions.tolist(), given.boxes, strict=True):
            number = _find_track(box, at_position.get(position, []), given.number)
            if number is not None:
                votes[number][row] += 1
                matched += 1
        surplus[row] = len(given.positions) - matched
    sizes = {track.number: len(track.positions) for track in stored}
    covering = {
        number: tuple(
            row
            for row, count in votes[number].most_common()
            if count >= MIN_PIECE_SHARE * sizes[number]
        )
        for number in sorted(votes)
    }
    return TrackMatching({number: rows for number, rows in covering.items() if rows}, surplus)


def _find_track(
    box: Float64Array, candidates: Sequence[tuple[int, Float64Array]], named: int | None
) -> int | None:
    """Return the track that a box is of, out of those of its frame; None for none of them."""
    if not candidates:
        return None
    overlaps = box_iou(box[None], np.array([other for _, other in candidates]))[0]
    for (number, _), overlap in zip(candidates, overlaps.tolist(), strict=True):
        if number == named and overlap >= MIN_IOU_OF_NAMED_TRACK:
            return number
    best = int(overlaps.argmax())
    return candidates[best][0] if overlaps[best] >= MIN_IOU else None
