"""Cannot-link pairs: tracks of two people, since both were detected in the same frame, apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from personae.scan.detection import Detection

MIN_FRAMES_APART = 2
"""Frames in which two tracks must be apart; one frame alone may show a head and its motion blur."""
MAX_SAME_HEAD_DISTANCE = 1.0
"""Distance, in sizes of the larger box, above which two boxes are on two heads."""
MAX_OVERLAPPING_DISTANCE = 0.7
"""Distance, in sizes of the larger box, above which boxes are side by side rather than
overlapping."""
MIN_ADJACENT_S = 1.0
"""Boxes side by side for this long are two heads; a second box on one head comes and goes."""


def box_distance(box: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return how far apart two boxes' centres are, in widths or heights of the larger box.

    A detector may fire twice on one large or blurred head, on parts that hardly overlap. A head
    with its hair is at most about twice as wide and high as its face, so boxes further apart than 1
    are on two heads; nearer boxes prove nothing by themselves.

    Args:
        box: x, y, w, h.
        other: x, y, w, h.

    Returns:
        The larger of the horizontal and the vertical distance, from 0.
    """
    a, b = np.asarray(box, dtype=float), np.asarray(other, dtype=float)
    offset = np.abs((a[:2] + a[2:] / 2) - (b[:2] + b[2:] / 2))
    return float((offset / np.maximum(a[2:], b[2:])).max())


def find_cannot_links(tracks: Sequence[Sequence[Detection]]) -> list[tuple[int, int, int]]:
    """Return the pairs of one shot's tracks that must be two people.

    Two tracks are linked if the distance of their boxes is above `MAX_SAME_HEAD_DISTANCE` in at
    least `MIN_FRAMES_APART` frames and in more than half of the frames that they share: boxes that
    mostly coincide are one head tracked twice. Otherwise the same test is made for boxes side by
    side (above `MAX_OVERLAPPING_DISTANCE`), over at least `MIN_ADJACENT_S`.

    Args:
        tracks: The detections of each track, ordered by frame.

    Returns:
        (a, b, frames) with a < b, ordered; `frames` counts the frames in which they are apart.
    """
    by_frame: dict[int, list[tuple[int, Detection]]] = defaultdict(list)
    for number, detections in enumerate(tracks):
        for detection in detections:
            by_frame[detection.frame].append((number, detection))
    shared: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for present in by_frame.values():
        ordered = sorted(present, key=lambda pair: pair[0])
        for (a, one), (b, other) in combinations(ordered, 2):
            shared[a, b].append((one.time_s, box_distance(one.box, other.box)))
    links = []
    for (a, b), distances in sorted(shared.items()):
        for min_distance, min_duration_s in (
            (MAX_SAME_HEAD_DISTANCE, 0.0),
            (MAX_OVERLAPPING_DISTANCE, MIN_ADJACENT_S),
        ):
            times_s = [time_s for time_s, distance in distances if distance > min_distance]
            if (
                len(times_s) >= MIN_FRAMES_APART
                and 2 * len(times_s) > len(distances)
                and max(times_s) - min(times_s) >= min_duration_s
            ):
                links.append((a, b, len(times_s)))
                break
    return links
