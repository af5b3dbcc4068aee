"""The parts of every frame in which a hidden face may be: more than where it was detected.

A face that is hidden must not be lost between detections. Its boxes are therefore filled in between
two detections and between two tracks, held for a while where it was first and last seen, and padded
on all sides. None of this crosses a cut, after which another picture is seen.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int64Array
from personae.film_export.hidden_faces import FacePath

MAX_BRIDGED_GAP_S = 2.0
"""Longest time between two tracks that is filled in."""

MAX_BRIDGED_STEP = 1.5
"""Largest distance between two faces, in widths of the larger, at which unknown faces before and
after a gap may be the same one."""

MAX_STRAIGHT_GAP_S = 0.4
"""Time between two detections, of a track or of two, up to which a face moves about straight. In
longer gaps all that lies between the two boxes is hidden."""

MOTION_WINDOW_S = 0.1
"""Time before and after a frame of which the boxes are hidden in it too; a face that moves fast is
not exactly where it is interpolated."""

SPEED_WINDOW_S = 0.2
"""Time at an end of a track over which its speed is measured."""

OUTLINE = np.array([(math.cos(angle), math.sin(angle)) for angle in np.arange(0, 2 * math.pi, 0.5)])
"""(n, 2) points of a circle of radius 1."""


@dataclass(frozen=True)
class Bridge:
    """A gap between two paths of what may be one face."""

    before: int
    """Number of the earlier path."""
    after: int
    """Number of the later path."""


class Regions:
    """Boxes to hide in every frame.

    Args:
        frames: (n,) frame of each box.
        boxes: (n, 4) x, y, w, h.
    """

    def __init__(self, frames: Int64Array, boxes: Float64Array) -> None:
        order = np.argsort(frames, kind="stable")
        self._frames, self._boxes = frames[order], boxes[order]

    def at(self, frame: int) -> Float64Array:
        """Return the (n, 4) boxes of a frame."""
        low, high = np.searchsorted(self._frames, [frame, frame + 1])
        return self._boxes[low:high]

    def cover(self, frame: int, box: Float64Array) -> bool:
        """Return whether the ellipse in a (4,) box lies within those of the boxes of a frame."""
        hidden = self.at(frame)
        points = (box[:2] + box[2:] / 2) + OUTLINE * box[2:] / 2
        offsets = (points[:, None] - hidden[:, :2] - hidden[:, 2:] / 2) / (hidden[:, 2:] / 2)
        return bool(((offsets**2).sum(axis=2) <= 1).any(axis=1).all())


def build_regions(
    paths: Sequence[FacePath],
    bridges: Iterable[Bridge],
    shots: dict[int, tuple[int, int]],
    fps: float,
    hold_s: float,
    padding: float,
) -> Regions:
    """Return what to hide of some faces.

    Args:
        paths: The faces.
        bridges: Gaps between them to fill in, see `find_bridges`.
        shots: Number of a shot -> its first and last frame.
        fps: Frames per second.
        hold_s: Seconds to hide before the first and after the last frame of a face.
        padding: Share of its width and height by which a box grows on each side.
    """
    n_held, n_speed, n_around, max_straight = (
        round(seconds * fps)
        for seconds in (hold_s, SPEED_WINDOW_S, MOTION_WINDOW_S, MAX_STRAIGHT_GAP_S)
    )
    pieces: list[tuple[int, Float64Array]] = []
    for path in paths:
        boxes = _widen_by_motion(_fill_long_gaps(path, max_straight), max(1, n_around))
        pieces.append((path.first_frame, boxes))
        pieces += _hold(path, shots[path.shot], n_held, max(1, n_speed))
    pieces += [_fill_bridge(paths[one.before], paths[one.after], max_straight) for one in bridges]
    frames = [np.arange(first, first + len(boxes)) for first, boxes in pieces]
    if not frames:
        return Regions(np.empty(0, np.int64), np.empty((0, 4)))
    all_boxes = np.concatenate([boxes for _, boxes in pieces])
    return Regions(np.concatenate(frames), _pad(all_boxes, padding))


def find_bridges(paths: Sequence[FacePath], fps: float) -> list[Bridge]:
    """Return the gaps between paths of what may be one face, within a shot.

    Two paths may be one face if they belong to one character, or if one of them is unknown and the
    second starts near where the first ended.
    """
    max_gap = round(MAX_BRIDGED_GAP_S * fps)
    by_shot: defaultdict[int, list[int]] = defaultdict(list)
    for number, path in enumerate(paths):
        by_shot[path.shot].append(number)
    bridges = []
    for numbers in by_shot.values():
        numbers.sort(key=lambda number: paths[number].first_frame)
        starts = [paths[number].first_frame for number in numbers]
        for number in numbers:
            last = paths[number].last_frame
            low, high = bisect_right(starts, last), bisect_left(starts, last + max_gap + 1)
            bridges += [
                Bridge(number, other)
                for other in numbers[low:high]
                if _may_be_one_face(paths[number], paths[other])
            ]
    return bridges


def _may_be_one_face(before: FacePath, after: FacePath) -> bool:
    if before.character is not None and after.character is not None:
        return before.character == after.character
    old, new = before.boxes[-1], after.boxes[0]
    step = np.abs((old[:2] + old[2:] / 2) - (new[:2] + new[2:] / 2)).max()
    return bool(step <= MAX_BRIDGED_STEP * max(old[2], new[2]))


def hull(boxes: Float64Array, others: Float64Array) -> Float64Array:
    """Return the smallest (n, 4) boxes around pairs of boxes."""
    low = np.minimum(boxes[..., :2], others[..., :2])
    high = np.maximum(boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:])
    return np.concatenate([low, high - low], axis=-1)


def _fill_long_gaps(path: FacePath, max_straight: int) -> Float64Array:
    """Return a path's boxes, with all that lies between two detections far apart in time."""
    known = np.flatnonzero(path.detected)
    boxes = path.boxes.copy()
    for i in np.flatnonzero(np.diff(known) > max_straight):
        low, high = known[i], known[i + 1]
        boxes[low + 1 : high] = hull(boxes[low], boxes[high])
    return boxes


def _widen_by_motion(boxes: Float64Array, n_around: int) -> Float64Array:
    """Return for every frame the hull of its box and of those of the frames around it."""
    widened = boxes.copy()
    for shift in range(1, min(n_around, len(boxes) - 1) + 1):
        widened[shift:] = hull(widened[shift:], boxes[:-shift])
        widened[:-shift] = hull(widened[:-shift], boxes[shift:])
    return widened


def _hold(
    path: FacePath, shot: tuple[int, int], n_held: int, n_speed: int
) -> list[tuple[int, Float64Array]]:
    """Return what to hide before and after a path: where the face was, and where it may go."""
    boxes = path.boxes
    last = len(boxes) - 1
    span = min(n_speed, last)
    pieces = []
    for end, inner, free, step in (
        (0, span, path.first_frame - shot[0], -1),
        (last, last - span, shot[1] - path.last_frame, 1),
    ):
        n = min(n_held, free)
        if n <= 0:
            continue
        moved = np.tile(boxes[end], (n, 1))
        if span:
            centres = boxes[[end, inner], :2] + boxes[[end, inner], 2:] / 2
            speed = (centres[0] - centres[1]) / span
            moved[:, :2] += speed * np.arange(1, n + 1)[:, None]
        held = hull(boxes[end], moved)
        first = path.first_frame - n if step < 0 else path.last_frame + 1
        pieces.append((first, held[::step]))
    return pieces


def _fill_bridge(before: FacePath, after: FacePath, max_straight: int) -> tuple[int, Float64Array]:
    """Return what to hide between two paths: a straight way, or all between if the gap is long."""
    n = after.first_frame - before.last_frame - 1
    old, new = before.boxes[-1], after.boxes[0]
    if n >= max_straight:
        return before.last_frame + 1, np.tile(hull(old, new), (n, 1))
    share = np.linspace(0, 1, n + 2)[1:-1, None]
    return before.last_frame + 1, old + (new - old) * share


def _pad(boxes: Float64Array, padding: float) -> Float64Array:
    """Return boxes that are larger on each side by a share of their width and height."""
    margin = boxes[:, 2:] * padding
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin], axis=1)
